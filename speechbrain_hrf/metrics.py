"""The scores that the field reports: WA, UA, WF1, MF1, and the confusion.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    accuracy_score,
    confusion_matrix,
    f1_score,
    recall_score,
)


class EmotionScores:
    """Collects predictions over the batches of a stage.

    Arguments
    ---------
    labels : list of str
        Names of the classes in the order of their indices.

    Example
    -------
    >>> import torch
    >>> scores = EmotionScores(["neu", "sad"])
    >>> log_probabilities = torch.tensor([[[-0.1, -2.0]], [[-3.0, -0.2]]])
    >>> scores.append(["a", "b"], log_probabilities, torch.tensor([[0], [0]]))
    >>> summary = scores.summarize()
    >>> summary["WA"], summary["UA"], summary["confusion"]
    (0.5, 0.5, [[1, 1], [0, 0]])
    """

    def __init__(self, labels):
        self.labels = list(labels)
        self.ids = []
        self.references = []
        self.predictions = []

    def append(self, ids, log_probabilities, references):
        """Adds a batch.

        Arguments
        ---------
        ids : list of str
            Utterances.
        log_probabilities : torch.Tensor
            [B, 1, C]
        references : torch.Tensor
            Class indices, [B, 1].
        """
        self.ids.extend(ids)
        self.references.extend(references.flatten().tolist())
        best = log_probabilities.squeeze(1).argmax(-1)
        self.predictions.extend(best.tolist())

    def summarize(self):
        """All scores of what was collected.

        Returns
        -------
        dict
            WA (accuracy), UA (mean recall over the classes that occur), WF1
            and MF1 (F1 weighted by class frequency, and plain mean): float;
            confusion: counts, one list per true class; n: utterances.
        """
        if not self.references:
            raise ValueError("There is nothing to score: the set is empty.")
        true, found = self.references, self.predictions
        classes = list(range(len(self.labels)))
        occurring = sorted(set(true))
        # Plain numbers: SpeechBrain's checkpoints cannot hold numpy scalars.
        return {
            "WA": float(accuracy_score(true, found)),
            "UA": float(
                recall_score(true, found, labels=occurring, average="macro")
            ),
            "WF1": _f1(true, found, classes, "weighted"),
            "MF1": _f1(true, found, classes, "macro"),
            "confusion": confusion_matrix(true, found, labels=classes).tolist(),
            "n": len(true),
        }


def _f1(true, found, classes, average):
    return float(
        f1_score(true, found, labels=classes, average=average, zero_division=0)
    )


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
    size = 2.2 + 0.65 * len(labels)
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
    display.im_.colorbar.set_label("recall")
    figure.savefig(path, dpi=120)
