"""Sound of every kind: the runner's samples are SpeechBrain's, or it refuses.

Authors
 * The speechbrain_hrf authors 2026
"""

import io
import re
import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest
import soundfile
import torch
from speechbrain.dataio import audio_io

from speechbrain_hrf.dataio.sound.audio import read
from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio
from speechbrain_hrf.dataio.sound.signatures import name_kind
from speechbrain_hrf.runtime.audio import open_file, open_pipe

# No signature, or one of two bytes, which bare samples have as well.
WITHOUT_SIGNATURE = ("HTK", "MAT4", "MPC2K", "SDS")
# RAW has no header, SD2 needs two files, DWVW SpeechBrain cannot read either.
PAIRS = [
    (kind, subtype)
    for kind in soundfile.available_formats()
    for subtype in soundfile.available_subtypes(kind)
    if kind not in ("RAW", "SD2") and not subtype.startswith("DWVW")
]
# What libsndfile reads only.
UNWRITABLE = {
    ("MP3", "MPEG_LAYER_I"),
    ("MP3", "MPEG_LAYER_II"),
    ("WAV", "MPEG_LAYER_III"),
}
RATE = 16000


def sound(samples, channels):
    """A tone in noise."""
    tone = 0.3 * np.sin(np.arange(samples) * 0.05)
    noise = np.random.default_rng(0).normal(0, 0.05, (samples, channels))
    return tone[:, None] * [1, -0.5][:channels] + noise


def write(path, kind, subtype, samples=40000):
    """In stereo, or in mono where it must be; at any rate that is taken."""
    for channels, rate in (2, RATE), (1, RATE), (1, 8000):
        wave = sound(samples, channels)
        try:
            soundfile.write(path, wave, rate, subtype, format=kind)
        except (soundfile.SoundFileError, ValueError):
            continue
        return
    pytest.fail(f"libsndfile does not write {kind}, {subtype}")


def load(path):
    """What the runner reads, and what it warns of."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with open_file(path) as (rate, chunks):
            samples = np.concatenate([*chunks])
    return samples, rate, [str(warning.message) for warning in told]


def load_from_pipe(content, sample_rate=None):
    """The same from a pipe."""
    stream = io.BufferedReader(io.BytesIO(content))
    with open_pipe(stream, sample_rate) as (rate, chunks):
        return np.concatenate([*chunks]), rate


def check(path):
    """SpeechBrain's samples, bit for bit, here and where models are trained."""
    expected, expected_rate = audio_io.load(path, channels_first=False)
    found, rate, told = load(path)
    assert rate == expected_rate
    np.testing.assert_array_equal(found, expected.numpy())
    assert torch.equal(read(path, sample_rate=rate), expected.mean(1))
    return found, rate, told


@pytest.mark.parametrize(
    "kind, subtype", [pair for pair in PAIRS if pair not in UNWRITABLE]
)
def test_all_that_libsndfile_writes(tmp_path, kind, subtype):
    """From a file and from a pipe."""
    path = tmp_path / f"a.{kind.lower()}"
    write(path, kind, subtype)
    found, rate, told = check(path)
    assert len(found) >= 40000 and told == []
    if kind not in WITHOUT_SIGNATURE:
        samples, piped_rate = load_from_pipe(path.read_bytes(), 8000)
        assert piped_rate == rate
        np.testing.assert_array_equal(samples, found)


def test_big_endian_wav(tmp_path):
    """RIFX is no RIFF."""
    path = tmp_path / "a.wav"
    wave = sound(1000, 2)
    soundfile.write(path, wave, RATE, "PCM_16", endian="BIG", format="WAV")
    content = path.read_bytes()
    assert content[:4] == b"RIFX"
    found, _, _ = check(path)
    assert np.abs(found - wave).max() < 1e-4
    np.testing.assert_array_equal(load_from_pipe(content, 8000)[0], found)


