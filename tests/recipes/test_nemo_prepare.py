"""nEMO is prepared by speaker, whole or in part, and again when it changed.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import logging
import os

import numpy as np
import pytest
import soundfile as sf
from preparers import load_manifests, load_preparer

from speechbrain_hrf.dataio.audio import read
from speechbrain_hrf.dataio.synthetic import make_corpus

prepare = load_preparer("nEMO")
prepare_nemo = prepare.prepare_nemo

SPEAKERS = ["EB0", "IC0", "KD0", "KS0", "MK0", "MP0", "SM0", "TP0", "WR0"]
# Recordings of the whole corpus, and of its half with odd sentence numbers.
COUNTS = dict.fromkeys(SPEAKERS, 539) | {
    **dict.fromkeys(("IC0", "KD0", "KS0"), 540),
    **{"SM0": 538, "MK0": 450, "MP0": 256},
}
HALF = dict.fromkeys(SPEAKERS, 269) | {
    **dict.fromkeys(("EB0", "IC0", "KD0", "KS0"), 270),
    **{"MK0": 225, "MP0": 123},
}


def names(speaker):
    """As many of a speaker's names as the corpus has."""
    emotions = [
        emotion
        for emotion in prepare.EMOTIONS
        if (speaker, emotion) != ("MK0", "surprised")
    ]
    every = [f"{speaker}_{e}_{n}" for n in range(1, 91) for e in emotions]
    return every[: COUNTS[speaker]]


def table(rows, header="file_id\temotion\traw_text\tspeaker_id"):
    """data.tsv in the corpus's manner: .wav names, blanks, quotation marks."""
    lines = [header]
    for name in rows:
        speaker, emotion, sentence = name.split("_")
        text = f'"Zdanie {sentence}'
        lines.append(f"{name}.wav\t{emotion}\t{text}\t        {speaker}")
    return "\n".join(lines) + "\n"


def fill(folder, samples="samples", end=".wav", taken=None, listed=True):
    """The corpus's files, all links to one that is short, and data.tsv."""
    one = folder / f"one{end}.source"
    (folder / samples).mkdir(parents=True, exist_ok=True)
    sf.write(one, np.zeros(120), 24000, format=end[1:].upper())
    every = [name for speaker in SPEAKERS for name in names(speaker)]
    for name in every if taken is None else filter(taken, every):
        os.link(one, folder / samples / f"{name}{end}")
    if listed:
        place = (folder / samples).parent if samples else folder
        (place / "data.tsv").write_text(table(reversed(every)), "utf-8")
    return folder


def first_sentences(name):
    """Of a corpus that is small enough to be changed in each test."""
    return int(name.rpartition("_")[2]) <= 2


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """4481 files in the original's layout."""
    return fill(tmp_path_factory.mktemp("nemo"))


@pytest.fixture
def some(tmp_path):
    return fill(tmp_path / "data", taken=first_sentences)


@pytest.fixture(autouse=True)
def log_everything(caplog):
    caplog.set_level(logging.INFO)


def speakers_of(entries):
    return {entry["speaker"] for entry in entries.values()}


@pytest.mark.parametrize("fold", range(1, 10))
def test_paper_protocol(whole, tmp_path, fold, caplog):
    prepare_nemo(whole, tmp_path, fold=fold)
    manifests = load_manifests(tmp_path)
    speaker = SPEAKERS[fold - 1]
    assert {name: len(part) for name, part in manifests.items()} == {
        "train": 4481 - COUNTS[speaker],
        "test": COUNTS[speaker],
    }
    assert speakers_of(manifests["test"]) == {speaker}
    assert speakers_of(manifests["train"]) == {*SPEAKERS} - {speaker}
    assert "data.tsv lists 4481 recordings, 4481 of them are" in caplog.text
    assert f"test: {speaker}\n" in caplog.text
    assert not any(record.levelname != "INFO" for record in caplog.records)


@pytest.mark.parametrize("fold, valid", [(1, "IC0"), (4, "MK0"), (9, "EB0")])
def test_held_out_protocol(whole, tmp_path, fold, valid, caplog):
    prepare_nemo(whole, tmp_path, fold=fold, protocol="held_out")
    manifests = load_manifests(tmp_path)
    test = SPEAKERS[fold - 1]
    assert speakers_of(manifests["valid"]) == {valid}
    assert speakers_of(manifests["test"]) == {test}
    assert speakers_of(manifests["train"]) == {*SPEAKERS} - {test, valid}
    assert sum(map(len, manifests.values())) == 4481
    assert f"valid: {valid}\n" in caplog.text


