"""RAVDESS is prepared by actor, from any layout, and again when it changed.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import logging
import os
import shutil

import numpy as np
import pytest
import soundfile as sf
from preparers import load_manifests, load_preparer

from speechbrain_hrf.dataio.audio import read
from speechbrain_hrf.dataio.synthetic import make_corpus

prepare = load_preparer("RAVDESS")
prepare_ravdess = prepare.prepare_ravdess

ALL_ACTORS = range(1, 25)


def fill(folder, name="Actor_{actor:02d}", actors=ALL_ACTORS, end=".wav"):
    """All 60 files of each actor: links to one that is short."""
    one = folder / f"one{end}.source"
    folder.mkdir(parents=True, exist_ok=True)
    sf.write(one, np.zeros(80), 16000, format=end[1:].upper())
    for actor in actors:
        target = folder / name.format(actor=actor)
        target.mkdir(parents=True, exist_ok=True)
        for file in names(actor):
            os.link(one, target / f"{file}{end}")
    return folder


def names(actor):
    """60 names: neutral has one intensity, the other emotions two."""
    for emotion in range(1, 9):
        for intensity in (1, 2) if emotion > 1 else (1,):
            for statement in 1, 2:
                for repetition in 1, 2:
                    codes = (emotion, intensity, statement, repetition, actor)
                    rest = "-".join(f"{code:02d}" for code in codes)
                    yield f"03-01-{rest}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """1440 files in the original's layout."""
    return fill(tmp_path_factory.mktemp("ravdess"))


@pytest.fixture
def some(tmp_path):
    """The same of a few actors, small enough to be changed in each test."""
    return fill(tmp_path / "data", actors=(1, 2, 3, 4, 5, 9))


@pytest.fixture(autouse=True)
def log_everything(caplog):
    caplog.set_level(logging.INFO)


def actors_of(entries):
    return {entry["actor"] for entry in entries.values()}


@pytest.mark.parametrize("fold", range(1, 7))
def test_paper_protocol(whole, tmp_path, fold, caplog):
    prepare_ravdess(whole, tmp_path, fold=fold)
    manifests = load_manifests(tmp_path)
    assert {name: len(part) for name, part in manifests.items()} == {
        "train": 1200,
        "test": 240,
    }
    test = set(range(4 * fold - 3, 4 * fold + 1))
    assert actors_of(manifests["test"]) == test
    assert sum(actor % 2 for actor in test) == 2  # two men, two women
    assert actors_of(manifests["train"]) == set(ALL_ACTORS) - test
    counts = collections.Counter(
        entry["emo"] for part in manifests.values() for entry in part.values()
    )
    assert counts == {
        emotion: 96 if emotion == "neutral" else 192
        for emotion in prepare.EMOTIONS
    }
    assert "1200" in caplog.text and "surprised" in caplog.text
    assert not any(record.levelname != "INFO" for record in caplog.records)


@pytest.mark.parametrize("fold, valid", [(1, {5, 6, 7, 8}), (6, {1, 2, 3, 4})])
def test_held_out_protocol(whole, tmp_path, fold, valid):
    prepare_ravdess(whole, tmp_path, fold=fold, protocol="held_out")
    manifests = load_manifests(tmp_path)
    test = set(range(4 * fold - 3, 4 * fold + 1))
    assert actors_of(manifests["valid"]) == valid
    assert actors_of(manifests["test"]) == test
    assert actors_of(manifests["train"]) == set(ALL_ACTORS) - test - valid
    assert len(manifests["train"]) == 960


def test_an_entry(whole, tmp_path):
    prepare_ravdess(whole, tmp_path, fold=3)
    assert load_manifests(tmp_path)["test"]["03-01-06-01-02-01-12"] == {
        "wav": "{data_root}/Actor_12/03-01-06-01-02-01-12.wav",
        "duration": 0.005,
        "emo": "fearful",
        "speaker": "12",
        "actor": 12,
    }


def test_emotions_follow_the_codes():
    assert prepare.EMOTIONS == [
        *("neutral", "calm", "happy", "sad"),
        *("angry", "fearful", "disgust", "surprised"),
    ]