def mp3(tmp_path, rate=44100):
    """An MP3 of 160000 samples, as bytes."""
    path = tmp_path / "whole.mp3"
    soundfile.write(path, sound(160000, 2), rate)
    return path.read_bytes()


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_cut_off_mp3(tmp_path, rate):
    """Gives what is there; soundfile's loop gave what lay in its buffer."""
    content = mp3(tmp_path, rate)
    path = tmp_path / "a.mp3"
    path.write_bytes(content[: len(content) // 2])
    found, _, told = check(path)
    assert 70000 < len(found) < 80000
    assert told == [
        f"{path} is cut off: {len(found)} of 160000 samples are there, and "
        "used."
    ]
    path.write_bytes(content)
    assert check(path)[2] == []


def test_mp3_in_wav(tmp_path):
    """Whole, and cut off."""
    content = mp3(tmp_path)
    described = struct.pack("<HHIIHH", 0x55, 2, 44100, 16000, 1, 0)
    described += struct.pack("<HHIHHH", 12, 1, 2, 417, 1, 0)
    head = b"WAVEfmt " + struct.pack("<I", len(described)) + described
    head += b"data" + struct.pack("<I", len(content))
    path = tmp_path / "a.wav"
    for part in content, content[: len(content) // 2]:
        size = struct.pack("<I", len(head) + len(part))
        path.write_bytes(b"RIFF" + size + head + part)
        found, _, told = check(path)
        assert (len(found) == 160000) == (part is content) == (told == [])
        with warnings.catch_warnings(record=True):
            piped, _ = load_from_pipe(path.read_bytes())
        np.testing.assert_array_equal(piped, found)


@pytest.mark.parametrize("seed, there", [(2, 2304), (9, 1152), (3, None)])
def test_bare_samples_that_look_like_mpeg(tmp_path, seed, there):
    """libsndfile takes some for MPEG, of which it then finds two frames."""
    random = np.random.default_rng(seed)
    noise = (random.standard_normal(20000) * 3000).astype(">i2")
    content = b"\xff\xfb\x90\x00" + noise.tobytes()
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    if there is None:
        with pytest.raises(UnusableAudio, match="cannot be decoded"):
            load(path)
    else:
        found, _, told = check(path)
        assert len(found) == there and len(told) == 1
    # From a pipe they are what they are said to be.
    samples, rate = load_from_pipe(content, RATE)
    assert rate == RATE and len(samples) == 20002


FOREIGN = {
    "MPEG-4 (m4a, mp4)": bytes.fromhex("00000020") + b"ftypM4A isom",
    "Matroska or WebM": bytes.fromhex("1a45dfa39f428681"),
    "ASF (wma)": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    "AAC": bytes.fromhex("fff15080025ffc21170000") + bytes(7),
    "AMR": b"#!AMR\n",
    "BW64": b"BW64\xff\xff\xff\xffWAVEds64",
    "WavPack": b"wvpk",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_nobody_reads_is_refused_by_name(tmp_path, name):
    """From a file, and from a pipe, where it was taken for bare samples."""
    content = (FOREIGN[name] * 100)[:1900] if name == "AAC" else FOREIGN[name]
    content = content.ljust(40, b"\0")
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    for load_it in (load, load_from_pipe):
        with pytest.raises(UnusableAudio) as refused:
            load_it(path if load_it is load else content)
        assert f"it is {name}, which cannot be read: convert it: ffmpeg" in str(
            refused.value
        )


def test_bare_samples_are_no_kind():
    """Noise, silence, and what begins as an MPEG frame does."""
    random = np.random.default_rng(0)
    for _ in range(2000):
        assert name_kind(random.bytes(12)) is None
        assert name_kind(b"\xff\xfb" + random.bytes(4094)) is None
        assert name_kind(b"\xff\xf1" + random.bytes(4094)) is None
    assert name_kind(bytes(4096)) is None
    assert name_kind(b"\xff" * 4096) is None
    with pytest.raises(UnusableAudio, match="no sound of a known kind"):
        load_from_pipe(bytes(100))


@pytest.mark.parametrize("samples", [1000, 1001])
@pytest.mark.parametrize("kind", ["RIFF", "data"])
def test_more_samples_behind_the_first(tmp_path, kind, samples):
    """Two parts, or two files: refused, as SpeechBrain refuses them. (It
    overlooks those behind an odd number of bytes.)
    """
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(samples, 1), RATE, subtype="PCM_U8")
    content = path.read_bytes()
    rest = content if kind == "RIFF" else content[36:]
    content = content[8:] + b"note\3\0\0\0abc\0" + rest
    path.write_bytes(b"RIFF" + struct.pack("<I", len(content)) + content)
    if samples == 1000:
        with pytest.raises(RuntimeError):
            audio_io.load(path)
    says = "several WAV files" if kind == "RIFF" else "more than one part"
    for load_it in (load, load_from_pipe):
        with pytest.raises(UnusableAudio, match=says):
            load_it(path if load_it is load else path.read_bytes())


@pytest.mark.slow
def test_memory_of_a_long_mp3(tmp_path, onnx_folder):
    """Ten minutes, streamed, take no more than one; decoded they are 38 MB."""
    peaks = []
    minute = sound(60 * RATE, 1)
    for minutes in (1, 10):
        path = tmp_path / f"{minutes}.mp3"
        with soundfile.SoundFile(path, "w", RATE, 1) as file:
            for _ in range(minutes):
                file.write(minute)
        peaks.append(peak(onnx_folder, path))
    assert peaks[1] < peaks[0] + 16


def peak(folder, path):
    """MB that the command needs at most, in a process of its own."""
    code = (
        "import sys\n"
        "from speechbrain_hrf.runtime.__main__ import main\n"
        "status = main([*sys.argv[1:], '--stream'])\n"
        "print('STATUS', status, open('/proc/self/status').read())"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "STATUS 0" in process.stdout and process.stdout.count("-60.00 s: ")
    return int(re.search(r"VmHWM:\s+(\d+) kB", process.stdout)[1]) / 1024
