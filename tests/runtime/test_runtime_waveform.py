"""What is taken as a waveform, and what is refused.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pytest

from speechbrain_hrf.runtime.waveform import check_rate, mono


@pytest.mark.parametrize(
    "waveform, expected",
    [
        (np.array([-32768, 16384], np.int16), [-1, 0.5]),
        (np.array([-(2**31), 2**30], np.int32), [-1, 0.5]),
        (np.array([0, 128, 192], np.uint8), [-1, 0, 0.5]),
        (np.array([0.25, 1.5], np.float64), [0.25, 1.5]),
        (np.array([0.25], np.float16), [0.25]),
        ([0.25, 0.5], [0.25, 0.5]),
        (np.array([[0.0, 0.5], [0.5, -0.5]]), [0.25, 0]),
        (np.array([[32767, -32767]], np.int16), [0]),  # nothing overflows
        (np.zeros((0, 2)), []),
        (np.array([1, 2], ">i2"), [1 / 32768, 2 / 32768]),
    ],
)
def test_kinds(waveform, expected):
    """All become float32 on one scale."""
    samples = mono(waveform)
    assert samples.dtype == np.float32 and samples.dtype.isnative
    assert samples.tolist() == expected


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_part_has_the_same_bits(order):
    """The mean of six channels does not depend on how many samples there are
    or how they lie in memory.
    """
    wave = np.random.default_rng(0).random((1000, 6), np.float32)
    whole = mono(np.asarray(wave, order=order))
    parts = [mono(wave[at : at + 1]) for at in range(1000)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize(
    "waveform, error, says",
    [
        (np.array([1, 2]), TypeError, "int64 have no known full scale"),
        (np.array([True]), TypeError, "bool"),
        (np.array([1j]), TypeError, "complex"),
        (np.array(["a"]), TypeError, "<U1"),
        (None, TypeError, "object"),
        ([[1.0], [1.0, 2.0]], ValueError, "is no array"),
        (np.float32(1), ValueError, r"shape is \(\)"),
        (np.zeros((1, 2, 3)), ValueError, r"shape is \(1, 2, 3\)"),
        (np.zeros((2, 16000)), ValueError, "transpose it"),
        (np.zeros((5, 0)), ValueError, "no channel"),
        (np.array([0, np.nan]), ValueError, "NaN or infinite"),
        (np.array([[0, np.inf]]), ValueError, "NaN or infinite"),
        (np.array([1e300]), ValueError, "float32 cannot hold"),
    ],
)
def test_refused(waveform, error, says):
    """With what is wrong."""
    with pytest.raises(error, match=says):
        mono(waveform)


def test_rates():
    """Whole numbers of samples per second that recordings have."""
    assert check_rate(16000.0) == 16000
    assert type(check_rate(np.int64(44100))) is int
    for rate in (0, -16000, 16, 16000.5, 1e9, float("nan"), "16000", None):
        with pytest.raises(ValueError, match="1000 to 768000"):
            check_rate(rate)
