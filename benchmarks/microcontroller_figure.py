"""The picture of ``microcontroller.py``: what a chip needs for each model.

Authors
 * The speechbrain_hrf authors 2026
"""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's, which people with any colour vision can tell apart.
COLOURS = {"float32": "#0072B2", "int8": "#56B4E9", "TFLM": "#D55E00"}
PANELS = (
    ("Flash [KiB]", "flash", 1 / 1024, "{:.0f}"),
    ("RAM with stack [KiB]", "ram", 1 / 1024, "{:.0f}"),
    ("Instructions for 5 s [million]", "instructions", 1e-6, "{:.0f}"),
)
BOARD = "C, mps2-an386"


def draw(figures, path):
    """Draws a panel per question, a bar per model and weights.

    Arguments
    ---------
    figures : dict
        Of ``microcontroller.py``.
    path : pathlib.Path
        The PNG.
    """
    bars = []
    for key, found in figures.items():
        model, runs = key.split(", ", 1)
        runs, _, weights = runs.rpartition(", ")
        if runs == BOARD:
            bars.append((f"{model}, C, {weights}", weights, found))
        elif "TFLM" in runs and "ram" in found:
            bars.append((f"{model}, TFLM", "TFLM", found))
    size = (3.2 * len(PANELS), 1.0 + 0.3 * len(bars))
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    for panel, (title, key, factor, text) in zip(
        figure.subplots(1, len(PANELS), sharey=True), PANELS, strict=True
    ):
        for place, (_, kind, found) in enumerate(bars):
            value = found.get(key)
            if value is None:
                continue
            panel.barh(place, factor * value, color=COLOURS[kind])
            panel.annotate(
                text.format(factor * value),
                (factor * value, place),
                (3, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
        panel.set_title(title, fontsize=9)
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=7)
        panel.margins(x=0.18)
        panel.set_yticks(range(len(bars)), [b[0] for b in bars], fontsize=8)
    panel.invert_yaxis()
    figure.savefig(path, dpi=110)
