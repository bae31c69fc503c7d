"""numpy's resampling is torchaudio's, whole or in pieces.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
import tracemalloc

import numpy as np
import pytest
import torch
from speechbrain.dataio.preprocess import AudioNormalizer

from speechbrain_hrf.runtime.resample import Resampler, resample
from speechbrain_hrf.runtime.waveform import mono

# float32 sums of at most 150 products of numbers up to 1.
TOLERANCE = 2e-6

# Rates with few common divisors are left out: torchaudio's filters for 44101
# to 16000 Hz take more memory than most computers have.
RATES = [
    (44100, 16000),
    (48000, 16000),
    (8000, 16000),
    (11025, 16000),
    (22050, 16000),
    (32000, 16000),
    (96000, 16000),
    (16000, 8000),
    (16000, 44100),
    (16000, 16000),
]


def noise(seed, *shape):
    """White noise of -1 to 1: as hard to resample as anything."""
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize("rate, target", RATES)
@pytest.mark.parametrize("length", [1, 2, 37, 20001])
def test_equals_speechbrain(rate, target, length):
    """The same number of samples, the same samples."""
    wave = noise(length, length)
    expected = AudioNormalizer(target)(torch.from_numpy(wave), rate).numpy()
    found = resample(wave, rate, target)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < TOLERANCE


def test_another_resampler_is_told_apart():
    """The negative control: straight lines between samples are not it."""
    wave = noise(0, 20001)
    expected = resample(wave, 44100, 16000)
    where = np.arange(len(expected)) * 44100 / 16000
    lines = np.interp(where, np.arange(len(wave)), wave)
    assert np.abs(lines - expected).max() > 0.1


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_channels_as_speechbrain(channels):
    """We average first, SpeechBrain last: it makes no difference."""
    wave = noise(channels, 5000, channels)
    expected = AudioNormalizer(16000)(torch.from_numpy(wave), 44100).numpy()
    found = resample(mono(wave), 44100, 16000)
    assert np.abs(found - expected).max() < TOLERANCE


@pytest.mark.parametrize("rate, target", [*RATES, (44101, 16000)])
def test_pieces_give_the_same_bits(rate, target):
    """However a waveform is cut."""
    wave, random = noise(1, 9000), np.random.default_rng(2)
    expected = resample(wave, rate, target)
    for longest in (3, 100, 9000):
        resampler, parts, at = Resampler(rate, target), [], 0
        while at < (stop := 500 if longest == 3 else len(wave)):
            piece = wave[at : min(stop, at + random.integers(0, longest + 1))]
            parts.append(resampler.push(piece))
            at += len(piece)
        found = np.concatenate(parts)
        # The last ones wait for what may follow.
        assert 0 <= at * target / rate - len(found) < 20 * max(1, target / rate)
        np.testing.assert_array_equal(found, expected[: len(found)])
        if at == len(wave):
            rest = resampler.flush()
            np.testing.assert_array_equal(rest, expected[len(found) :])


def test_rates_with_no_common_divisor():
    """Against the formula itself; and the memory that filters take."""
    wave = noise(3, 3000)
    tracemalloc.start()
    found = resample(wave, 44101, 16000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    cutoff = 0.99 * 16000
    for index in (0, 1, 500, len(found) - 1):
        time = np.arange(len(wave)) / 44101 - index / 16000
        crossings = np.clip(time * cutoff, -6, 6)
        filtered = np.sinc(crossings) * np.cos(crossings * math.pi / 12) ** 2
        expected = np.dot(filtered, wave) * cutoff / 44101
        # torchaudio rounds the time of 16000 phases to float32; so do we.
        assert found[index] == pytest.approx(expected, abs=2e-4)
    assert peak < 30e6
