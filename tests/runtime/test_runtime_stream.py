"""Streams: at each hop the offline answer for that window.

Authors
 * The speechbrain_hrf authors 2026
"""

import itertools
import tracemalloc

import numpy as np
import pytest

from speechbrain_hrf.runtime import Classifier
from speechbrain_hrf.runtime.resample import resample


@pytest.fixture(scope="module")
def classifier(onnx_folder):
    """Windows of 2 s, a hop of 0.5 s."""
    return Classifier(onnx_folder)


def sweep(seconds, rate):
    """Noise whose loudness and colour change, so that no window is like
    another.
    """
    time = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(0).standard_normal(len(time))
    tone = np.sin(2 * np.pi * (200 + 300 * time) * time)
    return (0.05 * noise * np.sin(time) + 0.2 * tone).astype(np.float32)


def pieces(wave, longest, seed=0):
    """Cuts a waveform at random places; some pieces are empty."""
    random, at = np.random.default_rng(seed), 0
    while at < len(wave):
        piece = wave[at : at + random.integers(0, longest + 1)]
        at += len(piece)
        yield piece


@pytest.mark.parametrize("rate", [16000, 44100, 8000])
@pytest.mark.parametrize("longest", [300, 20000, 10**6])
def test_each_window_equals_the_offline_answer(classifier, rate, longest):
    """To the last bit, whatever the chunks are."""
    wave = sweep(4.3, rate)
    at_model_rate = resample(wave, rate, 16000)
    windows = list(classifier.stream(pieces(wave, longest), rate))
    assert [window.stop for window in windows] == [
        *np.arange(0.5, 4.1, 0.5), 4.3
    ]  # fmt: skip
    assert [window.start for window in windows] == pytest.approx(
        [0, 0, 0, 0, 0.5, 1, 1.5, 2, 2.3]
    )
    for window in windows:
        part = slice(round(window.start * 16000), round(window.stop * 16000))
        offline = classifier(at_model_rate[part], 16000)
        assert window.log_probabilities == offline.log_probabilities
        assert window.label == offline.label
    answers = {tuple(x.log_probabilities.values()) for x in windows}
    assert len(answers) == len(windows)  # none is told twice


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize("samples", [1, 7999])
def test_short_streams_give_one_result(classifier, rate, samples):
    """That of the whole."""
    wave = sweep(1, rate)[:samples]
    (window,) = classifier.stream([wave], rate)
    offline = classifier(wave, rate)
    assert window.log_probabilities == offline.log_probabilities
    assert window.start == 0
    assert window.combined.label == window.label


def test_a_stream_of_nothing(classifier):
    """Is an error, as an empty waveform is."""
    for chunks in ([], [np.zeros(0)], iter([np.zeros((0, 2))] * 3)):
        with pytest.raises(ValueError, match="before its first sample"):
            list(classifier.stream(chunks, 16000))


def test_window_and_hop_can_be_chosen(classifier):
    """In seconds; without a window in the manifest there are defaults."""
    wave = sweep(3, 16000)

    def times(**options):
        found = classifier.stream([wave], 16000, **options)
        return [(window.start, window.stop) for window in found]

    assert times(window=1, hop=1) == [(0, 1), (1, 2), (2, 3)]
    assert times(hop=1.25) == [(0, 1.25), (0.5, 2.5), (1, 3)]
    assert times(window=0.5, hop=2) == [(1.5, 2), (2.5, 3)]
    for option in ("window", "hop"):
        for value in (0, -1, float("nan"), float("inf")):
            with pytest.raises(ValueError, match=f"{option} is"):
                times(**{option: value})


def test_a_model_without_windows(onnx_folder):
    """One that was trained on whole utterances hears 5 s, every second."""
    classifier = Classifier(onnx_folder)
    classifier.manifest["window"] = None
    found = classifier.stream([sweep(7, 16000)], 16000)
    stretches = [(window.start, window.stop) for window in found]
    assert stretches == [(max(0, n - 5), n) for n in range(1, 8)]


def test_combined(classifier):
    """The mean of the windows' probabilities, the majority, or neither."""
    wave = sweep(6, 16000)
    windows = list(classifier.stream([wave], 16000))
    probabilities = np.exp([[*x.log_probabilities.values()] for x in windows])
    mean = probabilities.mean(0)
    assert windows[-1].combined.label == classifier.labels[mean.argmax()]
    assert windows[-1].combined.probability == pytest.approx(mean.max())
    *_, last = classifier.stream([wave], 16000, combine="majority")
    labels = [x.label for x in windows]
    assert last.combined.probability == labels.count(last.combined.label) / len(
        labels
    )
    assert {
        x.combined for x in classifier.stream([wave], 16000, combine=None)
    } == {None}


def test_wrong_calls_fail_at_once(classifier):
    """Before the first chunk is asked for."""
    with pytest.raises(TypeError, match=r"give \[waveform\]"):
        classifier.stream(np.zeros(100), 16000)
    with pytest.raises(ValueError, match="combine is 'sum'"):
        classifier.stream([], 16000, combine="sum")
    with pytest.raises(ValueError, match="sample rate is 0"):
        classifier.stream([], 0)


def test_a_broken_chunk(classifier):
    """Stops the stream where it comes; results before it are there."""
    good = sweep(1, 16000)
    stream = classifier.stream([good, good * np.nan], 16000)
    assert [next(stream).stop, next(stream).stop] == [0.5, 1.0]
    with pytest.raises(ValueError, match="NaN"):
        next(stream)


def test_results_come_while_the_source_waits(classifier):
    """A result is there before the next chunk is asked for, and a source that
    is no longer needed is closed.
    """
    asked, closed = [], []

    def microphone():
        try:
            for number in itertools.count():
                asked.append(number)
                yield np.full(800, 0.1)
        finally:
            closed.append(True)

    stream = classifier.stream(microphone(), 16000)
    assert next(stream).stop == 0.5
    assert len(asked) == 10  # 10 x 800 = 0.5 s
    stream.close()
    del stream
    assert closed


def test_memory_does_not_grow(classifier):
    """Half a minute in chunks of 20 ms, at a rate that has to be resampled.

    Hours are streamed in a slow test.
    """
    chunk = sweep(1, 44100)[:882]
    peaks = []

    def microphone():
        for number in range(1500):
            if number % 500 == 250:
                tracemalloc.reset_peak()
            if number % 500 == 499:
                peaks.append(tracemalloc.get_traced_memory()[1])
            yield chunk

    tracemalloc.start()
    try:
        stream = classifier.stream(microphone(), 44100, hop=1)
        assert sum(1 for _ in stream) == 30
    finally:
        tracemalloc.stop()
    assert max(peaks) - min(peaks) < 10e3
    assert max(peaks) < 10e6
