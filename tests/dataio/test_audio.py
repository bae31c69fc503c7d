"""Broken audio files are found; usable ones are read right.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pickle

import numpy as np
import pytest
import soundfile as sf
import torch

from speechbrain_hrf.dataio.audio import read
from speechbrain_hrf.dataio.audio_files import UnusableAudio
from speechbrain_hrf.dataio.probe import AudioInfo, probe, probe_all

# The resampler's own rounding: float32 sums over some 40 filter taps.
TOLERANCE = 1e-6


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
    (only_header, "a.wav", "truncated"),
    (with_nan, "a.wav", "NaN"),
    (with_infinity, "a.wav", "infinite"),
    (length_unknown, "a.flac", "no length"),
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


# WAV that ends early decodes to what is there, so only probe can tell.
UNREADABLE = [case for case in BROKEN if case[0] != samples_cut]


@pytest.mark.parametrize(
    "make, name",
    [(make, name) for make, name, _ in UNREADABLE] + [(samples_cut, "a.flac")],
)
def test_read_names_the_file(tmp_path, make, name):
    path = tmp_path / name
    make(path)
    with pytest.raises(UnusableAudio) as caught:
        read(path)
    assert caught.value.path == str(path)
    assert str(path) not in caught.value.reason
    # The NaN is in the middle, so that a part may be free of it.
    if make is not with_nan:
        with pytest.raises(UnusableAudio):
            read(path, start=0.9, stop=1.5)


def test_damage_in_the_middle_of_flac_is_named_when_read(tmp_path):
    path = tmp_path / "a.flac"
    sf.write(path, noise(), 16000)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\x11" * 2000
    path.write_bytes(content)
    with pytest.raises(UnusableAudio, match="cannot be decoded"):
        read(path)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    "name, subtype", [("a.wav", "PCM_16"), ("a.flac", None), ("b.wav", "FLOAT")]
)
def test_usable_files_are_accepted_and_converted(
    tmp_path, rate, channels, name, subtype
):
    path = tmp_path / name
    sf.write(path, noise(0.5, rate, channels), rate, subtype=subtype)
    assert probe(path) == AudioInfo(0.5, rate, channels)
    wave = read(path)
    assert wave.shape == (8000,) and wave.dtype == torch.float32


def test_silence_is_usable(tmp_path):
    path = tmp_path / "a.wav"
    sf.write(path, np.zeros(800), 16000)
    assert probe(path).duration == 0.05
    assert read(path).abs().max() == 0


def test_one_sample_is_usable(tmp_path):
    for name in "a.wav", "a.flac":
        sf.write(tmp_path / name, noise(1 / 16000), 16000)
        assert probe(tmp_path / name).duration == 1 / 16000
        assert len(read(tmp_path / name)) == 1


def test_wav_of_unannounced_length_is_whole(tmp_path):
    # Programs that write WAV to a pipe put in the largest possible length.
    path = tmp_path / "a.wav"
    sf.write(path, noise(), 16000)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\xff" * 4
    path.write_bytes(content)
    assert probe(path).duration == 1.0


def test_stereo_is_averaged(tmp_path):
    path = tmp_path / "a.wav"
    samples = noise(0.1, 16000, 2)
    sf.write(path, samples, 16000, subtype="FLOAT")
    mean = torch.tensor(samples.mean(1), dtype=torch.float32)
    assert (read(path) - mean).abs().max() < TOLERANCE


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_resampling_keeps_a_tone(tmp_path, rate):
    path = tmp_path / "a.wav"
    time = np.arange(rate) / rate
    sf.write(path, 0.5 * np.sin(2 * np.pi * 440 * time), rate, "FLOAT")
    time = torch.arange(16000) / 16000
    expected = 0.5 * torch.sin(2 * torch.pi * 440 * time)
    inner = slice(100, -100)  # the ends ring
    assert (read(path) - expected)[inner].abs().max() < 2e-3


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize(
    "start, stop",
    [
        (0, 0.7),
        (0.5, 1.23456),
        (0.001, 0.002),
        (1.0001, 1.0005),
        (1.9, None),
        (1.5, 9),
        (0, None),
    ],
)
def test_a_part_is_cut_from_the_resampled_whole(tmp_path, rate, start, stop):
    path = tmp_path / "a.flac"
    sf.write(path, noise(2, rate, 2), rate)
    whole = read(path)
    begin = int(start * 16000 + 0.5)
    end = None if stop is None else int(stop * 16000 + 0.5)
    part = read(path, start, stop)
    assert part.shape == whole[begin:end].shape
    assert (part - whole[begin:end]).abs().max() < TOLERANCE


def test_parts_that_abut_give_the_whole(tmp_path):
    path = tmp_path / "a.wav"
    sf.write(path, noise(2, 44100), 44100)
    times = [0, 0.333333, 0.8, 1.00003, 1.7, None]
    parts = [
        read(path, start, stop)
        for start, stop in zip(times, times[1:], strict=False)
    ]
    difference = torch.cat(parts) - read(path)
    assert difference.abs().max() < TOLERANCE


def test_a_part_decodes_no_more_than_it_needs(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    sf.write(path, noise(20, 48000), 48000)
    decoded = []
    decode = sf.SoundFile.read

    def spy(file, *args, **kwargs):
        wave = decode(file, *args, **kwargs)
        decoded.append(len(wave) / file.samplerate)
        return wave

    monkeypatch.setattr(sf.SoundFile, "read", spy)
    assert len(read(path, 10, 11)) == 16000
    assert decoded[0] < 1.1


@pytest.mark.parametrize("start, stop", [(-1, None), (1, 1), (2, 1)])
def test_impossible_parts_are_refused(tmp_path, start, stop):
    with pytest.raises(ValueError, match="start must be 0 or more"):
        read(tmp_path / "a.wav", start, stop)


def test_a_part_past_the_end_is_refused(tmp_path):
    path = tmp_path / "a.wav"
    sf.write(path, noise(1), 16000)
    with pytest.raises(UnusableAudio, match=r"lasts 1\.000 s"):
        read(path, start=1.0)


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


@pytest.mark.parametrize("share", [-0.1, 1.5, 5, "0.1", None, True])
def test_the_share_is_a_share(share):
    with pytest.raises(ValueError, match="max_unusable"):
        probe_all({}, max_unusable=share)


def test_no_files_at_all():
    assert probe_all({}) == ({}, {})


def test_headers_are_quick(tmp_path):
    # 10,000 files in a minute would be 6 ms each. Long files show that their
    # samples are not read; one is probed again and again.
    path = tmp_path / "a.flac"
    sf.write(path, noise(60), 16000)
    infos, _ = probe_all({str(index): path for index in range(100)})
    assert len(infos) == 100
    assert infos["0"].duration == 60
