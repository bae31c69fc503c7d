"""How much longer the effective steps of an arm are than the lightweight's.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pandas

from speechbrain_hrf.report.arms import (
    arms_at_base,
    reference_of,
    short_layer,
)


def step_ratios(trials, rates):
    """Length of the effective step against the lightweight model's.

    Pairs of the same fold and seed; the ratio is of the change of the merged
    weight, at the first step and by the median of the noted steps. Arms with
    inner normalisation are left out: their merged weight is that of running
    averages, while they train with those of each batch.

    Arguments
    ---------
    trials : Trials
    rates : dict of str: float
        The learning rate of "same lr", by model.

    Returns
    -------
    pandas.DataFrame
        model, row, layer, n (pairs), first, median (of the ratios over pairs).

    Example
    -------
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": "conformer", "lr": 0.001,
    ...     "row": ["Lightweight", "FFN2"], "family": ["lightweight", "paper"],
    ...     "reference": "Lightweight", "fold": "1", "seed": 1,
    ...     "line": [0, 1]})
    >>> lines = [{"effective_steps": {"step": [1, 2], "layers": {"a": {
    ...     "length": [x, x], "weight": [1, 1]}}}} for x in (2.0, 5.0)]
    >>> trials = Trials(None, lines, table, [], [])
    >>> step_ratios(trials, {})[["row", "first"]].values.tolist()
    [['FFN2', 2.5]]
    """
    rows = []
    for model in trials.models:
        arms = arms_at_base(trials, rates, model)
        for row, group in arms.items():
            if group["family"].iloc[0] in ("original", "lightweight"):
                continue
            if _normalised_inside(trials, group):
                continue
            light = reference_of(arms, group)
            plain = {} if light is None else _by_pair(trials, light)
            ratios = {}
            for pair, lengths in _by_pair(trials, group).items():
                for layer, length in lengths.items():
                    reference = plain.get(pair, {}).get(layer)
                    if reference is not None:
                        ratio = np.divide(length, reference)
                        ratios.setdefault(layer, []).append(ratio)
            for layer, values in ratios.items():
                first, middle = np.median(values, axis=0)
                where = [model, row, short_layer(layer), len(values)]
                rows.append([*where, float(first), float(middle)])
    columns = ["model", "row", "layer", "n", "first", "median"]
    return pandas.DataFrame(rows, columns=columns)


def _normalised_inside(trials, group):
    return any(
        trials.lines[line].get("overrides", {}).get("hrf_inner_norm")
        for line in group["line"]
    )


def _by_pair(trials, group):
    """(first, median) length by layer, by (fold, seed); positive ones only."""
    found = {}
    for fold, seed, line in zip(
        group["fold"], group["seed"], group["line"], strict=True
    ):
        steps = trials.lines[line]["effective_steps"]
        if not steps or not steps["step"] or steps["step"][0] != 1:
            continue
        found[fold, seed] = {
            layer: ends
            for layer, values in steps["layers"].items()
            if min(ends := (values["length"][0], np.median(values["length"])))
            > 0
        }
    return found
