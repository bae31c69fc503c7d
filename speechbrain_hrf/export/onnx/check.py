"""Holds the two graphs against SpeechBrain, on recordings and on every edge.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
from typing import NamedTuple

import onnxruntime
import torch

from speechbrain_hrf.export.onnx.graphs import (
    FEATURES,
    LOG_PROBABILITIES,
    WAVEFORM,
)
from speechbrain_hrf.export.verify import VerificationError

# Of a log-probability. Both sides compute in float32, in another order.
TOLERANCE = 1e-4
# Below this one the tolerance grows with it: float32 rounds -300 to no more
# than 3e-5, and what has led there likewise.
LARGE = -10.0


class Check(NamedTuple):
    """How well a graph agrees with SpeechBrain.

    Arguments
    ---------
    max_difference : float
        Largest one of all log-probabilities; of those below ``LARGE`` in
        proportion: a difference of 5e-4 at -50 counts as 1e-4.
    differences : dict
        The largest one by name of the audio.

    Example
    -------
    >>> Check(2e-6, {"silence": 2e-6}).max_difference
    2e-06
    """

    max_difference: float
    differences: dict


def session(model, threads=1):
    """A graph, ready to run on the CPU.

    Arguments
    ---------
    model : str or bytes
        A path, or the file's content.
    threads : int

    Returns
    -------
    onnxruntime.InferenceSession

    Example
    -------
    >>> session(b"nonsense")
    Traceback (most recent call last):
    ...
    onnxruntime...InvalidProtobuf: ...
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # its errors are raised as well
    return onnxruntime.InferenceSession(
        model, options, providers=["CPUExecutionProvider"]
    )


@torch.no_grad()
def check(graphs, classifier, audio):
    """Compares graphs with SpeechBrain's classifier.

    Arguments
    ---------
    graphs : dict
        Content of an ONNX file by its name: model.onnx, model.features.onnx.
    classifier : speechbrain.inference.classifiers.EncoderClassifier
    audio : list of Audio

    Returns
    -------
    dict
        A Check by file name.

    Raises
    ------
    VerificationError
        A log-probability differs by more than ``TOLERANCE``, or a graph
        cannot be run; every audio where one does is named.

    Example
    -------
    >>> check({}, None, [])
    {}
    """
    sessions = {name: _loaded(name, graphs[name]) for name in graphs}
    found = {name: {} for name in sessions}
    for example in audio:
        wavs, wav_lens = example.wavs, example.wav_lens
        embedding = classifier.encode_batch(wavs, wav_lens)
        expected = classifier.mods.classifier(embedding).squeeze(1)
        inputs = {WAVEFORM: {"wavs": wavs}}
        if FEATURES in sessions:
            feats = classifier.mods.compute_features(wavs)
            inputs[FEATURES] = {"feats": feats}
        for name, run in sessions.items():
            output = _output(run, name, example, inputs[name])
            found[name][example.name] = _difference(output, expected)
    for name, differences in found.items():
        _refuse_differences(name, differences)
    return {
        name: Check(max(differences.values()), differences)
        for name, differences in found.items()
    }


def _loaded(name, content):
    try:
        return session(content)
    except Exception as error:  # ONNX Runtime's errors share no class
        raise VerificationError(
            f"ONNX Runtime cannot load {name}: {error}"
        ) from error


def _output(run, name, example, inputs):
    inputs = {**inputs, "wav_lens": example.wav_lens}
    arrays = {key: value.numpy() for key, value in inputs.items()}
    try:
        return run.run([LOG_PROBABILITIES], arrays)[0]
    except Exception as error:  # ONNX Runtime's errors share no class
        raise VerificationError(
            f"ONNX Runtime cannot run {name} on {example.name}: {error}"
        ) from error


def _refuse_differences(name, differences):
    # Written so that NaN is no agreement.
    wrong = {
        key: value
        for key, value in differences.items()
        if not value <= TOLERANCE
    }
    if wrong:
        raise VerificationError(
            f"{name} does not give SpeechBrain's log-probabilities, by more "
            f"than {TOLERANCE:.0e} (below {LARGE:.0f} in proportion) on "
            + ", ".join(f"{k} ({v:.1e})" for k, v in wrong.items())
            + ". Nothing was exported. If it is little more, give other "
            "recordings (--audio): audio that was upsampled has bands that "
            "hold rounding errors alone. If not, this is a fault of the "
            "export: report it, and export without --onnx."
        )


def _difference(output, expected):
    if output.shape != tuple(expected.shape):
        return math.inf
    scale = (expected / LARGE).clamp(min=1)
    difference = (torch.from_numpy(output) - expected).abs() / scale
    return float(difference.max())
