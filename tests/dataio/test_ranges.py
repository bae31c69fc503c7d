"""Windows are as many and as long as the rule says, sample by sample.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pytest

from speechbrain_hrf.dataio.ranges import windows, without


def expand(ranges):
    """All samples of ranges, one by one."""
    return [sample for start, stop in ranges for sample in range(start, stop)]


@pytest.mark.parametrize("seed", range(20))
def test_windows_are_those_of_the_joined_samples(seed):
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 300, 12)
    ranges = [(int(a), int(a + rng.integers(1, 20))) for a in starts]
    joined = expand(ranges)
    length, hop = (10, 9) if seed % 2 else (7, 12)
    found = [expand(window) for window in windows(ranges, length, hop)]
    count = (len(joined) - length) // hop + 1
    assert found == [joined[k * hop : k * hop + length] for k in range(count)]


@pytest.mark.parametrize(
    "total, count", [(0, 0), (9, 0), (10, 1), (18, 1), (19, 2), (28, 3)]
)
def test_full_windows_only(total, count):
    assert len(list(windows([(5, 5 + total)], 10, 9))) == count


@pytest.mark.parametrize("seed", range(20))
def test_a_gap_is_taken_out(seed):
    rng = np.random.default_rng(seed)
    ranges = [(int(a), int(a + 1 + rng.integers(9))) for a in range(0, 60, 5)]
    gap = sorted(rng.integers(0, 70, 2).tolist())
    kept = [x for x in expand(ranges) if not gap[0] <= x < gap[1]]
    assert expand(without(ranges, gap)) == kept
    assert all(start < stop for start, stop in without(ranges, gap))
