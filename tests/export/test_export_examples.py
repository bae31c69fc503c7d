"""What graphs are verified on holds every edge, and differences are seen.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest
import torch
from speechbrain.lobes.features import Fbank

from speechbrain_hrf.export.examples import make_examples, measure_difference

RECORDINGS = {"a.wav": 0.1 * torch.randn(9000), "b.wav": torch.randn(40000)}


def test_edges():
    """Silence, clipping, one frame, 5 s, 30 s, batches with padding."""
    found = {
        audio.name: audio for audio in make_examples(RECORDINGS, 16000, 160)
    }
    assert torch.equal(found["a.wav"].wavs[0], RECORDINGS["a.wav"])
    assert not found["silence"].wavs.any()
    for name in ("full-scale square wave", "clipped recording"):
        assert (found[name].wavs.abs() == 1).float().mean() > 0.9
    assert found["no sample"].wavs.shape == (1, 0)
    for name, samples, frames in (
        ("one sample", 1, 1),
        ("one frame", 159, 1),
        ("one frame and one sample more", 161, 2),
        ("5 s", 80000, 501),
        ("30 s", 480000, 3001),
    ):
        wavs = found[name].wavs
        assert wavs.shape == (1, samples) and wavs.any()
        assert Fbank()(wavs).shape[1] == frames
    for name in found:
        wavs, lens = found[name].wavs, found[name].wav_lens
        assert lens.shape == (len(wavs),) and lens.max() == 1
        for row, share in zip(wavs, lens, strict=True):
            assert not row[round(float(share) * len(row)) :].any()
    batches = [name for name in found if len(found[name].wavs) > 1]
    assert len(batches) == 2
    assert min(found[batches[1]].wav_lens) * 3001 < 1  # less than a frame


def test_an_instant_is_not_of_the_silence_before():
    """Recordings begin with it."""
    quiet = {"a.wav": torch.cat([torch.zeros(9000), torch.randn(500)])}
    for audio in make_examples(quiet, 16000, 160):
        if audio.name.startswith(("one frame", "0.1 s")):
            assert audio.wavs[0, :100].abs().max() > 1


def test_large_log_probabilities_count_in_proportion():
    """5e-4 at -50 is what 1e-4 is at -10; above that nothing is given away."""
    expected = torch.tensor([[-5.0, -50.0]])
    for add, counted in (([1e-3, 0], 1e-3), ([0, 1e-3], 2e-4), ([0, 0], 0)):
        found = (expected + torch.tensor(add)).numpy()
        assert measure_difference(found, expected) == pytest.approx(
            counted, rel=0.05
        )
