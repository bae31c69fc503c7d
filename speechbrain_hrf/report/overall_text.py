"""The first sentences of the answer, over all models of a study.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.report.comparisons import (
    MATCHED,
    OVERALL,
    POOLED,
    SAME,
)
from speechbrain_hrf.report.family_text import (
    difference_text,
    family_sentences,
    few_test_sets,
)
from speechbrain_hrf.report.paper import model_name
from speechbrain_hrf.report.verdict import (
    GAIN,
    LOSS,
    PAIRS_GAIN,
    PAIRS_LOSS,
    SAME_RUNS,
    TOO_FEW,
    UNTESTED,
    bounds,
    can_rule_out,
)
from speechbrain_hrf.report.wording import listed, score

MEANINGLESS = (
    "These trials are of generated signals, not of speech: whatever follows "
    "means nothing."
)


def overall_sentences(trials, table):
    """What all models together say, the paper's method before anything else.

    Arguments
    ---------
    trials : Trials
    table : pandas.DataFrame
        ``Comparisons.table`` by the study's metric, with ``verdict``.

    Returns
    -------
    list of str

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.load import Trials
    >>> line = {"metric": "UA", "dataset": "RAVDESS", "synthetic": False}
    >>> trials = Trials(None, [line], None, [], [])
    >>> empty = pandas.DataFrame(columns=["comparison", "family", "verdict"])
    >>> overall_sentences(trials, empty)
    ['HRF as published was not compared with the lightweight model: ...']
    """
    sentences = [MEANINGLESS] if trials.synthetic else []
    sentences += _published(table, trials)
    # Over seeds alone a gain can be shown, but of no other speakers.
    sentences += few_test_sets(
        table[table["verdict"].isin([GAIN, LOSS, PAIRS_GAIN, PAIRS_LOSS])]
    )
    for comparison in SAME, MATCHED:
        lines = _select(table, comparison, OVERALL)
        for _, line in lines.iterrows():
            sentences.append(_mean_sentence(line, comparison))
    sentences += _pooled(table, "paper")
    sentences += _extensions(table)
    sentences += _pooled(table, "extension")
    return list(dict.fromkeys(sentences))


def _pooled(table, family):
    """Each row with the pairs of all models, which one model is too few for."""
    what = {"paper": "Rows", "extension": "Arms that are not in the paper"}
    sentences = []
    for comparison, how in (
        (SAME, "at the same learning rate"),
        (MATCHED, "each at its own best learning rate"),
    ):
        lines = _select(table, comparison, POOLED[family])
        if len(lines):
            opening = f"{what[family]} over all models that have them, {how}: "
            first, *others = family_sentences(lines)
            sentences += [opening + first, *others]
    return sentences


def _select(table, comparison, family):
    return table[
        (table["comparison"] == comparison) & (table["family"] == family)
    ]


def _published(table, trials):
    same = _select(table, SAME, "paper")
    matched = _select(table, MATCHED, "paper")
    where = f"On {trials.dataset}, by {trials.metric},"
    if not len(same) and not len(matched):
        return [
            "HRF as published was not compared with the lightweight model: "
            "the trials that it takes are missing."
        ]
    gains, confirmed = _names(same, GAIN), _names(matched, GAIN)
    sentences = []
    both = [name for name in gains if name in confirmed]
    if both:
        sentences.append(
            f"{where} HRF as published beats the lightweight model, at the "
            f"same learning rate and with each at its best one: "
            f"{listed(both)}."
        )
    only_same = [name for name in gains if name not in both]
    if only_same:
        compared = set(_all_names(matched))
        tried = all(name in compared for name in only_same)
        rest = (
            "with each at its own best learning rate, that is not shown."
            if tried
            else "not all of these were compared with each at its own best "
            "learning rate."
        )
        sentences.append(
            f"{where} HRF as published beats the lightweight model at the same "
            f"learning rate for {listed(only_same)}; {rest}"
        )
    only_matched = [name for name in confirmed if name not in both]
    if only_matched:
        sentences.append(
            f"{where} HRF as published beats the lightweight model with each "
            f"at its own best learning rate for {listed(only_matched)}, but "
            "not at the same one."
        )
    if not sentences:
        sentences.append(_no_gain(where, same, matched))
    for kind, text in (
        (PAIRS_GAIN, "A gain that may be of these test speakers alone is seen"),
        (LOSS, "A loss is shown"),
        (PAIRS_LOSS, "A loss that may be of these test speakers alone is seen"),
    ):
        for lines, how in (
            (same, "at the same learning rate"),
            (matched, "with each at its own best learning rate"),
        ):
            if _names(lines, kind):
                sentences.append(
                    f"{text} {how}: {listed(_names(lines, kind))}."
                )
    return sentences


def _no_gain(where, same, matched):
    """The sentence where no row of the paper shows a gain."""
    lines = same if len(same) else matched
    how = (
        "at the same learning rate"
        if not len(matched)
        else "neither at the same learning rate nor with each at its own best"
        if len(same)
        else "with each at its own best learning rate"
    )
    mute = lines["verdict"].isin([TOO_FEW, UNTESTED])
    if mute.all() and matched["verdict"].isin([TOO_FEW, UNTESTED]).all():
        return (
            f"{where} these runs cannot tell for any single model whether HRF "
            "as published helps: there are too few pairs for any gain or loss "
            "to be shown."
        )
    text = f"{where} no gain of HRF as published is shown, {how}"
    if mute.any():
        models = listed([model_name(m) for m in lines[mute]["model"].unique()])
        rate = " at the same learning rate" if len(same) else ""
        return (
            f"{text}; for {models} there are too few pairs to show any{rate}."
        )
    if (lines["verdict"] == SAME_RUNS).all():
        return f"{text}: every run equals its lightweight model's."
    if all(can_rule_out(line) for _, line in lines.iterrows()):
        high = max(bounds(line)[1] for _, line in lines.iterrows())
        rule = f"gains above {score(max(high, 0))} at the same learning rate"
        if len(same):
            return (
                f"{text}; for each row by itself, {rule} are ruled out at "
                "95 %, smaller ones are not."
            )
    return f"{text}."


def _mean_sentence(line, comparison):
    how = {
        SAME: "at the same learning rate",
        MATCHED: "with each at its own best learning rate",
    }[comparison]
    if line["n"] < 2:
        return (
            f"The mean over all models and rows of the paper, {how}, cannot "
            "be tested: fewer than two pairs have them all."
        )
    text = (
        f"The mean over all models and rows of the paper, {how}, differs by "
        f"{difference_text(line).replace('Holm p', 'p')} "
        f"({line['n']} pairs, a test of its own)"
    )
    if line["verdict"] == TOO_FEW:
        return f"{text}; so few pairs cannot show anything."
    shown = {
        GAIN: "a gain",
        LOSS: "a loss",
        PAIRS_GAIN: "a gain, on these test speakers at least",
        PAIRS_LOSS: "a loss, on these test speakers at least",
    }.get(line["verdict"], "neither a gain nor a loss")
    return f"{text}: {shown}."


def _extensions(table):
    """Arms that are not the paper's, apart from its method."""
    sentences = []
    for comparison, how in (
        (SAME, "at the same learning rate"),
        (MATCHED, "with each at its own best learning rate"),
    ):
        lines = _select(table, comparison, "extension")
        if not len(lines):
            continue
        gains = _names(lines, GAIN)
        local = _names(lines, PAIRS_GAIN)
        losses = _names(lines, LOSS) + _names(lines, PAIRS_LOSS)
        parts = []
        if gains:
            parts.append(f"a gain is shown for {listed(gains)}")
        if local:
            parts.append(
                "a gain that may be of these test speakers alone is seen for "
                f"{listed(local)}"
            )
        if losses:
            parts.append(f"a loss is shown for {listed(losses)}")
        if not parts:
            mute = lines["verdict"].isin([TOO_FEW, UNTESTED]).all()
            parts.append(
                "there are too few pairs to show a gain"
                if mute
                else "no gain is shown"
            )
        sentences.append(
            f"Arms that are not in the paper, {how}: {'; '.join(parts)}."
        )
    return sentences


def _names(lines, kind):
    return _all_names(lines[lines["verdict"] == kind])


def _all_names(lines):
    return [
        f"{model_name(line['model'])} {line['row']}"
        for _, line in lines.iterrows()
    ]
