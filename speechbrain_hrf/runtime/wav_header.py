"""What stands before and behind the samples of a WAV file.

Example
-------
>>> import io, wave
>>> file = io.BytesIO()
>>> with wave.open(file, "wb") as writer:
...     writer.setparams((2, 2, 8000, 0, "NONE", None))
...     writer.writeframes(bytes(400))
>>> _ = file.seek(4)  # behind RIFF
>>> read_header(file, "a.wav")
Header(sample_rate=8000, channels=2, encoding='s16le', size=400, start=b'')

Authors
 * The speechbrain_hrf authors 2026
"""

import struct
from io import BufferedIOBase
from typing import NamedTuple

from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
# By format and bytes of a sample. Where there are fewer bits than that, they
# are the upper ones. The names are ffmpeg's.
_BY_FORMAT = {
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

# A chunk behind the samples, such as a list of titles, is shorter than this.
_LONGEST_CHUNK = 2**24


class OtherEncoding(ValueError):
    """The samples are not plain numbers; ADPCM, say, or no WAV file at all.

    Example
    -------
    >>> raise OtherEncoding("its format is 2")
    Traceback (most recent call last):
    ...
    speechbrain_hrf.runtime.wav_header.OtherEncoding: its format is 2
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
    start : bytes
        What has been read of the samples already.

    Example
    -------
    >>> Header(16000, 1, "s16le", None).channels
    1
    """

    sample_rate: int
    channels: int
    encoding: str
    size: int | None
    start: bytes = b""


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
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio: a.avi: it is no WAV file
    """
    if stream.read(8)[4:] != b"WAVE":
        raise UnusableAudio(name, "it is no WAV file")
    described, empty = None, False
    head = stream.read(8)
    while len(head) == 8:
        kind, size = head[:4], int.from_bytes(head[4:], "little")
        if kind == b"data":
            if described is None:
                raise UnusableAudio(
                    name, "its samples come before their description"
                )
            if size >= _UNKNOWN_FROM:
                return Header(*described, None)
            if size:
                return Header(*described, size)
            # Who writes into a pipe, or is switched off in the middle of a
            # recording, leaves 0. Samples follow then, and no chunk.
            head = stream.read(8)
            if head and not _is_chunk(head):
                return Header(*described, None, head)
            empty = True
            continue
        if kind == b"fmt ":
            if described:
                raise UnusableAudio(name, "it describes its samples twice")
            content = stream.read(min(size, 64))
            described = _describe(content, name)
            _skip(stream, size - len(content))
        else:
            _skip(stream, size)
        stream.read(size & 1)  # chunks start at even places
        head = stream.read(8)
    if described and empty:
        return Header(*described, 0)
    raise UnusableAudio(name, "it ends before its first sample")


def check_rest(stream: BufferedIOBase, name: str, size: int) -> None:
    """Refuses more samples behind those that have been read.

    Arguments
    ---------
    stream : io.BufferedIOBase
        A WAV file behind its samples.
    name : str
        The file's, for errors.
    size : int
        Bytes of the samples.

    Raises
    ------
    UnusableAudio

    Example
    -------
    >>> import io
    >>> check_rest(io.BytesIO(b"LIST" + bytes(4)), "a.wav", 400)
    """
    stream.read(size & 1)
    while len(head := stream.read(8)) == 8:
        if head[:4] == b"data":
            raise UnusableAudio(
                name,
                "its samples are in more than one part, of which programs "
                "read the first one only: ffmpeg -i INPUT OUTPUT.wav",
            )
        if head[:4] in (b"RIFF", b"fmt "):
            raise UnusableAudio(
                name,
                "it is several WAV files, one behind the other: give each "
                "by itself",
            )
        size = int.from_bytes(head[4:], "little")
        _skip(stream, size + (size & 1))


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


def _is_chunk(head: bytes) -> bool:
    """Whether eight bytes are the name and the size of a chunk."""
    size = int.from_bytes(head[4:], "little")
    is_name = all(0x20 <= byte < 0x7F for byte in head[:4])
    return len(head) == 8 and is_name and size < _LONGEST_CHUNK


def _skip(stream: BufferedIOBase, size: int) -> None:
    # No seek(): it may be a pipe.
    while size and (skipped := len(stream.read(min(size, 2**16)))):
        size -= skipped
