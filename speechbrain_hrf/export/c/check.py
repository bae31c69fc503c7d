"""Holds the compiled C against SpeechBrain, and int8 against float32.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.export.accuracy import (
    Recordings,
    read_recordings,
    score_both,
)
from speechbrain_hrf.export.c.library import Library
from speechbrain_hrf.export.c.text import Array
from speechbrain_hrf.export.examples import (
    Audio,
    measure_difference,
    refuse_differences,
)
from speechbrain_hrf.training.scores import score_text


@torch.no_grad()
def check(
    library: Library, classifier: EncoderClassifier, audio: Iterable[Audio]
) -> dict[str, float]:
    """Compares the library with SpeechBrain's classifier.

    Both are given the same whole numbers of 16 bits.

    Arguments
    ---------
    library : Library
    classifier : speechbrain.inference.classifiers.EncoderClassifier
    audio : iterable of Audio
        Batches and empty signals are left out: C has neither.

    Returns
    -------
    dict
        Largest difference of a log-probability, by name of the audio; of those
        below ``LARGE`` in proportion.

    Raises
    ------
    VerificationError
        One is larger than ``TOLERANCE``; every audio where it is, is named.

    Example
    -------
    >>> check(None, None, [])
    {}
    """
    found = {}
    for example in audio:
        if len(example.wavs) > 1 or example.wavs.shape[1] == 0:
            continue
        samples = to_int16(example.wavs[0].numpy())
        wavs = torch.from_numpy(samples / np.float32(2**15))[None]
        embedding = classifier.encode_batch(wavs, torch.ones(1))
        expected = classifier.mods.classifier(embedding).squeeze(1)
        output = library.classify(samples)[None]
        found[example.name] = measure_difference(output, expected)
    refuse_differences("hrf_model.c", found, "--c")
    return found


class Int8(NamedTuple):
    """What weights of int8 change, on recordings.

    Arguments
    ---------
    n, agree : int
        Recordings, and how many get the same label.
    max_difference : float
        Largest one of a log-probability.
    scores : dict
        WA and UA, each with float32 and with int8; empty where no recording is
        labelled.

    Example
    -------
    >>> print(Int8(240, 239, 0.031, {"WA": (0.5, 0.5), "UA": (0.48, 0.475)}))
    hrf_model_int8.c: 239 of 240 labels as with float32, log-probabilities
    within 0.031; WA .500 -> .500, UA .480 -> .475
    """

    n: int
    agree: int
    max_difference: float
    scores: dict[str, tuple[float, float]]

    def __str__(self) -> str:
        scores = ", ".join(
            f"{name} {score_text(before)} -> {score_text(after)}"
            for name, (before, after) in self.scores.items()
        )
        return (
            f"hrf_model_int8.c: {self.agree} of {self.n} labels as with "
            "float32, log-probabilities\nwithin "
            f"{self.max_difference:.2g}; {scores or 'no recording is labelled'}"
        )


def compare_int8(
    before: Library,
    after: Library,
    recordings: Recordings,
    others: Sequence[Array],
    sample_rate: int,
) -> Int8:
    """Runs both on the same recordings.

    Arguments
    ---------
    before, after : Library
        With weights of float32, of int8.
    recordings : sequence of (path, label)
        The label is None where it is not known.
    others : sequence of numpy.ndarray
        int16 signals to compare on where there are no recordings.
    sample_rate : int
        Hz

    Returns
    -------
    Int8

    Raises
    ------
    ValueError
        A recording cannot be read.

    Example
    -------
    >>> compare_int8(None, None, [], [], 16000).max_difference
    0.0
    """
    signals: Iterable[Array] = others
    if recordings:
        found = read_recordings(recordings, sample_rate, "comparing int8")
        signals = map(to_int16, found)
    agree, worst, labels = 0, 0.0, []
    for samples in signals:
        one, two = (x.classify(samples) for x in (before, after))
        difference = float(np.abs(one - two).max())
        worst = max(worst, difference if difference >= 0 else math.inf)
        agree += one.argmax() == two.argmax()
        labels.append(
            (before.labels[one.argmax()], before.labels[two.argmax()])
        )
    scores = score_both(recordings, labels)
    return Int8(len(labels), int(agree), worst, scores)


def to_int16(samples: Array) -> Array:
    """What a microphone's converter makes of a signal.

    Arguments
    ---------
    samples : numpy.ndarray
        -1 to 1

    Returns
    -------
    numpy.ndarray
        int16

    Example
    -------
    >>> to_int16(np.array([-1.0, 0.5, 1.0])).tolist()
    [-32768, 16384, 32767]
    """
    scaled = np.rint(samples * 2.0**15)
    return np.clip(scaled, -(2**15), 2**15 - 1).astype(np.int16)
