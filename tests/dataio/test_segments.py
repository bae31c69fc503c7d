"""Segments have exactly the paper's frames and do not depend on the batch."""

import numpy as np
import pytest
import soundfile as sf
import torch
from speechbrain.lobes.features import Fbank

from speechbrain_hrf.dataio.segments import SegmentFeatures, fill_segment
from speechbrain_hrf.dataio.unusable import UnusableAudio


@pytest.fixture(scope="module")
def fbank():
    return Fbank(n_mels=26, deltas=True)


def write(path, seconds, rate=16000, channels=1):
    samples = 0.1 * np.random.default_rng(0).standard_normal(
        (int(seconds * rate), channels)
    )
    sf.write(path, samples, rate)
    return str(path)


@pytest.mark.parametrize("frames", [500, 400, 1000])
def test_long_audio_is_cut_to_exactly(fbank, tmp_path, frames):
    path = write(tmp_path / "a.wav", 12.3)
    assert SegmentFeatures(fbank, frames)(path).shape == (frames, 78)


@pytest.mark.parametrize(
    ("seconds", "frames"), [(0.01, 2), (0.585, 59), (4.98, 499), (4.99, 500)]
)
def test_short_audio_keeps_its_frames(fbank, tmp_path, seconds, frames):
    path = write(tmp_path / "a.wav", seconds)
    assert len(SegmentFeatures(fbank, 500)(path)) == frames


@pytest.mark.parametrize(
    ("rate", "channels"), [(8000, 1), (44100, 2), (48000, 1)]
)
def test_other_rates_and_channels(fbank, tmp_path, rate, channels):
    path = write(tmp_path / "a.wav", 2.0, rate, channels)
    assert SegmentFeatures(fbank, 500)(path).shape == (201, 78)


def test_silence_is_finite(fbank, tmp_path):
    sf.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    feats = SegmentFeatures(fbank, 500)(str(tmp_path / "a.wav"))
    assert torch.isfinite(feats).all()


def test_nan_is_refused_by_name(fbank, tmp_path):
    samples = np.zeros(16000, dtype="float32")
    samples[10] = np.nan
    sf.write(tmp_path / "bad.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(UnusableAudio, match="bad.wav.*NaN"):
        SegmentFeatures(fbank, 500)(str(tmp_path / "bad.wav"))


@pytest.mark.parametrize("keep", [True, False])
def test_kept_features_are_the_computed_ones(fbank, tmp_path, keep):
    path = write(tmp_path / "a.wav", 2.0)
    segment = SegmentFeatures(fbank, 500, keep=keep)
    first, second = segment(path), segment(path)
    assert torch.equal(first, second)
    assert (first is second) == keep


def test_cutting_the_file_is_cutting_the_audio(fbank, tmp_path):
    """What training sees is what inference sees of the same cut audio."""
    path = write(tmp_path / "a.wav", 7.0)
    samples, _ = sf.read(path, dtype="float32")
    cut = torch.from_numpy(samples[: 499 * 160]).unsqueeze(0)
    with torch.no_grad():
        expected = fbank(cut)[0]
    assert torch.equal(SegmentFeatures(fbank, 500)(path), expected)


def test_zero_fill():
    feats, lens = fill_segment(
        torch.ones(2, 301, 78), torch.tensor([1.0, 200 / 301]), 500
    )
    assert feats.shape == (2, 500, 78)
    assert (lens * 500).round().tolist() == [301, 200]
    assert feats[:, 301:].abs().sum() == 0
