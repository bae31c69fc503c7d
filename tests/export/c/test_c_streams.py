"""Windows of a stream in C are those of the runner.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pytest
from c_models import LABELS, make_modules, make_noise, run

from speechbrain_hrf.export.c.library import compile_library
from speechbrain_hrf.export.c.source import SOURCE, make_sources
from speechbrain_hrf.export.examples import TOLERANCE
from speechbrain_hrf.runtime.windows import Windows

WINDOW = 59 * 160


@pytest.mark.parametrize(
    ("name", "hop"),
    [
        ("SpeechFormer", 960),  # the least: ten windows have begun at once
        ("ConvTransformer", 1600),
        ("SpeechFormer", WINDOW),
        ("SpeechFormer", 2 * WINDOW),
    ],
)
def test_windows_are_the_runner_s(compiled, name, hop):
    found = compiled(name)
    # Loud and quiet turn by turn: each window has a peak of its own.
    samples = make_noise(4 * WINDOW // hop * hop)
    samples[WINDOW : 2 * WINDOW] //= 4000
    windows = Windows(WINDOW, hop)
    expected = [
        run(found.modules, x.astype(np.int16)) for _, x in windows.push(samples)
    ]
    assert not windows.finish()
    output = list(found.library.stream(samples, hop))
    assert len(output) == len(expected) > 1
    assert np.abs(np.array(output) - np.array(expected)).max() < TOLERANCE
    # Their mean probabilities, as the runner combines them.
    mean = np.empty(4, np.float32)
    assert found.library.c.hrf_combine(mean.ctypes.data) == 0
    assert np.abs(mean - np.exp(expected).mean(0)).max() < TOLERANCE


def test_one_more_window_for_the_end(compiled):
    """Exact while all there is fits into a window."""
    found = compiled("ConvTransformer")
    samples = make_noise(4000)
    *_, last = found.library.stream(samples, 1600)
    assert np.abs(last - run(found.modules, samples)).max() < TOLERANCE
    # Later, the window's first two frames also see what was before it.
    samples = make_noise(3 * WINDOW + 160 * 7)
    *_, last = found.library.stream(samples, WINDOW)
    expected = run(found.modules, samples[-WINDOW:])
    assert TOLERANCE < np.abs(last - expected).max() < 0.1


def test_frames_that_reach_over_many_hops(compiler, tmp_path):
    """The shortest hop is as long as the start of a window that they see."""
    modules = make_modules(frames=20, hop_length=5)
    files = make_sources(modules, LABELS)
    assert "#define HRF_SHORTEST_HOP 240 " in files["hrf_model.h"]
    for said in ("10 ms", "46 hours"):  # which holds for the usual hop alone
        assert said not in files["hrf_model.h"]
    library = compile_library(compiler, files, SOURCE, len(LABELS), tmp_path)
    with pytest.raises(ValueError, match="-3; see hrf_model.h"):
        list(library.stream(make_noise(10), 160))
    samples = make_noise(6000)
    samples[1500:3000] //= 4000
    windows = Windows(19 * 80, 240)
    expected = [
        run(modules, x.astype(np.int16)) for _, x in windows.push(samples)
    ]
    output = list(library.stream(samples, 240))
    assert len(output) == len(expected) == 25
    assert np.abs(np.array(output) - np.array(expected)).max() < TOLERANCE
