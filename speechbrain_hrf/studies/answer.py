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
from speechbrain_hrf.studies.tables import count, difference, signed
from speechbrain_hrf.studies.trial import Trial

# Arms that have a line of their own, fixed before any result: the first of
# ours that was run, and the paper's ALL.
OURS = ("ALL + FRONT, normalised", "ALL, normalised")
NAMES = {
    OURS[0]: "Normalised HRF (ALL + FRONT)",
    OURS[1]: "Normalised HRF (ALL)",
    "ALL": "HRF as published (ALL)",
}
FAMILIES = {"paper": "The paper's {}rows", "ours": "Our {}arms"}
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
    >>> results = Results(None, [line], table, [{"01": 0}], [], [])
    >>> nothing = pandas.DataFrame({"comparison": [], "model": []})
    >>> answer(results, Comparisons(nothing, {}, nothing))[1]
    'Conformer: no Lightweight run has finished, so nothing can be...'
    """
    table = comparisons.table
    same, best = (table[table["comparison"] == kind] for kind in (SAME, BEST))
    lines = [_data(results), *_voices(results), *_alone(results)]
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
    lines += _unfinished(results, comparisons) + missing_runs(results)
    return lines[:MOST_LINES]


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
    shortest, longest = table["epochs"].min(), table["epochs"].max()
    epochs = f"{shortest:g}"
    if longest > shortest:
        epochs += f" to {longest:g}"
    scored = SCORED.get(line["scored_epoch"], SCORED["best"])
    return (
        f"Data: {line['dataset']}, "
        f"{count(len(results.speaker_names), f'test {_unit(results)}')}{where}, "
        f"{count(table['seed'].nunique(), 'seed')}; training for {epochs} "
        f"epochs, and {scored}. The score is {line['metric']}, "
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
            items.append(f"{model_name(line['model'])} ({found})")
        parts.append(SAID[verdict].format(results.metric, join_words(items)))
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
        "An arm that gains may only be faster there."
    ]


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
    planned = planned_runs(results)
    done = {line["id"] for line in results.lines}
    finished = sum(trial.id in done for trial in planned)
    if finished < len(planned):
        parts = []
        for noun in ("fold", "seed"):
            there = {line[noun] for line in results.lines}
            wanted = {getattr(trial, noun) for trial in planned}
            parts.append(f"{len(there & wanted)} of {len(wanted)} {noun}s")
        return [
            f"{finished:,} of {len(planned):,} runs have finished "
            f"({', '.join(parts)}): go on with `hrf study ... --resume`."
        ]
    speakers = len(results.speaker_names)
    if speakers >= FEWEST_SPEAKERS:
        return []
    return [
        f"There are {speakers} test {_unit(results)}s; at least {FEWEST_SPEAKERS} are "
        "needed to show anything: run more folds."
    ]


def planned_runs(results: Results) -> list[Trial]:
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
    >>> planned_runs(Results(None, [], None, [], [], []))
    []
    """
    try:
        return load_study(results.folder / "study.yaml").trials
    except (OSError, ValueError, YAMLError, TypeError):
        return []  # lines may be reported on without their study
