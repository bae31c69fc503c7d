"""Features of a split, computed once and kept on the disk.

Each split and key has a folder of two files, see ``file``. It appears
by one rename when both are complete; so a build may be killed at any moment,
and two processes may build the same one at once.

Example
-------
>>> import soundfile as sf
>>> from speechbrain.lobes.features import Fbank
>>> from speechbrain_hrf.dataio.features.key import (
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
from collections.abc import Callable, Iterator
from typing import Any

import torch
from speechbrain.utils.distributed import run_on_main
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.features.file import (
    FEATURES,
    INDEX,
    CachedFeatures,
    DamagedFeatures,
    FeatureWriter,
    check_content,
    read_index,
)
from speechbrain_hrf.dataio.segments import compute_in_order
from speechbrain_hrf.files import locked, remove_abandoned, whole_folder

logger = get_logger(__name__)

_Clips = dict[str, tuple[Any, ...]]
_Segment = Callable[..., torch.Tensor]
_MadeFrom = dict[str, Any]


def cached_features(
    folder: str | os.PathLike[str],
    split: str,
    clips: _Clips,
    segment: _Segment,
    made_from: _MadeFrom,
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
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio
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
    run_on_main(_ensure, args=arguments, post_func=_ensure, post_args=arguments)
    index = read_index(place, made_from)
    return CachedFeatures(place / FEATURES, index["n_feats"], index["rows"])


def _ensure(
    place: pathlib.Path, clips: _Clips, segment: _Segment, made_from: _MadeFrom
) -> None:
    """Builds a cache unless it is there and whole."""
    remove_abandoned(place.parent)
    if _why_not_whole(place, made_from) is None:
        logger.info("Features of %d utterances: %s", len(clips), place)
        return
    with _one_builder(place):
        why = _why_not_whole(place, made_from)
        if why is None:  # another process has just made them
            return
        logger.info(
            "Computing the features of %d utterances (%s): %s",
            len(clips),
            why,
            place,
        )
        start = time.time()
        _build(place, clips, segment, made_from)
    logger.info(
        "Computed them in %.1f s, %.0f MB",
        time.time() - start,
        _megabytes(place),
    )
    others = _others(place)
    if others:  # nothing else removes them
        logger.info(
            "Other caches of %s in %s: %d, %.0f MB in all. What no run needs "
            "any more may be deleted.",
            _split(place),
            place.parent,
            len(others),
            sum(map(_megabytes, others)),
        )


def _why_not_whole(place: pathlib.Path, made_from: _MadeFrom) -> str | None:
    try:
        check_content(place, read_index(place, made_from))
    except (DamagedFeatures, OSError) as error:
        if place.exists():
            return f"those there are damaged: {error}"
        return _why_no_other_fits(place, made_from)
    return None


def _one_builder(
    place: pathlib.Path,
) -> contextlib.AbstractContextManager[None]:
    """Processes of this machine that want the same features wait for one.

    They would each take all cores. On other machines they may build at once.
    """
    name = hashlib.sha256(str(place.absolute()).encode()).hexdigest()[:16]
    user = getattr(os, "getuid", int)()
    return locked(
        pathlib.Path(tempfile.gettempdir(), f"hrf-features-{user}-{name}.lock")
    )


def _build(
    place: pathlib.Path, clips: _Clips, segment: _Segment, made_from: _MadeFrom
) -> None:
    """Computes features aside and moves them into place."""

    def is_whole(place: pathlib.Path) -> bool:  # another process was faster
        return _why_not_whole(place, made_from) is None

    folder = place.parent
    with contextlib.ExitStack() as stack:
        with _explain(folder):
            if place.exists() and not os.access(
                place, os.R_OK | os.W_OK | os.X_OK
            ):
                raise PermissionError(
                    errno.EACCES, f"{place.name} is there, of another user"
                )
            content = stack.enter_context(whole_folder(place, is_whole))
            writer = stack.enter_context(FeatureWriter(content))
        feats = compute_in_order(segment, clips.values(), "features")
        for name, values in zip(clips, feats, strict=True):
            with _explain(folder):
                writer.add(name, values)
        with _explain(folder):
            writer.finish(made_from)
            stack.close()  # moves it


@contextlib.contextmanager
def _explain(folder: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise type(error)(
            error.errno,
            f"Cannot write features to {folder} ({error.strerror}): give "
            "another feature_folder, or set cache_features to False to "
            "compute them anew in every epoch",
        ) from error


def _why_no_other_fits(place: pathlib.Path, made_from: _MadeFrom) -> str:
    """In what the most similar ones differ."""
    found = []
    for other in _others(place):
        with contextlib.suppress(
            OSError, ValueError, KeyError, TypeError, RecursionError
        ):
            index = (other / INDEX).read_text(encoding="utf-8")
            old = json.loads(index)["made_from"]
            options, wanted = old["options"], made_from["options"]
            differing = [
                name
                for name in {**options, **wanted}
                if options.get(name) != wanted.get(name)
            ]
            if old.get("data") != made_from.get("data"):
                differing.append("audio files")
            found.append((len(differing), other.name, differing))
    if not found:
        return "there are none yet"
    _, name, differing = min(found)
    return f"those in {name} have other {', '.join(differing)}"


def _others(place: pathlib.Path) -> list[pathlib.Path]:
    found = place.parent.glob(f"{_split(place)}-*/{INDEX}")
    return [
        path.parent
        for path in sorted(found)
        if _split(path.parent) == _split(place) and path.parent != place
    ]


def _split(place: pathlib.Path) -> str:
    return place.name.rpartition("-")[0]


def _megabytes(place: pathlib.Path) -> float:
    size = 0
    for path in place.glob("*"):
        with contextlib.suppress(OSError):
            size += path.stat().st_size
    return size / 1e6
