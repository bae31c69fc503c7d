"""Scores for the eye: report and confusion as text, confusion as a PNG.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay


def report_text(per_class):
    """Precision, recall and F1 of each class as text.

    Arguments
    ---------
    per_class : dict
        As ``EmotionScores.summarize`` has it.

    Returns
    -------
    str

    Example
    -------
    >>> report = {"precision": 0.5, "recall": 1.0, "F1": 2 / 3, "n": 4}
    >>> print(report_text({"sad": report}))
         precision  recall     F1  n
    sad     0.5000  1.0000 0.6667  4
    """
    first = max(map(len, per_class))
    wide = max(len(str(row["n"])) for row in per_class.values())
    lines = [f"{'':{first}}  precision  recall     F1  {'n':>{wide}}"]
    for label, row in per_class.items():
        lines.append(
            f"{label:{first}}  {row['precision']:9.4f}  {row['recall']:6.4f} "
            f"{row['F1']:6.4f}  {row['n']:>{wide}}"
        )
    return "\n".join(lines)


def confusion_text(confusion, labels):
    """The confusion matrix as text, a row per true class.

    Arguments
    ---------
    confusion : list of list of int
        Counts, one list per true class.
    labels : list of str

    Returns
    -------
    str

    Example
    -------
    >>> print(confusion_text([[3, 1], [0, 2]], ["neu", "sad"]))
    true \\ found  neu  sad
    neu             3    1
    sad             0    2
    """
    corner = "true \\ found"
    first = max(len(corner), *map(len, labels))
    width = max(
        *map(len, labels), *(len(str(n)) for row in confusion for n in row)
    )
    lines = [corner.ljust(first) + "".join(f"  {x:>{width}}" for x in labels)]
    for label, row in zip(labels, confusion, strict=True):
        cells = "".join(f"  {n:>{width}}" for n in row)
        lines.append(label.ljust(first) + cells)
    return "\n".join(lines)


def confusion_figure(confusion, labels, title, path):
    """The confusion matrix as a PNG: counts, coloured by recall.

    Arguments
    ---------
    confusion : list of list of int
        Counts, one list per true class.
    labels : list of str
    title : str
        Lines of up to 40 characters.
    path : str
        Where the PNG goes.

    Example
    -------
    >>> path = getfixture("tmpdir").join("confusion.png")
    >>> confusion_figure([[3, 1], [0, 2]], ["neu", "sad"], "demo", str(path))
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
