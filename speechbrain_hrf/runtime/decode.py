"""Recordings that soundfile decodes, where it is installed.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, NamedTuple

from speechbrain_hrf.dataio.sound.audio_files import (
    UnusableAudio,
    cause,
    check_header,
)
from speechbrain_hrf.runtime.waveform import Samples

if TYPE_CHECKING:
    from speechbrain_hrf.dataio.sound.sound_file import SoundFile

#: What helps with sound that cannot be read.
CONVERT = "convert it: ffmpeg -i INPUT OUTPUT.wav"


class Recording(NamedTuple):
    """A recording that is being read.

    Arguments
    ---------
    sample_rate : int
        Samples per second.
    chunks : iterator of numpy.ndarray
        Its samples, [samples, channels], float32; each once.

    Example
    -------
    >>> Recording(16000, iter([])).sample_rate
    16000
    """

    sample_rate: int
    chunks: Iterator[Samples]


@contextlib.contextmanager
def decode(source: str | IO[bytes], name: str, why: str) -> Iterator[Recording]:
    """Decodes what is no plain WAV.

    Arguments
    ---------
    source : str or file object
        What to read.
    name : str
        Its name, for errors.
    why : str
        What it is, for the error where soundfile is not installed.

    Yields
    ------
    Recording

    Raises
    ------
    UnusableAudio
        It cannot be decoded.

    Example
    -------
    >>> with decode(__file__, "a.py", "it is no WAV file") as recording:
    ...     pass
    Traceback (most recent call last):
    ...
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio: a.py: it cannot be dec...
    """
    try:
        import soundfile
    except ImportError as error:
        raise UnusableAudio(
            name,
            f"{why}. Other files are read with soundfile: pip install "
            f"soundfile, or {CONVERT}",
        ) from error
    from speechbrain_hrf.dataio.sound.sound_file import SoundFile

    try:
        with SoundFile(source) as file:
            check_header(name, file.samplerate, file.frames)
            yield Recording(file.samplerate, _read_samples(file, name))
    except soundfile.SoundFileError as error:
        raise UnusableAudio(
            name, f"it cannot be decoded ({cause(error)})"
        ) from error


def _read_samples(file: SoundFile, name: str) -> Iterator[Samples]:
    there = 0
    for chunk in file.chunks():
        there += len(chunk)
        yield chunk
    if file.count_missing(there):
        warnings.warn(
            f"{name} is cut off: {there} of {file.frames} samples are there, "
            "and used.",
            stacklevel=2,
        )
