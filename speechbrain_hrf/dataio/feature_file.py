"""The two files of a feature cache: written as a stream, checked when opened.

``features.npy`` is numpy's own format, float32 [frames of all utterances, F];
``index.json`` says which rows are whose and what the features are made from.

Example
-------
>>> folder = getfixture("tmpdir").strpath
>>> with FeatureWriter(folder) as writer:
...     writer.add("a", np.ones((2, 78), dtype="float32"))
...     writer.finish({"options": {}})
>>> read_index(folder, {"options": {}})["rows"]
{'a': [0, 2]}
>>> np.load(os.path.join(folder, FEATURES), mmap_mode="r").shape
(2, 78)

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from typing import Any

import numpy as np
from numpy.lib import format as npy

FEATURES = "features.npy"
INDEX = "index.json"
_BUFFER = 2**22


class DamagedFeatures(ValueError):
    """A cache whose files are not what was written.

    Example
    -------
    >>> str(DamagedFeatures("index.json cannot be read"))
    'index.json cannot be read'
    """


class FeatureWriter:
    """Writes features one utterance after the other; holds none in memory.

    Arguments
    ---------
    folder : str or os.PathLike
        An existing folder, which gets the two files.

    Example
    -------
    See the top of this file.
    >>> with FeatureWriter(getfixture("tmpdir").strpath) as writer:
    ...     writer.add("a", np.ones(3, dtype="float32"))
    Traceback (most recent call last):
        ...
    ValueError: a: features are float32 of shape (3,), not float32 [T, F].
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = os.fspath(folder)
        self.rows = {}
        self.n_frames = 0
        self.n_feats = 0
        self.checksum = 0
        path = os.path.join(self.folder, FEATURES)
        self._file = open(path, "wb", buffering=_BUFFER)
        self._start = self._write_header()

    def __enter__(self) -> FeatureWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        # Closed already, or given up: then a full disk has been reported.
        with contextlib.suppress(OSError):
            self._file.close()

    def add(self, utterance: str, feats: np.ndarray) -> None:
        """Appends an utterance.

        Arguments
        ---------
        utterance : str
        feats : numpy.ndarray
            float32 [T, F], F the same for all.
        """
        if self.n_feats == 0 and feats.ndim == 2:
            self.n_feats = feats.shape[1]
        if (
            feats.dtype != np.float32
            or feats.ndim != 2
            or feats.shape[1] != self.n_feats
        ):
            raise ValueError(
                f"{utterance}: features are {feats.dtype} of shape "
                f"{feats.shape}, not float32 [T, {self.n_feats or 'F'}]."
            )
        data = feats.astype("<f4", copy=False).tobytes()
        self._file.write(data)
        self.checksum = zlib.crc32(data, self.checksum)
        self.rows[utterance] = [self.n_frames, len(feats)]
        self.n_frames += len(feats)

    def finish(self, made_from: dict[str, Any]) -> None:
        """Completes both files and sees to it that they are on the disk.

        Arguments
        ---------
        made_from : dict
            See ``features_made_from``.
        """
        self._file.seek(0)
        if self._write_header() != self._start:
            raise ValueError(
                f"{self.n_frames} frames of {self.n_feats} features do not fit "
                "into the header that was reserved for them."
            )
        _close_on_disk(self._file)
        index = {
            "made_from": made_from,
            "n_frames": self.n_frames,
            "n_feats": self.n_feats,
            "crc32": self.checksum,
            "rows": self.rows,
        }
        index["sha256"] = _digest(index)
        with open(
            os.path.join(self.folder, INDEX), "w", encoding="utf-8"
        ) as file:
            json.dump(index, file)
            _close_on_disk(file)

    def _write_header(self):
        npy.write_array_header_1_0(
            self._file,
            {
                "descr": "<f4",
                "fortran_order": False,
                "shape": (self.n_frames, self.n_feats),
            },
        )
        return self._file.tell()


def read_index(
    folder: str | os.PathLike, made_from: dict[str, Any]
) -> dict[str, Any]:
    """Reads the index of a cache; checks it, and the size of the features.

    Arguments
    ---------
    folder : str or os.PathLike
        Of the cache.
    made_from : dict
        What the features must be made from.

    Returns
    -------
    dict
        ``rows``: utterance to first row and number of rows, and more.

    Raises
    ------
    DamagedFeatures
        Saying what is wrong.

    Example
    -------
    >>> read_index("nowhere", {})
    Traceback (most recent call last):
        ...
    speechbrain_hrf.dataio.feature_file.DamagedFeatures: index.json is missing
    """
    try:
        path = os.path.join(folder, INDEX)
        with open(path, encoding="utf-8") as file:
            index = json.load(file)
        digest = index.pop("sha256")
    except FileNotFoundError as error:
        raise DamagedFeatures(f"{INDEX} is missing") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFeatures(f"{INDEX} cannot be read") from error
    if digest != _digest(index):
        raise DamagedFeatures(f"{INDEX} was changed")
    if index["made_from"] != made_from:
        raise DamagedFeatures("it was made from something else")
    shape = (index["n_frames"], index["n_feats"])
    try:
        with open(os.path.join(folder, FEATURES), "rb") as file:
            npy.read_magic(file)
            found = npy.read_array_header_1_0(file)
            start = file.tell()
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise DamagedFeatures(f"{FEATURES} is missing") from error
    except (OSError, ValueError) as error:
        raise DamagedFeatures(f"{FEATURES} cannot be read") from error
    expected = start + 4 * shape[0] * shape[1]
    if found != (shape, False, np.dtype("<f4")) or size != expected:
        raise DamagedFeatures(
            f"{FEATURES} has {size} bytes instead of {expected}"
            if size != expected
            else f"the header of {FEATURES} was changed"
        )
    return index


def check_content(folder: str | os.PathLike, index: dict[str, Any]) -> None:
    """Reads all features of a cache and compares their checksum.

    A CRC-32 goes at several GB/s, so this costs little more than reading what
    the first epoch reads anyway.

    Arguments
    ---------
    folder : str or os.PathLike
        Of the cache.
    index : dict
        Of ``read_index``.

    Raises
    ------
    DamagedFeatures
        If the features are not those that were written.

    Example
    -------
    >>> folder = getfixture("tmpdir").strpath
    >>> with FeatureWriter(folder) as writer:
    ...     writer.finish({})
    >>> check_content(folder, read_index(folder, {}))
    """
    checksum = 0
    with open(os.path.join(folder, FEATURES), "rb") as file:
        npy.read_magic(file)
        npy.read_array_header_1_0(file)
        while block := file.read(_BUFFER):
            checksum = zlib.crc32(block, checksum)
    if checksum != index["crc32"]:
        raise DamagedFeatures(f"{FEATURES} does not match its checksum")


def _digest(index):
    data = json.dumps(index, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def _close_on_disk(file):
    # A rename must not become durable before what it gives a name to.
    file.flush()
    os.fsync(file.fileno())
    file.close()
