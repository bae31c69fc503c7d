"""Windows over a stream, against a definition in one line.

Authors
 * The speechbrain_hrf authors 2026
"""

import itertools

import numpy as np
import pytest

from speechbrain_hrf.runtime.windows import Windows


@pytest.mark.parametrize("size, hop", [(5, 2), (5, 5), (3, 7), (1, 1), (9, 4)])
def test_definition(size, hop):
    """At each multiple of the hop, and at the end: the last `size` samples."""
    for length, longest in itertools.product(
        (0, 1, 4, 5, 10, 35, 36), (1, 3, 100)
    ):
        wave, random = np.arange(length), np.random.default_rng(0)
        windows, found, at = Windows(size, hop), [], 0
        while at < length:
            piece = wave[at : at + random.integers(0, longest + 1)]
            found += windows.push(piece)
            at += len(piece)
        found += windows.finish()
        stops = sorted({*range(hop, length + 1, hop), length} - {0})
        expected = [(max(0, stop - size), stop) for stop in stops]
        assert [(start, start + len(x)) for start, x in found] == expected
        for start, samples in found:
            part = wave[start : start + len(samples)]
            assert samples.tolist() == part.tolist()


def test_windows_are_not_shared():
    """Whoever keeps one does not see it change."""
    windows = Windows(size=2, hop=1)
    kept = [samples for _, samples in windows.push(np.arange(10.0))]
    assert kept[1].tolist() == [0, 1] and kept[-1].tolist() == [8, 9]
