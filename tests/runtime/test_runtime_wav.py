"""WAV files of all kinds, against soundfile, which SpeechBrain reads with.

Authors
 * The speechbrain_hrf authors 2026
"""

import io
import struct
import sys

import numpy as np
import pytest
import soundfile

from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio
from speechbrain_hrf.runtime.audio import open_file, open_pipe


class Dripping(io.RawIOBase):
    """A pipe that gives a few bytes at a time and cannot go back."""

    def __init__(self, content):
        self.content = io.BytesIO(content)

    def readable(self):
        """It is."""
        return True

    def readinto(self, buffer):
        """At most seven bytes."""
        part = self.content.read(min(7, len(buffer)))
        buffer[: len(part)] = part
        return len(part)


def load(path):
    """The whole file, [samples, channels], and its rate."""
    with open_file(path) as recording:
        chunks = list(recording.chunks)
    samples = np.concatenate(chunks) if chunks else np.zeros((0, 2))
    return samples, recording.sample_rate


def load_from_pipe(path, **bare):
    """The same from a pipe."""
    stream = io.BufferedReader(Dripping(path.read_bytes()))
    with open_pipe(stream, **bare) as recording:
        return np.concatenate(list(recording.chunks)), recording.sample_rate


def expected(path):
    """What SpeechBrain gets to see."""
    return soundfile.read(path, dtype="float32", always_2d=True)


def check(path):
    """The same samples, bit for bit."""
    found, rate = load(path)
    samples, other_rate = expected(path)
    assert rate == other_rate
    np.testing.assert_array_equal(found, samples)
    return found


def chunk(kind, content, size=None):
    """One chunk of a RIFF file, filled up to an even length."""
    size = len(content) if size is None else size
    return kind + struct.pack("<I", size) + content + b"\0" * (len(content) & 1)


def description(kind=1, channels=1, rate=16000, width=2, bits=None, more=b""):
    """The content of a fmt chunk."""
    frame = width * channels
    bits = 8 * width if bits is None else bits
    return (
        struct.pack("<HHIIHH", kind, channels, rate, rate * frame, frame, bits)
        + more
    )


def riff(*chunks):
    """A file of some chunks."""
    content = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


SAMPLES = np.arange(-500, 500, dtype="<i2").tobytes()
FORMAT = chunk(b"fmt ", description())


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
)
def test_encodings(tmp_path, monkeypatch, subtype, container, channels):
    """Plain and extensible headers; full scale; without soundfile's help."""
    random = np.random.default_rng(0)
    wave = random.uniform(-1, 1, (40001, channels))
    wave[:2] = [[1.0], [-1.0]]
    path = tmp_path / "a.wav"
    soundfile.write(path, wave, 22050, subtype=subtype, format=container)
    samples, _ = expected(path)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    found, rate = load(path)
    assert rate == 22050
    np.testing.assert_array_equal(found, samples)


@pytest.mark.parametrize(
    "content",
    [
        riff(FORMAT, chunk(b"data", SAMPLES)),
        riff(chunk(b"LIST", b"odd"), FORMAT, chunk(b"data", SAMPLES)),
        riff(FORMAT, chunk(b"fact", b"\0" * 5), chunk(b"data", SAMPLES)),
        riff(FORMAT, chunk(b"data", SAMPLES), chunk(b"LIST", b"after it")),
        riff(chunk(b"JUNK", bytes(28)), FORMAT, chunk(b"data", SAMPLES)),
        riff(chunk(b"fmt ", description(more=b"\0")), chunk(b"data", SAMPLES)),
        riff(
            chunk(b"fmt ", description(more=b"\0\0")), chunk(b"data", SAMPLES)
        ),
        riff(chunk(b"fmt ", description(bits=12)), chunk(b"data", SAMPLES)),
        riff(
            chunk(b"fmt ", description(width=3, bits=20)),
            chunk(b"data", SAMPLES[:1998]),
        ),
    ],
    ids=[
        "plain",
        "odd chunk before",
        "odd chunk between",
        "chunk behind",
        "junk before",
        "odd description",
        "longer description",
        "12 bits",
        "20 bits",
    ],
)
def test_headers(tmp_path, content):
    """Everything that libsndfile makes sense of, in the same way."""
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert len(check(path)) in (1000, 666)


@pytest.mark.parametrize("riff_size", [8, 36, 0, 0xFFFFFFFF, None])
@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF024])
def test_no_length_in_a_file(tmp_path, size, riff_size):
    """A recorder that was cut off, or wrote into a pipe: all to the end.

    libsndfile finds those of length 0 empty, but for one kind of them.
    """
    path = tmp_path / "a.wav"
    content = riff(FORMAT, chunk(b"data", SAMPLES, size))
    if riff_size is not None:
        content = b"RIFF" + struct.pack("<I", riff_size) + content[8:]
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="a.wav does not say how long it is"):
        found, _ = load(path)
    assert (found * 2**15).ravel().tolist() == list(range(-500, 500))
    if size or riff_size == 8:
        np.testing.assert_array_equal(found, expected(path)[0])


