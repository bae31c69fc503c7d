"""The confusion matrix as a picture.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay


# A label may hold a dollar sign, which begins a formula elsewhere.
@rc_context({"text.parse_math": False})
def draw_confusion(
    confusion: Sequence[Sequence[int]],
    labels: Sequence[str],
    title: str,
    path: str | os.PathLike[str],
) -> None:
    """Writes the confusion matrix as a PNG: counts, coloured by recall.

    Arguments
    ---------
    confusion : list of list of int
        Counts, one list per true class.
    labels : list of str
    title : str
        Lines of up to 40 characters.
    path : str or os.PathLike
        Where the PNG goes.

    Example
    -------
    >>> path = getfixture("tmpdir").join("confusion.png")
    >>> draw_confusion([[3, 1], [0, 2]], ["neu", "sad"], "demo", str(path))
    >>> path.check()
    True
    """
    counts = np.array(confusion)
    recall = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    # Room for the title, also over two classes.
    size = max(3.6, 2.2 + 0.65 * len(labels))
    # The figure object alone: pyplot would need a display or a backend that
    # is switched for the whole process.
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    display = ConfusionMatrixDisplay(recall, display_labels=labels)
    display.plot(
        ax=axes,
        include_values=False,
        cmap="Blues",
        im_kw={"vmin": 0, "vmax": 1},
        xticks_rotation=45,
    )
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if recall[row, column] > 0.5 else "black"
        axes.text(
            column, row, str(count), ha="center", va="center", color=colour
        )
    axes.set(title=title, xlabel="found", ylabel="true")
    display.im_.colorbar.set_label("share of the true class")
    figure.savefig(path, dpi=120)
