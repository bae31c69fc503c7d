"""Curves over a setting, like the paper's Figures 4-12, and over the rate.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np

from speechbrain_hrf.report.describe import mean_interval
from speechbrain_hrf.report.paper import model_name
from speechbrain_hrf.report.pictures import (
    FEW_LINES,
    GREY,
    Picture,
    draw_band,
    panels,
    save,
    styles,
)

# Column, what its axis is called, which of the paper's figures it is like.
SETTINGS = {
    "ratio": ("expansion ratio", ", like the paper's Figures 4-6"),
    "layers": ("extra layers", ", like the paper's Figures 7-9"),
    "activation": ("activation", ", like the paper's Figures 10-12"),
    "lr": ("learning rate", ""),
}
OTHERS = {"ratio": "ratio {:g}", "layers": "{:g} extra", "activation": "{}"}


def draw_settings(trials, rates, folder):
    """Draws one figure per setting and model that has several values of it.

    Arguments
    ---------
    trials : Trials
    rates : dict of str: float
        By model: the learning rate at which other settings are compared.
    folder : pathlib.Path

    Returns
    -------
    dict of str: list of Picture
        By setting: ratio, layers, activation, lr.

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": "conformer", "family": "paper",
    ...     "arm": "FFN2", "ratio": 8, "layers": 1, "activation": "Swish",
    ...     "lr": 0.001, "fold": "1", "seed": 1, "UA": 0.5}, index=[0])
    >>> trials = Trials(None, [{"metric": "UA"}], table, [], [])
    >>> draw_settings(trials, {"conformer": 0.001}, None)
    {'ratio': [], 'layers': [], 'activation': [], 'lr': []}
    """
    pictures = {setting: [] for setting in SETTINGS}
    for setting in SETTINGS:
        for model in trials.models:
            table = trials.table[trials.table["model"] == model]
            if setting != "lr":
                table = table[table["lr"] == rates.get(model)]
            lines = _lines(table, setting)
            if lines:
                light = table[table["family"] == "lightweight"]
                if setting == "lr":
                    light = _same_pairs(light, setting)
                picture = _draw(trials, setting, model, lines, light, folder)
                pictures[setting].append(picture)
    return pictures


def _lines(table, setting):
    """Trials by line: those that differ in nothing but the setting."""
    arms = table[table["family"].isin(["paper", "extension"])]
    others = [
        key for key in OTHERS if key != setting and arms[key].nunique() > 1
    ]
    lines = {}
    for key, group in arms.groupby(["arm", *others], sort=False, dropna=False):
        group = _same_pairs(group, setting)
        if group[setting].nunique() > 1:
            arm, *values = key
            forms = [OTHERS[other] for other in others]
            parts = [f.format(v) for f, v in zip(forms, values, strict=True)]
            lines[", ".join([arm, *parts])] = group
    return lines


def _same_pairs(group, setting):
    """Without folds and seeds that some value lacks: they may be easier."""
    values = group.groupby(["fold", "seed"])[setting].transform("nunique")
    return group[values == group[setting].nunique()]


def _draw(trials, setting, model, lines, light, folder):
    together = (
        [list(lines)] if len(lines) <= FEW_LINES else [[x] for x in lines]
    )
    tried = [*lines.values(), *([light] if setting == "lr" else [])]
    values = sorted(set().union(*(group[setting].dropna() for group in tried)))
    width, height = (5.2, 3.4) if len(together) == 1 else (2.2, 2.1)
    figure, axes = panels(
        len(together), width, height, sharex=True, sharey=True
    )
    style = styles()
    for panel, names in zip(axes, together, strict=True):
        _draw_reference(panel, setting, light, trials.metric, values)
        for name in names:
            points = _points(lines[name], setting, trials.metric, values)
            draw_band(panel, *points, label=name, **next(style))
        if len(together) > 1:
            panel.set_title(names[0], fontsize=9)
        else:
            panel.legend(fontsize=8, frameon=False)
        _label_axis(panel, setting, values)
    figure.supxlabel(SETTINGS[setting][0], fontsize=9)
    figure.supylabel(trials.metric, fontsize=9)
    figure.suptitle(model_name(model), fontsize=10)
    return Picture(
        save(figure, folder, f"report_{setting}_{model}.png"),
        f"{model_name(model)}: test {trials.metric} against the "
        f"{SETTINGS[setting][0]}{SETTINGS[setting][1]}, mean and bootstrap "
        "95 % band over those folds and seeds that all points of a line have. "
        "Grey: the lightweight model.",
        _alt(lines, setting, trials.metric, values),
    )


def _places(setting, values):
    """Where values stand on the axis: numbers on a logarithmic one."""
    if setting in ("ratio", "lr"):
        return {value: float(np.log2(value)) for value in values}
    return {value: k for k, value in enumerate(values)}


def _label_axis(axes, setting, values):
    texts = [x if isinstance(x, str) else f"{x:g}" for x in values]
    wide = max(map(len, texts)) > 4
    axes.set_xticks(
        list(_places(setting, values).values()),
        texts,
        fontsize=8,
        rotation=45 if wide else 0,
        ha="right" if wide else "center",
    )
    axes.grid(axis="y", alpha=0.3)


def _points(group, setting, metric, values):
    """Where, mean, and band at each value that was tried."""
    places = _places(setting, values)
    rows = [
        (places[value], scores.mean(), *mean_interval(scores))
        for value, scores in group.groupby(setting)[metric]
        if value in places
    ]
    return [np.array(column) for column in zip(*sorted(rows), strict=True)]


def _draw_reference(axes, setting, light, metric, values):
    if not len(light):
        return
    style = {"color": GREY, "linestyle": "--", "label": "Lightweight"}
    several = light[setting].nunique() > 1
    if setting == "lr" or (setting == "activation" and several):
        points = _points(light, setting, metric, values)
        draw_band(axes, *points, marker="o", **style)
        return
    places = list(_places(setting, values).values())
    scores = light[metric]
    low, high = mean_interval(scores)
    draw_band(
        axes,
        [min(places), max(places)],
        [scores.mean()] * 2,
        [low] * 2,
        [high] * 2,
        **style,
    )


def _alt(lines, setting, metric, values):
    parts = []
    for name, group in lines.items():
        means = group.groupby(setting)[metric].mean()
        best = means.idxmax()
        text = best if isinstance(best, str) else f"{best:g}"
        parts.append(f"{name} is best at {text} ({means.max():.3f})")
    return f"Mean {metric} over {len(values)} values: {'; '.join(parts)}."
