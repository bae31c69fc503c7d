"""Every table of a report, and how its numbers are written.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import collections
import dataclasses
import math

import numpy as np
import pandas

from speechbrain_hrf.studies import paper
from speechbrain_hrf.studies.paper import model_name
from speechbrain_hrf.studies.results import Results
from speechbrain_hrf.studies.statistics import (
    ALL_MODELS,
    BEST,
    GAIN,
    LOSS,
    NOTHING,
    SAME,
    TOO_FEW,
    Comparisons,
)

MINUS, NONE = "\N{MINUS SIGN}", "-"
# Behind a difference; what they mean stands below the table.
MARKS = {GAIN: "▲", LOSS: "▼", NOTHING: "·", TOO_FEW: "?"}
LEGEND = (
    "▲ gain shown, ▼ loss shown, · nothing shown, ? too little was run to "
    "show anything."
)
TITLES = {
    SAME: "At the lightweight model's learning rate",
    BEST: "Each at its own best learning rate",
}


@dataclasses.dataclass(frozen=True)
class Table:
    """A table as text.

    Arguments
    ---------
    caption : str
    head : list of str
    rows : list of list of str
        The first cell names the row; a cell may have two lines.

    Example
    -------
    >>> print(Table("Ages", ["who", "age"], [["A", "3"]]).markdown())
    Ages:
    <BLANKLINE>
    | who | age |
    |---|---|
    | A | 3 |
    """

    caption: str
    head: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """The table as GitHub reads it, under its caption.

        Returns
        -------
        str
        """
        head, *rows = (
            f"| {' | '.join(line)} |".replace("\n", "<br>")
            for line in [self.head, *self.rows]
        )
        rule = "|" + "---|" * len(self.head)
        return "\n".join([f"{self.caption}:\n", head, rule, *rows])


def score(value: float | None) -> str:
    """A score without its leading zero.

    Arguments
    ---------
    value : float or None

    Returns
    -------
    str

    Example
    -------
    >>> score(0.4284), score(1.0), score(float("nan"))
    ('.428', '1.000', '-')
    """
    if value is None or math.isnan(value):
        return NONE
    text = f"{abs(value):.3f}".removeprefix("0")
    return MINUS + text if value < 0 and float(text) else text


def signed(value: float) -> str:
    """A difference with its sign.

    Arguments
    ---------
    value : float

    Returns
    -------
    str

    Example
    -------
    >>> signed(0.0124), signed(-0.0124), signed(0.0)
    ('+.012', '−.012', '.000')
    """
    text = score(value)
    return f"+{text}" if value > 0 and float(text) else text


def ends(line: dict, of: str = "") -> str:
    """An interval, or nothing where there is none.

    Arguments
    ---------
    line : dict
        Of a comparison.
    of : str
        "" for that over speakers, "fold_" for that over folds.

    Returns
    -------
    str

    Example
    -------
    >>> ends({"fold_low": 0.044, "fold_high": 0.156}, "fold_")
    '[+.044, +.156]'
    """
    low, high = line[f"{of}low"], line[f"{of}high"]
    return "" if math.isnan(low) else f"[{signed(low)}, {signed(high)}]"


def difference(line: dict) -> str:
    """A difference and its interval.

    Arguments
    ---------
    line : dict
        Of a comparison.

    Returns
    -------
    str

    Example
    -------
    >>> difference({"difference": 0.1, "low": 0.044, "high": 0.156})
    '+.100 [+.044, +.156]'
    """
    return f"{signed(line['difference'])} {ends(line)}".strip()


def probability(value: float) -> str:
    """A p-value.

    Arguments
    ---------
    value : float

    Returns
    -------
    str

    Example
    -------
    >>> probability(0.03125), probability(1e-9)
    ('.031', '< .001')
    """
    return "< .001" if value < 0.0005 else score(value)


def spread(values: pandas.Series) -> str:
    """Mean and standard deviation of some scores.

    Arguments
    ---------
    values : pandas.Series

    Returns
    -------
    str

    Example
    -------
    >>> spread(pandas.Series([0.4, 0.5])), spread(pandas.Series([0.4]))
    ('.450 ± .071', '.400')
    """
    text = score(values.mean())
    return text if len(values) < 2 else f"{text} ± {score(values.std())}"


def runs_at(results: Results, rates: dict[str, float]) -> pandas.DataFrame:
    """The runs at the rate of the comparison at the same rate.

    Arguments
    ---------
    results : Results
    rates : dict of str: float
        Of ``Comparisons``. The original has a rate of its own.

    Returns
    -------
    pandas.DataFrame
        Of ``results.table``, by arm as the paper has them.

    Example
    -------
    >>> table = pandas.DataFrame({"model": "conformer", "lr": [0.1, 0.2],
    ...     "row": "ALL", "arm": "ALL", "family": "paper"})
    >>> results = Results(None, [], table, [], [], [])
    >>> len(runs_at(results, {"conformer": 0.1}))
    1
    """
    table = results.table
    usual = table.groupby(["model", "row"])["lr"].transform(
        lambda lr: lr.mode().min()
    )
    own = (table["family"] == "original") | ~table["model"].isin(rates)
    runs = table[table["lr"] == table["model"].map(rates).where(~own, usual)]
    return runs.sort_values(
        "arm", key=lambda arms: arms.map(paper.place), kind="stable"
    )


def summary_table(results: Results, comparisons: Comparisons) -> Table:
    """Models as columns, arms as rows.

    Arguments
    ---------
    results : Results
    comparisons : Comparisons

    Returns
    -------
    Table

    Example
    -------
    >>> line = {"metric": "UA", "params": {"training": 9, "merged": 8}}
    >>> table = pandas.DataFrame([{"model": "conformer", "row": "Lightweight",
    ...     "arm": "Lightweight", "family": "lightweight", "lr": 0.1, "UA": 0.5,
    ...     "line": 0}])
    >>> results = Results(None, [line], table, [], [], [])
    >>> nothing = pandas.DataFrame({"comparison": [], "model": []})
    >>> summary_table(results, Comparisons(nothing, {}, nothing)).rows
    [['Lightweight', '.500', '8']]
    """
    same = comparisons.table
    same = same[same["comparison"] == SAME]
    found = {
        (x["row"], x["model"]): _marked(x) for x in same.to_dict("records")
    }
    models = results.models
    models += [ALL_MODELS] * (ALL_MODELS in set(same["model"]))
    runs = runs_at(results, comparisons.rates)
    rows = []
    for row, of_row in runs.groupby("row", sort=False):
        means = of_row.groupby("model")[results.metric].mean()
        cells = [
            f"{score(means.get(model)) if model != ALL_MODELS else ''}\n"
            f"{found.get((row, model), '')}".removesuffix("\n")
            for model in models
        ]
        sizes = [
            f"{results.lines[line]['params']['merged']:,}"
            for line in of_row.groupby("model", sort=False)["line"].first()
        ]
        rows.append([row, *cells, " / ".join(dict.fromkeys(sizes))])
    return Table(
        f"Mean test {results.metric}, and difference to Lightweight with its "
        "95 % interval over test speakers",
        ["arm", *map(model_name, models), "parameters when shipped"],
        rows,
    )


def _marked(line):
    return f"{difference(line)} {MARKS[line['verdict']]}"


def _who(line):
    return f"{model_name(line['model'])}: {line['row']}"


def comparison_tables(comparisons: Comparisons) -> list[Table]:
    """Every statistic of both comparisons.

    Arguments
    ---------
    comparisons : Comparisons

    Returns
    -------
    list of Table

    Example
    -------
    >>> nothing = pandas.DataFrame({"comparison": []})
    >>> comparison_tables(Comparisons(nothing, {}, None))
    []
    """
    head = ["arm", "difference, 95 %", "speakers up", "Wilcoxon p", "Holm's p"]
    head += ["Holm's p, runs vary", "folds up", "95 % over folds"]
    return [
        Table(
            TITLES[kind],
            head,
            [
                [
                    _who(line),
                    _marked(line),
                    f"{line['up']} of {line['speakers']}",
                    probability(line["p"]),
                    probability(line["p_holm"]),
                    probability(line["p_runs_holm"]),
                    f"{line['folds_up']} of {line['folds']}",
                    ends(line, "fold_") or NONE,
                ]
                for line in lines.to_dict("records")
            ],
        )
        for kind, lines in comparisons.table.groupby("comparison", sort=False)
    ]


def paper_table(results: Results, runs: pandas.DataFrame, model: str) -> Table:
    """One model in the layout of the paper's Tables III to V.

    Arguments
    ---------
    results : Results
    runs : pandas.DataFrame
        Of ``runs_at``.
    model : str

    Returns
    -------
    Table
        Where the paper has the corpus, its figures beside ours, also those of
        rows that were not run.

    Example
    -------
    >>> line = {"metric": "WF1", "dataset": "M3ED", "synthetic": False,
    ...     "params": {"training": 20, "merged": 10}}
    >>> table = pandas.DataFrame([{"model": "conformer", "row": "FFN2",
    ...     "WF1": 0.35, "line": 0}])
    >>> results = Results(None, [line], table, [], [], [])
    >>> paper_table(results, table, "conformer").rows[3][:4]
    ['FFN2', '1', '.350', '.375']
    """
    runs = runs[runs["model"] == model]
    metrics = paper.metrics_of(results.dataset)
    metrics = list(dict.fromkeys([*metrics, results.metric]))
    printed = {}
    if results.dataset in paper.METRICS and not results.lines[0]["synthetic"]:
        table = paper.printed().xs(results.dataset, level="dataset")
        printed = table.loc[model_name(model)].to_dict("index")
    rows = []
    for row in dict.fromkeys([*printed, *runs["row"]]):
        some = runs[runs["row"] == row]
        theirs = printed.get(row, {})
        sizes = {"merged": NONE, "training": NONE}
        if len(some):
            given = results.lines[some["line"].iloc[0]]["params"]
            sizes = {key: f"{value:,}" for key, value in given.items()}
        cells = [row, str(len(some) or NONE)]
        for metric in metrics:
            cells.append(spread(some[metric]))
            cells += [score(theirs.get(metric))] * bool(printed)
        cells.append(sizes["merged"])
        cells += [str(theirs.get("params", NONE))] * bool(printed)
        rows.append([*cells, sizes["training"]])
    head = ["arm", "runs"]
    for name in (*metrics, "parameters"):
        head += [name, f"{name}, paper"] if printed else [name]
    return Table(
        f"{model_name(model)}: mean ± standard deviation over runs",
        [*head, "parameters in training"],
        rows,
    )


def rate_tables(
    results: Results, comparisons: Comparisons, runs: pandas.DataFrame
) -> list[Table]:
    """Which learning rates validation chose, and when rates fell.

    Arguments
    ---------
    results : Results
    comparisons : Comparisons
    runs : pandas.DataFrame
        Of ``runs_at``.

    Returns
    -------
    list of Table

    Example
    -------
    >>> chosen = pandas.DataFrame([{"model": "conformer", "row": "ALL",
    ...     "tried": [0.001, 0.002], "valid": [0.4, 0.5],
    ...     "by_fold": {"1": 0.002, "2": 0.002}}])
    >>> line = {"rates": [[1, 0.002], [55, 0.001]], "metric": "UA"}
    >>> runs = pandas.DataFrame({"model": ["conformer"], "row": "ALL", "line": 0})
    >>> for table in rate_tables(Results(None, [line], runs, [], [], []),
    ...     Comparisons(None, {}, chosen), runs):
    ...     print(table.rows)
    [['Conformer: ALL', '.001: .400, .002: .500', '.002 in 2']]
    [['ALL', '55, .001']]
    """
    rows = []
    for line in comparisons.chosen.to_dict("records"):
        means = zip(line["tried"], line["valid"], strict=True)
        count = sorted(collections.Counter(line["by_fold"].values()).items())
        rows.append(
            [
                _who(line),
                ", ".join(f"{_rate(lr)}: {score(mean)}" for lr, mean in means),
                ", ".join(f"{_rate(lr)} in {folds}" for lr, folds in count),
            ]
        )
    changes = [results.lines[line]["rates"] for line in runs["line"]]
    fell = runs[["row", "model"]].assign(
        # A run whose rate never fell counts as one that fell after the end.
        first=[x[1][0] if len(x) > 1 else np.inf for x in changes],
        last=[x[-1][1] if x else np.nan for x in changes],
    )
    medians = fell.groupby(["row", "model"], sort=False).median()
    cells = (
        medians["first"].map("{:g}".format).replace("inf", "never")
        + ", "
        + medians["last"].map(_rate)
    )
    return [
        Table(
            f"Mean validation {results.metric} by learning rate (or minus the "
            "loss, where runs have no such score), and the rate chosen in how "
            "many folds",
            ["arm", "validation by rate", "chosen"],
            rows,
        ),
        _pivot(
            "Epoch at which the learning rate was first halved, and the rate "
            "at the end: medians over runs",
            cells.unstack("model", sort=False).rename(columns=model_name),
            "arm",
        ),
    ]


def _rate(lr):
    return f"{lr:g}".removeprefix("0")


def _pivot(caption, frame, name):
    cells = frame.fillna(NONE).to_numpy().tolist()
    rows = [[str(k), *x] for k, x in zip(frame.index, cells, strict=True)]
    return Table(caption, [name, *map(str, frame.columns)], rows)


def ranks_table(results: Results, runs: pandas.DataFrame, model: str) -> Table:
    """Effective rank of the merged weights, layer by layer.

    Arguments
    ---------
    results : Results
    runs : pandas.DataFrame
        Of ``runs_at``.
    model : str

    Returns
    -------
    Table

    Example
    -------
    >>> line = {"ranks": {"embedding_model.x": 3.0}}
    >>> runs = pandas.DataFrame([{"model": "conformer", "row": "ALL", "line": 0,
    ...     "family": "paper"}])
    >>> results = Results(None, [line], runs, [], [], [])
    >>> ranks_table(results, runs, "conformer").rows
    [['x', '3.0']]
    """
    runs = runs[(runs["model"] == model) & (runs["family"] != "original")]
    ranks = pandas.DataFrame(
        [
            (row, layer.removeprefix("embedding_model."), rank)
            for row, line in zip(runs["row"], runs["line"], strict=True)
            for layer, rank in results.lines[line]["ranks"].items()
        ],
        columns=["row", "layer", "rank"],
    )
    grid = ranks.pivot_table("rank", "layer", "row", sort=False)
    return _pivot(
        f"{model_name(model)}: mean effective rank of the merged weights",
        grid.map("{:.1f}".format, na_action="ignore").astype(object),
        "layer",
    )


def run_tables(results: Results) -> list[Table]:
    """What was run, and on what.

    Arguments
    ---------
    results : Results

    Returns
    -------
    list of Table

    Example
    -------
    >>> line = {"versions": {"torch": "2"}, "finished": "2026-11-20T16:00:00"}
    >>> table = pandas.DataFrame([{"model": "conformer", "row": "ALL",
    ...     "lr": 0.002, "fold": "1", "seed": 1}])
    >>> counts, where = run_tables(Results(None, [line], table, [], [], []))
    >>> counts.rows
    [['ALL, rate .002', '1']]
    """
    table = results.table
    table = table.assign(arm=table["row"] + ", rate " + table["lr"].map(_rate))
    counts = table.groupby(["arm", "model"], sort=False).size().map(str)
    counts = counts.unstack("model", sort=False).rename(columns=model_name)
    facts = collections.Counter()
    for line in results.lines:
        given = {**line["versions"], "finished on": line["finished"][:10]}
        for key in ("engine", "device", "threads", "commit"):
            given[key] = str(line.get(key) or NONE)[:40]
        facts.update(given.items())
    hours = sum(line.get("seconds") or 0 for line in results.lines) / 3600
    return [
        _pivot("Finished runs", counts, "arm"),
        Table(
            f"Where and with what: {hours:.1f} hours of training in all",
            ["what", "value", "runs"],
            [[key, value, str(n)] for (key, value), n in sorted(facts.items())],
        ),
    ]
