"""Each arm at the learning rate that is best for it on the validation set.

No test score has a part in the choice, nor has a test speaker: where folds
take turns, each one's test speakers validate another fold, so that a fold's
rate is chosen without the folds that its own test speakers validate.

Authors
 * The speechbrain_hrf authors 2026
"""

import pandas

from speechbrain_hrf.report.paper import model_name
from speechbrain_hrf.report.wording import listed

COLUMNS = ["model", "row", "lr", "by_fold", "tried", "valid", "n"]
COLUMNS += ["unfinished", "edge"]


def choose_rates(trials):
    """The best learning rate of every row that was tried at several.

    For each fold, by the mean of the study's metric on the validation set over
    those pairs of fold and seed that all rates of the row have, and whose
    validation set is not this fold's test set.

    Arguments
    ---------
    trials : Trials

    Returns
    -------
    chosen : pandas.DataFrame
        model, row, lr (the best over all pairs), by_fold (the best of each
        fold), tried (list), valid (means over all pairs, in the same order),
        n (pairs behind these), unfinished (whether some rate has fewer
        trials than another), edge (whether ``lr`` is the smallest or largest
        tried).
    left_out : list of (str, str)
        Rows without a choice, and why.

    Example
    -------
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": "conformer", "row": "FFN2",
    ...     "family": "paper", "fold": "1", "seed": 1, "lr": [1e-3, 2e-3, 4e-3],
    ...     "valid": [0.4, 0.5, 0.3], "valid_split": "a", "test_split": "b"})
    >>> chosen, _ = choose_rates(Trials(None, [], table, [], []))
    >>> chosen["by_fold"].iloc[0], bool(chosen["edge"].iloc[0])
    ({'1': 0.002}, False)
    """
    chosen, left_out = [], []
    arms = trials.table[trials.table["family"] != "original"]
    for (model, row), group in arms.groupby(["model", "row"], sort=False):
        name = f"{model_name(model)} {row}"
        tried = sorted(group["lr"].unique())
        if len(tried) < 2:
            left_out.append((name, "tried at one learning rate only"))
            continue
        scores = group.pivot_table(
            index=["fold", "seed"], columns="lr", values="valid", dropna=False
        ).reindex(columns=tried)
        scores = scores.dropna()
        if scores.empty:
            reason = "no fold and seed has a validation score at all its rates"
            left_out.append((name, reason))
            continue
        means = scores.mean()
        best = float(means.idxmax())
        chosen.append(
            {
                "model": model,
                "row": row,
                "lr": best,
                "by_fold": _by_fold(scores, group),
                "tried": [float(lr) for lr in tried],
                "valid": means.tolist(),
                "n": len(scores),
                "unfinished": group["lr"].value_counts().nunique() > 1,
                "edge": bool(best in (tried[0], tried[-1])),
            }
        )
    return pandas.DataFrame(chosen, columns=COLUMNS), left_out


def _by_fold(scores, group):
    """The best rate of each fold, its own test speakers left out."""
    splits = group.groupby("fold")[["valid_split", "test_split"]].first()
    validates = splits["valid_split"].reindex(scores.index, level="fold")
    chosen = {}
    for fold, own_test in splits["test_split"].items():
        # Unknown splits (None) are not equal to anything.
        seen = scores[~(validates == own_test)]
        if len(seen):
            chosen[fold] = float(seen.mean().idxmax())
    return chosen


