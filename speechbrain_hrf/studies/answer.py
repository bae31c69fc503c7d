"""The answer: at most eight plain lines, from the comparisons alone.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import numpy as np
from ruamel.yaml.error import YAMLError

from speechbrain_hrf.studies.paper import model_name
from speechbrain_hrf.studies.results import NO_FOLD, Results
from speechbrain_hrf.studies.statistics import (
    ALL_MODELS,
    BEST,
    FEWEST_SPEAKERS,
    GAIN,
    LOSS,
    NOTHING,
    SAME,
    TOO_FEW,
    Comparisons,
)
from speechbrain_hrf.studies.study import load_study
from speechbrain_hrf.studies.tables import interval_text, signed

# Arms that have a line of their own, fixed before any result: the first of
# ours that was run, and the paper's ALL.
HEADLINES = (
    ("ALL + FRONT, normalised", "ALL, normalised"),
    ("ALL",),
)
NAMES = {
    "ALL + FRONT, normalised": "Normalised HRF (ALL + FRONT)",
    "ALL, normalised": "Normalised HRF (ALL)",
    "ALL": "HRF as published, expanding ALL,",
}
SAID = {
    GAIN: "gains {metric} on {where}: shown",
    LOSS: "loses {metric} on {where}: shown",
    NOTHING: "shows no gain or loss on {where}",
    TOO_FEW: "cannot be judged on {where}: too little was run",
}
SCORES = {
    "WA": "the share of utterances that are right",
    "UA": "the mean recall over classes",
    "WF1": "the mean F1 over classes, weighted by their size",
    "MF1": "the mean F1 over classes",
}
STILL_FALLING = 0.02  # of the training loss, over the last tenth of epochs


def question(results: Results) -> str:
    """What a study asks.

    Arguments
    ---------
    results : Results

    Returns
    -------
    str

    Example
    -------
    >>> question(Results(None, [{"dataset": "M3ED"}], None, [], [], {}, []))
    'Does HRF help on M3ED?'
    """
    return f"Does HRF help on {results.dataset}?"


def answer(results: Results, comparisons: Comparisons) -> list[str]:
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
    >>> line = {"dataset": "RAVDESS", "metric": "UA", "scored_epoch": "last"}
    >>> table = pandas.DataFrame([{"model": "conformer", "row": "ALL",
    ...     "family": "paper", "fold": "1", "seed": 1, "epochs": 120}])
    >>> results = Results(None, [line], table, [{"01": 0}], [], {}, [])
    >>> nothing = pandas.DataFrame({"comparison": [], "model": []})
    >>> answer(results, Comparisons(nothing, {}, nothing))[1]
    'Conformer: no Lightweight run has finished, so that nothing can be...'
    """
    table = comparisons.table
    lines = [_data(results)]
    lines += _without_reference(results)
    same = table[table["comparison"] == SAME]
    if len(same):
        lines += _same_rate(same, results.metric)
        best = table[table["comparison"] == BEST]
        lines.append(_best_rates(best, results.metric))
    lines += _unfinished(results, comparisons) + _missing(results)
    return lines[:8]


def headline(results: Results) -> list[str]:
    """The arms that have a line of their own.

    Arguments
    ---------
    results : Results

    Returns
    -------
    list of str
        Those that were run.

    Example
    -------
    >>> table = pandas.DataFrame({"row": ["Lightweight", "ALL", "FFN1"]})
    >>> headline(Results(None, [], table, [], [], {}, []))
    ['ALL']
    """
    return _headline(results.table["row"])


def _headline(rows):
    there = [[x for x in some if x in set(rows)][:1] for some in HEADLINES]
    return sum(there, [])


