"""The compiled C gives SpeechBrain's log-probabilities.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pytest
from c_models import LABELS, MODELS, make_modules, make_noise, run

from speechbrain_hrf.export.c.check import compare_int8
from speechbrain_hrf.export.c.library import AGAIN, OK, compile_library
from speechbrain_hrf.export.c.source import SOURCE, make_sources
from speechbrain_hrf.export.examples import TOLERANCE

WINDOW = 59 * 160
# One sample; around a frame, a window, and where derivatives look beyond one.
LENGTHS = (1, 159, 160, 199, 200, 1200, WINDOW - 1, WINDOW, WINDOW + 159)
LENGTHS += (WINDOW + 160, WINDOW + 160 * 4 + 40, 3 * WINDOW + 777)


@pytest.mark.parametrize("name", MODELS)
def test_any_length(compiled, name):
    found = compiled(name)
    for n in LENGTHS:
        # The loudest comes first: one pass is enough.
        samples = make_noise(n)
        samples[:200] = 32767 * np.sign(samples[:200])
        expected = run(found.modules, samples)
        output = found.library.classify(samples)
        assert np.abs(output - expected).max() < TOLERANCE, n


@pytest.mark.parametrize("value", [0, -(2**15), 2**15 - 1])
def test_silence_and_full_scale(compiled, value):
    found = compiled("ConvTransformer")
    samples = np.full(5000, value, np.int16)
    output = found.library.classify(samples)
    difference = np.abs(output - run(found.modules, samples)).max()
    assert difference < TOLERANCE


@pytest.mark.parametrize("n_fft", [512, 480])
def test_other_frames(compiler, tmp_path, n_fft):
    """A DFT of two unequal factors; a window that fills part of it."""
    modules = make_modules(n_fft=n_fft, hop_length=8)
    files = make_sources(modules, LABELS)
    library = compile_library(compiler, files, SOURCE, 4, tmp_path)
    for n in (1, 127, 5000, 20000):
        samples = make_noise(n)
        samples[:300] = 32767 * np.sign(samples[:300])
        difference = library.classify(samples) - run(modules, samples)
        assert np.abs(difference).max() < TOLERANCE, n


def test_what_came_late_is_asked_for_again(compiled):
    """The cut below the peak of a window that was over before the peak."""
    found = compiled("ConvTransformer")
    c = found.library.c
    samples = make_noise(3 * WINDOW)
    samples[: 2 * WINDOW] //= 4000
    expected = run(found.modules, samples)
    c.hrf_reset()
    status, first = found.library.finish(samples)
    assert status == AGAIN
    assert np.abs(first - expected).max() > 10 * TOLERANCE
    assert c.hrf_again() == OK
    status, second = found.library.finish(samples)
    assert status == OK
    assert np.abs(second - expected).max() < TOLERANCE
    # Nothing is kept for the next recording.
    c.hrf_reset()
    quiet = samples[:WINDOW]
    _, third = found.library.finish(quiet)
    assert np.abs(third - run(found.modules, quiet)).max() < TOLERANCE


def test_a_quiet_start_that_nothing_cuts_needs_no_second_time(compiled):
    found = compiled("ConvTransformer")
    samples = make_noise(3 * WINDOW)
    samples[:WINDOW] //= 4
    found.library.c.hrf_reset()
    status, output = found.library.finish(samples)
    assert status == OK
    difference = output - run(found.modules, samples)
    assert np.abs(difference).max() < TOLERANCE


def test_int8_keeps_the_labels(compiled):
    plain, small = compiled("Conformer"), compiled("Conformer", int8=True)
    signals = [make_noise(8000, seed) for seed in range(5)]
    found = compare_int8(plain.library, small.library, [], signals, 16000)
    assert found.n == found.agree == 5
    # Rounding shows, and is no more than that.
    assert TOLERANCE < found.max_difference < 0.3
    assert "static const int8_t" in small.files["hrf_model_int8.c"]


def test_labels_are_those_of_the_model(compiled):
    assert compiled().library.labels == LABELS
