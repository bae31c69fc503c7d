"""Recordings: from files of any kind, or from standard input.

Plain WAV is read here. Everything else (FLAC, MP3, ADPCM, ...) is read with
soundfile where that is installed. Sound that neither reads is refused by name.

Example
-------
>>> import wave
>>> path = getfixture("tmpdir").join("a.wav").strpath
>>> with wave.open(path, "wb") as writer:
...     writer.setparams((1, 2, 8000, 0, "NONE", None))
...     writer.writeframes(bytes(400))
>>> with open_file(path) as recording:
...     recording.sample_rate, sum(map(len, recording.chunks))
(8000, 200)

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import io
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator

from speechbrain_hrf.dataio.sound.audio_files import (
    UnusableAudio,
    check_header,
    check_kind,
)
from speechbrain_hrf.dataio.sound.signatures import (
    ENOUGH,
    ENOUGH_FRAMES,
    may_be_frames,
    name_kind,
)
from speechbrain_hrf.runtime.decode import CONVERT, Recording, decode
from speechbrain_hrf.runtime.wav import read_samples
from speechbrain_hrf.runtime.wav_header import OtherEncoding, read_header

#: Files that a folder is searched for. The last ones cannot be read, which is
#: said of each: they are recordings, too.
EXTENSIONS = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff"),
    *(".aifc", ".au", ".snd", ".caf", ".w64", ".rf64", ".voc"),
    *(".m4a", ".aac", ".webm", ".wma", ".amr"),
)


@contextlib.contextmanager
def open_file(path: str | os.PathLike[str]) -> Iterator[Recording]:
    """Opens an audio file.

    Arguments
    ---------
    path : str or os.PathLike
        The file.

    Yields
    ------
    Recording

    Raises
    ------
    UnusableAudio
        It cannot be read. The error says what would help.

    Example
    -------
    >>> with open_file("nowhere.wav") as recording:
    ...     pass
    Traceback (most recent call last):
    ...
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio: nowhere.wav: No such file...
    """
    path = os.fspath(path)
    check_kind(path)
    try:
        stream = open(path, "rb")
    except OSError as error:
        raise UnusableAudio(path, error.strerror or str(error)) from error
    with stream:
        start = stream.read(ENOUGH_FRAMES)
        if not start:
            raise UnusableAudio(path, "the file is empty")
        try:
            if start[:4] != b"RIFF":
                raise OtherEncoding(_describe(path, start))
            stream.seek(4)
            header = read_header(stream, path)
        except OtherEncoding as error:
            other = str(error)
        else:
            check_header(path, header.sample_rate)
            if header.size is None:
                warnings.warn(
                    f"{path} does not say how long it is, as its recorder was "
                    "not stopped or wrote into a pipe: all to its end is used.",
                    stacklevel=3,
                )
            samples = read_samples(stream, path, *header[1:])
            yield Recording(header.sample_rate, samples)
            return
    with decode(path, path, other) as recording:
        yield recording


@contextlib.contextmanager
def open_pipe(
    stream: io.BufferedIOBase,
    sample_rate: int | None = None,
    channels: int = 1,
    encoding: str = "s16le",
    name: str = "standard input",
) -> Iterator[Recording]:
    """Takes a recording from a pipe: WAV, bare samples, or any other kind.

    WAV and bare samples are given as they come. Others are read to their end
    first, into a temporary file, since they cannot be decoded from a pipe.

    Arguments
    ---------
    stream : io.BufferedIOBase
        ``sys.stdin.buffer``, say.
    sample_rate : int, optional
        Of bare samples, which are refused without it. What has a header knows
        better.
    channels : int
        Channels of bare samples.
    encoding : str
        Of bare samples, one of ``wav.ENCODINGS``.
    name : str
        The pipe's, for errors.

    Yields
    ------
    Recording

    Raises
    ------
    UnusableAudio
        It starts as sound of a kind that is known, and cannot be read.

    Example
    -------
    >>> with open_pipe(io.BytesIO(bytes(400)), 8000) as recording:
    ...     sum(map(len, recording.chunks))
    200
    """
    kept = _Kept(stream)
    start = kept.read(4)
    if start == b"RIFF":
        try:
            header = read_header(kept, name)
        except OtherEncoding as error:
            other = str(error)
        else:
            check_header(name, header.sample_rate)
            samples = read_samples(stream, name, *header[1:])
            yield Recording(header.sample_rate, samples)
            return
    else:
        start += kept.read(ENOUGH - 4)
        if may_be_frames(start):
            start += kept.read(ENOUGH_FRAMES - ENOUGH)
        if name_kind(start) is None:
            if sample_rate is None:
                raise UnusableAudio(
                    name, f"it is no sound of a known kind: {CONVERT}"
                )
            yield Recording(
                sample_rate,
                read_samples(stream, name, channels, encoding, None, start),
            )
            return
        other = _describe(name, start)
    with tempfile.TemporaryFile() as file:
        file.write(kept.content)
        shutil.copyfileobj(stream, file)
        file.seek(0)
        with decode(file, name, other) as recording:
            yield recording


class _Kept(io.BufferedIOBase):
    """A stream that keeps what was read of it."""

    def __init__(self, stream: io.BufferedIOBase):
        self._stream, self.content = stream, b""

    def read(self, size: int | None = -1) -> bytes:
        read = self._stream.read(size)
        self.content += read
        return read


def _describe(name: str, start: bytes) -> str:
    """What sound it is. What cannot be read is refused."""
    kind = name_kind(start)
    if kind and not kind.readable:
        raise UnusableAudio(
            name, f"it is {kind.name}, which cannot be read: {CONVERT}"
        )
    return f"it is {kind.name}" if kind else "it is no WAV file"
