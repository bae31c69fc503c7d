"""Which audio files of a corpus can be used, found out before training.

A corpus has thousands of files and a few of them are broken. ``probe_all``
finds those from headers alone (and from the checksums of those in archives),
and stops only when they are more than a small share.

Example
-------
>>> import numpy as np, soundfile as sf
>>> path = getfixture("tmpdir").join("tone.wav").strpath
>>> sf.write(path, 0.1 * np.ones((44100, 2)), 44100)  # stereo, 44.1 kHz
>>> probe(path)
AudioInfo(duration=1.0, sample_rate=44100, channels=2)

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import os
from typing import NamedTuple

import numpy as np
import soundfile as sf
from speechbrain.utils.logger import get_logger
from tqdm.contrib.concurrent import thread_map

from speechbrain_hrf.dataio.preparation import check_share
from speechbrain_hrf.dataio.sound.archive import open_audio, split_member
from speechbrain_hrf.dataio.sound.audio_files import (
    UnusableAudio,
    cause,
    check_end,
    check_header,
)
from speechbrain_hrf.dataio.sound.sound_file import SoundFile

logger = get_logger(__name__)

# Compressed formats show a missing end only when the end is decoded. These are
# not: the header tells how many samples their bytes are.
_TAIL_FRAMES = 4096
_PLAIN = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")
# Below this a progress bar is over before it can be read.
_FEW_FILES = 500
_NAMED_IN_ERROR = 20
# A folder of thousands of missing files is not to fill the log.
_NAMED_IN_LOG = 50

_Path = str | os.PathLike[str]


class AudioInfo(NamedTuple):
    """What a header says: seconds, samples per second, channels.

    Example
    -------
    >>> AudioInfo(duration=1.5, sample_rate=16000, channels=1).duration
    1.5
    """

    duration: float
    sample_rate: int
    channels: int


def probe(path: str | os.PathLike[str]) -> AudioInfo:
    """Checks that a file holds usable audio, from its header.

    Samples are decoded only where the header cannot tell: the last ones of
    compressed files (is the end there?), and all of floating-point files, the
    only ones that can hold NaN. A silent file is usable. A member of a zip
    archive is read whole and its checksum compared: damage in its middle would
    else be found in training, or never.

    Arguments
    ---------
    path : str or os.PathLike
        The file; it may lie in a zip archive, see ``archive``.

    Returns
    -------
    AudioInfo
        Duration in seconds, sample rate, channels.

    Raises
    ------
    UnusableAudio
        When the file is missing, no regular file, empty, no audio, truncated,
        damaged in its archive, of an impossible sample rate, or has NaN or
        infinite samples.

    Example
    -------
    >>> path = getfixture("tmpdir").join("empty.wav")
    >>> path.write("")
    >>> probe(path.strpath)
    Traceback (most recent call last):
    ...
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio: ...the file is empty
    """
    try:
        with SoundFile(open_audio(path)) as file:
            check_header(path, file.samplerate, file.frames)
            _check_length(path, file)
            plain = file.subtype.startswith(_PLAIN)
            if not (plain and file.format in ("WAV", "WAVEX")):
                _check_tail(path, file)
            if file.subtype in ("FLOAT", "DOUBLE"):
                _check_finite(path, file)
            return AudioInfo(
                file.frames / file.samplerate, file.samplerate, file.channels
            )
    except (sf.SoundFileError, OSError) as error:
        raise UnusableAudio(
            path, f"it cannot be read as audio ({cause(error)})"
        ) from error


def probe_all(
    paths: dict[str, str],
    max_unusable: float = 0.01,
    what: str = "turns",
    known: dict[str, str] | None = None,
) -> tuple[dict[str, AudioInfo], dict[str, str]]:
    """Probes many files; lists the unusable ones and goes on without them.

    Arguments
    ---------
    paths : dict
        Name -> path.
    max_unusable : float
        The largest share of unusable files to go on with, 0 to 1.
    what : str
        What the names stand for, in messages.
    known : dict, optional
        Name -> reason of those that are known to be unusable whatever their
        file holds; they count as well.

    Returns
    -------
    infos : dict
        Name -> AudioInfo, in the order of `paths`.
    unusable : dict
        Name -> reason.

    Raises
    ------
    ValueError
        When the share of unusable files is above `max_unusable`, or that is
        no share.

    Example
    -------
    >>> infos, unusable = probe_all({"a": "/no/a.wav"}, max_unusable=1.0)
    >>> infos, unusable
    ({}, {'a': '/no/a.wav: the file is missing'})
    """
    check_share(max_unusable)
    known = known or {}
    packed = any(split_member(path)[1] is not None for path in paths.values())
    results = thread_map(
        _probe_or_error,
        paths.values(),
        [known.get(name) for name in paths],
        max_workers=8,
        desc=f"Checking {what}",
        disable=None if packed or len(paths) >= _FEW_FILES else True,
    )
    infos, unusable = {}, {}
    for name, result in zip(paths, results, strict=True):
        if isinstance(result, UnusableAudio):
            unusable[name] = str(result)
        else:
            infos[name] = result
    if not unusable:
        return infos, unusable

    share = len(unusable) / len(paths)
    count = f"{len(unusable)} of {len(paths)} {what} ({share:.2%})"
    lines = [f"{name}: {reason}" for name, reason in unusable.items()]
    for line in lines[:_NAMED_IN_LOG]:
        logger.warning("Unusable: %s", line)
    if len(lines) > _NAMED_IN_LOG:
        logger.warning("Unusable: %d more", len(lines) - _NAMED_IN_LOG)
    if share > max_unusable:
        if len(lines) > _NAMED_IN_ERROR:
            more = f"... and {len(lines) - _NAMED_IN_ERROR} more"
            lines = [*lines[:_NAMED_IN_ERROR], more]
        listed = "\n  ".join(lines)
        raise ValueError(
            f"{count} are unusable, more than max_unusable={max_unusable} "
            "allows. Repair the files below, or raise max_unusable to go on "
            f"without them.\n  {listed}"
        )
    logger.warning("%s are unusable and left out.", count)
    return infos, unusable


def _check_length(path: _Path, file: SoundFile) -> None:
    """Refuses a file without samples, or with fewer than it announces."""
    check_end(path, file.extra_info)
    if file.frames == 0:
        raise UnusableAudio(
            path,
            "it holds no samples, or its recorder was cut off before it wrote "
            "how many: then ffmpeg -i INPUT OUTPUT.wav mends it",
        )


def _check_tail(path: _Path, file: SoundFile) -> None:
    """Refuses a file whose last samples cannot be decoded."""
    # Codecs that cannot jump are decoded from the front, but not MP3: the
    # number of its samples is all that is asked here.
    jumps = file.jumps or file.is_mpeg or file.format == "OGG"
    frames = min(file.frames, _TAIL_FRAMES if jumps else file.frames)
    there = 0
    with contextlib.suppress(sf.SoundFileError):
        if jumps:
            file.seek(file.frames - frames)
        there = sum(map(len, file.chunks(frames)))
    if file.count_missing(file.frames - frames + there):
        raise UnusableAudio(
            path,
            f"it is truncated: its header announces {file.frames} samples and "
            f"the last ones cannot be decoded",
        )


def _check_finite(path: _Path, file: SoundFile) -> None:
    """Refuses NaN and infinite samples; a block at a time."""
    file.seek(0)
    for block in file.chunks():
        if not np.isfinite(block).all():
            raise UnusableAudio(path, "it holds NaN or infinite samples")


def _probe_or_error(
    path: str, known_reason: str | None
) -> AudioInfo | UnusableAudio:
    if known_reason is not None:
        return UnusableAudio(path, known_reason)
    try:
        return probe(path)
    except UnusableAudio as error:
        return error
