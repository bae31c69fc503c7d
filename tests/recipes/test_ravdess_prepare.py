"""RAVDESS is prepared by actor, from any layout.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import os

import numpy as np
import pytest
import soundfile as sf
from preparers import load_manifests, load_preparer

from speechbrain_hrf.dataio.sound.audio import read

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


def actors_of(entries):
    return {entry["actor"] for entry in entries.values()}


def test_the_whole_corpus(whole, tmp_path, caplog):
    """Fold 6 tests on actors 21 to 24; the next one is the first."""
    prepare_ravdess(whole, tmp_path, fold=6, protocol="held_out")
    manifests = load_manifests(tmp_path)
    assert {name: len(part) for name, part in manifests.items()} == {
        "train": 960,
        "valid": 240,
        "test": 240,
    }
    assert actors_of(manifests["test"]) == {21, 22, 23, 24}
    assert actors_of(manifests["valid"]) == {1, 2, 3, 4}
    assert actors_of(manifests["train"]) == set(range(5, 21))
    counts = collections.Counter(
        entry["emo"] for part in manifests.values() for entry in part.values()
    )
    # In the order of the corpus's codes.
    assert prepare.EMOTIONS == [
        *("neutral", "calm", "happy", "sad"),
        *("angry", "fearful", "disgust", "surprised"),
    ]
    assert counts == {
        emotion: 96 if emotion == "neutral" else 192
        for emotion in prepare.EMOTIONS
    }
    assert {record.levelname for record in caplog.records} == {"INFO"}
    assert manifests["test"]["03-01-08-01-02-01-22"] == {
        "wav": "{data_root}/Actor_22/03-01-08-01-02-01-22.wav",
        "duration": 0.005,
        "emo": "surprised",
        "speaker": "22",
        "actor": 22,
    }


LAYOUTS = [
    ("", ".flac"),  # unpacked into one folder
    ("RAVDESS/Audio_Speech_Actors_01-24/Actor_{actor:02d}", ".WAV"),
]


@pytest.mark.parametrize("name, end", LAYOUTS)
def test_layouts_and_missing_files(tmp_path, name, end, caplog):
    data = fill(tmp_path / "data", name, actors=[*range(1, 7), 9], end=end)
    next(data.rglob(f"03-01-01-01-01-01-02{end}")).unlink()
    prepare_ravdess(data, tmp_path / "m")
    manifests = load_manifests(tmp_path / "m")
    assert len(manifests["test"]) == 239 and len(manifests["train"]) == 180
    for entry in manifests["test"].values():
        path = entry["wav"].replace("{data_root}", str(data))
        assert os.path.isfile(path)
    text = "419 files, and the whole corpus has 1440, 60 of each actor: actor"
    assert f"{text} 02 has 59, actor 07 has 0, actor 08 has 0," in caplog.text
    assert "actor 01" not in caplog.text
    with pytest.raises(ValueError, match=r"test set of RAVDESS \(fold 4"):
        prepare_ravdess(data, tmp_path / "n", fold=4)
    assert not (tmp_path / "n").exists()


@pytest.mark.parametrize(
    "name, kind",
    [
        ("03-01-01-01-01-01-01", True),
        ("03-01-08-02-02-02-24", True),
        ("03-02-03-01-01-01-01", False),  # song
        ("02-01-03-01-01-01-01", False),  # a video
        ("notes", None),
        ("03-01-09-01-01-01-01", None),
        ("03-01-11-01-01-01-01", None),
        ("03-01-00-01-01-01-01", None),
        ("03-01-01-01-01-01-25", None),
        ("03-01-01-01-01-01-00", None),
        ("03-01-01-01-01", None),
        ("03-01-01-01-01-01-01 (1)", None),
    ],
)
def test_names_of_speech(name, kind):
    assert prepare.is_speech(name) is kind


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
