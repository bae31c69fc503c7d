"""Every arm against its lightweight model, at equal and at matched rates.

A family, within which Holm's correction acts, is: one model's rows of the
paper, or its arms beyond the paper, in one of the two comparisons, by one
score. So is one model's mean over all rows, over the models, and so are the
rows that several models have, each with the pairs of all of them.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses

import pandas

from speechbrain_hrf.metrics.scores import SCORES
from speechbrain_hrf.report.describe import RESAMPLES
from speechbrain_hrf.report.matched_lr import (
    choose_rates,
    matched_cells,
    one_rate,
)
from speechbrain_hrf.report.paired import holm, paired
from speechbrain_hrf.report.same_lr import base_rates, same_lr_cells

SAME, MATCHED = "same lr", "lr matched"
# Families of means over the paper's rows: of each model, and of all of them.
MEAN, OVERALL = "mean of rows", "overall"
# Families of rows, with the pairs of all models that have them.
POOLED = {"paper": "paper, pooled", "extension": "extension, pooled"}
ALL_MODELS = "all models"
FAMILY = ["comparison", "family", "metric"]


@dataclasses.dataclass
class Comparisons:
    """What was compared, and what could not be.

    Arguments
    ---------
    table : pandas.DataFrame
        A line per comparison ("same lr" or "lr matched"), model, row and
        metric, with the statistics of ``paired``, ``p_holm``, ``tests`` (size
        of the family), ``smallest_p_holm`` (that it can give), and
        ``p_folds_holm``.
    rates : dict of str: float
        The learning rate of "same lr", by model.
    chosen : pandas.DataFrame
        Of ``choose_rates``.
    left_out : dict of str: list of (str, str)
        By comparison: rows, and why.
    notes : dict of str: list of str
        By comparison.

    Example
    -------
    >>> Comparisons(None, {"conformer": 0.001}, None, {}, {}).rates
    {'conformer': 0.001}
    """

    table: pandas.DataFrame
    rates: dict
    chosen: pandas.DataFrame
    left_out: dict
    notes: dict


def compare(trials, metrics=SCORES, resamples=RESAMPLES):
    """Both comparisons of a study.

    Arguments
    ---------
    trials : Trials
    metrics : sequence of str
    resamples : int
        Of the bootstrap.

    Returns
    -------
    Comparisons

    Example
    -------
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame([{"model": "conformer", "row": row, "lr": 1e-3,
    ...     "family": family, "reference": "Lightweight", "fold": str(k),
    ...     "seed": 1, "UA": score + k / 100, "valid": 0.5}
    ...     for row, family, score in (("Lightweight", "lightweight", 0.5),
    ...                                ("FFN2", "paper", 0.625))
    ...     for k in range(6)])
    >>> found = compare(Trials(None, [], table, [], []), ["UA"]).table
    >>> [line] = found.to_dict("records")
    >>> line["comparison"], line["row"], line["difference"], line["p_holm"]
    ('same lr', 'FFN2', 0.125, 0.03125)
    """
    rates, same_notes = base_rates(trials)
    same, same_left = same_lr_cells(trials, rates)
    chosen, no_choice = choose_rates(trials)
    matched, matched_left, matched_notes = matched_cells(trials, chosen)
    scores = scores_by_rate(trials, metrics)
    families = trials.table.groupby(["model", "row"])["family"].first()
    lines, differences = [], []
    for comparison, cells in (SAME, same), (MATCHED, matched):
        for cell in cells:
            key = {"comparison": comparison, **cell}
            for rate in ("lr", "reference_lr"):
                key[rate] = one_rate(cell[rate])
            key["family"] = families[(cell["model"], cell["row"])]
            pairs = _pairs(scores, cell)
            differences.append((key, pairs))
            lines += _statistics(key, pairs, metrics, resamples)
    for key, pairs in [*_means(differences), *_pooled(differences)]:
        lines += _statistics(key, pairs, metrics, resamples)
    return Comparisons(
        _correct(pandas.DataFrame(lines, columns=_columns(lines))),
        rates,
        chosen,
        {SAME: same_left, MATCHED: no_choice + matched_left},
        {SAME: same_notes, MATCHED: matched_notes},
    )


def scores_by_rate(trials, metrics):
    """What ``at_rates`` takes.

    Arguments
    ---------
    trials : Trials
    metrics : sequence of str

    Returns
    -------
    dict of (model, row, lr): pandas.DataFrame

    Example
    -------
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame([{"model": "conformer", "row": "ALL",
    ...     "lr": 1e-3, "fold": "1", "seed": 1, "UA": 0.5}])
    >>> list(scores_by_rate(Trials(None, [], table, [], []), ["UA"]))
    [('conformer', 'ALL', 0.001)]
    """
    return {
        key: group.set_index(["fold", "seed"])[list(metrics)]
        for key, group in trials.table.groupby(["model", "row", "lr"])
    }


def _pairs(scores, cell):
    """Differences by (fold, seed), where both sides have a trial."""
    arm = at_rates(scores, cell["model"], cell["row"], cell["lr"])
    plain = at_rates(
        scores, cell["model"], cell["reference"], cell["reference_lr"]
    )
    return (arm - plain).dropna()


def at_rates(scores, model, row, lr):
    """An arm's scores at one learning rate, or at that of each fold.

    Arguments
    ---------
    scores : dict of (model, row, lr): pandas.DataFrame
        Indexed by fold and seed.
    model, row : str
    lr : float or dict of str: float

    Returns
    -------
    pandas.DataFrame

    Example
    -------
    >>> index = pandas.MultiIndex.from_product(
    ...     [["1", "2"], [7]], names=["fold", "seed"])
    >>> scores = {("conformer", "ALL", lr):
    ...     pandas.DataFrame({"UA": lr}, index) for lr in (0.1, 0.2)}
    >>> at_rates(scores, "conformer", "ALL", {"1": 0.1, "2": 0.2})["UA"].tolist()
    [0.1, 0.2]
    """
    if not isinstance(lr, dict):
        return scores[model, row, lr]
    found = []
    for fold, rate in lr.items():
        table = scores[model, row, rate]
        found.append(table[table.index.get_level_values("fold") == fold])
    return pandas.concat(found)


def _means(differences):
    """Of each model's paper rows, and of all models: one test, all pairs."""
    for comparison in SAME, MATCHED:
        models = {}
        for key, pairs in differences:
            if (key["comparison"], key["family"]) == (comparison, "paper"):
                models.setdefault(key["model"], []).append(pairs)
        means = {model: _mean(rows) for model, rows in models.items()}
        common = {"comparison": comparison, "row": "mean of the paper's rows"}
        for model, pairs in means.items():
            if len(models[model]) > 1:
                yield {**common, "model": model, "family": MEAN}, pairs
        if len(means) > 1:
            yield (
                {**common, "model": ALL_MODELS, "family": OVERALL},
                _mean(list(means.values())),
            )


