"""The picture of ``on_device.py``: PyTorch against ONNX Runtime.

Authors
 * The speechbrain_hrf authors 2026
"""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

# Okabe and Ito's, which people with any colour vision can tell apart.
BLUE, ORANGE = "#0072B2", "#D55E00"
DPI = 110

# Title, key of the figures, factor, how values are written.
PANELS = (
    ("5 s of audio, one thread [ms]", "median_ms", 1, "{:.1f}"),
    ("Start to first label [s]", "median_start_s", 1, "{:.2f}"),
    ("Peak memory of the process [MB]", "peak_bytes", 1e-6, "{:.0f}"),
    ("File [KiB]", "bytes", 1 / 1024, "{:.0f}"),
)
ENGINES = {
    "eager": ("PyTorch, SpeechBrain", ORANGE, "D"),
    "ONNX": ("ONNX Runtime", BLUE, "o"),
}


def draw(figures, models, sizes, path):
    """Draws one panel per question, a line per model and size.

    Arguments
    ---------
    figures : dict
        Of ``on_device.py``.
    models, sizes : sequence of str
    path : pathlib.Path
        The PNG.
    """
    names = [(model, size) for model in models for size in sizes]
    height = 1.3 + 0.27 * len(names)
    size = (3.3 * len(PANELS), height)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(PANELS), sharey=True)
    for panel in axes:
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    places = range(len(names))
    for panel, (title, key, factor, text) in zip(axes, PANELS, strict=True):
        for engine, (label, colour, marker) in ENGINES.items():
            values = [
                factor * _value(figures, f"{model}, {size}, {engine}", key)
                for model, size in names
            ]
            panel.plot(
                values, places, marker, color=colour, markersize=5, label=label
            )
            right = engine == "eager"
            for place, value in zip(places, values, strict=True):
                panel.annotate(
                    text.format(value),
                    (value, place),
                    (7 if right else -7, 0),
                    textcoords="offset points",
                    ha="left" if right else "right",
                    va="center",
                    fontsize=7,
                    color=colour,
                )
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter("{x:g}")
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.margins(x=0.35, y=0.06)
        panel.set_title(title, fontsize=9)
        panel.set_yticks(places, [f"{m}, {s}" for m, s in names], fontsize=8)
        panel.tick_params(axis="x", labelsize=7, which="both")
        panel.grid(axis="x", alpha=0.3)
    axes[0].invert_yaxis()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=2, fontsize=8
    )
    figure.savefig(path, dpi=DPI)


def _value(figures, key, name):
    found = figures[key]
    return found[name] if name in found else figures[f"{key}, waveform"][name]
