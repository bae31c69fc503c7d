"""Results in the layout of the paper's Tables III to V.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.report import paper
from speechbrain_hrf.report.tables import Table
from speechbrain_hrf.report.wording import NONE, score, spread


def paper_tables(trials, cells, rates):
    """The paper's layout, a table per model.

    Arguments
    ---------
    trials : Trials
    cells : pandas.DataFrame
        Of ``summarize``.
    rates : dict of str: float
        The learning rate of "same lr", by model.

    Returns
    -------
    list of Table

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.load import Trials
    >>> line = {"metric": "WF1", "dataset": "M3ED", "synthetic": False}
    >>> cells = pandas.DataFrame({"model": ["conformer"], "row": "FFN2",
    ...     "arm": "FFN2", "family": "paper", "lr": 0.001, "metric": "WF1",
    ...     "n": 2, "mean": 0.35, "sd": 0.01, "trained": 20, "shipped": 10})
    >>> trials = Trials(None, [line], cells, [], [])
    >>> [table] = paper_tables(trials, cells, {"conformer": 0.001})
    >>> table.head[:4], table.rows[2][:4]
    (['row', 'runs', 'WF1', 'WF1, paper'], ['FFN1', '-', '-', '.376'])
    >>> table.rows[3][:4]
    ['FFN2', '2', '.350 ± .010', '.375']
    """
    return [
        _paper_table(trials, cells[cells["model"] == model], model, rates)
        for model in trials.models
    ]


def has_paper(trials):
    """Whether printed figures may stand beside a study's.

    Arguments
    ---------
    trials : Trials

    Returns
    -------
    bool

    Example
    -------
    >>> from speechbrain_hrf.report.load import Trials
    >>> line = {"dataset": "RAVDESS", "synthetic": False}
    >>> has_paper(Trials(None, [line], None, [], []))
    False
    """
    return trials.dataset in paper.METRICS and not trials.synthetic


def _paper_table(trials, cells, model, rates):
    lr = rates.get(model, cells["lr"].mode().iloc[0])
    cells = cells[(cells["lr"] == lr) | (cells["family"] == "original")]
    metrics = list(
        dict.fromkeys([*paper.metrics_of(trials.dataset), trials.metric])
    )
    beside = has_paper(trials)
    head = ["row", "runs"]
    for metric in metrics:
        head += [metric, f"{metric}, paper"] if beside else [metric]
    head += ["parameters", "paper's"] if beside else ["parameters"]
    head += ["in training"]
    rows = []
    for row, arm in _row_names(cells, model, trials.dataset, beside):
        ours = cells[cells["row"] == row].set_index("metric")
        printed = _printed(model, arm, trials.dataset) if beside else {}
        rows.append(_paper_row(row, ours, printed, metrics, beside))
    return Table(
        f"{paper.model_name(model)}, {trials.dataset}, learning rate {lr:g}: "
        "mean ± standard deviation over folds and seeds",
        head,
        rows,
        "report_cells.csv",
    )


def _row_names(cells, model, dataset, beside):
    """(row, arm) in the paper's order; the paper's rows that we lack too."""
    ours = list(dict.fromkeys(zip(cells["row"], cells["arm"], strict=True)))
    if not beside:
        return ours
    names = []
    for arm in paper.rows():
        there = [pair for pair in ours if pair[1] == arm]
        if there or _printed(model, arm, dataset):
            names += there or [(arm, arm)]
    return names + [pair for pair in ours if pair not in names]


def _printed(model, arm, dataset):
    key = (paper.model_name(model), arm, dataset)
    printed = paper.printed()
    return printed.loc[key].to_dict() if key in printed.index else {}


def _paper_row(row, ours, printed, metrics, beside):
    there = len(ours) > 0
    line = [row, str(int(ours["n"].iloc[0])) if there else NONE]
    for metric in metrics:
        line.append(
            spread(ours.loc[metric, "mean"], ours.loc[metric, "sd"])
            if there
            else NONE
        )
        line += [score(printed.get(metric))] if beside else []
    line.append(f"{int(ours['shipped'].iloc[0]):,}" if there else NONE)
    line += [printed.get("params", NONE)] if beside else []
    line.append(f"{int(ours['trained'].iloc[0]):,}" if there else NONE)
    return line