def test_a_test_set_may_lack_a_class(whole, tmp_path):
    """MK0 is never surprised; the training set has all six emotions."""
    prepare_nemo(whole, tmp_path, fold=1 + SPEAKERS.index("MK0"))
    emotions = {
        split: {entry["emo"] for entry in entries.values()}
        for split, entries in load_manifests(tmp_path).items()
    }
    assert emotions["test"] == {*prepare.EMOTIONS} - {"surprised"}
    assert emotions["train"] == {*prepare.EMOTIONS}


def test_an_entry(whole, tmp_path):
    prepare_nemo(whole, tmp_path, fold=9)
    assert load_manifests(tmp_path)["test"]["WR0_surprised_64"] == {
        "wav": "{data_root}/samples/WR0_surprised_64.wav",
        "duration": 0.005,
        "emo": "surprised",
        "speaker": "WR0",
        "sentence": 64,
    }


def test_the_order_of_emotions_and_speakers():
    assert prepare.EMOTIONS == [
        *("neutral", "anger", "fear"),
        *("happiness", "sadness", "surprised"),
    ]
    assert list(prepare.SPEAKERS) == SPEAKERS
    assert prepare.SPEAKERS == COUNTS and sum(COUNTS.values()) == 4481


LAYOUTS = [
    ("samples", ".flac", ""),
    ("nEMO-main/samples", ".wav", ""),  # the folder above it
    ("samples", ".wav", "samples"),  # the folder of files itself
    ("", ".WAV", ""),  # all in one folder
]


@pytest.mark.parametrize("samples, end, given", LAYOUTS)
def test_layouts(tmp_path, samples, end, given, caplog):
    fill(tmp_path / "data", samples, end, first_sentences)
    data = tmp_path / "data" / given
    prepare_nemo(data, tmp_path / "m")
    manifests = load_manifests(tmp_path / "m")
    assert len(manifests["test"]) == 12 and len(manifests["train"]) == 94
    assert "data.tsv lists 4481" in caplog.text
    for entry in manifests["test"].values():
        path = entry["wav"].replace("{data_root}", str(data))
        assert os.path.isfile(path)


@pytest.mark.parametrize("remainder, which", [(1, "odd"), (0, "even")])
def test_half_of_the_corpus_is_taken_and_named(
    tmp_path, remainder, which, caplog
):
    data = fill(
        tmp_path / "data",
        end=".flac",
        taken=lambda name: int(name.rpartition("_")[2]) % 2 == remainder,
    )
    prepare_nemo(data, tmp_path / "m")
    found = sum(map(len, load_manifests(tmp_path / "m").values()))
    expected = f"data.tsv lists 4481 recordings, {found} of them are there"
    assert f"{expected}, those with {which} sentence numbers" in caplog.text
    assert "MK0 225 of 450" in caplog.text


def test_any_part_of_the_corpus_is_taken_and_named(some, tmp_path, caplog):
    prepare_nemo(some, tmp_path / "m")
    assert "lists 4481 recordings, 106 of them are there:" in caplog.text
    assert "EB0 12 of 539" in caplog.text and "MK0 10 of 450" in caplog.text
    assert "sentence numbers only" not in caplog.text


def test_without_a_table_names_are_enough(some, tmp_path, caplog):
    prepare_nemo(some, tmp_path / "1")
    (some / "data.tsv").unlink()
    caplog.clear()
    prepare_nemo(some, tmp_path / "2")
    assert load_manifests(tmp_path / "1") == load_manifests(tmp_path / "2")
    assert "there is no data.tsv: labels are from file names" in caplog.text
    assert "whole corpus has 4481 recordings, 106 of them" in caplog.text


@pytest.mark.parametrize(
    "old, new, there",
    [
        ("\tfear\t", "\tanger\t", "there: KD0, anger"),
        ("        KD0", "        EB0", "there: EB0, fear"),
    ],
)
def test_a_contradiction_is_an_error(some, tmp_path, old, new, there):
    path = some / "data.tsv"
    lines = path.read_text("utf-8").splitlines()
    (number,) = [i for i, x in enumerate(lines) if x.startswith("KD0_fear_2.")]
    assert old in lines[number]
    lines[number] = lines[number].replace(old, new)
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(ValueError, match="contradicts") as caught:
        prepare_nemo(some, tmp_path / "m")
    assert f"KD0_fear_2 ({there})" in str(caught.value)
    assert "rename the file or restore" in str(caught.value)
    assert not (tmp_path / "m").exists()


