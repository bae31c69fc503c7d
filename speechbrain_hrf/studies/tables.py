"""Every table of a report, and how its numbers are written.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import math

import numpy as np
import pandas

from speechbrain_hrf.studies import paper
from speechbrain_hrf.studies.results import Results
from speechbrain_hrf.studies.statistics import ALL_MODELS, MARKS, Comparisons
from speechbrain_hrf.training.scores import score_text

NONE = score_text(None)
LEGEND = (
    "▲ gain shown, ▼ loss shown, · nothing shown, ? too little was run to "
    "show anything."
)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table as text.

    Arguments
    ---------
    caption : str
    frame : pandas.DataFrame
        Of str. The first column names the row; a cell may have two lines.

    Example
    -------
    >>> frame = pandas.DataFrame({"who": ["A"], "age": ["3"]})
    >>> print(Table("Ages", frame).markdown())
    Ages:
    <BLANKLINE>
    | who   | age   |
    |-------|-------|
    | A     | 3     |
    """

    caption: str
    frame: pandas.DataFrame

    def __len__(self) -> int:
        """Rows: a table without any is false."""
        return len(self.frame)

    def markdown(self) -> str:
        """The table as GitHub reads it, under its caption.

        Returns
        -------
        str
        """
        text = self.frame.replace("\n", "<br>", regex=True).to_markdown(
            index=False, tablefmt="github", disable_numparse=True
        )
        return f"{self.caption}:\n\n{text}"


def plural(noun: str) -> str:
    """Several things, whose plural ends in s.

    Arguments
    ---------
    noun : str

    Returns
    -------
    str

    Example
    -------
    >>> plural("speaker"), plural("series")
    ('speakers', 'series')
    """
    return f"{noun.removesuffix('s')}s"


def count(number: int, noun: str) -> str:
    """A number of things.

    Arguments
    ---------
    number : int
    noun : str

    Returns
    -------
    str

    Example
    -------
    >>> count(1, "fold"), count(1200, "run")
    ('1 fold', '1,200 runs')
    """
    return f"{number:,} {noun if number == 1 else plural(noun)}"


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
    text = score_text(value)
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
    return "< .001" if value < 0.0005 else score_text(value)


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
    text = score_text(values.mean())
    return text if len(values) < 2 else f"{text} ± {score_text(values.std())}"


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
    >>> table = pandas.DataFrame([{"model": "Conformer", "row": "Lightweight",
    ...     "arm": "Lightweight", "family": "lightweight", "lr": 0.1, "UA": 0.5,
    ...     "fold": "1", "metric": "UA", "params": {"merged": 8},
    ...     "unit": "speaker", "counts": {"01": np.eye(2, dtype=int)}}])
    >>> nothing = pandas.DataFrame({"comparison": [], "model": []})
    >>> comparisons = Comparisons(nothing, nothing)
    >>> table = summary_table(Results(None, table, []), comparisons)
    >>> table.frame.values.tolist()
    [['Lightweight', '.500', '8']]
    """
    same, runs = comparisons.same, results.runs
    means, some_lack = {}, ""
    for model, of_model in runs.groupby("model"):
        # Each fold once, however many seeds it has so far.
        scores = of_model.pivot_table(results.metric, "fold", "row")
        # While a study goes on: of the folds that all arms have (the original
        # is no arm).
        original = of_model["row"][of_model["family"] == "original"].unique()
        shared = scores.loc[scores.drop(columns=original).dropna().index]
        means[model] = shared.mean().fillna(scores.mean())
        if shared.count().between(1, scores.count() - 1).any():
            some_lack = " (of the folds that all arms have so far)"
    cells = pandas.DataFrame(means, runs["row"].unique(), results.models)
    cells = cells.map(score_text)
    if ALL_MODELS in set(same["model"]):
        cells[ALL_MODELS] = ""
    for line in same.to_dict("records"):
        cells.loc[line["row"], line["model"]] += f"\n{_marked(line)}"
    sizes = runs["params"].map(lambda params: f"{params['merged']:,}")
    sizes = sizes.groupby(runs["row"]).unique()
    cells["parameters when shipped"] = sizes.map(" / ".join)
    other = results.compared != results.metric
    compared = f" of {results.compared}" if other else ""
    return Table(
        f"Mean test {results.metric}{some_lack}, and difference{compared} to "
        "Lightweight with its 95 % interval over test "
        f"{plural(results.common['unit'])}",
        _named(cells),
    )


def _marked(line):
    return f"{difference(line)} {MARKS[line['verdict']]}"


def _who(line):
    return f"{line['model']}: {line['row']}"


def _named(cells, name="arm"):
    """Texts by row and model, with the models' names and that of the rows."""
    named = cells.fillna(NONE)
    return named.rename_axis(columns=None).reset_index(names=name)


