"""Uncompressed samples, in WAV files or bare, read from front to back.

They come from files or pipes and become floats as libsndfile converts them.

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
>>> [chunk.shape for chunk in read_samples(file, "a.wav", *header[1:])]
[(100, 2)]

Authors
 * The speechbrain_hrf authors 2026
"""

import struct
import sys
import warnings
from collections.abc import Iterator
from io import BufferedIOBase
from typing import NamedTuple

import numpy as np

from speechbrain_hrf.dataio.audio_files import UnusableAudio
from speechbrain_hrf.runtime.waveform import Samples

# Bytes of a sample, numpy's type, and what stands for 1. Little-endian, as in
# WAV files; the names are ffmpeg's. 24 bits are read as the upper three bytes
# of 32.
_ENCODINGS = {
    "u8": (1, "u1", 2**7),
    "s16le": (2, "<i2", 2**15),
    "s24le": (3, "<i4", 2**31),
    "s32le": (4, "<i4", 2**31),
    "f32le": (4, "<f4", 1),
    "f64le": (8, "<f8", 1),
}
ENCODINGS = tuple(_ENCODINGS)

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
# By format and bytes of a sample. Where there are fewer bits than that, they
# are the upper ones.
_BY_FORMAT = {
    (_FLOAT if name[0] == "f" else _PCM, width): name
    for name, (width, _, _) in _ENCODINGS.items()
}
# What follows the format's number in an extensible header.
_GUID = bytes.fromhex("000000001000800000aa00389b71")

# Lengths from here on are stand-ins: who writes into a pipe knows none. ffmpeg
# writes 0xFFFFFFFF, sox 0x7FFFF000 and a little more.
_UNKNOWN_FROM = 0x7FFFF000

# Bytes to ask for at once; a live source gives what it has.
_AT_ONCE = 2**16


class OtherEncoding(ValueError):
    """The samples are not plain numbers; ADPCM, say, or no WAV file at all.

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
        One of ``ENCODINGS``.
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


def read_header(stream: BufferedIOBase, name: str) -> Header:
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
            described = _describe(stream.read(min(size, 64)), name)
            size -= min(size, 64)
        # Chunks start at even places.
        _skip(stream, size + (size & 1))
    raise UnusableAudio(name, "it ends before its first sample")


def read_samples(
    stream: BufferedIOBase,
    name: str,
    channels: int,
    encoding: str,
    size: int | None = None,
    start: bytes = b"",
) -> Iterator[Samples]:
    """The samples, as soon as they are there.

    A part of a sample at the end is left out. A file that ends too early gives
    what it has, and a warning.

    Arguments
    ---------
    stream : io.BufferedIOBase
        Where the bytes come from.
    name : str
        The file's, for the warning.
    channels : int
        Samples of different channels alternate.
    encoding : str
        One of ``ENCODINGS``.
    size : int or None
        Bytes of samples to read; None for all until the stream ends.
    start : bytes
        What has been read of the samples before.

    Yields
    ------
    numpy.ndarray
        float32, [samples, channels]

    Example
    -------
    >>> import io
    >>> stream = io.BytesIO(np.array([16384, -32768], "<i2").tobytes())
    >>> [chunk.tolist() for chunk in read_samples(stream, "a", 1, "s16le")]
    [[[0.5], [-1.0]]]
    """
    frame = _ENCODINGS[encoding][0] * channels
    waiting, samples = start, 0
    left = sys.maxsize if size is None else size
    while True:
        whole = len(waiting) // frame * frame
        if whole:
            samples += whole // frame
            yield _as_floats(waiting[:whole], encoding).reshape(-1, channels)
        read = stream.read1(min(_AT_ONCE, left))
        if not read:
            break
        waiting = waiting[whole:] + read
        left -= len(read)
    if size is not None and samples < size // frame:
        warnings.warn(
            f"{name} is cut off: {samples} of {size // frame} samples are "
            "there, and used.",
            stacklevel=2,
        )


def _as_floats(data: bytes, encoding: str) -> Samples:
    _, dtype, full_scale = _ENCODINGS[encoding]
    if encoding == "s24le":
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        data = padded.tobytes()
    # What is infinite or no number is refused later.
    with np.errstate(over="ignore", invalid="ignore"):
        samples = np.frombuffer(data, dtype).astype(np.float32)
        if encoding == "u8":
            samples -= 128
        return samples / np.float32(full_scale)


def _describe(content: bytes, name: str) -> tuple[int, int, str]:
    """Sample rate, channels and encoding of a ``fmt`` chunk."""
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
    encoding = _BY_FORMAT.get((kind, frame / channels))
    if encoding is None or not 0 <= 8 * frame / channels - bits < 8:
        raise OtherEncoding(
            f"its samples are of format {kind}, {frame} bytes for {channels} "
            f"channels of {bits} bits"
        )
    return rate, channels, encoding


def _skip(stream: BufferedIOBase, size: int) -> None:
    # No seek(): it may be a pipe.
    while size and (skipped := len(stream.read(min(size, 2**16)))):
        size -= skipped
