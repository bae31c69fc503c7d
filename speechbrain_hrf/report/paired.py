"""Paired statistics of an arm against another, and Holm's correction.

Pairs are runs on the same fold with the same seed. Seeds share the test
speakers of their fold, so pairs of one fold are not wholly independent: each
comparison is looked at twice, with every pair and with every fold counting
once.

Authors
 * The speechbrain_hrf authors 2026
"""

import warnings

import numpy as np
import pandas
import pingouin
from scipy.stats import ttest_1samp, wilcoxon

from speechbrain_hrf.report.describe import (
    CONFIDENCE,
    RESAMPLES,
    mean_interval,
)

ALPHA = 0.05
# Equal differences of shares of a test set have to tie; floats of them differ
# in their last digits.
DIGITS = 10
# With two means a t interval spans nearly everything.
FEWEST_FOLDS = 3


def paired(differences, folds, resamples=RESAMPLES):
    """Statistics of the differences between two arms.

    Arguments
    ---------
    differences : sequence of float
        Arm minus reference, one per pair.
    folds : sequence
        Each pair's fold.
    resamples : int
        Of the bootstrap.

    Returns
    -------
    dict
        ``n``, ``difference`` (mean), ``low`` and ``high`` (bootstrap 95 %),
        ``t_low`` and ``t_high`` (Student's, wider where there are few pairs),
        ``wins``, ``ties``, ``losses``, ``p`` (Wilcoxon signed-rank, two-sided;
        ties with zero are left out of it), ``smallest_p`` (that n pairs can
        give), ``rank_biserial`` and ``cohen_dz`` (effect sizes), and with each
        fold counting once, by the mean of its differences: ``folds``,
        ``folds_up``, ``fold_low``, ``fold_high``, ``p_folds`` (t test; not a
        number with fewer than three folds, or one pair in each).

    Example
    -------
    >>> found = paired([0.01, 0.02, 0.03, 0.04, 0.05], [1, 2, 3, 4, 5])
    >>> found["p"], found["smallest_p"], found["wins"], found["rank_biserial"]
    (0.0625, 0.0625, 5, 1.0)
    """
    d = np.round(np.asarray(differences, dtype=float), DIGITS)
    low, high = mean_interval(d, resamples)
    found = {
        "n": len(d),
        "difference": d.mean() if len(d) else np.nan,
        "low": low,
        "high": high,
        "t_low": np.nan,
        "t_high": np.nan,
        "wins": int((d > 0).sum()),
        "ties": int((d == 0).sum()),
        "losses": int((d < 0).sum()),
        "p": np.nan,
        "smallest_p": smallest_p(len(d)),
        "rank_biserial": np.nan,
        "cohen_dz": np.nan,
    }
    if len(d) > 1:
        found |= _tests(d)
        found["t_low"], found["t_high"], _ = _t_test(d)
    return found | _by_fold(d, folds)


def _tests(d):
    if not d.any():  # nothing to rank
        return {"p": 1.0, "rank_biserial": 0.0, "cohen_dz": 0.0}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Equal differences have no standard deviation: d_z is infinite then.
        warnings.simplefilter("ignore")
        return {
            "p": float(wilcoxon(d).pvalue),
            # Pingouin's own p-value is with a continuity correction.
            "rank_biserial": float(pingouin.wilcoxon(d)["RBC"].iloc[0]),
            "cohen_dz": float(pingouin.compute_effsize(d, 0, eftype="cohen")),
        }


def _by_fold(d, folds):
    means = pandas.Series(d).groupby(list(folds)).mean()
    found = {
        "folds": len(means),
        "folds_up": int((means > 0).sum()),
        "fold_low": np.nan,
        "fold_high": np.nan,
        "p_folds": np.nan,
    }
    if len(means) < FEWEST_FOLDS or len(means) == len(d):
        return found
    found["fold_low"], found["fold_high"], found["p_folds"] = _t_test(means)
    return found


def _t_test(values):
    """Student's interval of the mean, and p; none of equal values."""
    if np.ptp(values) == 0:
        return np.nan, np.nan, np.nan
    test = ttest_1samp(values, 0)
    low, high = test.confidence_interval(CONFIDENCE)
    return float(low), float(high), float(test.pvalue)


def smallest_p(n):
    """The smallest two-sided p-value that the test can give.

    Arguments
    ---------
    n : int
        Pairs.

    Returns
    -------
    float

    Example
    -------
    >>> smallest_p(5), smallest_p(6)
    (0.0625, 0.03125)
    """
    if n < 2:
        return 1.0
    return float(wilcoxon(np.arange(1, n + 1), method="exact").pvalue)


def pairs_needed(tests):
    """How many pairs it takes until Holm's correction can leave p < .05.

    Arguments
    ---------
    tests : int
        In the family.

    Returns
    -------
    int

    Example
    -------
    >>> pairs_needed(1), pairs_needed(8)
    (6, 9)
    """
    n = 2
    while tests * smallest_p(n) >= ALPHA:
        n += 1
    return n


def holm(p_values):
    """Holm's correction for a family of tests.

    Arguments
    ---------
    p_values : sequence of float
        Not-a-number where nothing could be tested: those do not count.

    Returns
    -------
    numpy.ndarray

    Example
    -------
    >>> holm([0.01, float("nan"), 0.03]).tolist()
    [0.02, nan, 0.03]
    """
    p_values = np.asarray(p_values, dtype=float)
    if np.isnan(p_values).all():
        return p_values
    return pingouin.multicomp(p_values, method="holm")[1]
