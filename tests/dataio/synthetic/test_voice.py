"""The synthetic voice is repeatable, quick, and follows the emotion.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pytest
import torch

from speechbrain_hrf.dataio.synthetic.voice import (
    MANNERS,
    random_generator,
    synthesize,
)


def test_the_same_in_every_process():
    # Python's hash of a string is not, which is why seeds do not use it.
    drawn = random_generator("happy", "A", 0.5).integers(10**9, size=2)
    assert drawn.tolist() == [608701194, 534691476]


def test_global_random_states_do_not_matter():
    np.random.seed(1)
    torch.manual_seed(1)
    first = synthesize("sad", "A", "male", 1, 0.5)
    drawn = np.random.rand(), torch.rand(1)
    np.random.seed(1)
    torch.manual_seed(1)
    assert drawn == (np.random.rand(), torch.rand(1))  # nothing was used up
    assert (synthesize("sad", "A", "male", 1, 0.5) == first).all()


@pytest.mark.parametrize(
    "other",
    [
        ("happy", "A", "male", 1, 1.0),
        ("sad", "B", "male", 1, 1.0),
        ("sad", "A", "female", 1, 1.0),
        ("sad", "A", "male", 2, 1.0),
    ],
)
def test_every_argument_matters(other):
    wave = synthesize("sad", "A", "male", 1, 1.0)
    assert not np.allclose(wave, synthesize(*other), atol=1e-3)


@pytest.mark.parametrize("emotion", MANNERS)
@pytest.mark.parametrize(
    "seconds, rate", [(0.05, 16000), (2, 8000), (8, 48000)]
)
def test_samples_are_in_range(emotion, seconds, rate):
    wave = synthesize(emotion, "A", "female", 1, seconds, rate)
    assert wave.shape == (seconds * rate,) and wave.dtype == np.float32
    assert np.isfinite(wave).all() and np.abs(wave).max() < 1
    assert wave.std() > 1e-3


def average(emotion, measure):
    return np.mean(
        [
            measure(synthesize(emotion, f"{index}", "female", index, 2.0))
            for index in range(8)
        ]
    )


def loudness(wave):
    return 10 * np.log10(np.mean(wave**2))


def brightness(wave):
    """Power above 1 kHz over power below, dB."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    border = len(power) // 8
    return 10 * np.log10(power[border:].sum() / power[:border].sum())


@pytest.mark.parametrize("measure", [loudness, brightness])
def test_emotions_differ_as_described(measure):
    angry, neutral, sad = (
        average(emotion, measure) for emotion in ("angry", "neutral", "sad")
    )
    assert angry > neutral + 1 > sad + 2  # dB


def test_an_unknown_emotion_is_named():
    with pytest.raises(ValueError, match="neutral, calm.*'joy'"):
        synthesize("joy", "A", "female", 1, 1.0)