LAYOUTS = [
    ("Actor_{actor:02d}", ".flac"),
    ("Audio_Speech_Actors_01-24/Actor_{actor:02d}", ".wav"),
    ("", ".wav"),  # unpacked into one folder
    ("RAVDESS/Audio_Speech_Actors_01-24/Actor_{actor:02d}", ".WAV"),
]


@pytest.mark.parametrize("name, end", LAYOUTS)
def test_layouts(tmp_path, name, end):
    data = fill(tmp_path / "data", name, actors=range(1, 7), end=end)
    prepare_ravdess(data, tmp_path / "m")
    manifests = load_manifests(tmp_path / "m")
    assert len(manifests["test"]) == 240 and len(manifests["train"]) == 120
    for entry in manifests["test"].values():
        path = entry["wav"].replace("{data_root}", str(data))
        assert os.path.isfile(path)


def test_what_is_no_speech_recording_is_passed_over(some, tmp_path, caplog):
    before = prepare.find_files(some)
    source = some / "one.wav.source"
    for name in (
        "Actor_01/03-02-03-01-01-01-01.wav",  # song
        "Actor_01/02-01-03-01-01-01-01.wav",  # the sound of a video
        "Actor_01/._03-01-03-01-01-01-01.wav",  # AppleDouble
    ):
        os.link(source, some / name)
    (some / "Actor_01" / "01-01-03-01-01-01-01.mp4").write_text("video")
    (some / "LICENSE.txt").write_text("licence")
    caplog.clear()
    assert prepare.find_files(some) == before
    assert not caplog.records

    for name in "notes.wav", "03-01-09-01-01-01-01.wav", "03-01-01-01-01.wav":
        os.link(source, some / "Actor_02" / name)
    os.link(source, some / "Actor_02" / "03-01-01-01-01-01-25.wav")
    assert prepare.find_files(some) == before
    for name in "notes.wav", "-09-", "03-01-01-01-01.wav", "-25.wav":
        assert name in caplog.text
    assert "4 audio files are left out" in caplog.text


def test_copies_of_a_file_are_taken_once(some, tmp_path, caplog):
    # One widespread copy of the corpus holds every file twice.
    before = prepare.find_files(some)
    shutil.copytree(some / "Actor_01", some / "again" / "Actor_01")
    assert prepare.find_files(some) == before
    assert "60 files have the name of another one" in caplog.text


def test_missing_actors_are_named(some, tmp_path, caplog):
    (some / "Actor_02" / "03-01-01-01-01-01-02.wav").unlink()
    prepare_ravdess(some, tmp_path / "m")
    assert "359 files, and the whole corpus has 1440" in caplog.text
    assert "no files of actors 06 07 08 10 11" in caplog.text
    assert "actor 02 has 59 files, not 60" in caplog.text
    assert "actor 01" not in caplog.text


def test_a_split_without_files_is_an_error(some, tmp_path):
    with pytest.raises(ValueError, match=r"test set of .*\(fold 4"):
        prepare_ravdess(some, tmp_path / "m", fold=4)
    assert not (tmp_path / "m").exists()