def matched_cells(trials, chosen):
    """The comparisons with each arm at its best learning rate.

    Arguments
    ---------
    trials : Trials
    chosen : pandas.DataFrame
        Of ``choose_rates``.

    Returns
    -------
    cells : list of dict
        ``model``, ``row``, ``lr``, ``reference``, ``reference_lr``; rates by
        fold.
    left_out : list of (str, str)
        Rows whose lightweight model has no choice.
    notes : list of str
        Where the best rate is the edge of the grid, trials are missing, or the
        grids differ.

    Example
    -------
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": "conformer",
    ...     "row": ["Lightweight", "FFN2"], "reference": "Lightweight",
    ...     "family": ["lightweight", "paper"]})
    >>> chosen = pandas.DataFrame({"model": "conformer", "edge": False,
    ...     "row": ["Lightweight", "FFN2"], "unfinished": False,
    ...     "by_fold": [{"1": 1e-3}, {"1": 2e-3}], "tried": [[1e-3, 2e-3]] * 2})
    >>> cells, _, _ = matched_cells(Trials(None, [], table, [], []), chosen)
    >>> cells[0]["lr"], cells[0]["reference_lr"]
    ({'1': 0.002}, {'1': 0.001})
    """
    best = chosen.set_index(["model", "row"])
    cells, left_out, unequal = [], [], []
    for (model, row), choice in best.iterrows():
        of_row = trials.table[
            (trials.table["model"] == model) & (trials.table["row"] == row)
        ]
        if of_row["family"].iloc[0] == "lightweight":
            continue
        name = f"{model_name(model)} {row}"
        reference = of_row["reference"].iloc[0]
        if (model, reference) not in best.index:
            reason = "its Lightweight model has no best rate to compare with"
            left_out.append((name, reason))
            continue
        light = best.loc[(model, reference)]
        if light["tried"] != choice["tried"]:
            unequal.append(
                f"{name} was tried at {_rates(choice)}, {reference} at "
                f"{_rates(light)}: more to choose from is an advantage."
            )
        cells.append(
            {
                "model": model,
                "row": row,
                "lr": choice["by_fold"],
                "reference": reference,
                "reference_lr": light["by_fold"],
            }
        )
    notes = edge_notes(chosen) + _unfinished_notes(chosen) + unequal
    return cells, left_out, notes


def one_rate(lr):
    """What stands for an arm's learning rate in a table.

    Arguments
    ---------
    lr : float or dict of str: float
        One, or one per fold.

    Returns
    -------
    float or str
        A text if folds have different ones.

    Example
    -------
    >>> one_rate(0.001), one_rate({"1": 0.001, "2": 0.001})
    (0.001, 0.001)
    >>> one_rate({"1": 0.003, "2": 0.001})
    '0.001 / 0.003'
    """
    if not isinstance(lr, dict):
        return lr
    rates = sorted(set(lr.values()))
    return rates[0] if len(rates) == 1 else " / ".join(f"{r:g}" for r in rates)


def edge_notes(chosen):
    """Where the best learning rate is the smallest or largest tried.

    Arguments
    ---------
    chosen : pandas.DataFrame
        Of ``choose_rates``.

    Returns
    -------
    list of str

    Example
    -------
    >>> chosen = pandas.DataFrame([{"model": "conformer", "row": "FFN2",
    ...     "lr": 0.002, "tried": [0.001, 0.002], "edge": True}])
    >>> edge_notes(chosen)
    ['The best learning rate is the largest tried for Conformer FFN2: ...']
    """
    ends = {"smallest": [], "largest": []}
    for _, choice in chosen[chosen["edge"].astype(bool)].iterrows():
        end = "smallest" if choice["lr"] == choice["tried"][0] else "largest"
        ends[end].append(f"{model_name(choice['model'])} {choice['row']}")
    return [
        f"The best learning rate is the {end} tried for {listed(names)}: a "
        "better one may lie beyond."
        for end, names in ends.items()
        if names
    ]


def _unfinished_notes(chosen):
    names = [
        f"{model_name(choice['model'])} {choice['row']}"
        for _, choice in chosen[chosen["unfinished"].astype(bool)].iterrows()
    ]
    if not names:
        return []
    return [
        f"Not every learning rate has a finished trial in all folds and seeds "
        f"for {listed(names)}: a run that diverged or failed has no part in "
        "the choice, which flatters its rate."
    ]


def _rates(choice):
    return ", ".join(f"{lr:g}" for lr in choice["tried"])