def test_length_0_in_a_file(tmp_path):
    """Is empty where what follows is another chunk, no sound."""
    path = tmp_path / "a.wav"
    path.write_bytes(
        riff(
            chunk(b"fmt ", description(channels=2)),
            chunk(b"data", b""),
            chunk(b"LIST", SAMPLES),
        )
    )
    assert len(check(path)) == 0


@pytest.mark.parametrize("left", [1, 2, 999, 1999])
def test_cut_off(tmp_path, left):
    """What is there is used, in whole samples; a warning says so."""
    content = riff(
        chunk(b"fmt ", description(channels=2)), chunk(b"data", SAMPLES)
    )
    path = tmp_path / "a.wav"
    path.write_bytes(content[: len(content) - len(SAMPLES) + left])
    with pytest.warns(UserWarning, match=f"cut off: {left // 4} of 500 sam"):
        found, _ = load(path)
    np.testing.assert_array_equal(found, expected(path)[0])


@pytest.mark.parametrize(
    "content, says",
    [
        (b"", "the file is empty"),
        (b"RIFF", "it is no WAV file"),
        (b"RIFF1234AVI LIST", "it is no WAV file"),
        (riff(), "ends before its first sample"),
        (riff(FORMAT), "ends before its first sample"),
        (riff(FORMAT)[:30], "description of its samples is damaged"),
        (riff(chunk(b"data", SAMPLES)), "samples come before their desc"),
        (
            riff(chunk(b"fmt ", description(channels=0)), chunk(b"data", b"")),
            "0 channels and 16000 Hz",
        ),
        (
            riff(chunk(b"fmt ", description(rate=0)), chunk(b"data", b"")),
            "1 channels and 0 Hz",
        ),
        (
            riff(FORMAT, FORMAT, chunk(b"data", SAMPLES)),
            "describes its samples twice",
        ),
        (
            riff(chunk(b"fmt ", description(rate=1)), chunk(b"data", SAMPLES)),
            "says 1 samples per second, and recordings have 1000 to 768000",
        ),
        (None, "No such file"),
        (b"some text, not sound", "it cannot be decoded"),
    ],
)
def test_damaged(tmp_path, content, says):
    """An error names the file and what is wrong."""
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnusableAudio, match=f"a.wav: .*{says}"):
        load(path)


@pytest.mark.parametrize(
    "name, subtype",
    [
        ("a.flac", "PCM_16"),
        ("a.ogg", "VORBIS"),
        ("a.mp3", "MPEG_LAYER_III"),
        ("a.aiff", "PCM_16"),
        ("a.wav", "ULAW"),
        ("a.wav", "IMA_ADPCM"),
    ],
)
def test_other_files(tmp_path, monkeypatch, name, subtype):
    """With soundfile; without it, the error names the way out."""
    path = tmp_path / name
    wave = 0.3 * np.sin(np.arange(20000) * 0.05)
    soundfile.write(path, np.stack([wave, -wave], 1), 44100, subtype=subtype)
    assert len(check(path)) >= 20000
    monkeypatch.setitem(sys.modules, "soundfile", None)
    for load_it in (load, load_from_pipe):
        with pytest.raises(UnusableAudio, match="pip install soundfile.*ffm"):
            load_it(path)


@pytest.mark.parametrize("size", [None, 0, 0xFFFFFFFF])
def test_wav_from_a_pipe(size):
    """As soon as it is there, wherever it is cut."""
    content = riff(
        chunk(b"LIST", b"odd"),
        chunk(b"fmt ", description(channels=2, rate=44100)),
        chunk(b"data", SAMPLES, size),
    )
    stream = io.BufferedReader(Dripping(content))
    with open_pipe(stream, sample_rate=8000) as (rate, chunks):
        chunks = list(chunks)
    assert rate == 44100 and len(chunks) > 100
    samples = np.concatenate(chunks)
    assert (samples * 2**15).ravel().tolist() == list(range(-500, 500))


@pytest.mark.parametrize(
    "encoding, scale, dtype",
    [
        ("u8", 2**7, "u1"),
        ("s16le", 2**15, "<i2"),
        ("s32le", 2**31, "<i4"),
        ("f32le", 1, "<f4"),
        ("f64le", 1, "<f8"),
    ],
)
def test_bare_samples_from_a_pipe(encoding, scale, dtype):
    """In any encoding; half a sample at the end is left out."""
    values = np.arange(100).reshape(50, 2).astype(dtype)
    content = values.tobytes()[:-1]
    stream = io.BufferedReader(Dripping(content))
    with open_pipe(stream, 8000, 2, encoding) as (rate, chunks):
        samples = np.concatenate(list(chunks))
    assert rate == 8000
    zero = 128 if encoding == "u8" else 0
    np.testing.assert_array_equal(
        samples,
        (values[:-1].astype(np.float32) - zero) / scale,
    )