def test_wrong_folders_are_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match="No folder .*Expected"):
        prepare_ravdess(tmp_path / "nowhere", tmp_path / "m")
    (tmp_path / "data").mkdir()
    with pytest.raises(FileNotFoundError, match="Found: an empty folder"):
        prepare_ravdess(tmp_path / "data", tmp_path / "m")
    (tmp_path / "data" / "Session1").mkdir()
    with pytest.raises(FileNotFoundError, match="Found: Session1") as caught:
        prepare_ravdess(tmp_path / "data", tmp_path / "m")
    assert "Actor_01" in str(caught.value) and "zenodo" in str(caught.value)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"fold": 0}, "a whole number, 1 to 6, not 0"),
        ({"fold": 7}, "a whole number, 1 to 6, not 7"),
        ({"protocol": "random"}, "paper, held_out, not 'random'"),
        ({"fold": True}, "1 to 6, not True"),
        ({"fold": 1.0}, "1 to 6, not 1.0"),
        ({"max_unusable": 2}, "max_unusable"),
        ({"max_unusable": "0.1"}, "not '0.1'"),
    ],
)
def test_options_out_of_range(some, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        prepare_ravdess(some, tmp_path / "m", **options)
    assert not (tmp_path / "m").exists()


def test_unreadable_files(some, tmp_path, caplog):
    bad = some / "Actor_01" / "03-01-01-01-01-01-01.wav"
    bad.unlink()
    bad.write_bytes(b"")
    with pytest.raises(ValueError, match="max_unusable=0.001") as caught:
        prepare_ravdess(some, tmp_path / "m", max_unusable=0.001)
    assert str(bad) in str(caught.value)
    assert not (tmp_path / "m").exists()

    prepare_ravdess(some, tmp_path / "m")
    assert len(load_manifests(tmp_path / "m")["test"]) == 239
    assert "1 of 360 RAVDESS files (0.28%)" in caplog.text


def test_prepared_again_only_when_something_changed(some, tmp_path, caplog):
    def run(**options):
        caplog.clear()
        prepare_ravdess(some, tmp_path / "m", **options)
        return caplog.text

    assert "because there are none yet" in run()
    assert "are current" in run()
    assert "protocol: 'paper' -> 'held_out'" in run(protocol="held_out")
    assert "valid" in load_manifests(tmp_path / "m")
    assert "protocol: 'held_out' -> 'paper'" in run()
    assert "valid" not in load_manifests(tmp_path / "m")
    assert "max_unusable: 0.01 -> 0.02" in run(max_unusable=0.02)
    (some / "Actor_03" / "03-01-01-01-01-01-03.wav").unlink()
    assert "because the data changed" in run(max_unusable=0.02)
    (tmp_path / "m" / "test.json").unlink()
    assert "test.json is missing" in run(max_unusable=0.02)
    assert "are current" in run(max_unusable=0.02)


def test_the_order_of_folders_does_not_matter(some, tmp_path, monkeypatch):
    prepare_ravdess(some, tmp_path / "1")
    walk = os.walk

    def backwards(folder, **options):
        for path, subfolders, files in walk(folder, **options):
            subfolders.sort(reverse=True)
            yield path, subfolders, sorted(files, reverse=True)

    monkeypatch.setattr(os, "walk", backwards)
    prepare_ravdess(some, tmp_path / "2")
    for name in "train.json", "test.json", "fingerprint.json":
        first, second = (tmp_path / part / name for part in "12")
        assert first.read_bytes() == second.read_bytes()


def test_the_stand_in(tmp_path, tmp_path_factory, caplog):
    root = make_corpus("RAVDESS", tmp_path_factory.getbasetemp())
    prepare_ravdess(root, tmp_path / "m", fold=1, protocol="held_out")
    manifests = load_manifests(tmp_path / "m")
    sizes = {name: len(part) for name, part in manifests.items()}
    assert sizes == {"train": 160, "valid": 40, "test": 40}
    assert "whole corpus" not in caplog.text
    for entry in list(manifests["test"].values())[:20]:  # actor 1: 48 kHz
        wave = read(entry["wav"].replace("{data_root}", str(root)))
        assert len(wave) == pytest.approx(entry["duration"] * 16000, abs=1)


def test_real_files(ravdess_folder, tmp_path, caplog):
    prepare_ravdess(ravdess_folder, tmp_path, fold=6)
    manifests = load_manifests(tmp_path)
    assert len(manifests["train"]) == 1200 and len(manifests["test"]) == 240
    assert actors_of(manifests["test"]) == {21, 22, 23, 24}
    assert "WARNING" not in caplog.text
    entry = manifests["test"]["03-01-08-02-02-02-24"]
    assert entry["emo"] == "surprised"
    wave = read(entry["wav"].replace("{data_root}", str(ravdess_folder)))
    assert len(wave) == round(entry["duration"] * 16000)
