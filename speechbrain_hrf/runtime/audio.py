"""Recordings: from files of any kind, or from standard input.

Plain WAV is read here. Everything else (FLAC, MP3, ADPCM, ...) is read with
soundfile where that is installed.

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
import os
from collections.abc import Iterator
from io import BufferedIOBase
from typing import NamedTuple

from speechbrain_hrf.dataio.audio_files import (
    UnusableAudio,
    cause,
    check_length,
)
from speechbrain_hrf.runtime import wav
from speechbrain_hrf.runtime.waveform import Samples

#: Files that a folder is searched for.
EXTENSIONS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au")

# Samples that soundfile is asked for at once.
_AT_ONCE = 2**14


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
    speechbrain_hrf.dataio.audio_files.UnusableAudio: nowhere.wav: No such file...
    """
    path = os.fspath(path)
    try:
        stream = open(path, "rb")
    except OSError as error:
        raise UnusableAudio(path, error.strerror or str(error)) from error
    with stream:
        start = stream.read(4)
        if not start:
            raise UnusableAudio(path, "the file is empty")
        try:
            if start != b"RIFF":
                raise wav.OtherEncoding("it is no WAV file")
            header = wav.read_header(stream, path)
        except wav.OtherEncoding as error:
            other = str(error)
        else:
            samples = wav.read_samples(stream, path, *header[1:])
            yield Recording(header.sample_rate, samples)
            return
    with _open_with_soundfile(path, other) as recording:
        yield recording


def open_pipe(
    stream: BufferedIOBase,
    sample_rate: int,
    channels: int = 1,
    encoding: str = "s16le",
) -> Recording:
    """Takes a recording from standard input: WAV, or bare samples.

    Arguments
    ---------
    stream : io.BufferedIOBase
        ``sys.stdin.buffer``, say.
    sample_rate : int
        Of bare samples. A WAV header knows better.
    channels : int
        Channels of bare samples.
    encoding : str
        Of bare samples, one of ``wav.ENCODINGS``.

    Returns
    -------
    Recording

    Raises
    ------
    UnusableAudio
        It starts as a WAV file, and goes on in a way that cannot be read.

    Example
    -------
    >>> import io
    >>> recording = open_pipe(io.BytesIO(bytes(400)), 8000)
    >>> sum(map(len, recording.chunks))
    200
    """
    name, size = "standard input", None
    start = stream.read(4)
    if start == b"RIFF":
        start = b""
        try:
            sample_rate, channels, encoding, size = wav.read_header(
                stream, name
            )
        except wav.OtherEncoding as error:
            raise UnusableAudio(
                name, f"{error}, which is only read from files"
            ) from error
    # Some say 0 when they do not know how much will follow. (In a file,
    # libsndfile takes 0 at its word, and so do we.)
    chunks = wav.read_samples(
        stream, name, channels, encoding, size or None, start
    )
    return Recording(sample_rate, chunks)


@contextlib.contextmanager
def _open_with_soundfile(path: str, why: str) -> Iterator[Recording]:
    try:
        import soundfile
    except ImportError as error:
        raise UnusableAudio(
            path,
            f"{why}. Other files are read with soundfile: pip install "
            "soundfile, or convert it: ffmpeg -i INPUT OUTPUT.wav",
        ) from error
    try:
        with soundfile.SoundFile(path) as file:
            check_length(path, file.frames)
            # soundfile seeks after each read, and libsndfile then loses what
            # an MP3's next frame builds on: silence comes out.
            at_once = file.frames if file.format == "MP3" else _AT_ONCE
            chunks = file.blocks(at_once, dtype="float32", always_2d=True)
            yield Recording(file.samplerate, chunks)
    except soundfile.SoundFileError as error:
        raise UnusableAudio(
            path, f"it cannot be decoded ({cause(error)})"
        ) from error
