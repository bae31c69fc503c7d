"""nEMO is prepared by speaker, whole or in part.

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


def speakers_of(entries):
    return {entry["speaker"] for entry in entries.values()}


def test_the_whole_corpus(whole, tmp_path, caplog):
    """MK0, who is never surprised, tests; MP0 is the next one."""
    prepare_nemo(whole, tmp_path, fold=5, protocol="held_out")
    manifests = load_manifests(tmp_path)
    assert speakers_of(manifests["test"]) == {"MK0"}
    assert speakers_of(manifests["valid"]) == {"MP0"}
    assert speakers_of(manifests["train"]) == {*SPEAKERS} - {"MK0", "MP0"}
    assert len(manifests["train"]) == 4481 - COUNTS["MK0"] - COUNTS["MP0"]
    assert len(manifests["test"]) == COUNTS["MK0"]
    # In the order of label indices and of folds.
    assert prepare.EMOTIONS == [
        *("neutral", "anger", "fear"),
        *("happiness", "sadness", "surprised"),
    ]
    assert list(prepare.SPEAKERS.items()) == sorted(COUNTS.items())
    assert manifests["train"]["WR0_surprised_64"] == {
        "wav": "{data_root}/samples/WR0_surprised_64.wav",
        "duration": 0.005,
        "emo": "surprised",
        "speaker": "WR0",
        "sentence": 64,
    }
    assert "data.tsv lists 4481 recordings, 4481 of them are" in caplog.text
    assert "nEMO: valid: MP0\n" in caplog.text
    assert {record.levelname for record in caplog.records} == {"INFO"}


@pytest.mark.parametrize(
    "name, kind",
    [
        ("EB0_anger_1", True),
        ("WR0_surprised_90", True),
        *((x, None) for x in ("notes", "EB0_angry_3", "AB0_anger_3")),
        *((x, None) for x in ("EB0_anger_91", "EB0_anger_03", "EB0_anger")),
        *((x, None) for x in ("EB0_anger_3_b", "EB0_anger_0")),
    ],
)
def test_names_of_recordings(name, kind):
    assert prepare.is_recording(name) is kind


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
    text = "data.tsv lists 4481 recordings, 106 of them are there: "
    assert f"{text}EB0 12 of 539" in caplog.text  # of no parity alone
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


def test_without_a_table_names_are_enough(some, tmp_path, caplog):
    prepare_nemo(some, tmp_path / "1")
    (some / "data.tsv").unlink()
    caplog.clear()
    prepare_nemo(some, tmp_path / "2")
    assert load_manifests(tmp_path / "1") == load_manifests(tmp_path / "2")
    assert "there is no data.tsv: labels are from file names" in caplog.text
    assert "whole corpus has 4481 recordings, 106 of them" in caplog.text


@pytest.mark.parametrize(
    "row, there",
    [
        ("KD0_fear_2.wav\tanger\tZdanie\tKD0", "there: KD0, anger"),
        ("KD0_fear_2.wav\tfear\tZdanie\t EB0", "there: EB0, fear"),
    ],
)
def test_a_contradiction_is_an_error(some, tmp_path, row, there):
    """Of a second row as well, but not about a file that is not there."""
    with open(some / "data.tsv", "a", encoding="utf-8") as file:
        file.write("KD0_fear_3.wav\tsadness\tZdanie\tKD0\n")
    prepare_nemo(some, tmp_path / "before")
    with open(some / "data.tsv", "a", encoding="utf-8") as file:
        file.write(f"{row}\n")
    with pytest.raises(ValueError, match="contradicts") as caught:
        prepare_nemo(some, tmp_path / "m")
    assert f"KD0_fear_2 ({there})" in str(caught.value)
    assert "rename the file or restore" in str(caught.value)
    assert not (tmp_path / "m").exists()


def test_files_that_are_not_listed_are_left_out(some, tmp_path, caplog):
    path = some / "data.tsv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("EB0_anger_1.")]
    path.write_text("".join(kept), "utf-8")
    prepare_nemo(some, tmp_path / "m")
    assert len(load_manifests(tmp_path / "m")["test"]) == 11
    assert "data.tsv does not list them: 1 (EB0_anger_1)" in caplog.text
    assert "lists 4480 recordings (the whole corpus has 4481)" in caplog.text


_TWICE = b"""file_id\temotion\tspeaker_id
EB0_fear_1.wav\tfear\t EB0
EB0_fear_2.wav\tfear\t EB0
EB0_fear_1.flac\tfear\t EB0
"""


@pytest.mark.parametrize(
    "content, message",
    [
        (b"path\temotion\n", "no column file_id, speaker_id"),
        (b"", "no column file_id, emotion, speaker_id"),
        (b"file_id\temotion\tspeaker_id\nEB0_fear_1.wav\tfear\n", "line 2"),
        ("file_id\temotion\tspeaker_id\tż\n".encode("cp1250"), "no UTF-8"),
        (
            b"file_id\temotion\tspeaker_id\temotion\n",
            "emotion, or it has it tw",
        ),
        (_TWICE, "lists recordings a second time: EB0_fear_1"),
        (_TWICE[:50] + b"x" * 200000, "cannot be read .field larger than"),
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


def test_real_files(nemo_folder, tmp_path, caplog):
    """Of the whole corpus, or of its half with odd sentence numbers."""
    prepare_nemo(nemo_folder, tmp_path, fold=6)
    manifests = load_manifests(tmp_path)
    there = sum(map(len, manifests.values()))
    expected = {4481: COUNTS, 2235: HALF}[there]
    assert len(manifests["test"]) == expected["MP0"]
    assert f"lists 4481 recordings, {there} of them are there" in caplog.text
    emotions = collections.Counter(
        entry["emo"] for part in manifests.values() for entry in part.values()
    )
    counts = {2235: [404, 371, 370, 376, 383, 331]}
    counts[4481] = [809, 749, 736, 749, 769, 669]
    assert [emotions[emotion] for emotion in prepare.EMOTIONS] == counts[there]
    entry = manifests["train"]["MK0_anger_1"]
    wave = read(entry["wav"].replace("{data_root}", str(nemo_folder)))
    assert len(wave) == pytest.approx(entry["duration"] * 16000, abs=1)
