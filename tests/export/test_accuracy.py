"""The test set before and after: what is read, and what is counted.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pytest
import soundfile

from speechbrain_hrf.export.accuracy import read_recordings, score_both
from speechbrain_hrf.export.c.check import compare_int8

DAMAGE = {
    "no audio": "cannot be decoded",
    "lost sync": "cannot be decoded",
    "no sample": "holds no samples",
    "NaN": "holds NaN",
}


@pytest.fixture
def good(tmp_path):
    """One second of stereo at 44.1 kHz."""
    noise = np.random.default_rng(0).standard_normal((44100, 2))
    soundfile.write(tmp_path / "good.flac", 0.1 * noise, 44100)
    return str(tmp_path / "good.flac"), "sad"


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_recording_is_named(good, tmp_path, what):
    """Anywhere in the test set; a ValueError, which the command prints."""
    path = tmp_path / "damaged.wav"
    if what == "no audio":
        path.write_bytes(b"no audio at all, and longer than a header")
    elif what == "lost sync":
        content = bytearray((tmp_path / "good.flac").read_bytes())
        middle = len(content) // 2
        content[middle : middle + 3000] = bytes(3000)
        path.write_bytes(content)
    else:
        samples = [] if what == "no sample" else [0.1, np.nan]
        soundfile.write(path, np.array(samples), 16000, subtype="FLOAT")
    recordings = [good, (str(path), None)]
    with pytest.raises(ValueError, match=f"damaged.wav.*{DAMAGE[what]}"):
        list(read_recordings(recordings, 16000, "reading"))
    # Before C is asked for anything.
    with pytest.raises(ValueError, match=f"damaged.wav.*{DAMAGE[what]}"):
        compare_int8(None, None, recordings[1:], [], 16000)


def test_a_recording_is_read_at_the_model_s_rate(good):
    (found,) = read_recordings([good], 16000, "reading")
    assert found.shape == (16000,) and found.dtype == np.float32


def test_scores_are_of_labelled_recordings():
    """WA over recordings, UA over the classes that occur."""
    recordings = [(str(k), label) for k, label in enumerate("aaab")]
    answers = [("a", "a"), ("a", "b"), ("c", "c"), ("b", "a")]
    unlabelled = [("4", None)]
    found = score_both(recordings + unlabelled, [*answers, ("a", "b")])
    assert found["WA"] == (0.75, 0.25)
    assert found["UA"] == pytest.approx(((2 / 3 + 1) / 2, 1 / 6))
    assert score_both(unlabelled, [("a", "b")]) == {}
