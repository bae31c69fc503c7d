"""Pictures of small panels, as PNG of few colours.

Colours are Okabe and Ito's, which people with any colour vision can tell
apart. Figures keep their white ground on a dark page.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import io
import itertools

import pandas
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from speechbrain_hrf.studies.paper import place
from speechbrain_hrf.studies.trial import LIGHTWEIGHT

# Blue and orange first; from the twelfth arm on they are used again.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    *("#8A6D00", "#000000", "#7B3294", "#A6D854", "#A50026"),
)
GREY = "#6E6E6E"  # of the lightweight model


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure that was drawn.

    Arguments
    ---------
    png : bytes
    caption : str
        What is seen and how to read it.
    alt : str
        What it shows, for those who do not see it.
    narrow : bytes, optional
        The same for a phone.

    Example
    -------
    >>> Picture(b"", "A line.", "It goes up.").narrow is None
    True
    """

    png: bytes
    caption: str
    alt: str
    narrow: bytes | None = None


def make_panels(
    number: int, width: float, height: float, columns: int = 3, **options: bool
) -> tuple[Figure, list[Axes]]:
    """A figure with small panels, row by row.

    Arguments
    ---------
    number : int
    width, height : float
        Of one panel, inches.
    columns : int
        At most.
    **options
        For ``Figure.subplots``, such as ``sharey``.

    Returns
    -------
    matplotlib.figure.Figure
    list of matplotlib.axes.Axes
        As many as panels.

    Example
    -------
    >>> figure, axes = make_panels(4, 2, 2)
    >>> len(axes), figure.get_size_inches().tolist()
    (4, [6.0, 4.0])
    """
    columns = min(columns, number)
    rows = -(-number // columns)
    # The figure object alone: pyplot would switch the whole process's backend.
    figure = Figure((width * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options).ravel()
    for unused in axes[number:]:
        unused.set_axis_off()
    for used in axes[:number]:
        used.tick_params(labelsize=8, labelbottom=True)
        used.spines[["top", "right"]].set_visible(False)
    return figure, list(axes[:number])


def draw_png(figure: Figure) -> bytes:
    """A figure as PNG of at most 96 colours, a third of the usual size.

    Arguments
    ---------
    figure : matplotlib.figure.Figure

    Returns
    -------
    bytes

    Example
    -------
    >>> draw_png(make_panels(1, 2, 2)[0])[:4]
    b'\\x89PNG'
    """
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, dpi=110, format="png")
    image = Image.open(drawn).convert("RGB")
    image = image.quantize(96, Image.Quantize.MAXCOVERAGE)
    image.save(small, format="PNG", optimize=True)
    return small.getvalue()


def draw_legend(figure: Figure, panel: Axes, where: str) -> None:
    """What the colours of all panels stand for.

    Arguments
    ---------
    figure : matplotlib.figure.Figure
    panel : matplotlib.axes.Axes
        One that has all of them.
    where : str
        upper or lower.

    Example
    -------
    >>> figure, [panel] = make_panels(1, 2, 2)
    >>> line = panel.plot([1, 2], label="ALL")
    >>> draw_legend(figure, panel, "lower")
    >>> len(figure.legends)
    1
    """
    handles, names = panel.get_legend_handles_labels()
    # As many side by side as there is room for.
    columns = min(len(names), max(1, int(figure.get_figwidth() // 2.4)))
    # Many names would leave no room for the panels.
    more = max(0, -(-len(names) // columns) - 2)
    figure.set_figheight(figure.get_figheight() + 0.2 * more)
    options = {"ncols": columns, "fontsize": 8, "frameon": False}
    figure.legend(handles, names, loc=f"outside {where} center", **options)


def draw_lines(
    points: pandas.DataFrame,
    x: str,
    y: str,
    caption: str,
    columns: int = 3,
    size: tuple[float, float] = (3.2, 2.7),
) -> Picture:
    """A panel per model (or layer), a line per arm.

    Arguments
    ---------
    points : pandas.DataFrame
        panel, row, x and y; those of a panel, row and x are averaged.
    x, y : str
        What the axes show.
    caption : str
    columns : int
        At most.
    size : tuple of float
        Of a panel, inches.

    Returns
    -------
    Picture

    Example
    -------
    >>> points = {"panel": "Conformer", "row": "ALL", "x": [1, 2], "y": [3, 4]}
    >>> draw_lines(pandas.DataFrame(points), "epoch", "loss", "").alt
    'loss by epoch: ALL.'
    """
    rows = sorted(set(points["row"]), key=place)
    others = [row for row in rows if row != LIGHTWEIGHT]
    colours = dict(zip(others, itertools.cycle(COLOURS), strict=False))
    panels = points.groupby("panel", sort=False)
    figure, axes = make_panels(len(panels), *size, columns, sharex=True)
    for panel, (name, some) in zip(axes, panels, strict=True):
        seaborn.lineplot(
            some,
            x="x",
            y="y",
            hue="row",
            hue_order=rows,
            palette={**colours, LIGHTWEIGHT: GREY},
            marker="o" if some["x"].nunique() < 9 else "",
            markersize=4,
            linewidth=1.4,
            errorbar=None,
            ax=panel,
        )
        panel.set(xlabel=x, ylabel="")
        panel.set_title(name, fontsize=9)
        panel.grid(alpha=0.3)
        if x in ("expansion ratio", "learning rate"):
            panel.set_xscale("log")
            panel.minorticks_off()
            ticks = sorted(some["x"].unique())
            panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    draw_legend(figure, axes[0], "lower")
    for panel in axes:
        panel.get_legend().remove()
    figure.supylabel(y, fontsize=9)
    alt = f"{y} by {x}: {', '.join(rows)}."
    return Picture(draw_png(figure), caption, alt)
