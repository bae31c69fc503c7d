"""Features of a split, computed once and kept on the disk.

Each split and key has a folder of two files, see ``feature_file``. It appears
by one rename when both are complete; so a build may be killed at any moment,
and two processes may build the same one at once.

Example
-------
>>> import soundfile as sf, torch
>>> from speechbrain.lobes.features import Fbank
>>> from speechbrain_hrf.dataio.feature_key import (
...     feature_settings, features_made_from)
>>> from speechbrain_hrf.dataio.segments import SegmentFeatures
>>> root = getfixture("tmpdir")
>>> path = root.join("noise.wav").strpath
>>> sf.write(path, 0.1 * torch.randn(16000).numpy(), 16000)
>>> clips = {"a": (path,)}
>>> segment = SegmentFeatures(Fbank(n_mels=26, deltas=True), frames=500)
>>> made_from = features_made_from(feature_settings(segment), clips, root)
>>> features = cached_features(
...     root.join("features").strpath, "train", clips, segment, made_from)
>>> torch.equal(features("a"), segment(path))
True

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import errno
import hashlib
import json
import os
import pathlib
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from speechbrain.utils.distributed import run_on_main
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.feature_file import (
    FEATURES,
    DamagedFeatures,
    FeatureWriter,
    check_content,
    read_index,
)
from speechbrain_hrf.dataio.feature_key import (
    log_other_caches,
    size_of,
    why_no_other_fits,
)
from speechbrain_hrf.dataio.segments import compute_in_order
from speechbrain_hrf.files import locked, remove_abandoned, whole_folder

logger = get_logger(__name__)


class CachedFeatures:
    """Features of an utterance, from a file that is mapped into memory.

    Fit for the workers of a data loader: each process maps the file when it
    first needs it, and all share the mapped pages.

    Arguments
    ---------
    path : str or os.PathLike
        The ``.npy`` file.
    rows : dict of str: list of int
        Utterance to its first row and number of rows.

    Example
    -------
    >>> path = getfixture("tmpdir").join("features.npy").strpath
    >>> np.save(path, np.arange(6.0).reshape(3, 2))
    >>> CachedFeatures(path, {"a": [0, 1], "b": [1, 2]})("b").shape
    torch.Size([2, 2])
    """

    def __init__(self, path: str | os.PathLike, rows: dict[str, list[int]]):
        self.path = os.fspath(path)
        self.rows = rows
        self._frames = None

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
            self._frames = np.asarray(np.load(self.path, mmap_mode="r"))
        first, count = self.rows[utterance]
        return torch.from_numpy(self._frames[first : first + count].copy())

    def __getstate__(self):
        return {**self.__dict__, "_frames": None}


def cached_features(
    folder: str | os.PathLike,
    split: str,
    clips: dict[str, tuple],
    segment: Callable[..., torch.Tensor],
    made_from: dict[str, Any],
) -> CachedFeatures:
    """The features of a split: those on the disk, or computed and put there.

    In a distributed run the main process computes and the others wait.

    Arguments
    ---------
    folder : str or os.PathLike
        Where caches go; those of other folds and settings may lie there too.
    split : str
        Begins the cache's name.
    clips : dict of str: tuple
        Utterance to the arguments of ``segment``.
    segment : callable
        Gives features [T, F]; runs in as many processes as there are cores.
    made_from : dict
        What the features are made from, see ``features_made_from``.

    Returns
    -------
    CachedFeatures

    Raises
    ------
    OSError
        If the folder cannot be written.
    speechbrain_hrf.dataio.audio_files.UnusableAudio
        If a file cannot be decoded. Nothing is left behind then.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> features = cached_features(
    ...     folder.strpath, "test", {"a": (3,)}, torch.eye, {"options": {}})
    >>> features("a").shape, len(folder.listdir())
    (torch.Size([3, 3]), 1)
    """
    key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode())
    place = pathlib.Path(folder, f"{split}-{key.hexdigest()[:16]}")
    arguments = [place, clips, segment, made_from]
    # The others find what the main process has made, and make their own only
    # where they cannot see it, or where their processor computes otherwise.
    run_on_main(
        _ensure_on_main,
        args=arguments,
        post_func=_ensure,
        post_args=arguments,
    )
    rows = read_index(place, made_from)["rows"]
    return CachedFeatures(place / FEATURES, rows)


def _ensure_on_main(place, *arguments):
    remove_abandoned(place.parent)
    _ensure(place, *arguments, check_content)


def _ensure(place, clips, segment, made_from, check=None):
    """Builds a cache unless it is there and whole."""
    why = _why_not_whole(place, made_from, check)
    if why is None:
        logger.info("Features of %d utterances: %s", len(clips), place)
        return
    with _one_builder(place):
        why = _why_not_whole(place, made_from, check)
        if why is None:  # another process has just made them
            return
        logger.info(
            "Computing the features of %d utterances (%s): %s",
            len(clips),
            why,
            place,
        )
        with _explained(place.parent):
            _refuse_another_user_s(place)
        start = time.time()
        _build(place, clips, segment, made_from)
    logger.info(
        "Computed them in %.1f s, %.0f MB",
        time.time() - start,
        size_of(place) / 1e6,
    )
    log_other_caches(place)


def _why_not_whole(place, made_from, check=None):
    try:
        index = read_index(place, made_from)
        if check is not None:
            check(place, index)
    except (DamagedFeatures, OSError) as error:
        if place.exists():
            return f"those there are damaged: {error}"
        return why_no_other_fits(place, made_from)
    return None


def _one_builder(place):
    """Processes of this machine that want the same features wait for one.

    They would each take all cores. On other machines they may build at once.
    """
    name = hashlib.sha256(str(place.absolute()).encode()).hexdigest()[:16]
    user = getattr(os, "getuid", int)()
    return locked(
        pathlib.Path(tempfile.gettempdir(), f"hrf-features-{user}-{name}.lock")
    )


def _build(place, clips, segment, made_from):
    """Computes features aside and moves them into place."""

    def is_whole(place):  # then another process was faster
        return _why_not_whole(place, made_from, check_content) is None

    folder = place.parent
    with contextlib.ExitStack() as stack:
        with _explained(folder):
            content = stack.enter_context(whole_folder(place, is_whole))
            writer = stack.enter_context(FeatureWriter(content))
        feats = compute_in_order(segment, clips.values(), "features")
        for name, values in zip(clips, feats, strict=True):
            with _explained(folder):
                writer.add(name, values)
        with _explained(folder):
            writer.finish(made_from)
            stack.close()  # moves it


def _refuse_another_user_s(place):
    if place.exists() and not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(
            errno.EACCES, f"{place.name} is there, of another user"
        )


@contextlib.contextmanager
def _explained(folder):
    try:
        yield
    except OSError as error:
        raise type(error)(
            error.errno,
            f"Cannot write features to {folder} ({error.strerror}): give "
            "another feature_folder, or set cache_features to False to "
            "compute them anew in every epoch",
        ) from error
