"""The answer: what the data support and what they do not, in plain sentences.

Computed from the comparisons by the study's own metric; nothing else enters.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.report.comparisons import MATCHED, MEAN, SAME
from speechbrain_hrf.report.family_text import (
    difference_text,
    family_sentences,
)
from speechbrain_hrf.report.matched_lr import edge_notes
from speechbrain_hrf.report.overall_text import overall_sentences
from speechbrain_hrf.report.paper import model_name
from speechbrain_hrf.report.verdict import GAIN, PAIRS_GAIN, bounds, verdict
from speechbrain_hrf.report.wording import listed

OPENING = {
    (SAME, "paper"): "At the same learning rate, as in the paper: ",
    (MATCHED, "paper"): "Each at its own best learning rate: ",
    (SAME, "extension"): "Beyond the paper, at the same learning rate: ",
    (MATCHED, "extension"): (
        "Beyond the paper, each at its own best learning rate: "
    ),
}


def answer(trials, comparisons):
    """What the study says, overall and by model.

    Arguments
    ---------
    trials : Trials
    comparisons : Comparisons

    Returns
    -------
    list of (str, list of str)
        Headings and sentences; the first heading is "Overall".

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.comparisons import compare
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame([{"model": "conformer", "row": "Lightweight",
    ...     "lr": 1e-3, "family": "lightweight", "reference": "Lightweight",
    ...     "fold": "1", "seed": 1, "UA": 0.5, "valid": 0.5}])
    >>> line = {"metric": "UA", "dataset": "RAVDESS", "synthetic": False}
    >>> trials = Trials(None, [line], table, [], [])
    >>> answer(trials, compare(trials, ["UA"]))[1]
    ('Conformer', ['No arm of HRF has finished: there is nothing to compare.'])
    """
    table = comparisons.table
    table = table[table["metric"] == trials.metric]
    table = table.assign(
        verdict=[verdict(line) for _, line in table.iterrows()]
    )
    parts = [("Overall", overall_sentences(trials, table))]
    for model in trials.models:
        lines = table[table["model"] == model]
        sentences = _of_model(trials, comparisons, model, lines)
        parts.append((model_name(model), sentences))
    return parts


def _of_model(trials, comparisons, model, lines):
    families = set(trials.table[trials.table["model"] == model]["family"])
    if not families & {"paper", "extension"}:
        return ["No arm of HRF has finished: there is nothing to compare."]
    if "lightweight" not in families:
        return [
            "No Lightweight trial of this model has finished: there is "
            "nothing to compare HRF with."
        ]
    sentences = []
    for (comparison, family), opening in OPENING.items():
        if family not in families:
            continue
        some = lines[
            (lines["comparison"] == comparison) & (lines["family"] == family)
        ]
        if len(some):
            first, *others = family_sentences(some)
            sentences += [opening + first, *others]
        else:
            sentences.append(opening + _not_compared(comparison))
        if comparison == MATCHED:
            sentences += _learning_rate(lines, family)
    chosen = comparisons.chosen
    sentences += edge_notes(chosen[chosen["model"] == model])
    mean = lines[(lines["family"] == MEAN) & (lines["n"] > 1)]
    for _, line in mean.iterrows():
        where = _WHERE[line["comparison"]]
        sentences.append(
            f"Mean of its rows of the paper, {where}: {difference_text(line)}."
        )
    return sentences


_WHERE = {
    SAME: "same learning rate",
    MATCHED: "each at its best learning rate",
}


def _not_compared(comparison):
    if comparison == SAME:
        return "not compared; the reasons stand below."
    return (
        "not compared, since an arm or the lightweight model was tried at one "
        "learning rate only, or has no scores on a validation set. Whether "
        "HRF does more than lengthen the steps stays open."
    )


def _learning_rate(lines, family):
    """What becomes of gains at the same learning rate when it is matched."""
    lines = lines[lines["family"] == family].set_index("row")
    same = lines[lines["comparison"] == SAME]
    matched = lines[lines["comparison"] == MATCHED]
    gains = same[same["verdict"].isin([GAIN, PAIRS_GAIN])]
    stays, goes, open_, untested = [], [], [], []
    for row, line in gains.iterrows():
        if row not in matched.index:
            untested.append(row)
        elif matched.loc[row, "verdict"] in (GAIN, PAIRS_GAIN):
            stays.append(row)
        elif bounds(matched.loc[row])[1] < line["difference"]:
            goes.append(row)
        else:
            open_.append(row)
    sentences = []
    if stays:
        sentences.append(
            f"The gain of {listed(stays)} stays when learning rates are "
            "matched: it is not the learning rate's alone."
        )
    if goes:
        sentences.append(
            f"The gain of {listed(goes)} at the same learning rate is not "
            "shown when rates are matched, and one of that size is ruled out "
            "there: the longer steps of HRF are the likelier reason for it, "
            "or for a part of it."
        )
    if open_:
        sentences.append(
            f"The gain of {listed(open_)} at the same learning rate is not "
            "shown any more when rates are matched, nor is it ruled out."
        )
    if untested:
        sentences.append(
            f"Whether the gain of {listed(untested)} is one of the learning "
            "rate was not tried."
        )
    return sentences
