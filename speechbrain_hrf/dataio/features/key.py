"""What cached features are made from.

Example
-------
>>> from speechbrain.lobes.features import Fbank
>>> three = feature_settings(SegmentFeatures(Fbank(n_mels=3), 500))
>>> four = feature_settings(SegmentFeatures(Fbank(n_mels=4), 500))
>>> [name for name in three if three[name] != four[name]]
['values']

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from speechbrain_hrf.dataio.manifest import fingerprint
from speechbrain_hrf.dataio.segments import SegmentFeatures
from speechbrain_hrf.dataio.sound.archive import split_member

# Raise it when audio is read or cut in another way, or features are stored in
# another way: older caches are then built anew.
FORMAT = 2
_PACKAGES = ("speechbrain-hrf", "speechbrain", "torch", "torchaudio")


def feature_settings(segment: SegmentFeatures) -> dict[str, Any]:
    """Everything that decides the features of a given file.

    The features of a few short test files are part of it: so a change of any
    option, of the weights, or of the code that computes them shows, whoever
    wrote that code.

    Arguments
    ---------
    segment : SegmentFeatures

    Returns
    -------
    dict
        Plain values, to be compared with those of a cache.

    Raises
    ------
    ValueError
        If the features of one file are not always the same.

    Example
    -------
    >>> from speechbrain.lobes.features import Fbank
    >>> feature_settings(SegmentFeatures(Fbank(), frames=500))["frames"]
    500
    """
    kind = type(segment.compute_features)
    values = _values_on_test_files(segment)
    if values != _values_on_test_files(segment):
        raise ValueError(
            f"{kind.__qualname__} gives one file other features each time: "
            "what is random cannot be cached. Set cache_features to False."
        )
    return {
        "format": FORMAT,
        "versions": {name: _version(name) for name in _PACKAGES},
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "frames": segment.frames,
        "samples": segment.samples,
        "sample_rate": segment.sample_rate,
        "values": values,
    }


def features_made_from(
    settings: dict[str, Any],
    clips: dict[str, tuple[Any, ...]],
    root: str | os.PathLike[str],
) -> dict[str, Any]:
    """What the features of a split are made from.

    Arguments
    ---------
    settings : dict
        Of ``feature_settings``.
    clips : dict of str: tuple
        Utterance to the arguments of ``SegmentFeatures``: a path, and parts
        where it has any.
    root : str or os.PathLike
        The data folder; paths count relative to it, so that a corpus may move.

    Returns
    -------
    dict
        Plain values. Another size or time of change of any file gives another.

    Example
    -------
    >>> made_from = features_made_from({}, {"a": ("/data/a.wav",)}, "/data")
    >>> made_from == features_made_from({}, {"a": ("/b/a.wav",)}, "/b")
    True
    >>> made_from == features_made_from({}, {"a": ("/data/b.wav",)}, "/data")
    False
    """
    listed = [
        [name, os.path.relpath(path, root).replace(os.sep, "/"), *parts]
        for name, (path, *parts) in clips.items()
    ]
    options = {**settings, "clips": _digest(listed)}
    files = {split_member(path)[0] for path, *_ in clips.values()}
    return fingerprint(options, root, files)


def _values_on_test_files(segment: SegmentFeatures) -> str:
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "test.wav")
        for samples, rate in _test_signals(segment.sample_rate):
            sf.write(path, samples, rate, subtype="PCM_16")
            feats = segment(path)
            digest.update(str(tuple(feats.shape)).encode())
            digest.update(feats.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _test_signals(rate: int) -> Iterator[tuple[NDArray[np.float64], int]]:
    """Short signals that tell apart what features may be sensitive to."""
    noise = np.random.default_rng(0).uniform(-1, 1, (rate // 4, 2))
    time = np.arange(rate // 4) / rate
    clicks = np.zeros(rate // 4)
    clicks[:: rate // 40] = 0.9
    mono = [
        np.zeros(rate // 10),
        0.5 * np.sin(2 * np.pi * 440 * time),
        0.9 * noise[:, 0],
        0.001 * noise[:, 0],
        clicks,
        noise[: rate // 100, 0],  # shorter than a window
    ]
    yield from ((samples, rate) for samples in mono)
    yield 0.3 * noise, 44100 if rate != 44100 else 48000  # stereo, resampled


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # run from its source
        return None


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
