"""The answer: at most eight plain lines, from the comparisons alone.

The sentences are in report_answer.md.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pandas

from speechbrain_hrf.studies import statistics
from speechbrain_hrf.studies.results import Results
from speechbrain_hrf.studies.rows import NO_FOLD
from speechbrain_hrf.studies.study import load_study
from speechbrain_hrf.studies.tables import count, signed
from speechbrain_hrf.studies.template import render
from speechbrain_hrf.studies.trial import LIGHTWEIGHT

# Arms that have a line of their own, fixed before the published study: the
# first of ours that was run, and the paper's ALL.
OURS = ("ALL + FRONT, normalised", "ALL, normalised")
NAMES = {
    OURS[0]: "Normalised HRF (ALL + FRONT)",
    OURS[1]: "Normalised HRF (ALL)",
    "ALL": "HRF as published (ALL)",
}
# Of the first training loss, over the last tenth of epochs. Of the last loss
# would be no measure: one that is learned by heart falls towards zero for ever.
STILL_FALLING = 0.02
MOST_LINES = 8


def answer(results: Results, comparisons: statistics.Comparisons) -> list[str]:
    """What a study says.

    Arguments
    ---------
    results : Results
    comparisons : Comparisons

    Returns
    -------
    list of str
        At most eight lines.

    Example
    -------
    >>> table = pandas.DataFrame([{"model": "Conformer", "row": "ALL",
    ...     "arm": "ALL", "family": "paper", "fold": "1", "seed": 1, "lr": 0.1,
    ...     "epochs": 120, "usual": 120, "scored_epoch": "last", "unit": "speaker",
    ...     "dataset": "M3ED", "metric": "UA", "id": "a", "curves": {},
    ...     "options": {}, "valid": 0.5,
    ...     "counts": {"01": np.eye(2, dtype=int)}}])
    >>> names = ["comparison", "model", "family", "row"]
    >>> nothing = statistics.Comparisons(pandas.DataFrame(columns=names), None)
    >>> answer(Results(None, table, []), nothing)[1]
    'Conformer: no Lightweight run has finished, so nothing can be...'
    """
    same, best = comparisons.same, comparisons.best
    heads = headline(same["row"])
    others = same[~same["row"].isin(heads)]
    in_best = headline(best["row"]) or best["row"].unique()[:1]
    unfinished = _unfinished(results)
    longer = rf"{LIGHTWEIGHT}, \d+ epochs"
    light = results.table[results.table["row"].str.fullmatch(longer)]
    longer = light.query("epochs > usual and model in @unfinished")
    longer = same.merge(longer[["model", "row"]].drop_duplicates())
    names = {row: _plain(row) for row in (*heads, *in_best)}
    names |= true_names(results, NAMES)
    text = render(
        "report_answer.md",
        results=results,
        folds=len(set(results.table["fold"]) - {NO_FOLD}),
        epochs=results.table["epochs"].astype(int),
        # Without a validation set nothing chooses, whatever the protocol.
        validated=results.common["scored_epoch"] != "last"
        and results.table["valid"].notna().any(),
        run=results.table.groupby("model", sort=False)["family"].agg(set),
        names=names,
        heads=heads,
        same=same.to_dict("records"),
        place=_place,
        told=set(same[same["row"].isin(heads)]["family"]),
        families={
            family: _sum_up(lines) for family, lines in others.groupby("family")
        },
        in_best=in_best,
        best=best.to_dict("records"),
        unfinished=list(unfinished),
        percent=f"{100 * STILL_FALLING:.0f}",
        longer=longer.to_dict("records"),
    )
    lines = [" ".join(part.split()) for part in text.split("\n\n")]
    last = missing_runs(results)
    return list(filter(None, lines))[: MOST_LINES - len(last)] + last


def headline(rows: pandas.Series) -> list[str]:
    """The arms that have a line of their own.

    Arguments
    ---------
    rows : iterable of str
        Those that were run.

    Returns
    -------
    list of str

    Example
    -------
    >>> headline(["Lightweight", "ALL", "FFN1", "ALL, normalised"])
    ['ALL, normalised', 'ALL']
    """
    there = set(rows)
    ours = [row for row in OURS if row in there]
    return ours[:1] + ["ALL"] * ("ALL" in there)


def true_names(results: Results, names: dict[str, str]) -> dict[str, str]:
    """Those of some arms' names that are true of all their runs.

    A study's overrides may make something else of an arm of the paper's name.

    Arguments
    ---------
    results : Results
    names : dict of str: str
        By row: of ``OURS``, which are normalised, or of the paper.

    Returns
    -------
    dict of str: str

    Example
    -------
    >>> table = pandas.DataFrame({"row": ["ALL"], "family": ["ours"],
    ...     "options": [{"hrf_ratio": 16}]})
    >>> true_names(Results(None, table, []), NAMES).keys() & {"ALL"}
    set()
    """
    table = results.table
    normed = table["options"].map(lambda x: bool(x.get("hrf_inner_norm")))
    holds = normed.where(table["row"].isin(OURS), table["family"] == "paper")
    wrong = set(table["row"][~holds])
    return {row: name for row, name in names.items() if row not in wrong}


def _plain(row):
    """Within a sentence commas mean something else."""
    return row.replace(",", "")


def _place(model):
    of_all = model == statistics.ALL_MODELS
    return f"over {model}" if of_all else f"on {model}"


def _sum_up(lines):
    """Many rows in one sentence: those that show something, and the rest."""
    rows, places = lines["row"].map(_plain), lines["model"].map(_place)
    names = rows + " " + places + " (" + lines["difference"].map(signed) + ")"
    shown = lines["verdict"].isin([statistics.GAIN, statistics.LOSS])
    rest = ~shown & (lines["model"] != statistics.ALL_MODELS)
    rest = lines["difference"][rest]
    return {
        "rows": list(rows.unique()),
        "shown": names[shown].groupby(lines["verdict"]).agg(list).to_dict(),
        "rest": [signed(x) for x in (rest.min(), rest.max())][: len(rest)],
    }


def _unfinished(results):
    """Models whose lightweight ones would have learned on."""
    light = results.runs[results.runs["family"] == "lightweight"]
    falls = light["curves"].map(_fall)
    falls = falls.groupby(light["model"], sort=False).mean()
    return falls.index[falls > STILL_FALLING]


def _fall(curves):
    """Of the training loss over the last tenth, as a share of its first."""
    epochs, loss = curves.get("epoch") or [], curves.get("train_loss") or []
    if len(epochs) < 3 or len(loss) != len(epochs) or None in loss:
        return np.nan
    return (np.interp(0.9 * epochs[-1], epochs, loss) - loss[-1]) / abs(loss[0])


def missing_runs(results: Results) -> list[str]:
    """What has to be run before more can be shown.

    Arguments
    ---------
    results : Results

    Returns
    -------
    list of str
        A sentence, or none.

    Example
    -------
    >>> from speechbrain_hrf.studies.results import read_results
    >>> missing_runs(read_results("results/none"))
    Traceback (most recent call last):
        ...
    ValueError: results/none/trials.jsonl has no trial that can be used...
    """
    path = results.folder and results.folder / "study.yaml"
    try:  # lines may be reported on without their study
        planned = load_study(path).trials if path and path.exists() else []
    except (OSError, ValueError, ImportError) as error:
        reason = " ".join(str(error).split())
        return [f"Whether runs are missing cannot be told: {reason}"]
    if left := {x.id for x in planned}.difference(results.table["id"]):
        return [
            f"{len(planned) - len(left):,} of {len(planned):,} runs have "
            "finished: go on with hrf study ... --resume."
        ]
    speakers = len(results.classes)
    if speakers >= statistics.FEWEST_SPEAKERS:
        return []
    folds = results.common["fold"] != NO_FOLD
    return [
        f"{count(speakers, 'test ' + results.common['unit'])} took part; at least "
        f"{statistics.FEWEST_SPEAKERS} are needed to show anything: "
        f"{'run more folds' if folds else 'the test set has too few'}."
    ]
