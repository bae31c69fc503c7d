"""Uncompressed samples: bytes to floats, as libsndfile converts them.

Example
-------
>>> import io
>>> stream = io.BytesIO(np.array([0, 16384, -32768], "<i2").tobytes())
>>> [chunk.tolist() for chunk in read_pcm(stream, "s16le", channels=1)]
[[[0.0], [0.5], [-1.0]]]

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np

# Little-endian, as in WAV files; the names are ffmpeg's. 24 bits are read as
# the upper three bytes of 32.
_TYPES = {
    "u8": np.dtype("u1"),
    "s16le": np.dtype("<i2"),
    "s24le": np.dtype("<i4"),
    "s32le": np.dtype("<i4"),
    "f32le": np.dtype("<f4"),
    "f64le": np.dtype("<f8"),
}
_FULL_SCALE = {"u8": 2**7, "s16le": 2**15, "s24le": 2**31, "s32le": 2**31}

ENCODINGS = tuple(_TYPES)

# Bytes to ask for at once; a live source gives what it has.
_AT_ONCE = 2**16


def width(encoding):
    """Bytes of one sample.

    Arguments
    ---------
    encoding : str
        One of ``ENCODINGS``.

    Returns
    -------
    int

    Example
    -------
    >>> width("s24le")
    3
    """
    return 3 if encoding == "s24le" else _TYPES[encoding].itemsize


def read_pcm(stream, encoding, channels, start=b"", size=None):
    """Samples of a stream, as soon as they are there.

    Arguments
    ---------
    stream : io.BufferedIOBase
        Where the bytes come from.
    encoding : str
        One of ``ENCODINGS``.
    channels : int
        Samples of different channels alternate.
    start : bytes
        What has been read of the samples already.
    size : int or None
        Bytes of samples; None for all until the stream ends.

    Yields
    ------
    numpy.ndarray
        float32, [samples, channels]. Part of a sample at the end is left out.

    Example
    -------
    >>> import io
    >>> next(read_pcm(io.BytesIO(b"cd"), "u8", 1, b"ab", 3)).shape
    (3, 1)
    """
    frame = width(encoding) * channels
    waiting, left = start, None if size is None else size - len(start)
    ended = False
    while not ended:
        asked = _AT_ONCE if left is None else min(_AT_ONCE, left)
        read = stream.read1(asked) if asked > 0 else b""
        ended = not read
        left = None if left is None else left - len(read)
        waiting += read
        whole = len(waiting) // frame * frame
        if whole:
            yield _floats(waiting[:whole], encoding).reshape(-1, channels)
            waiting = waiting[whole:]


def _floats(data, encoding):
    if encoding == "s24le":
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        data = padded.tobytes()
    samples = np.frombuffer(data, _TYPES[encoding])
    # What is infinite or no number is refused later.
    with np.errstate(over="ignore", invalid="ignore"):
        samples = samples.astype(np.float32)
        if encoding == "u8":
            samples -= 128
        return samples / np.float32(_FULL_SCALE.get(encoding, 1))
