"""What all figures share: colours, small multiples, files.

Colours are Okabe and Ito's, which people with any colour vision can tell
apart; lines also differ in their markers and dashes.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import itertools

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#6E6E6E"
COLOURS = (
    *(BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    *("#000000", "#8A6D00"),
)
MARKERS, DASHES = "osD^vPX*", ("-", "--", "-.", ":")
# More lines than this in one panel hide each other: then each gets its own.
FEW_LINES = 4
COLUMNS = 5
DPI = 110


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure that was drawn.

    Arguments
    ---------
    file : str
        Its name in the report's folder.
    caption : str
        What is seen and how to read it.
    alt : str
        What it shows, for those who do not see it.

    Example
    -------
    >>> Picture("report_x.png", "A line.", "It goes up.").file
    'report_x.png'
    """

    file: str
    caption: str
    alt: str


def panels(number, width, height, columns=COLUMNS, **options):
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
    >>> figure, axes = panels(7, 2, 2)
    >>> len(axes), figure.get_size_inches().tolist()
    (7, [10.0, 4.0])
    """
    columns = min(columns, number)
    rows = -(-number // columns)
    # The figure object alone: pyplot would need a display or a backend that
    # is switched for the whole process.
    figure = Figure(
        figsize=(max(width * columns, 4.0), height * rows),
        layout="constrained",
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, **options).ravel()
    for unused in axes[number:]:
        unused.set_axis_off()
    for k, unused in enumerate(axes[:number]):
        below_is_empty = k + columns >= number
        unused.tick_params(labelsize=8, labelbottom=below_is_empty or None)
        unused.spines[["top", "right"]].set_visible(False)
    return figure, list(axes[:number])


def styles():
    """Colour, marker and dash for one line after another, without end.

    Yields
    ------
    dict
        For ``Axes.plot``.

    Example
    -------
    >>> next(styles())
    {'color': '#0072B2', 'marker': 'o', 'linestyle': '-'}
    """
    for k in itertools.count():
        yield {
            "color": COLOURS[k % len(COLOURS)],
            "marker": MARKERS[k % len(MARKERS)],
            "linestyle": DASHES[(k // len(COLOURS)) % len(DASHES)],
        }


def draw_band(axes, x, mean, low, high, **style):
    """A line with its band.

    Arguments
    ---------
    axes : matplotlib.axes.Axes
    x, mean, low, high : sequence of float
    **style
        For ``Axes.plot``.

    Example
    -------
    >>> _, [axes] = panels(1, 3, 3)
    >>> draw_band(axes, [1, 2], [0, 1], [-1, 0], [1, 2], color="black")
    >>> len(axes.lines), len(axes.collections)
    (1, 1)
    """
    style = {"linewidth": 1.4, "markersize": 4, **style}
    axes.plot(x, mean, **style)
    if np.isfinite(np.asarray(low, dtype=float)).any():
        axes.fill_between(
            x, low, high, color=style["color"], alpha=0.18, linewidth=0
        )


def save(figure, folder, file):
    """Writes a figure.

    Arguments
    ---------
    figure : matplotlib.figure.Figure
    folder : pathlib.Path
    file : str

    Returns
    -------
    str
        ``file``.

    Example
    -------
    >>> import pathlib
    >>> figure, _ = panels(1, 2, 2)
    >>> save(figure, pathlib.Path(getfixture("tmpdir")), "report_x.png")
    'report_x.png'
    """
    figure.savefig(folder / file, dpi=DPI)
    return file
