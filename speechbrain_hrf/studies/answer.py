"""The answer: at most eight plain lines, from the comparisons alone.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import numpy as np
import pandas
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
from speechbrain_hrf.studies.tables import (
    count,
    difference,
    probability,
    signed,
)
from speechbrain_hrf.studies.trial import LIGHTWEIGHT, Trial

# Arms that have a line of their own, fixed before any result: the first of
# ours that was run, and the paper's ALL.
OURS = ("ALL + FRONT, normalised", "ALL, normalised")
NAMES = {
    OURS[0]: "Normalised HRF (ALL + FRONT)",
    OURS[1]: "Normalised HRF (ALL)",
    "ALL": "HRF as published (ALL)",
}
FAMILIES = {"paper": "The paper's {}rows", "ours": "Our {}arms"}
CONTROLS = "Controls without wider layers"
SAID = {
    GAIN: "gains {} on {}: shown",
    LOSS: "loses {} on {}: shown",
    NOTHING: "shows no gain or loss of {} on {}",
    TOO_FEW: "cannot be judged by {} on {}, since too little was run",
}
SCORES = {
    "WA": "the share of utterances that are right",
    "UA": "the mean recall over classes",
    "WF1": "the mean F1 over classes, weighted by their size",
    "MF1": "the mean F1 over classes",
}
SCORED = {
    "last": "the last epoch is scored",
    "best": "the epoch that validation chooses is scored",
}
# Of the first training loss, over the last tenth of epochs. Of the last loss
# would be no measure: one that is learned by heart falls towards zero for ever.
STILL_FALLING = 0.02
MOST_LINES, MOST_NAMES = 8, 5


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
    >>> line = {"id": "a", "dataset": "M3ED", "metric": "UA",
    ...     "scored_epoch": "last"}
    >>> table = pandas.DataFrame([{"model": "conformer", "row": "ALL",
    ...     "family": "paper", "fold": "1", "seed": 1, "epochs": 120}])
    >>> counts = [{"01": np.eye(2, dtype=int)}]
    >>> results = Results(None, [line], table, counts, [], [])
    >>> names = ["comparison", "model", "family"]
    >>> nothing = pandas.DataFrame(columns=names)
    >>> answer(results, Comparisons(nothing, {}, nothing))[1]
    'Conformer: no Lightweight run has finished, so nothing can be...'
    """
    table = comparisons.table
    same, best = (table[table["comparison"] == kind] for kind in (SAME, BEST))
    lines = [_data(results), *_voices(results), *_instead(results)]
    lines += _alone(results)
    if len(same):
        heads = headline(same["row"])
        lines += [_of_row(same[same["row"] == row], results) for row in heads]
        others = same[~same["row"].isin(heads) & (same["model"] != ALL_MODELS)]
        for family, name in FAMILIES.items():
            some = others[others["family"] == family]
            told = (same["row"].isin(heads) & (same["family"] == family)).any()
            if len(some):
                name = name.format("other " if told else "")
                lines.append(_sum_up(name, some))
        lines.append(_best_rates(best))
    lines += _unfinished(results, comparisons)
    controls = same[
        (same["family"] == "control") & (same["model"] != ALL_MODELS)
    ]
    lines += [_sum_up(CONTROLS, controls)] if len(controls) else []
    last = missing_runs(results)
    return lines[: MOST_LINES - len(last)] + last


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


def _data(results):
    table, line = results.table, results.lines[0]
    folds = set(table["fold"]) - {NO_FOLD}
    where = f" in {count(len(folds), 'fold')}" if folds else ""
    shortest, longest = int(table["epochs"].min()), int(table["epochs"].max())
    epochs = count(longest, "epoch")
    if longest > shortest:
        epochs = f"{shortest:g} to {epochs}"
    scored = SCORED.get(line["scored_epoch"], SCORED["best"])
    return (
        f"Data: {line['dataset']}, "
        f"{count(len(results.speaker_names), f'test {_unit(results)}')}{where}, "
        f"{count(table['seed'].nunique(), 'seed')}; training for {epochs}, "
        f"and {scored}. The score is {line['metric']}, "
        f"{SCORES[line['metric']]}."
    )


def _unit(results):
    return results.lines[0].get("unit", "speaker")


def _voices(results):
    """That nobody is known to be new, where only recordings are known."""
    if _unit(results) != "recording":
        return []
    return [
        "Nobody said who speaks, so that a recording counts as a speaker: the "
        "same voice may be in training and in several recordings, scores may "
        "be too good for new voices, and intervals too narrow. Add the column "
        "speaker to the table."
    ]


def _instead(results):
    """By what speakers are compared, if not by the study's score."""
    if results.compared == results.metric:
        return []
    return [
        f"Most test {_unit(results)}s have one class, of which there is no F1: "
        f"they are compared by {results.compared}, {SCORES[results.compared]}."
    ]


