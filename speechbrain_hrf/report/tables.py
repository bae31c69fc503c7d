"""The report's tables, as text that reads the same in Markdown and HTML.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses

from speechbrain_hrf.report import paper
from speechbrain_hrf.report.verdict import verdict
from speechbrain_hrf.report.wording import (
    NONE,
    interval,
    probability,
    score,
    signed,
    spread,
)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table for a reader.

    Arguments
    ---------
    caption : str
    head : list of str
    rows : list of list of str
        The first cell names its row.
    file : str, optional
        The CSV file with the same and more.

    Example
    -------
    >>> Table("Scores", ["row", "UA"], [["FFN2", ".500"]]).file
    """

    caption: str
    head: list
    rows: list
    file: str | None = None


def comparison_table(lines, caption):
    """Comparisons of one kind and metric.

    Arguments
    ---------
    lines : pandas.DataFrame
        Of ``Comparisons.table``.
    caption : str

    Returns
    -------
    Table

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.paired import paired
    >>> found = paired([0.01, 0.02, 0.03], [1, 2, 3])
    >>> line = {**found, "model": "conformer", "row": "FFN2", "p_holm": 0.25,
    ...     "lr": 0.001, "reference_lr": 0.001, "p_folds_holm": float("nan"),
    ...     "smallest_p_holm": 0.25}
    >>> table = comparison_table(pandas.DataFrame([line]), "Demo")
    >>> table.rows[0][:4]
    ['Conformer FFN2', '.001', '.001', '3']
    """
    head = [
        *("row", "lr", "lightweight's lr", "pairs", "mean difference"),
        *("95 % interval", "won-tied-lost", "p", "p, Holm"),
        *("smallest p possible, Holm", "rank-biserial", "d_z"),
        *("test sets up", "p by test sets, Holm", "shows"),
    ]
    rows = [
        [
            _who(line),
            _rate(line["lr"]),
            _rate(line["reference_lr"]),
            str(line["n"]),
            signed(line["difference"]),
            interval(line["low"], line["high"]),
            f"{line['wins']}-{line['ties']}-{line['losses']}",
            probability(line["p"]),
            probability(line["p_holm"]),
            probability(line["smallest_p_holm"]),
            signed(line["rank_biserial"], 2),
            signed(line["cohen_dz"], 2),
            f"{line['folds_up']} of {line['folds']}",
            probability(line["p_folds_holm"]),
            verdict(line),
        ]
        for _, line in lines.iterrows()
    ]
    return Table(caption, head, rows, "report_comparisons.csv")


def _who(line):
    name = line["model"]
    return f"{paper.model_name(name)} {line['row']}"


def _rate(value):
    if isinstance(value, str):  # of several folds
        return " / ".join(_rate(float(lr)) for lr in value.split(" / "))
    return NONE if value != value else f"{value:g}".removeprefix("0")


def chosen_table(chosen, metric):
    """Which learning rates validation chose.

    Arguments
    ---------
    chosen : pandas.DataFrame
        Of ``choose_rates``.
    metric : str

    Returns
    -------
    Table

    Example
    -------
    >>> import pandas
    >>> chosen = pandas.DataFrame([{"model": "conformer", "row": "FFN2",
    ...     "lr": 0.002, "tried": [0.001, 0.002], "valid": [0.4, 0.5], "n": 6,
    ...     "by_fold": {"1": 0.002, "2": 0.001}, "edge": True}])
    >>> chosen_table(chosen, "UA").rows
    [['Conformer FFN2', '.002', 'the largest tried', '.001: .400, .002: .500',
    '6', '1: .002, 2: .001']]
    """
    rows = []
    for _, choice in chosen.iterrows():
        lowest = choice["lr"] == choice["tried"][0]
        end = "the smallest tried" if lowest else "the largest tried"
        means = zip(choice["tried"], choice["valid"], strict=True)
        rows.append(
            [
                _who(choice),
                _rate(choice["lr"]),
                end if choice["edge"] else "within those tried",
                ", ".join(f"{_rate(lr)}: {score(mean)}" for lr, mean in means),
                str(choice["n"]),
                _by_fold(choice["by_fold"]),
            ]
        )
    head = ["row", "best over all", "where", f"validation {metric} by rate"]
    return Table(
        f"Learning rates chosen by mean validation {metric}",
        [*head, "pairs", "chosen in each fold"],
        rows,
        "report_chosen_lr.csv",
    )


def _by_fold(rates):
    if len(set(rates.values())) == 1:
        return f"{_rate(next(iter(rates.values())))} in all"
    return ", ".join(f"{fold}: {_rate(lr)}" for fold, lr in rates.items())


def missing_table(missing):
    """Cells that lack trials.

    Arguments
    ---------
    missing : pandas.DataFrame
        Of ``missing_trials``.

    Returns
    -------
    Table

    Example
    -------
    >>> import pandas
    >>> missing_table(pandas.DataFrame([["conformer", "FFN2", 0.001, 1, 2,
    ...     "seed 2"]], columns=["model", "row", "lr", "finished", "expected",
    ...     "missing"])).rows
    [['Conformer FFN2', '.001', '1 of 2', 'seed 2']]
    """
    rows = [
        [
            _who(line),
            _rate(line["lr"]),
            f"{line['finished']} of {line['expected']}",
            line["missing"],
        ]
        for _, line in missing.iterrows()
    ]
    head = ["row", "lr", "finished", "missing"]
    return Table("Missing trials", head, rows, "report_missing.csv")


def cells_table(cells, metrics):
    """Every cell that was run.

    Arguments
    ---------
    cells : pandas.DataFrame
        Of ``summarize``.
    metrics : sequence of str

    Returns
    -------
    Table

    Example
    -------
    >>> import pandas
    >>> cells = pandas.DataFrame([{"model": "conformer", "row": "FFN2",
    ...     "lr": 0.001, "metric": "UA", "n": 2, "mean": 0.5, "sd": 0.1,
    ...     "low": 0.4, "high": 0.6}])
    >>> cells_table(cells, ["UA"]).rows
    [['Conformer FFN2', '.001', '2', '.500 ± .100', '.400-.600']]
    """
    head = ["row", "lr", "runs"]
    for metric in metrics:
        head += [metric, "95 % interval"]
    rows = []
    for _, group in cells.groupby(["model", "row", "lr"], sort=False):
        first = group.iloc[0]
        line = [_who(first), _rate(first["lr"]), str(int(first["n"]))]
        by_metric = group.set_index("metric")
        for metric in metrics:
            cell = by_metric.loc[metric]
            line.append(spread(cell["mean"], cell["sd"]))
            known = cell["low"] == cell["low"]
            ends = f"{score(cell['low'])}-{score(cell['high'])}"
            line.append(ends if known else NONE)
        rows.append(line)
    caption = "Every cell: mean ± standard deviation and bootstrap interval"
    return Table(caption, head, rows, "report_cells.csv")