def comparison_tables(
    results: Results, comparisons: Comparisons
) -> list[Table]:
    """Every statistic of both comparisons.

    Arguments
    ---------
    results : Results
    comparisons : Comparisons

    Returns
    -------
    list of Table

    Example
    -------
    >>> nothing = pandas.DataFrame({"comparison": []})
    >>> results = Results(None, pandas.DataFrame({"unit": ["speaker"]}), [])
    >>> comparison_tables(results, Comparisons(nothing, None))
    []
    """
    units, rows = plural(results.common["unit"]), {}
    for line in comparisons.table.to_dict("records"):
        cells = {
            "arm": _who(line),
            "difference, 95 %": _marked(line),
            f"{units} up": f"{line['up']} of {line['speakers']}",
            "Wilcoxon p": probability(line["p"]),
            "Holm's p": probability(line["p_holm"]),
            "Holm's p, runs vary": probability(line["p_runs_holm"]),
            "folds up": f"{line['folds_up']} of {line['folds']}",
            "95 % over folds": ends(line, "fold_") or NONE,
        }
        rows.setdefault(line["comparison"], []).append(cells)
    return [Table(kind, pandas.DataFrame(rows[kind])) for kind in rows]


def paper_table(results: Results, model: str) -> Table:
    """One model in the layout of the paper's Tables III to V.

    Arguments
    ---------
    results : Results
    model : str

    Returns
    -------
    Table
        Where the paper has the corpus, its figures beside ours, also those of
        rows that were not run.

    Example
    -------
    >>> table = pandas.DataFrame([{"model": "Conformer", "row": "FFN2",
    ...     "arm": "FFN2", "family": "paper", "lr": 0.1, "WF1": 0.35,
    ...     "metric": "WF1", "dataset": "M3ED", "synthetic": False,
    ...     "params": {"training": 20, "merged": 10}}])
    >>> table = paper_table(Results(None, table, []), "Conformer")
    >>> table.frame.iloc[3, :4].tolist()
    ['FFN2', '1', '.350', '.375']
    """
    runs = results.runs[results.runs["model"] == model]
    dataset, synthetic = results.common[["dataset", "synthetic"]]
    metrics = [*paper.metrics_of(dataset), results.metric]
    printed = {} if synthetic else paper.printed_rows(model, dataset)
    rows = []
    for row in dict.fromkeys([*printed, *runs["row"]]):
        some, theirs = runs[runs["row"] == row], printed.get(row, {})
        cells = {"arm": row, "runs": str(len(some) or NONE)}
        for metric in metrics:
            cells[metric] = spread(some[metric])
            cells[f"{metric}, paper"] = score_text(theirs.get(metric))
        merged, training = (
            f"{some['params'].iloc[-1][key]:,}" if len(some) else NONE
            for key in ("merged", "training")
        )
        cells["parameters"] = merged
        cells["parameters, paper"] = theirs.get("params", NONE)
        cells["parameters in training"] = training
        rows.append(cells)
    frame = pandas.DataFrame(rows)
    if not printed:
        frame = frame.loc[:, ~frame.columns.str.endswith(", paper")]
    return Table(f"{model}: mean ± standard deviation over runs", frame)


