"""The two files of a feature cache: written as a stream, checked when opened.

``features.f32`` holds float32 [frames of all utterances, F] and nothing else;
``index.json``, written last, says whose rows are which, what the features are
made from, and the checksums of both: without it nothing counts as done.

Example
-------
>>> folder = pathlib.Path(getfixture("tmpdir"))
>>> with FeatureWriter(folder) as writer:
...     writer.add("a", np.ones((2, 78), dtype="float32"))
...     writer.finish({"options": {}})
>>> read_index(folder, {"options": {}})["rows"]
{'a': [0, 2]}

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import zlib
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray

FEATURES = "features.f32"
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
    folder : pathlib.Path
        An existing folder, which gets the two files.

    Example
    -------
    See the top of this file.
    >>> with FeatureWriter(pathlib.Path(getfixture("tmpdir"))) as writer:
    ...     writer.add("a", np.ones(3, dtype="float32"))
    Traceback (most recent call last):
        ...
    ValueError: a: features are float32 of shape (3,), not float32 [T, F].
    """

    def __init__(self, folder: pathlib.Path):
        self._index = folder / INDEX
        self._file = open(folder / FEATURES, "wb", buffering=_BUFFER)
        self.rows: dict[str, list[int]] = {}
        self.n_frames, self.n_feats, self.crc32 = 0, 0, 0

    def __enter__(self) -> FeatureWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        # Closed already, or given up: then a full disk has been reported.
        with contextlib.suppress(OSError):
            self._file.close()

    def add(self, utterance: str, feats: NDArray[np.float32]) -> None:
        """Appends an utterance.

        Arguments
        ---------
        utterance : str
        feats : numpy.ndarray
            float32 [T, F], F the same for all.
        """
        n_feats = self.n_feats or feats.shape[-1]
        if feats.dtype != np.float32 or feats.shape != (len(feats), n_feats):
            raise ValueError(
                f"{utterance}: features are {feats.dtype} of shape "
                f"{feats.shape}, not float32 [T, {self.n_feats or 'F'}]."
            )
        data = feats.astype("<f4", copy=False).tobytes()
        self._file.write(data)
        self.crc32 = zlib.crc32(data, self.crc32)
        self.rows[utterance] = [self.n_frames, len(feats)]
        self.n_frames += len(feats)
        self.n_feats = n_feats

    def finish(self, made_from: dict[str, Any]) -> None:
        """Completes both files and sees to it that they are on the disk.

        Arguments
        ---------
        made_from : dict
            See ``features_made_from``.
        """
        _close_on_disk(self._file)
        index = {
            "made_from": made_from,
            "n_feats": self.n_feats,
            "crc32": self.crc32,
            "rows": self.rows,
        }
        index["sha256"] = _digest(index)
        with open(self._index, "w", encoding="utf-8") as file:
            json.dump(index, file)
            _close_on_disk(file)


def read_index(
    folder: pathlib.Path, made_from: dict[str, Any]
) -> dict[str, Any]:
    """Reads the index of a cache, and checks it.

    Arguments
    ---------
    folder : pathlib.Path
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
    >>> read_index(pathlib.Path("nowhere"), {})
    Traceback (most recent call last):
        ...
    speechbrain_hrf.dataio.features.file.DamagedFeatures: index.json is missing
    """
    for name in INDEX, FEATURES:
        if not (folder / name).is_file():
            raise DamagedFeatures(f"{name} is missing")
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_text("utf-8"))
        digest = index.pop("sha256")
    except (
        *(OSError, ValueError, KeyError, TypeError),
        *(AttributeError, RecursionError),  # no mapping; nested too deeply
    ) as error:
        raise DamagedFeatures(f"{INDEX} cannot be read") from error
    if digest != _digest(index):
        raise DamagedFeatures(f"{INDEX} was changed")
    if index["made_from"] != made_from:
        raise DamagedFeatures("it was made from something else")
    return index


def check_content(folder: pathlib.Path, index: dict[str, Any]) -> None:
    """Reads all features of a cache and compares their checksum.

    A CRC-32 goes at several GB/s, so this costs little more than reading what
    the first epoch reads anyway.

    Arguments
    ---------
    folder : pathlib.Path
        Of the cache.
    index : dict
        Of ``read_index``.

    Raises
    ------
    DamagedFeatures
        If the features are not those that were written.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> with FeatureWriter(folder) as writer:
    ...     writer.finish({})
    >>> check_content(folder, read_index(folder, {}))
    """
    crc32 = 0
    with open(folder / FEATURES, "rb") as file:
        while block := file.read(_BUFFER):
            crc32 = zlib.crc32(block, crc32)
    if crc32 != index["crc32"]:
        raise DamagedFeatures(f"{FEATURES} does not match its checksum")


class CachedFeatures:
    """Features of an utterance, from a file that is mapped into memory.

    Fit for the workers of a data loader: each process maps the file when it
    first needs it, and all share the mapped pages.

    Arguments
    ---------
    path : str or os.PathLike
        The file of features.
    n_feats : int
        F
    rows : dict of str: list of int
        Utterance to its first row and number of rows.

    Example
    -------
    >>> path = getfixture("tmpdir").join(FEATURES).strpath
    >>> np.arange(6, dtype="<f4").tofile(path)
    >>> CachedFeatures(path, 2, {"a": [0, 1], "b": [1, 2]})("b")
    tensor([[2., 3.],
            [4., 5.]])
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        n_feats: int,
        rows: dict[str, list[int]],
    ):
        self.path = os.fspath(path)
        self.n_feats = n_feats
        self.rows = rows
        self._frames: NDArray[np.float32] | None = None

    def __call__(self, utterance: str) -> torch.Tensor:
        """The features of one utterance, a copy.

        Arguments
        ---------
        utterance : str

        Returns
        -------
        torch.Tensor
            [T, F]
        """
        if self._frames is None:
            mapped = np.memmap(self.path, "<f4", mode="r")
            self._frames = np.asarray(mapped).reshape(-1, self.n_feats)
        first, count = self.rows[utterance]
        return torch.from_numpy(self._frames[first : first + count].copy())

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_frames": None}


def _digest(index: dict[str, Any]) -> str:
    data = json.dumps(index, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def _close_on_disk(file: IO[Any]) -> None:
    # A rename must not become durable before what it gives a name to.
    file.flush()
    os.fsync(file.fileno())
    file.close()
