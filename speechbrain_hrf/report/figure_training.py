"""Training loss and validation score against optimiser steps.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np

from speechbrain_hrf.report.arms import arms_at_base
from speechbrain_hrf.report.describe import band
from speechbrain_hrf.report.paper import model_name
from speechbrain_hrf.report.pictures import (
    BLUE,
    GREY,
    Picture,
    draw_band,
    panels,
    save,
)


def draw_training(trials, rates, folder):
    """Draws loss and validation score of each model, a panel per arm.

    Arguments
    ---------
    trials : Trials
    rates : dict of str: float
        The learning rate of "same lr", by model.
    folder : pathlib.Path

    Returns
    -------
    list of Picture

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": ["conformer"], "lr": 0.001,
    ...     "row": "FFN2", "family": "paper", "line": 0})
    >>> line = {"curves": {"epoch": []}, "metric": "UA", "steps_per_epoch": 3}
    >>> draw_training(Trials(None, [line], table, [], []), {}, None)
    []
    """
    names = {
        "train_loss": "training loss",
        f"valid_{trials.metric}": f"validation {trials.metric}",
    }
    pictures = []
    for model in trials.models:
        arms = arms_at_base(trials, rates, model)
        for key, name in names.items():
            curves = {
                row: curve
                for row, group in arms.items()
                if (curve := _curve(trials, group, key)) is not None
            }
            if curves:
                picture = _draw(arms, curves, model, key, name, folder)
                pictures.append(picture)
    return pictures


def _curve(trials, group, key):
    """Steps, and a row of values per run; runs may differ in length."""
    runs, steps = [], []
    for line in group["line"]:
        curves = trials.lines[line]["curves"]
        values = curves.get(key)
        if not values:
            continue
        per_epoch = trials.lines[line]["steps_per_epoch"]
        steps.append([epoch * per_epoch for epoch in curves["epoch"]])
        runs.append([np.nan if v is None else float(v) for v in values])
    if not runs:
        return None
    longest = max(map(len, runs))
    # Where some run has ended there is no mean over the same runs.
    table = np.full((len(runs), longest), np.nan)
    for row, values in zip(table, runs, strict=True):
        row[: len(values)] = values
    return np.array(max(steps, key=len)), table


def _draw(arms, curves, model, key, name, folder):
    arms_of_hrf = [
        row for row in curves if arms[row]["family"].iloc[0] != "lightweight"
    ]
    shown = arms_of_hrf or list(curves)
    figure, axes = panels(len(shown), 2.2, 1.9, sharex=True, sharey=True)
    ends = []
    for panel, row in zip(axes, shown, strict=True):
        reference = arms[row]["reference"].iloc[0]
        if reference in curves:
            _draw_curve(panel, curves[reference], GREY, "--")
        if row != reference:
            _draw_curve(panel, curves[row], BLUE, "-")
        panel.set_title(row, fontsize=9)
        panel.grid(alpha=0.3)
        last = np.nanmean(curves[row][1][:, -1])
        ends.append(f"{row} {last:.3f}")
    figure.supxlabel("optimiser steps", fontsize=9)
    figure.supylabel(name, fontsize=9)
    figure.suptitle(model_name(model), fontsize=10)
    return Picture(
        save(figure, folder, f"report_{key.lower()}_{model}.png"),
        f"{model_name(model)}: {name} against optimiser steps at the same "
        "learning rate, mean and bootstrap 95 % band over folds and seeds. "
        "Grey, dashed: the lightweight model.",
        f"{name.capitalize()} at the end: {', '.join(ends)}.",
    )


def _draw_curve(axes, curve, colour, dash):
    steps, table = curve
    draw_band(axes, steps, *band(table), color=colour, linestyle=dash)
