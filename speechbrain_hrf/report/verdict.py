"""What one comparison shows, by rules that are fixed beforehand.

A gain or loss is *shown* if Holm's corrected p is below .05, the bootstrap
interval of the mean difference lies on the same side of zero, and the same
holds with every fold counting once (t test, Holm-corrected) or each pair is a
fold of its own. It is shown *over pairs* if only the last fails, or cannot be
tested since there are fewer than three folds.

Authors
 * The speechbrain_hrf authors 2026
"""

import math

from speechbrain_hrf.report.paired import ALPHA, FEWEST_FOLDS

GAIN, LOSS = "gain", "loss"
PAIRS_GAIN, PAIRS_LOSS = "gain over pairs only", "loss over pairs only"
NOTHING = "nothing shown"
# The test could not have said yes, whatever the runs had given.
TOO_FEW = "too few pairs"
SAME_RUNS = "no difference at all"
UNTESTED = "fewer than two pairs"
# With fewer pairs, whether an interval holds hangs on their distribution.
ENOUGH_FOR_INTERVAL = 5


def verdict(line):
    """What a line of ``Comparisons.table`` shows.

    Arguments
    ---------
    line : pandas.Series or dict

    Returns
    -------
    str
        One of this file's constants.

    Example
    -------
    >>> line = {"n": 30, "wins": 25, "losses": 5, "difference": 0.02,
    ...     "low": 0.01, "high": 0.03, "p_holm": 0.001,
    ...     "smallest_p_holm": 2e-8, "p_folds_holm": 0.02}
    >>> verdict(line)
    'gain'
    >>> verdict({**line, "p_folds_holm": 0.3})
    'gain over pairs only'
    """
    if line["n"] < 2:
        return UNTESTED
    if not line["wins"] and not line["losses"]:
        return SAME_RUNS
    if line["smallest_p_holm"] >= ALPHA:
        return TOO_FEW
    up, down = line["low"] > 0, line["high"] < 0
    if line["p_holm"] >= ALPHA or not (up or down):
        return NOTHING
    by_fold = line["p_folds_holm"]
    each_its_own = math.isnan(by_fold) and line["folds"] >= FEWEST_FOLDS
    if each_its_own or by_fold < ALPHA:
        return GAIN if up else LOSS
    return PAIRS_GAIN if up else PAIRS_LOSS


def bounds(line):
    """The widest of the intervals: bootstrap, Student's, over folds.

    Arguments
    ---------
    line : pandas.Series or dict

    Returns
    -------
    float, float

    Example
    -------
    >>> bounds({"low": -0.01, "high": 0.02, "t_low": -0.02, "t_high": 0.03,
    ...     "fold_low": -0.03, "fold_high": 0.01})
    (-0.03, 0.03)
    """
    ends = [
        [line[kind + end] for kind in ("", "t_", "fold_")]
        for end in ("low", "high")
    ]
    lows, highs = ([x for x in some if not math.isnan(x)] for some in ends)
    return min(lows, default=math.nan), max(highs, default=math.nan)


def can_rule_out(line):
    """Whether a comparison has the pairs to exclude anything.

    Arguments
    ---------
    line : pandas.Series or dict

    Returns
    -------
    bool

    Example
    -------
    >>> can_rule_out({"n": 3}), can_rule_out({"n": 30})
    (False, True)
    """
    return line["n"] >= ENOUGH_FOR_INTERVAL
