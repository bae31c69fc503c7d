"""One family of comparisons in sentences: what it shows and what it does not.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.report.paired import FEWEST_FOLDS, pairs_needed
from speechbrain_hrf.report.verdict import (
    GAIN,
    LOSS,
    NOTHING,
    PAIRS_GAIN,
    PAIRS_LOSS,
    SAME_RUNS,
    TOO_FEW,
    UNTESTED,
    bounds,
    can_rule_out,
    verdict,
)
from speechbrain_hrf.report.wording import (
    counted,
    interval,
    listed,
    probability,
    score,
    signed,
)


def family_sentences(lines):
    """What a family of comparisons shows.

    Arguments
    ---------
    lines : pandas.DataFrame
        Of ``Comparisons.table``: one model, comparison, family and metric.

    Returns
    -------
    list of str

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.paired import paired
    >>> found = paired([0.01, 0.02, 0.03, 0.04], [1, 2, 3, 4])
    >>> line = {**found, "row": "FFN2", "tests": 1, "p_holm": found["p"],
    ...     "smallest_p_holm": found["smallest_p"]}
    >>> family_sentences(pandas.DataFrame([line]))[0]
    'FFN2: 4 pairs can show neither a gain nor a loss, whatever they are: ...'
    """
    lines = lines.assign(verdict=[verdict(line) for line in _each(lines)])
    lines = lines.sort_values("difference", ascending=False)
    sentences = []
    for kind, write in _SENTENCES.items():
        some = lines[lines["verdict"] == kind]
        if len(some):
            sentences.append(write(some, everything=len(some) == len(lines)))
    return sentences + few_test_sets(lines)


def few_test_sets(lines):
    """What has to be said of results on one or two test sets.

    Arguments
    ---------
    lines : pandas.DataFrame
        Of ``Comparisons.table``.

    Returns
    -------
    list of str
        None, or one.

    Example
    -------
    >>> import pandas
    >>> few_test_sets(pandas.DataFrame({"n": [10], "folds": [1]}))
    ['All this is of 1 test set: it says little about other speakers.']
    """
    tested = lines[lines["n"] > 1] if len(lines) else lines
    if not len(tested) or tested["folds"].min() >= FEWEST_FOLDS:
        return []
    sets = counted(int(tested["folds"].min()), "test set")
    return [f"All this is of {sets}: it says little about other speakers."]


def difference_text(line):
    """``+.031 [+.018, +.044], Holm p .002``.

    Arguments
    ---------
    line : pandas.Series or dict
        Of ``Comparisons.table``.

    Returns
    -------
    str

    Example
    -------
    >>> difference_text({"difference": 0.03, "low": 0.02, "high": 0.04,
    ...     "p_holm": 0.002})
    '+.030 [+.020, +.040], Holm p .002'
    """
    return (
        f"{signed(line['difference'])} "
        f"{interval(line['low'], line['high'])}, "
        f"Holm p {probability(line['p_holm'])}"
    )


def _each(lines):
    return (line for _, line in lines.iterrows())


def _shown(what, only_pairs):
    def write(lines, everything):
        rows = [
            f"{line['row']} ({difference_text(line)}, "
            f"{line['wins']} of {line['n']} pairs up)"
            for line in _each(lines)
        ]
        if not only_pairs:
            return f"A {what} is shown for {listed(rows)}."
        folds = int(lines["folds"].max())
        if folds < FEWEST_FOLDS:
            return (
                f"Over seeds there is a {what} for {listed(rows)}; whether "
                "other test speakers would give it, "
                f"{counted(folds, 'test set')} cannot show."
            )
        by_fold = listed(
            [
                f"{line['row']}'s p {probability(line['p_folds_holm'])}"
                for line in _each(lines)
            ]
        )
        return (
            f"Over all pairs there is a {what} for {listed(rows)}, but it is "
            f"not shown when each of the {folds} test sets counts once "
            f"({by_fold}): it may be one of these test speakers alone."
        )

    return write


def _nothing(lines, everything):
    rows = _rows(lines, everything)
    text = f"No gain and no loss is shown for {rows}"
    return f"{text}: {_range(lines)}.{_ruled_out(lines)}"


def _too_few(lines, everything):
    first = lines.iloc[0]
    n, tests = int(lines["n"].max()), int(first["tests"])
    least = lines["smallest_p"].min()
    corrected = (
        f", {score(lines['smallest_p_holm'].min())} after Holm's correction "
        f"for {tests} tests"
        if tests > 1
        else ""
    )
    rows = "" if not everything or len(lines) > 1 else f"{first['row']}: "
    some = "" if everything else f" of {listed(list(lines['row']))}"
    return (
        f"{rows}{counted(n, 'pair')} can show neither a gain nor a loss{some}, "
        "whatever they are: the smallest p-value that the test can give is "
        f"{_exact(least)}{corrected}. It takes {pairs_needed(max(tests, 1))} "
        f"pairs. What was seen: {_range(lines)}.{_ruled_out(lines)}"
    )


def _same_runs(lines, everything):
    verb = "equals" if len(lines) == 1 else "equal"
    return (
        f"{listed(list(lines['row']))} {verb} the lightweight model in every "
        "pair, to the last digit: does the arm take effect?"
    )


def _untested(lines, everything):
    pairs = counted(int(lines["n"].max()), "pair")
    rows = _rows(lines, everything)
    return f"With {pairs} of runs nothing can be tested for {rows}."


def _rows(lines, everything):
    if len(lines) == 1:
        return lines["row"].iloc[0]
    if len(lines) <= 3:
        return listed(list(lines["row"]))
    return f"{'any of the' if everything else 'the other'} {len(lines)} rows"


def _range(lines):
    """The mean differences, from the best row to the worst."""
    best, worst = (
        f"{signed(line['difference'])} {interval(line['low'], line['high'])}"
        for line in (lines.iloc[0], lines.iloc[-1])
    )
    if len(lines) == 1:
        return f"mean difference {best}"
    names = lines["row"].iloc[0], lines["row"].iloc[-1]
    return f"mean differences from {best} ({names[0]}) to {worst} ({names[1]})"


def _ruled_out(lines):
    if not all(can_rule_out(line) for line in _each(lines)):
        return " From so few pairs no interval rules anything out."
    ends = [bounds(line) for line in _each(lines)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    each = "" if len(lines) == 1 else "For each row by itself, "
    what = []
    if high > 0:
        what.append(f"gains above {score(high)}")
    if low < 0:
        what.append(f"losses above {score(-low)}")
    what = f"{listed(what)} are ruled out at 95 %; less is not."
    return f" {each}{what}" if each else f" {what[0].upper()}{what[1:]}"


def _exact(p):
    """.0625, not .062: here the last digit decides."""
    return f"{p:.3g}".removeprefix("0") if p > 1e-4 else "< .0001"


_SENTENCES = {
    GAIN: _shown("gain", only_pairs=False),
    PAIRS_GAIN: _shown("gain", only_pairs=True),
    LOSS: _shown("loss", only_pairs=False),
    PAIRS_LOSS: _shown("loss", only_pairs=True),
    NOTHING: _nothing,
    TOO_FEW: _too_few,
    SAME_RUNS: _same_runs,
    UNTESTED: _untested,
}
