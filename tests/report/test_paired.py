"""Paired statistics against what is known by heart, and in odd cases.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pytest

from speechbrain_hrf.report.describe import band, describe, mean_interval
from speechbrain_hrf.report.paired import (
    ALPHA,
    holm,
    paired,
    pairs_needed,
    smallest_p,
)

FOLDS = [1, 1, 2, 2, 3, 3]


def test_five_pairs_never_reach_significance():
    """However large the gain; six can, if nothing else is tested."""
    assert paired([1, 2, 3, 4, 5], range(5))["p"] == smallest_p(5) == 0.0625
    assert paired([1, 2, 3, 4, 5, 6], range(6))["p"] == smallest_p(6) == 0.03125
    assert smallest_p(1) == 1


@pytest.mark.parametrize("tests", [1, 2, 7, 8, 20])
def test_pairs_needed_is_the_least(tests):
    """One pair less is too few for Holm's first step."""
    n = pairs_needed(tests)
    assert tests * smallest_p(n) < ALPHA <= tests * smallest_p(n - 1)


def test_no_difference_at_all():
    """Wilcoxon has nothing to rank there."""
    found = paired([0.0] * 6, FOLDS)
    assert found["p"] == 1 and found["ties"] == 6
    assert found["low"] == found["high"] == found["difference"] == 0
    assert np.isnan(found["p_folds"])


def test_equal_differences():
    """No spread: an interval of one point, an infinite d_z, no warning."""
    found = paired([0.01] * 6, FOLDS)
    assert found["p"] == 0.03125 and found["rank_biserial"] == 1
    assert found["low"] == found["high"] == pytest.approx(0.01)
    assert found["cohen_dz"] == np.inf


def test_one_pair_and_none():
    """Counted; nothing else can be said."""
    one = paired([0.1], [1])
    assert one["n"] == one["wins"] == 1
    assert np.isnan([one["p"], one["low"], one["cohen_dz"]]).all()
    none = paired([], [])
    assert none["n"] == 0 and np.isnan(none["difference"])


def test_rounding_does_not_break_ties():
    """.3 - .2 and .2 - .1 are one difference, as shares of a test set are."""
    found = paired([0.3 - 0.2, 0.1 - 0.2, 0.2 - 0.1, 0.1 - 0.1], [1, 1, 2, 2])
    assert (found["wins"], found["ties"], found["losses"]) == (2, 1, 1)
    exact = paired([0.1, -0.1, 0.1, 0.0], [1, 1, 2, 2])
    assert found["p"] == exact["p"]


def test_effect_sizes_by_hand():
    """Ranks 1 + 2 + 4 against 3 of 10; mean 1 by deviation 2.58."""
    found = paired([1, 2, -3, 4], [1, 1, 2, 2])
    assert found["rank_biserial"] == pytest.approx((7 - 3) / 10)
    deviation = np.std([1, 2, -3, 4], ddof=1)
    assert found["cohen_dz"] == pytest.approx(1 / deviation)


def test_folds_count_once():
    """Twenty seeds of one lucky fold are no evidence for other speakers."""
    rng = np.random.default_rng(0)
    folds = np.repeat([1, 2, 3], 20)
    lucky = np.where(folds == 1, 0.1, 0.0) + rng.normal(0, 0.01, 60)
    found = paired(lucky, folds)
    assert found["p"] < 0.01 < 0.2 < found["p_folds"]
    assert found["fold_low"] < 0 < found["low"]
    everywhere = paired(0.1 + rng.normal(0, 0.01, 60), folds)
    assert everywhere["p_folds"] < 0.01 and everywhere["folds_up"] == 3


@pytest.mark.parametrize("folds", [[1] * 6, [1, 1, 1, 2, 2, 2], range(6)])
def test_folds_that_cannot_be_looked_at(folds):
    """Fewer than three, or one pair in each: then pairs are folds."""
    found = paired([1, 2, 3, 4, 5, -6], folds)
    assert np.isnan(found["p_folds"]) and np.isnan(found["fold_low"])


def test_holm_by_hand():
    """p times the number of those not smaller, never falling."""
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([np.nan, 0.01]).tolist()[1] == 0.01
    assert np.isnan(holm([np.nan, np.nan])).all()


def test_intervals_hold_the_truth():
    """95 % of them, roughly: of 200 samples of 30."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        low, high = mean_interval(rng.normal(0.5, 0.1, 30), resamples=500)
        hits += low < 0.5 < high
    assert 180 <= hits <= 198


def test_a_cell_of_one_run():
    """A mean without a spread."""
    cell = describe([0.4])
    assert (cell["n"], cell["mean"]) == (1, 0.4)
    assert np.isnan([cell["sd"], cell["low"], cell["high"]]).all()


def test_a_band_has_gaps_where_a_run_has_ended():
    """A mean of other runs than before would be no curve."""
    nan = np.nan
    mean, low, high = band([[1.0, 2.0, nan], [3.0, 2.0, 5.0]])
    assert mean[:2].tolist() == [2, 2] and np.isnan(mean[2])
    assert low[0] < 2 < high[0] and low[1] == high[1] == 2
    assert np.isnan(band([[1.0, 2.0]])[1]).all()
