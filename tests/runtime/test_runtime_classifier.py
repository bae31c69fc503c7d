"""The classifier, on a graph made by hand.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import multiprocessing
import pickle
import shutil

import numpy as np
import pytest
import soundfile

from speechbrain_hrf.runtime import Classifier


@pytest.fixture(scope="module")
def classifier(onnx_folder):
    """One for all tests: it keeps nothing of what it hears."""
    return Classifier(onnx_folder)


def noise(seconds, rate=16000, seed=0):
    """White noise; its colour decides on the label."""
    samples = np.random.default_rng(seed).standard_normal(int(seconds * rate))
    return 0.1 * samples.astype(np.float32)


def test_result(classifier, onnx_folder):
    """The graph's output, as ONNX Runtime gives it, and what follows of it."""
    onnxruntime = pytest.importorskip("onnxruntime")
    wave = noise(1)
    session = onnxruntime.InferenceSession(onnx_folder / "model.onnx")
    (expected,) = session.run(
        None, {"wavs": wave[None], "wav_lens": np.ones(1, np.float32)}
    )
    result = classifier(wave, 16000)
    found = list(result.log_probabilities.values())
    # With another number of threads the last bit may be another.
    assert found == pytest.approx(expected[0].tolist(), abs=1e-5)
    assert list(result.log_probabilities) == classifier.labels
    assert result.index == expected[0].argmax()
    assert result.label == classifier.labels[result.index]
    assert result.probability == pytest.approx(np.exp(expected.max()))
    assert 0 < result.seconds < 10


def test_a_file(classifier, tmp_path):
    """As its samples; what cannot be read is named."""
    samples = (noise(1, 44100) * 2**15).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", samples, 44100)
    answer = classifier.classify_file(tmp_path / "a.wav")
    expected = classifier(samples, 44100).log_probabilities
    assert answer.log_probabilities == expected
    with pytest.raises(ValueError, match="b.wav: No such file"):
        classifier.classify_file(tmp_path / "b.wav")


def test_kinds_of_one_sound(classifier):
    """int16, floats, stereo: the same sound, the same answer."""
    integers = (noise(1) * 2**15).astype(np.int16)
    answer = classifier(integers, 16000).log_probabilities
    same = {
        "float32": integers.astype(np.float32) / 2**15,
        "float64": integers.astype(np.float64) / 2**15,
        "int32": integers.astype(np.int32) * 2**16,
        "stereo": np.stack([integers, integers], axis=1),
        "stereo, other order": np.stack([integers, integers]).T,
        "every other sample": np.repeat(integers, 2)[::2],
    }
    for kind, waveform in same.items():
        found = classifier(waveform, 16000).log_probabilities
        assert found == answer, kind
    assert classifier(-integers, 16000).log_probabilities != answer


@pytest.mark.parametrize("length", [0, (0, 2)])
def test_empty(classifier, length):
    """Nothing is no sound."""
    with pytest.raises(ValueError, match="waveform is empty"):
        classifier(np.zeros(length), 16000)


def test_onnxruntime_fails(classifier, monkeypatch):
    """For want of memory, say: an error that can be caught, with the fix."""

    class Failing:
        """No memory can really be made scarce here."""

        def run(self, *_):
            """As ONNX Runtime does, whose errors are plain exceptions."""
            raise Exception("std::bad_alloc")

    monkeypatch.setattr(classifier, "_session", Failing())
    with pytest.raises(RuntimeError, match="1.00 s of .*bad_alloc.*streamed"):
        classifier(noise(1), 16000)


def test_waveforms_stay_as_they_are(classifier):
    """They are the caller's."""
    wave = noise(1)
    wave.flags.writeable = False
    classifier(wave, 16000)
    list(classifier.stream([wave], 16000))


@pytest.mark.parametrize("kind", ["pickle", "deepcopy", "worker"])
def test_a_copy_answers_the_same(classifier, kind):
    """It reads the folder again; in a pool's workers, too."""
    wave = noise(1)
    expected = classifier(wave, 16000).log_probabilities
    if kind == "worker":
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found = pool.apply(classifier, (wave, 16000))
    elif kind == "pickle":
        found = pickle.loads(pickle.dumps(classifier))(wave, 16000)
    else:
        found = copy.deepcopy(classifier)(wave, 16000)
    assert found.log_probabilities == expected


def test_a_copy_of_another_model_is_refused(onnx_folder, tmp_path):
    """The folder was written again since."""
    folder = shutil.copytree(onnx_folder, tmp_path / "model")
    content = pickle.dumps(Classifier(folder))
    manifest = (folder / "manifest.json").read_text()
    other = manifest.replace('"neutral", "happy"', '"happy", "neutral"')
    assert other != manifest
    (folder / "manifest.json").write_text(other)
    with pytest.raises(ValueError, match="holds another model"):
        pickle.loads(content)