def rate_tables(results: Results, comparisons: Comparisons) -> list[Table]:
    """Which learning rates validation chose, and when rates fell.

    Arguments
    ---------
    results : Results
    comparisons : Comparisons

    Returns
    -------
    list of Table

    Example
    -------
    >>> chosen = pandas.DataFrame([{"model": "Conformer", "row": "ALL",
    ...     "valid": {0.001: 0.4, 0.002: 0.5},
    ...     "by_fold": {"1": 0.002, "2": 0.002}}])
    >>> table = pandas.DataFrame([{"model": "Conformer", "row": "ALL",
    ...     "arm": "ALL", "family": "paper", "lr": 0.002, "metric": "UA",
    ...     "rates": [[1, 0.002], [55, 0.001]]}])
    >>> results = Results(None, table, [])
    >>> for table in rate_tables(results, Comparisons(None, chosen)):
    ...     print(table.frame.values.tolist())
    [['Conformer: ALL', '.001: .400, .002: .500', '.002 in 2']]
    [['ALL', '55, .001']]
    """
    chosen = []
    for line in comparisons.chosen.to_dict("records"):
        valid = {lr: score_text(mean) for lr, mean in line["valid"].items()}
        folds = pandas.Series(line["by_fold"]).value_counts().sort_index()
        cells = _who(line), _by_rate(valid, ": "), _by_rate(folds, " in ")
        chosen.append(cells)
    columns = ["arm", "validation by rate", "chosen"]
    changes = results.runs["rates"]
    fell = results.runs[["row", "model"]].assign(
        # A run whose rate never fell counts as one that fell after the end.
        first=[x[1][0] if len(x) > 1 else np.inf for x in changes],
        last=[x[-1][1] if x else np.nan for x in changes],
    )
    medians = fell.groupby(["row", "model"], sort=False).median()
    first = medians["first"].map("{:g}".format).replace("inf", "never")
    halved = first + ", " + medians["last"].map(_rate)
    return [
        Table(
            f"Mean validation {results.metric} by learning rate (or minus the "
            "loss, where runs have no such score), and the rate chosen in how "
            "many folds",
            pandas.DataFrame(chosen, columns=columns),
        ),
        Table(
            "Epoch at which the learning rate was first halved, and the rate "
            "at the end: medians over runs",
            _named(halved.unstack("model", sort=False)),
        ),
    ]


def _rate(lr):
    return f"{lr:g}".removeprefix("0")


def _by_rate(values, between):
    return ", ".join(f"{_rate(lr)}{between}{x}" for lr, x in values.items())


def ranks_table(results: Results, model: str) -> Table:
    """Effective rank of the merged weights, layer by layer.

    Arguments
    ---------
    results : Results
    model : str

    Returns
    -------
    Table

    Example
    -------
    >>> table = pandas.DataFrame([{"model": "Conformer", "row": "ALL",
    ...     "arm": "ALL", "family": "paper", "lr": 0.1,
    ...     "ranks": {"embedding_model.x": 3.0}}])
    >>> results = Results(None, table, [])
    >>> ranks_table(results, "Conformer").frame.values.tolist()
    [['x', '3.0']]
    """
    runs = results.arms.query("model == @model")
    ranks = pandas.DataFrame(list(runs["ranks"]), runs["row"])
    means = ranks.groupby("row", sort=False).apply(pandas.DataFrame.mean).T
    means = means.rename(lambda layer: layer.removeprefix("embedding_model."))
    return Table(
        f"{model}: mean effective rank of the merged weights",
        _named(means.map("{:.1f}".format, na_action="ignore"), "layer"),
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
    >>> table = pandas.DataFrame([{"model": "Conformer", "row": "ALL",
    ...     "lr": 0.002, "versions": {"torch": "2"}, "finished": "2026-11-20",
    ...     "seconds": 9}])
    >>> counts, where = run_tables(Results(None, table, []))
    >>> counts.frame.values.tolist()
    [['ALL, rate .002', '1']]
    """
    table = results.table
    arms = table["row"] + ", rate " + table["lr"].map(_rate)
    runs = table.assign(arm=arms).groupby(["arm", "model"], sort=False).size()
    how = ["engine", "device", "threads", "commit"]
    facts = pandas.DataFrame(list(table["versions"])).assign(
        **table.reindex(columns=how).fillna(NONE).map(lambda x: str(x)[:40]),
        **{"finished on": table["finished"].astype(str).str[:10]},
    )
    facts = facts.melt(var_name="what").dropna().value_counts(sort=False)
    hours = table["seconds"].sum() / 3600
    finished = _named(runs.map(str).unstack("model", sort=False))
    return [
        Table("Finished runs", finished),
        Table(
            f"Where and with what: {hours:.1f} hours of training in all",
            facts.sort_index().map(str).rename("runs").reset_index(),
        ),
    ]