def _data(results):
    table, line = results.table, results.lines[0]
    speakers = {who for counts in results.counts for who in counts}
    folds = table["fold"].nunique() if table["fold"].iloc[0] != NO_FOLD else 0
    where = f" in {counted(folds, 'fold')}" if folds else ""
    epochs = sorted(table["epochs"].unique())
    long = f"{epochs[0]:g}" if len(epochs) == 1 else (
        f"{epochs[0]:g} to {epochs[-1]:g}"
    )  # fmt: skip
    scored = (
        "the last epoch is scored"
        if line["scored_epoch"] == "last"
        else "validation speakers choose the epoch that is scored"
    )
    return (
        f"Data: {line['dataset']}, {counted(len(speakers), 'test speaker')}"
        f"{where}, {counted(table['seed'].nunique(), 'seed')}; training for "
        f"{long} epochs, and {scored}. The score is {line['metric']}, "
        f"{SCORES[line['metric']]}."
    )


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    Arguments
    ---------
    number : int
    noun : str
        In the singular; its plural ends in s.

    Returns
    -------
    str

    Example
    -------
    >>> counted(1, "fold"), counted(1200, "run")
    ('1 fold', '1,200 runs')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(words: list[str]) -> str:
    """Words in a sentence.

    Arguments
    ---------
    words : list of str

    Returns
    -------
    str

    Example
    -------
    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _without_reference(results):
    families = results.table.groupby("model", sort=False)["family"].agg(set)
    lines = []
    for model, found in families.items():
        if "lightweight" not in found:
            lines.append(
                f"{model_name(model)}: no Lightweight run has finished, so "
                "that nothing can be compared."
            )
        elif found == {"lightweight"}:
            lines.append(
                f"{model_name(model)}: no run of HRF has finished, so that "
                "nothing can be compared."
            )
    return lines


def _same_rate(same, metric):
    heads = _headline(same["row"])
    lines = [_of_row(row, same, metric) for row in heads]
    for family, name in (
        ("paper", "HRF as published, rows"),
        ("ours", "Beyond the paper,"),
    ):
        others = same[(same["family"] == family) & ~same["row"].isin(heads)]
        others = others[others["model"] != ALL_MODELS]
        if len(others):
            lines.append(_summed_up(name, others))
    return lines


def _of_row(row, table, metric):
    lines = table[(table["row"] == row) & (table["model"] != ALL_MODELS)]
    parts = []
    for verdict, form in SAID.items():
        some = lines[lines["verdict"] == verdict].to_dict("records")
        if some:
            where = listed([_item(line) for line in some])
            parts.append(form.format(metric=metric, where=where))
    text = f"{NAMES.get(row, row)} {'; it '.join(parts)}."
    over = table[(table["row"] == row) & (table["model"] == ALL_MODELS)]
    for line in over.to_dict("records"):
        text += f" Over all models: {difference(line)}, {line['verdict']}."
    return text


def _item(line):
    folds = ""
    if line["folds"] > 1:
        folds = f", {line['folds_up']} of {line['folds']} folds up"
    return f"{model_name(line['model'])} ({difference(line)}{folds})"


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
    return f"{signed(line['difference'])} {interval_text(line)}".strip()


def _summed_up(name, lines):
    """Many rows in one sentence: those that show something, and the rest."""
    rows = list(dict.fromkeys(lines["row"]))
    parts = []
    for verdict, word in ((GAIN, "a gain"), (LOSS, "a loss")):
        some = lines[lines["verdict"] == verdict].to_dict("records")
        shown = [
            f"{line['row']} on {model_name(line['model'])} "
            f"({signed(line['difference'])})"
            for line in some
        ]
        if shown:
            more = f" and {len(shown) - 4} more" if len(shown) > 5 else ""
            first = shown[:4] if more else shown
            text = f"{', '.join(first)}{more}" if more else listed(first)
            parts.append(f"{word} is shown for {text}")
    rest = lines[lines["verdict"].isin([NOTHING, TOO_FEW])]
    if len(rest):
        low, high = rest["difference"].min(), rest["difference"].max()
        which = "the others" if parts else "any of them"
        few = (
            " (too little was run)" if set(rest["verdict"]) == {TOO_FEW} else ""
        )
        parts.append(
            f"nothing is shown for {which}{few}: differences from "
            f"{signed(low)} to {signed(high)}"
        )
    return f"{name} {listed(rows)}: {'; '.join(parts)}."


def _best_rates(best, metric):
    if not len(best):
        return (
            "All this is at the lightweight model's learning rate. Whether it "
            "holds with each at its own best rate was not tried: no arm and "
            "its lightweight model have validation scores at several rates."
        )
    heads = _headline(best["row"]) or [best["row"].iloc[0]]
    parts = []
    for row in heads:
        lines = best[(best["row"] == row) & (best["model"] != ALL_MODELS)]
        items = [
            f"{signed(x['difference'])} on {model_name(x['model'])} "
            f"({x['verdict']})"
            for x in lines.to_dict("records")
        ]
        parts.append(f"{NAMES.get(row, row).rstrip(',')} {listed(items)}")
    return (
        "With each at its own best learning rate, chosen on validation "
        f"speakers, the differences are: {'; '.join(parts)}."
    )


def _unfinished(results, comparisons):
    """Whether lightweight models would have learned on."""
    found = []
    light = results.table[results.table["family"] == "lightweight"]
    for model, rate in comparisons.rates.items():
        runs = light[(light["model"] == model) & (light["lr"] == rate)]
        falls = [
            fall
            for line in runs["line"]
            if (fall := _fall(results.lines[line]["curves"])) is not None
        ]
        if falls and np.mean(falls) > STILL_FALLING:
            found.append(f"{100 * np.mean(falls):.0f} % on {model_name(model)}")
    if not found:
        return []
    return [
        "Training was not finished: over the last tenth of the epochs the "
        f"lightweight model's training loss still fell by {listed(found)}. An "
        "arm that gains may only be faster: train longer."
    ]


def _fall(curves):
    """Share by which the training loss falls over the last tenth."""
    epochs, loss = curves.get("epoch") or [], curves.get("train_loss") or []
    if len(epochs) < 3 or len(loss) != len(epochs) or None in loss:
        return None
    before = np.interp(0.9 * epochs[-1], epochs, loss)
    return float((before - loss[-1]) / before) if before > 0 else None


def _missing(results):
    """What has to be run before more can be shown."""
    planned = planned_runs(results)
    done = {line["id"] for line in results.lines}
    lacking = [trial for trial in planned if trial.id not in done]
    if lacking:
        parts = []
        for noun in ("fold", "seed"):
            there = {line[noun] for line in results.lines}
            wanted = {getattr(trial, noun) for trial in planned}
            if len(wanted) > 1:
                parts.append(f"{len(there & wanted)} of {len(wanted)} {noun}s")
        where = f" ({', '.join(parts)})" if parts else ""
        return [
            f"{len(planned) - len(lacking):,} of {len(planned):,} runs have "
            f"finished{where}: go on with `hrf study ... --resume`."
        ]
    speakers = {who for counts in results.counts for who in counts}
    if len(speakers) < FEWEST_SPEAKERS:
        return [
            f"There are {len(speakers)} test speakers; at least "
            f"{FEWEST_SPEAKERS} are needed to show anything: run more folds."
        ]
    return []


def planned_runs(results: Results) -> list:
    """The trials that study.yaml stands for.

    Arguments
    ---------
    results : Results

    Returns
    -------
    list of Trial
        Empty where there is no study.yaml, or none that this version reads.

    Example
    -------
    >>> planned_runs(Results(None, [], None, [], [], {}, []))
    []
    """
    if not results.plan:
        return []
    try:
        return load_study(results.folder / "study.yaml").trials
    except (OSError, ValueError, YAMLError):
        return []