def _pooled(differences):
    """Rows that several models have: a pair is of one model, fold and seed."""
    rows = {}
    for key, pairs in differences:
        if key["family"] in POOLED:
            of = key["comparison"], key["family"], key["row"]
            rows.setdefault(of, []).append(pairs)
    for (comparison, family, row), tables in rows.items():
        if len(tables) > 1:
            common = {"comparison": comparison, "model": ALL_MODELS}
            key = {**common, "family": POOLED[family], "row": row}
            yield key, pandas.concat(tables)


def _mean(tables):
    """Over tables, of those pairs that all of them have."""
    total = tables[0]
    for table in tables[1:]:
        total = (total + table).dropna()
    return total / len(tables)


def _statistics(key, pairs, metrics, resamples):
    folds = pairs.index.get_level_values("fold")
    return [
        {**key, "metric": metric, **paired(pairs[metric], folds, resamples)}
        for metric in metrics
    ]


def _columns(lines):
    columns = ["comparison", "model", "row", "lr", "reference", "reference_lr"]
    columns += ["family", "metric", *paired([], [])]
    assert all(set(line) <= set(columns) for line in lines)
    return columns


def _correct(table):
    """Adds Holm's correction, family by family."""
    # Means over rows are a family of one per model; models are its members.
    within = table["model"].where(~table["family"].isin([MEAN]), "")
    for new in ("p_holm", "p_folds_holm"):
        table[new] = float("nan")
    table["smallest_p_holm"], table["tests"] = 1.0, 0
    for _, group in table.groupby([within, *FAMILY], sort=False):
        table.loc[group.index, "p_holm"] = holm(group["p"])
        table.loc[group.index, "p_folds_holm"] = holm(group["p_folds"])
        tested = group[group["p"].notna()]
        table.loc[group.index, "tests"] = len(tested)
        # None is corrected to less than where all are as small as can be.
        table.loc[tested.index, "smallest_p_holm"] = holm(tested["smallest_p"])
    return table