def join_words(words: list[str]) -> str:
    """Words in a sentence.

    Arguments
    ---------
    words : list of str

    Returns
    -------
    str

    Example
    -------
    >>> join_words(["a", "b", "c"]), join_words(["a"])
    ('a, b and c', 'a')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _plain(row):
    """Within a sentence commas mean something else."""
    return row.replace(",", "")


def _name(row):
    return NAMES.get(row, _plain(row))


def _alone(results):
    families = results.table.groupby("model", sort=False)["family"].agg(set)
    return [
        f"{model_name(model)}: no {lacking} run has finished, so nothing can "
        "be compared."
        for model, there in families.items()
        for lacking, some in (
            ("Lightweight", {"lightweight"}),
            ("HRF", {"paper", "ours"}),
        )
        if not there & some
    ]


def _of_row(lines, results):
    """What an arm does for each model, and over all."""
    parts = []
    each = lines[lines["model"] != ALL_MODELS]
    for verdict, some in each.groupby("verdict", sort=False):
        items = []
        for line in some.to_dict("records"):
            found = difference(line)
            if line["folds"] > 1:
                found += f", {line['folds_up']} of {line['folds']} folds up"
            if verdict == NOTHING and line["low"] * line["high"] > 0:
                p = probability(max(line["p_holm"], line["p_runs_holm"]))
                found += f", but p {p}"
            items.append(f"{model_name(line['model'])} ({found})")
        parts.append(SAID[verdict].format(results.compared, join_words(items)))
    text = f"{_name(lines['row'].iloc[0])} {'; it '.join(parts)}."
    for line in lines[lines["model"] == ALL_MODELS].to_dict("records"):
        text += f" Over all models: {difference(line)}, {line['verdict']}."
    return text


def _sum_up(name, lines):
    """Many rows in one sentence: those that show something, and the rest."""
    parts = []
    for verdict in (GAIN, LOSS):
        names = [
            f"{_plain(x['row'])} on {model_name(x['model'])} "
            f"({signed(x['difference'])})"
            for x in lines[lines["verdict"] == verdict].to_dict("records")
        ]
        if len(names) > MOST_NAMES:
            more = len(names) - MOST_NAMES + 1
            names[MOST_NAMES - 1 :] = [f"{more} more"]
        if names:
            what = verdict.split()[0]
            parts.append(f"a {what} is shown for {join_words(names)}")
    rest = lines[lines["verdict"].isin([NOTHING, TOO_FEW])]["difference"]
    if len(rest):
        low, high = signed(rest.min()), signed(rest.max())
        span = f"differences from {low} to {high}"
        if len(rest) == 1:
            span = f"difference {low}"
        whom = "the rest" if parts else "any"
        parts.append(f"nothing is shown for {whom}: {span}")
    rows = join_words([_plain(row) for row in dict.fromkeys(lines["row"])])
    return f"{name} ({rows}): {'; '.join(parts)}."


def _best_rates(best):
    if not len(best):
        return (
            "All this is at the lightweight model's learning rate. Whether it "
            "holds with each at its own best rate was not tried: no arm and "
            "its lightweight model have validation scores at several rates."
        )
    parts = []
    for row in headline(best["row"]) or [best["row"].iloc[0]]:
        lines = best[(best["row"] == row) & (best["model"] != ALL_MODELS)]
        items = [
            f"{signed(x['difference'])} on {model_name(x['model'])} "
            f"({x['verdict']})"
            for x in lines.to_dict("records")
        ]
        parts.append(f"{_name(row)} {join_words(items)}")
    return (
        "With each at its own best learning rate, chosen on validation "
        f"speakers, the differences are: {'; '.join(parts)}."
    )


def _unfinished(results, comparisons):
    """Whether lightweight models would have learned on."""
    light = results.table[results.table["family"] == "lightweight"]
    found = []
    for model, rate in comparisons.rates.items():
        runs = light[(light["model"] == model) & (light["lr"] == rate)]
        curves = [results.lines[line]["curves"] for line in runs["line"]]
        if pandas.Series(map(_fall, curves)).mean() > STILL_FALLING:
            found.append(model_name(model))
    if not found:
        return []
    return [
        f"Training of the lightweight {join_words(found)} was not finished: the "
        "training loss still fell over the last tenth of the epochs, by more "
        f"than {100 * STILL_FALLING:.0f} % of what it was after the first one. "
        f"An arm that gains may only be faster there{_longer(comparisons.table, found)}."
    ]


def _longer(table, names):
    """What these lightweight models gain by more epochs, if that was tried."""
    rows = table["row"].str.fullmatch(rf"{LIGHTWEIGHT}, \d+ epochs")
    items = [
        f"{difference(line)} on {model_name(line['model'])} ({line['row']})"
        for line in table[rows].to_dict("records")
        if model_name(line["model"]) in names
    ]
    if not items:
        return ""
    return f"; more epochs alone make a difference of {join_words(items)}"


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
    FileNotFoundError: There is no folder results/none...
    """
    try:
        planned = planned_runs(results)
    except (OSError, ValueError, YAMLError) as error:
        reason = str(error).strip().splitlines()[0]
        return [f"Whether runs are missing cannot be told: {reason}"]
    done = {line["id"] for line in results.lines}
    finished = sum(trial.id in done for trial in planned)
    if finished < len(planned):
        parts = []
        for noun in ("fold", "seed"):
            wanted = {getattr(trial, noun) for trial in planned}
            begun = {getattr(x, noun) for x in planned if x.id not in done}
            if len(wanted) > 1:
                number = len(wanted) - len(begun)
                parts.append(f"{number} of {len(wanted)} {noun}s")
        whole = f" (whole: {', '.join(parts)})" if parts else ""
        return [
            f"{finished:,} of {len(planned):,} runs have finished{whole}: "
            "go on with `hrf study ... --resume`."
        ]
    speakers = len(results.speaker_names)
    if speakers >= FEWEST_SPEAKERS:
        return []
    return [
        f"{count(speakers, f'test {_unit(results)}')} took part; at least "
        f"{FEWEST_SPEAKERS} are needed to show anything: run more folds."
    ]


def planned_runs(results: Results) -> list[Trial]:
    """The trials that study.yaml stands for.

    Arguments
    ---------
    results : Results

    Returns
    -------
    list of Trial
        Empty where there is no study.yaml: lines may be reported on without
        their study.

    Raises
    ------
    OSError, ValueError, YAMLError
        If it cannot be read.

    Example
    -------
    >>> planned_runs(Results(None, [], None, [], [], []))
    []
    """
    path = results.folder and results.folder / "study.yaml"
    return load_study(path).trials if path and path.exists() else []
