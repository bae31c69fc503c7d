"""Holds the two graphs against SpeechBrain, on recordings and on every edge.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.export.examples import (
    Audio,
    measure_difference,
    refuse_differences,
)
from speechbrain_hrf.export.onnx.graph import LOG_PROBABILITIES, Array
from speechbrain_hrf.export.onnx.model import FEATURES, WAVEFORM
from speechbrain_hrf.export.verify import VerificationError
from speechbrain_hrf.runtime.session import open_session


@torch.no_grad()
def check(
    graphs: Mapping[str, bytes],
    classifier: EncoderClassifier,
    audio: Sequence[Audio],
) -> dict[str, dict[str, float]]:
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
        By file name: the largest difference of a log-probability by name of
        the audio; of those below ``LARGE`` in proportion: a difference of
        5e-4 at -50 counts as 1e-4.

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
    sessions = {name: _open(name, graph) for name, graph in graphs.items()}
    found: dict[str, dict[str, float]] = {name: {} for name in sessions}
    for example in audio:
        wavs, wav_lens = example.wavs, example.wav_lens
        embedding = classifier.encode_batch(wavs, wav_lens)
        expected = classifier.mods.classifier(embedding).squeeze(1)
        inputs = {
            WAVEFORM: {"wavs": wavs},
            FEATURES: {"feats": classifier.mods.compute_features(wavs)},
        }
        for name, session in sessions.items():
            output = _run(session, name, example, inputs[name])
            found[name][example.name] = measure_difference(output, expected)
    for name, differences in found.items():
        refuse_differences(name, differences, "--onnx")
    return found


def _open(name: str, content: bytes) -> Any:
    try:
        return open_session(content, name)
    except ValueError as error:
        raise VerificationError(str(error)) from error


def _run(
    session: Any, name: str, example: Audio, inputs: Mapping[str, torch.Tensor]
) -> Array:
    inputs = {**inputs, "wav_lens": example.wav_lens}
    arrays = {key: value.numpy() for key, value in inputs.items()}
    try:
        output: Array = session.run([LOG_PROBABILITIES], arrays)[0]
    except Exception as error:  # ONNX Runtime's errors share no class
        raise VerificationError(
            f"ONNX Runtime cannot run {name} on {example.name}: {error}"
        ) from error
    return output
