"""Confusion matrices of every arm, summed over folds and seeds.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pandas
from sklearn.metrics import ConfusionMatrixDisplay

from speechbrain_hrf.report.arms import arms_at_base
from speechbrain_hrf.report.paper import model_name
from speechbrain_hrf.report.pictures import Picture, panels, save

COLUMNS = 4


def sum_confusion(trials, rates):
    """The matrices as a table.

    Arguments
    ---------
    trials : Trials
    rates : dict of str: float
        The learning rate of "same lr", by model.

    Returns
    -------
    pandas.DataFrame
        model, row, true, and a column of counts per class that was found.

    Example
    -------
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": "conformer", "lr": 0.001,
    ...     "row": "FFN2", "family": "paper", "line": [0, 0]})
    >>> line = {"labels": ["a", "b"], "test": {"confusion": [[1, 2], [0, 3]]}}
    >>> sum_confusion(Trials(None, [line], table, [], []), {}).values.tolist()
    [['conformer', 'FFN2', 'a', 2, 4], ['conformer', 'FFN2', 'b', 0, 6]]
    """
    labels = trials.lines[0]["labels"]
    rows = []
    for model in trials.models:
        for row, group in arms_at_base(trials, rates, model).items():
            total = sum(
                np.array(trials.lines[line]["test"]["confusion"])
                for line in group["line"]
            )
            for label, counts in zip(labels, total.tolist(), strict=True):
                rows.append([model, row, label, *counts])
    return pandas.DataFrame(rows, columns=["model", "row", "true", *labels])


def draw_confusion(trials, table, folder):
    """Draws one figure per model, a panel per arm.

    Arguments
    ---------
    trials : Trials
    table : pandas.DataFrame
        Of ``sum_confusion``.
    folder : pathlib.Path

    Returns
    -------
    list of Picture

    Example
    -------
    >>> draw_confusion(None, pandas.DataFrame({"model": []}), None)
    []
    """
    pictures = []
    for model, matrices in table.groupby("model", sort=False):
        labels = list(matrices["true"].unique())
        arms = {
            row: group[labels].to_numpy()
            for row, group in matrices.groupby("row", sort=False)
        }
        file = f"report_confusion_{model}.png"
        _draw_model(arms, labels, model_name(model), folder, file)
        pictures.append(
            Picture(
                file,
                f"{model_name(model)}: share of each true class that was "
                "found as what, in percent, over all folds and seeds, at the "
                "same learning rate.",
                _alt(arms, labels),
            )
        )
    return pictures


def _draw_model(arms, labels, title, folder, file):
    # Room for the numbers; labels stand at the left and below only.
    size = 0.3 + 0.23 * len(labels)
    figure, axes = panels(
        len(arms), size + 0.35, size + 0.6, COLUMNS, sharex=True, sharey=True
    )
    for panel, (row, counts) in zip(axes, arms.items(), strict=True):
        share = _recall(counts)
        display = ConfusionMatrixDisplay(share, display_labels=labels)
        display.plot(
            ax=panel,
            include_values=False,
            cmap="Blues",
            colorbar=False,
            im_kw={"vmin": 0, "vmax": 1},
        )
        for (i, j), value in np.ndenumerate(share):
            panel.text(
                j,
                i,
                f"{100 * value:.0f}",
                ha="center",
                va="center",
                fontsize=6,
                color="white" if value > 0.5 else "black",
            )
        panel.set_title(row, fontsize=9)
        panel.set(xlabel="", ylabel="")
        panel.set_xticks(range(len(labels)), labels, rotation=90, fontsize=7)
        panel.set_yticks(range(len(labels)), labels, fontsize=7)
    figure.suptitle(title, fontsize=10)
    figure.supxlabel("found", fontsize=9)
    figure.supylabel("true", fontsize=9)
    save(figure, folder, file)


def _recall(counts):
    return counts / counts.sum(axis=1, keepdims=True).clip(min=1)


def _alt(arms, labels):
    parts = []
    for row, counts in arms.items():
        recall = np.diag(_recall(counts))
        best, worst = recall.argmax(), recall.argmin()
        parts.append(
            f"{row} finds {labels[best]} best ({100 * recall[best]:.0f} %) and "
            f"{labels[worst]} worst ({100 * recall[worst]:.0f} %)"
        )
    return f"{'; '.join(parts)}. The counts are in report_confusion.csv."