def test_a_second_row_that_contradicts_is_noticed(some, tmp_path):
    with open(some / "data.tsv", "a", encoding="utf-8") as file:
        file.write("KD0_fear_2.wav\tsadness\tZdanie\tKD0\n")
    with pytest.raises(ValueError, match=r"KD0_fear_2 \(there: KD0, sadness"):
        prepare_nemo(some, tmp_path / "m")


def test_a_contradiction_about_an_absent_file_is_none(some, tmp_path):
    with open(some / "data.tsv", "a", encoding="utf-8") as file:
        file.write("KD0_fear_3.wav\tsadness\tZdanie\tKD0\n")
    prepare_nemo(some, tmp_path / "m")


def test_files_that_are_not_listed_are_left_out(some, tmp_path, caplog):
    path = some / "data.tsv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("EB0_anger_1.")]
    path.write_text("".join(kept), "utf-8")
    prepare_nemo(some, tmp_path / "m")
    assert len(load_manifests(tmp_path / "m")["test"]) == 11
    assert "1 files are left out, data.tsv does not list them: EB0_anger_1" in (
        caplog.text
    )
    assert "lists 4480 recordings (the whole corpus has 4481)" in caplog.text


@pytest.mark.parametrize(
    "content, message",
    [
        (b"path\temotion\n", "no column file_id, speaker_id"),
        (b"", "no column file_id, emotion, speaker_id"),
        (b"file_id\temotion\tspeaker_id\nEB0_fear_1.wav\tfear\n", "line 2"),
        ("file_id\temotion\tspeaker_id\tż\n".encode("cp1250"), "not UTF-8"),
    ],
)
def test_a_table_that_cannot_be_understood(some, tmp_path, content, message):
    (some / "data.tsv").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        prepare_nemo(some, tmp_path / "m")
    assert "data.tsv" in str(caught.value) and "Restore" in str(caught.value)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("absent", [["MP0"], ["EB0", "WR0"]])
def test_an_absent_speaker_is_refused_by_name(some, tmp_path, absent):
    for name in absent:
        for path in some.glob(f"samples/{name}_*"):
            path.unlink()
    named = f"no file of the nEMO speakers? {', '.join(absent)}:"
    with pytest.raises(ValueError, match=named):
        prepare_nemo(some, tmp_path / "m", fold=3)
    assert not (tmp_path / "m").exists()


def test_a_speaker_without_usable_audio_is_refused(some, tmp_path):
    for path in some.glob("samples/MP0_*"):
        path.unlink()
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="no usable file of .* speaker MP0:"):
        prepare_nemo(some, tmp_path / "m", max_unusable=0.5)
    assert not (tmp_path / "m").exists()


def test_what_is_no_recording_is_passed_over(some, caplog):
    before = prepare.find_files(some)
    source = some / "one.wav.source"
    os.link(source, some / "samples" / "._EB0_anger_3.wav")  # AppleDouble
    (some / "LICENSE").write_text("licence")
    caplog.clear()
    assert prepare.find_files(some) == before
    assert not caplog.records

    others = ["notes", "EB0_angry_3", "AB0_anger_3", "EB0_anger_91"]
    others += ["EB0_anger_03", "EB0_anger", "EB0_anger_3_b"]
    for name in others:
        os.link(source, some / "samples" / f"{name}.wav")
    assert prepare.find_files(some) == before
    assert all(f"{name}.wav" in caplog.text for name in others)
    assert "7 audio files are left out" in caplog.text


def test_copies_of_a_file_are_taken_once(some, caplog):
    before = prepare.find_files(some)
    os.link(some / "one.wav.source", some / "samples" / "EB0_fear_2.WAV")
    (some / "zzz").mkdir()
    os.link(some / "one.wav.source", some / "zzz" / "EB0_fear_1.wav")
    assert list(prepare.find_files(some)) == list(before)
    assert "2 files have the name of another one" in caplog.text


