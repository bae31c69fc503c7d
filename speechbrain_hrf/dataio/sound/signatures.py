"""What kind of sound the first bytes of a file say it is.

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import NamedTuple

#: How many bytes are enough to tell.
ENOUGH = 12
#: And where the first byte is that of an MP3 frame, or of AAC: several frames.
ENOUGH_FRAMES = 4096

_MPEG4, _MATROSKA, _ASF = "MPEG-4 (m4a, mp4)", "Matroska or WebM", "ASF (wma)"

# libsndfile reads these, in most of their codings.
_READABLE = {
    b"RIFF": "WAV",
    b"RIFX": "big-endian WAV",
    b"RF64": "RF64",
    b"riff": "Wave64",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3": "MP3",
    b"FORM": "AIFF",
    b".snd": "AU",
    b"dns.": "AU",
    b"caff": "CAF",
    b"NIST": "NIST SPHERE",
    b"Creative Voi": "VOC",
    b"Extended Ins": "XI",
    b"2BIT": "AVR",
    b"PVF1": "PVF",
    b" paf": "PAF",
    b"fap ": "PAF",
    b"ALawSoundFil": "WVE",
    b"MATLAB 5.0 M": "MAT5",
    b"\x64\xa3\x01\x00": "IRCAM",
    b"\x64\xa3\x02\x00": "IRCAM",
    b"\x64\xa3\x03\x00": "IRCAM",
    b"\x00\x01\xa3\x64": "IRCAM",
    b"\x00\x02\xa3\x64": "IRCAM",
    b"\x00\x03\xa3\x64": "IRCAM",
}
_FOREIGN = {
    b"BW64": "BW64",
    b"\x1a\x45\xdf\xa3": _MATROSKA,
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": _ASF,
    b"#!AMR": "AMR",
    b"wvpk": "WavPack",
    b"MAC ": "Monkey's Audio",
    b"TTA1": "True Audio",
    b"ADIF": "AAC",
    b"FLV\x01": "Flash video",
}

# Samples per second of MPEG 1; the later versions have a half and a quarter.
_MPEG_RATES = (44100, 48000, 32000)
# kbit/s of MPEG 1's layers I, II and III, and of the later versions' I and II.
_BIT_RATES = {
    (1, 1): tuple(range(32, 449, 32)),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


class Kind(NamedTuple):
    """A kind of sound file.

    Arguments
    ---------
    name : str
        What it is called.
    readable : bool
        Whether libsndfile reads it.

    Example
    -------
    >>> Kind("FLAC", True).name
    'FLAC'
    """

    name: str
    readable: bool


def name_kind(start: bytes) -> Kind | None:
    """Tells which kind of sound begins like this.

    Arguments
    ---------
    start : bytes
        The first ``ENOUGH`` bytes; ``ENOUGH_FRAMES`` where ``may_be_frames``.

    Returns
    -------
    Kind or None
        None: no kind that is known here; it may be bare samples.

    Example
    -------
    >>> name_kind(b"fLaC" + bytes(8))
    Kind(name='FLAC', readable=True)
    >>> name_kind(bytes(4) + b"ftypM4A ")
    Kind(name='MPEG-4 (m4a, mp4)', readable=False)
    >>> name_kind(bytes(12)) is None
    True
    """
    for kinds, readable in ((_READABLE, True), (_FOREIGN, False)):
        for signature, name in kinds.items():
            if start.startswith(signature):
                return Kind(name, readable)
    if start[4:8] == b"ftyp":
        return Kind(_MPEG4, False)
    # Bare samples may begin with two such bytes, but hardly with three frames.
    at, frames, alike = 0, 0, None
    while frames < 3 and (frame := _read_frame(start[at : at + 6])):
        if alike not in (None, frame[1:]):
            return None
        at, frames, alike = at + frame[0], frames + 1, frame[1:]
    if alike is None or frames < 3:
        return None
    return Kind("MP3", True) if alike[0] else Kind("AAC", False)


def may_be_frames(start: bytes) -> bool:
    """Whether the first two bytes are those of an MPEG frame.

    Arguments
    ---------
    start : bytes

    Returns
    -------
    bool

    Example
    -------
    >>> may_be_frames(bytes.fromhex("fffb9064"))
    True
    """
    return len(start) > 1 and start[0] == 0xFF and start[1] >= 0xE0


def _read_frame(head: bytes) -> tuple[int, int, int, int] | None:
    """Bytes, layer (0: AAC), version and rate of an MPEG frame, if it is one."""
    if len(head) < 6 or not may_be_frames(head):
        return None
    version = {3: 1, 2: 2, 0: 4}.get(head[1] >> 3 & 3)
    layer = (4 - (head[1] >> 1 & 3)) % 4
    if layer == 0:  # AAC, in ADTS
        size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        is_frame = head[1] >= 0xF0 and size > 7 and head[2] >> 2 & 15 < 13
        return (size, 0, 0, head[2] >> 2 & 15) if is_frame else None
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version is None or bits in (0, 15) or rate == 3:
        return None
    kind = (1, layer) if version == 1 else (2, min(layer, 2))
    per_second = _MPEG_RATES[rate] // version
    bit_rate = 1000 * _BIT_RATES[kind][bits - 1]
    padding = head[2] >> 1 & 1
    if layer == 1:
        size = 4 * (12 * bit_rate // per_second + padding)
    else:
        samples = 72 if layer == 3 and version > 1 else 144
        size = samples * bit_rate // per_second + padding
    return size, layer, version, rate
