"""Uncompressed samples, in WAV files or bare, read from front to back.

They come from files or pipes and become floats as libsndfile converts them.

Example
-------
>>> import io
>>> stream = io.BytesIO(bytes(400))
>>> [chunk.shape for chunk in read_samples(stream, "-", 2, "s16le")]
[(100, 2)]

Authors
 * The speechbrain_hrf authors 2026
"""

import sys
import warnings
from collections.abc import Iterator
from io import BufferedIOBase

import numpy as np

from speechbrain_hrf.runtime.wav_header import check_rest
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

# Bytes to ask for at once; a live source gives what it has.
_AT_ONCE = 2**16


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
    what it has, and a warning. One that has more samples behind these, in a
    chunk of their own, is refused, as libsndfile refuses it.

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

    Raises
    ------
    UnusableAudio
        At the end: there are more samples.

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
    if size is None:
        return
    if not left:
        check_rest(stream, name, size)
    elif samples < size // frame:
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