def test_wrong_folders_are_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match="No folder .*Expected"):
        prepare_nemo(tmp_path / "nowhere", tmp_path / "m")
    (tmp_path / "data").mkdir()
    with pytest.raises(FileNotFoundError, match="Found: an empty folder"):
        prepare_nemo(tmp_path / "data", tmp_path / "m")
    (tmp_path / "data" / "Actor_01").mkdir()
    with pytest.raises(FileNotFoundError, match="Found: Actor_01") as caught:
        prepare_nemo(tmp_path / "data", tmp_path / "m")
    assert "EB0_anger_1.wav" in str(caught.value)
    assert "github.com/amu-cai/nEMO" in str(caught.value)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"fold": 0}, "a whole number, 1 to 9, not 0"),
        ({"fold": 10}, "a whole number, 1 to 9, not 10"),
        ({"fold": "EB0"}, "1 to 9, not 'EB0'"),
        ({"protocol": "random"}, "paper, held_out, not 'random'"),
        ({"max_unusable": 2}, "max_unusable"),
    ],
)
def test_options_out_of_range(some, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        prepare_nemo(some, tmp_path / "m", **options)
    assert not (tmp_path / "m").exists()


def test_unreadable_files(some, tmp_path, caplog):
    bad = some / "samples" / "EB0_anger_1.wav"
    bad.unlink()
    bad.write_bytes(b"")
    with pytest.raises(ValueError, match="max_unusable=0.001") as caught:
        prepare_nemo(some, tmp_path / "m", max_unusable=0.001)
    assert str(bad) in str(caught.value)
    assert not (tmp_path / "m").exists()

    prepare_nemo(some, tmp_path / "m")
    assert len(load_manifests(tmp_path / "m")["test"]) == 11
    assert "1 of 106 nEMO files (0.94%)" in caplog.text


def test_prepared_again_only_when_something_changed(some, tmp_path, caplog):
    def run(**options):
        caplog.clear()
        prepare_nemo(some, tmp_path / "m", **options)
        return caplog.text

    assert "because there are none yet" in run()
    assert "are current" in run()
    assert "protocol: 'paper' -> 'held_out'" in run(protocol="held_out")
    assert "valid" in load_manifests(tmp_path / "m")
    assert "protocol: 'held_out' -> 'paper'" in run()
    assert "valid" not in load_manifests(tmp_path / "m")
    assert "fold: 1 -> 2" in run(fold=2)
    (some / "samples" / "KD0_fear_1.wav").unlink()
    assert "because the data changed" in run(fold=2)
    with open(some / "data.tsv", "a", encoding="utf-8") as file:
        file.write("KD0_fear_1.wav\tfear\tZdanie\tKD0\n")
    assert "because the data changed" in run(fold=2)
    assert "are current" in run(fold=2)


def test_the_stand_in(tmp_path, tmp_path_factory, caplog):
    root = make_corpus("nEMO", tmp_path_factory.getbasetemp())
    prepare_nemo(root, tmp_path / "m", fold=4, protocol="held_out")
    manifests = load_manifests(tmp_path / "m")
    sizes = {name: len(part) for name, part in manifests.items()}
    assert sizes == {"train": 195, "valid": 25, "test": 30}
    assert not any(record.levelname != "INFO" for record in caplog.records)
    for entry in list(manifests["test"].values())[:10]:  # 24 kHz
        wave = read(entry["wav"].replace("{data_root}", str(root)))
        assert len(wave) == pytest.approx(entry["duration"] * 16000, abs=1)


def test_real_files(nemo_folder, tmp_path):
    prepare_nemo(nemo_folder, tmp_path, fold=5, protocol="held_out")
    manifests = load_manifests(tmp_path)
    assert speakers_of(manifests["test"]) == {"MK0"}
    assert speakers_of(manifests["valid"]) == {"MP0"}
    entry = manifests["test"]["MK0_anger_1"]
    assert entry["emo"] == "anger" and entry["sentence"] == 1
    wave = read(entry["wav"].replace("{data_root}", str(nemo_folder)))
    assert len(wave) == pytest.approx(entry["duration"] * 16000, abs=1)


@pytest.mark.parametrize("fold", range(1, 10))
def test_counts_of_real_files(nemo_folder, tmp_path, fold, caplog):
    """Of the whole corpus, or of its half with odd sentence numbers."""
    prepare_nemo(nemo_folder, tmp_path, fold=fold)
    manifests = load_manifests(tmp_path)
    there = sum(map(len, manifests.values()))
    expected = {4481: COUNTS, 2235: HALF}[there]
    speaker = SPEAKERS[fold - 1]
    assert len(manifests["test"]) == expected[speaker]
    assert f"lists 4481 recordings, {there} of them are there" in caplog.text
    emotions = collections.Counter(
        entry["emo"] for part in manifests.values() for entry in part.values()
    )
    counts = {2235: [404, 371, 370, 376, 383, 331]}
    counts[4481] = [809, 749, 736, 749, 769, 669]
    assert [emotions[emotion] for emotion in prepare.EMOTIONS] == counts[there]
