"""Broken audio files are found; whole ones, whatever their kind, are usable.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pickle
import socket

import numpy as np
import pytest
import soundfile as sf

from speechbrain_hrf.dataio.sound.audio import read
from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio
from speechbrain_hrf.dataio.sound.probe import AudioInfo, probe, probe_all


def noise(seconds=1.0, rate=16000, channels=1):
    shape = (round(seconds * rate), channels)
    return np.random.default_rng(0).uniform(-0.3, 0.3, shape)


def missing(path):
    pass


def empty(path):
    path.write_bytes(b"")


def no_samples(path):
    sf.write(path, noise(0), 16000)


def text(path):
    path.write_text("This is no audio. " * 50)


def folder(path):
    path.mkdir()


def broken_header(path):
    sf.write(path, noise(), 16000)
    content = path.read_bytes()
    path.write_bytes(content[:12] + b"\xff" * 24 + content[36:])


def header_cut(path):
    sf.write(path, noise(), 16000)
    path.write_bytes(path.read_bytes()[:20])


def samples_cut(path):
    sf.write(path, noise(), 16000)
    path.write_bytes(path.read_bytes()[:-2000])


def only_header(path):
    sf.write(path, noise(), 16000)
    path.write_bytes(path.read_bytes()[:44])


def with_nan(path):
    samples = noise()
    samples[9000] = np.nan
    sf.write(path, samples, 16000, subtype="FLOAT")


def with_infinity(path):
    samples = noise(channels=2)
    samples[-1, 1] = -np.inf
    sf.write(path, samples, 16000, subtype="DOUBLE")


def length_unknown(path):
    # What an encoder leaves that writes FLAC to a pipe.
    sf.write(path, noise(), 16000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)


def rate_1(path):
    sf.write(path, noise(), 16000)
    content = bytearray(path.read_bytes())
    content[24:28] = (1).to_bytes(4, "little")
    path.write_bytes(content)


def recorder_died(path):
    sf.write(path, noise(), 16000)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = bytes(4)
    path.write_bytes(content)


def mp3_cut(path):
    sf.write(path, noise(4), 16000)
    path.write_bytes(path.read_bytes()[:-6000])


def named_pipe(path):
    os.mkfifo(path)


def socket_file(path):
    with socket.socket(socket.AF_UNIX) as server:
        # By a short name: an address may have a hundred characters.
        place = os.open(path.parent, os.O_DIRECTORY)
        server.bind(f"/proc/self/fd/{place}/{path.name}")
        os.close(place)


def device(path):
    path.symlink_to("/dev/zero")


BROKEN = [
    (missing, "a.wav", "missing"),
    (empty, "a.wav", "the file is empty"),
    (empty, "a.flac", "the file is empty"),
    (no_samples, "a.wav", "no samples"),
    (text, "a.wav", "cannot be read as audio"),
    (folder, "a.wav", "folder"),
    (broken_header, "a.wav", "cannot be read as audio"),
    (broken_header, "a.flac", "cannot be read as audio"),
    (header_cut, "a.wav", "cannot be read as audio"),
    (header_cut, "a.flac", "cannot be read as audio"),
    (samples_cut, "a.wav", "truncated"),
    (samples_cut, "a.flac", "truncated"),
    (samples_cut, "a.aiff", "truncated"),
    (samples_cut, "a.au", "truncated"),
    (samples_cut, "a.rf64", "truncated"),
    (samples_cut, "a.svx", "truncated"),
    (samples_cut, "a.w64", "truncated"),
    (only_header, "a.wav", "truncated"),
    (recorder_died, "a.wav", "recorder was cut off"),
    (with_nan, "a.wav", "NaN"),
    (with_infinity, "a.wav", "infinite"),
    (length_unknown, "a.flac", "no length"),
    (rate_1, "a.wav", "1 samples per second, and recordings have 1000"),
    (mp3_cut, "a.mp3", "truncated"),
]
if os.name == "posix":
    BROKEN += [
        (named_pipe, "a.wav", "it is a named pipe, no file"),
        (socket_file, "a.wav", "it is a socket, no file"),
        (device, "a.wav", "it is a device, no file"),
    ]
NAMES = [f"{make.__name__}-{name}" for make, name, _ in BROKEN]


@pytest.mark.parametrize("make, name, reason", BROKEN, ids=NAMES)
def test_probe_names_what_is_wrong(tmp_path, make, name, reason):
    path = tmp_path / name
    make(path)
    with pytest.raises(UnusableAudio, match=reason) as caught:
        probe(path)
    assert caught.value.path == str(path)
    assert str(path) in str(caught.value)
    # The path once, not again inside the reason.
    assert str(path) not in caught.value.reason
    # What there is of an MP3, SpeechBrain takes.
    if make is not mp3_cut:
        with pytest.raises(UnusableAudio):
            read(path)


def test_an_mp3_whose_length_is_an_estimate(tmp_path):
    """Without the first frame, which tells it, it is right to a frame; that
    the last one seems to be cut is no reason to refuse a file.
    """
    path = tmp_path / "a.mp3"
    with sf.SoundFile(
        *(path, "w", 44100, 2, "MPEG_LAYER_III"),
        bitrate_mode="CONSTANT",
        compression_level=0.5,
    ) as file:
        file.write(noise(1, 44100, 2))
    content = path.read_bytes()
    path.write_bytes(content[content.index(content[:3], 4) :])
    assert sf.info(path).frames > len(sf.read(path)[0])
    assert probe(path).sample_rate == 44100


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    "name, subtype", [("a.wav", "PCM_16"), ("a.flac", None), ("b.wav", "FLOAT")]
)
def test_usable_files_are_accepted(tmp_path, rate, channels, name, subtype):
    path = tmp_path / name
    sf.write(path, noise(0.5, rate, channels), rate, subtype=subtype)
    assert probe(path) == AudioInfo(0.5, rate, channels)


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_U8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("kind", ["AIFF", "AU", "RF64", "SVX", "W64", "WAV"])
def test_an_odd_number_of_bytes_is_whole(tmp_path, kind, subtype):
    if not sf.check_format(kind, subtype):
        pytest.skip(f"there is no {kind} of {subtype}")
    path = tmp_path / "a"
    sf.write(path, noise()[:8001], 16000, subtype, format=kind)
    assert probe(path).duration >= 8001 / 16000  # AIFF counts a byte that fills
    assert len(read(path)) >= 8001


def test_one_sample_and_silence_are_usable(tmp_path):
    sf.write(tmp_path / "a.wav", np.zeros(800), 16000)
    assert probe(tmp_path / "a.wav").duration == 0.05
    for name in "a.wav", "a.flac":
        sf.write(tmp_path / name, noise(1 / 16000), 16000)
        assert probe(tmp_path / name).duration == 1 / 16000
        assert len(read(tmp_path / name)) == 1


@pytest.mark.parametrize(
    "name, place, length",
    [
        ("a.wav", 40, b"\xff\xff\xff\xff"),
        ("a.wav", 40, b"\x00\xf0\xff\x7f"),
        ("a.aiff", 42, b"\x7f\x00\x00\x05"),
        ("a.au", 8, b"\xff\xff\xff\xff"),
        ("a.w64", 16, b"\xff" * 8),
    ],
)
def test_unannounced_length_is_whole(tmp_path, name, place, length):
    # Programs that write to a pipe put in the largest possible length.
    path = tmp_path / name
    sf.write(path, noise(), 16000)
    content = bytearray(path.read_bytes())
    content[place : place + len(length)] = length
    path.write_bytes(content)
    assert probe(path).duration == 1.0
    assert len(read(path)) == 16000


def test_the_error_survives_a_worker_process():
    error = pickle.loads(pickle.dumps(UnusableAudio("a.wav", "empty")))
    assert (error.path, error.reason) == ("a.wav", "empty")


@pytest.fixture
def mixed(tmp_path):
    """Nine usable files and one that is empty, in the middle."""
    paths = {}
    for index in range(10):
        path = tmp_path / f"{index}.wav"
        sf.write(path, noise(0.1), 16000)
        paths[f"turn {index}"] = str(path)
    os.truncate(paths["turn 4"], 0)
    return paths


def test_few_unusable_files_are_listed_and_left_out(mixed, caplog):
    infos, unusable = probe_all(mixed, max_unusable=0.1)
    assert list(infos) == [name for name in mixed if name != "turn 4"]
    assert list(unusable) == ["turn 4"]
    assert "empty" in unusable["turn 4"]
    assert f"turn 4: {mixed['turn 4']}: the file is empty" in caplog.text
    assert "1 of 10 turns (10.00%)" in caplog.text


def test_many_unusable_files_stop_the_run(mixed):
    with pytest.raises(ValueError, match="max_unusable is a share"):
        probe_all(mixed, max_unusable="0.1")
    with pytest.raises(ValueError) as caught:
        probe_all(mixed, max_unusable=0.09, what="clips")
    message = str(caught.value)
    for part in (
        "1 of 10 clips (10.00%)",
        "max_unusable=0.09",
        mixed["turn 4"],
        "the file is empty",
    ):
        assert part in message


def test_a_long_list_is_cut_in_the_error_only(tmp_path, caplog):
    paths = {f"t{index}": tmp_path / f"{index}.wav" for index in range(50)}
    with pytest.raises(ValueError, match="and 30 more"):
        probe_all(paths)
    assert all(f"{index}.wav" in caplog.text for index in range(50))


def test_headers_are_quick(tmp_path):
    # 10,000 files in a minute would be 6 ms each. Long files show that their
    # samples are not read; one is probed again and again.
    path = tmp_path / "a.flac"
    sf.write(path, noise(60), 16000)
    infos, _ = probe_all({str(index): path for index in range(100)})
    assert len(infos) == 100
    assert infos["0"].duration == 60


def test_what_is_known_to_be_unusable_counts(mixed):
    known = {"turn 1": "no transcript"}
    infos, unusable = probe_all(mixed, 0.2, known=known)
    assert unusable["turn 1"] == f"{mixed['turn 1']}: no transcript"
    assert len(infos) == 8
    with pytest.raises(ValueError, match="no transcript"):
        probe_all(mixed, 0.1, known=known)
