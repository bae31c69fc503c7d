"""WAV files and WAV from a pipe, read from front to back.

Example
-------
>>> import io, wave
>>> file = io.BytesIO()
>>> with wave.open(file, "wb") as writer:
...     writer.setparams((2, 2, 8000, 0, "NONE", None))
...     writer.writeframes(bytes(400))
>>> _ = file.seek(4)  # behind RIFF
>>> header = read_header(file, "a.wav")
>>> header
Header(sample_rate=8000, channels=2, encoding='s16le', size=400)
>>> [chunk.shape for chunk in read_samples(file, "a.wav", header)]
[(100, 2)]

Authors
 * The speechbrain_hrf authors 2026
"""

import struct
import warnings
from typing import NamedTuple

from speechbrain_hrf.dataio.audio_files import UnusableAudio
from speechbrain_hrf.runtime.pcm import read_pcm, width

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
# Format and bytes of a sample. Where there are fewer bits than that, they are
# the upper ones.
_ENCODINGS = {
    (_PCM, 1): "u8",
    (_PCM, 2): "s16le",
    (_PCM, 3): "s24le",
    (_PCM, 4): "s32le",
    (_FLOAT, 4): "f32le",
    (_FLOAT, 8): "f64le",
}
# What follows the format's number in an extensible header.
_GUID = bytes.fromhex("000000001000800000aa00389b71")

# Lengths from here on are stand-ins: who writes into a pipe knows none. ffmpeg
# writes 0xFFFFFFFF, sox 0x7FFFF000 and a little more.
_UNKNOWN_FROM = 0x7FFFF000


class OtherEncoding(ValueError):
    """A WAV file whose samples are not plain numbers, such as ADPCM.

    Example
    -------
    >>> raise OtherEncoding("its format is 2")
    Traceback (most recent call last):
    ...
    speechbrain_hrf.runtime.wav.OtherEncoding: its format is 2
    """


class Header(NamedTuple):
    """What stands before the samples.

    Arguments
    ---------
    sample_rate : int
        Samples per second.
    channels : int
        Samples at one time.
    encoding : str
        One of ``pcm.ENCODINGS``.
    size : int or None
        Bytes of the samples; None if the file does not say.

    Example
    -------
    >>> Header(16000, 1, "s16le", None).channels
    1
    """

    sample_rate: int
    channels: int
    encoding: str
    size: int | None


def read_header(stream, name):
    """Reads up to the first sample.

    Arguments
    ---------
    stream : io.BufferedIOBase
        A WAV file behind its first four bytes, ``RIFF``.
    name : str
        The file's, for errors.

    Returns
    -------
    Header

    Raises
    ------
    OtherEncoding
        The samples are not plain numbers.
    UnusableAudio
        The file is damaged or no WAV file.

    Example
    -------
    >>> import io
    >>> read_header(io.BytesIO(bytes(4) + b"AVI "), "a.avi")
    Traceback (most recent call last):
    ...
    speechbrain_hrf.dataio.audio_files.UnusableAudio: a.avi: it is no WAV file
    """
    if stream.read(8)[4:] != b"WAVE":
        raise UnusableAudio(name, "it is no WAV file")
    described = None
    while len(head := stream.read(8)) == 8:
        kind, size = head[:4], int.from_bytes(head[4:], "little")
        if kind == b"data":
            if described is None:
                raise UnusableAudio(
                    name, "its samples come before their description"
                )
            return Header(*described, None if size >= _UNKNOWN_FROM else size)
        if kind == b"fmt ":
            described = _described(stream.read(min(size, 64)), name)
            size -= min(size, 64)
        # Chunks start at even places.
        _skip(stream, size + (size & 1))
    raise UnusableAudio(name, "it ends before its first sample")


def read_samples(stream, name, header):
    """The samples, piece by piece.

    A file that ends too early gives what it has, and a warning.

    Arguments
    ---------
    stream : io.BufferedIOBase
        Where ``read_header`` has left it.
    name : str
        The file's, for the warning.
    header : Header
        What that has found.

    Yields
    ------
    numpy.ndarray
        float32, [samples, channels]

    Example
    -------
    >>> import io
    >>> header = Header(8000, 1, "u8", 3)
    >>> next(read_samples(io.BytesIO(b"abcdef"), "a.wav", header)).shape
    (3, 1)
    """
    frame = width(header.encoding) * header.channels
    samples = 0
    for chunk in read_pcm(
        stream, header.encoding, header.channels, size=header.size
    ):
        samples += len(chunk)
        yield chunk
    if header.size is not None and samples < header.size // frame:
        warnings.warn(
            f"{name} is cut off: {samples} of {header.size // frame} samples "
            "are there, and used.",
            stacklevel=2,
        )


def _described(content, name):
    if len(content) < 16:
        raise UnusableAudio(name, "the description of its samples is damaged")
    kind, channels, rate, _, frame, bits = struct.unpack(
        "<HHIIHH", content[:16]
    )
    if kind == _EXTENSIBLE and content[26:40] == _GUID:
        kind = int.from_bytes(content[24:26], "little")
    if not channels or not rate:
        raise UnusableAudio(
            name, f"its header says {channels} channels and {rate} Hz"
        )
    encoding = _ENCODINGS.get((kind, frame / channels))
    if encoding is None or not 0 <= 8 * frame / channels - bits < 8:
        raise OtherEncoding(
            f"its samples are of format {kind}, {frame} bytes for {channels} "
            f"channels of {bits} bits"
        )
    return rate, channels, encoding


def _skip(stream, size):
    # No seek(): it may be a pipe.
    while size and (skipped := len(stream.read(min(size, 2**16)))):
        size -= skipped
