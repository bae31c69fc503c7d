"""Stand-in corpora: marked, complete or absent, repeatable, not trivial.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import multiprocessing
import os
import re
import signal
import zipfile
from itertools import pairwise

import numpy as np
import pytest
import soundfile as sf

from speechbrain_hrf.dataio.synthetic import corpus, is_synthetic, make_corpus
from speechbrain_hrf.dataio.synthetic.content import write_audio

# With turns and songs to drop; one of M3ED's 240 files ends in .WAV, 4 of
# DAIC-WOZ's 18 lie in archives.
WAV_FILES = {
    "DAIC-WOZ": 14,
    "IEMOCAP": 280,
    "M3ED": 239,
    "RAVDESS": 241,
    "nEMO": 250,
    "OwnData": 113,
}
# Shortest, longest; bounds of the mean
SECONDS = {
    "DAIC-WOZ": (70, 110, 80, 100),
    "IEMOCAP": (0.6, 8, 3, 4),
    "M3ED": (114 / 16000, 6, 1.2, 1.7),
    "RAVDESS": (0.6, 8, 3, 4),
    "nEMO": (0.8, 6, 2, 3),
    "OwnData": (1.2, 40, 2.3, 3),  # the longest is joined from 16
}
# Where it is not 16 kHz alone
RATES = {"RAVDESS": {16000, 48000}, "nEMO": {24000}, "OwnData": {22050}}


@pytest.fixture(scope="module", params=list(WAV_FILES))
def stand_in(request, corpora):
    """Name, the folder it was asked for in, its root."""
    return request.param, corpora, make_corpus(request.param, corpora)


def contents(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def audio_files(root):
    return [
        path for path in root.rglob("*.wav") if not path.name.startswith("._")
    ]


def test_it_says_that_it_is_synthetic(stand_in):
    _, folder, root = stand_in
    # Preparers accept the folder above the corpus, so it counts as well.
    assert is_synthetic(root) and is_synthetic(folder)
    assert not any(is_synthetic(p) for p in root.iterdir() if p.is_dir())
    text = (root / "SYNTHETIC.txt").read_text()
    assert "synthetic" in text and "mean nothing" in text


def test_audio_is_pcm_of_plausible_length(stand_in):
    name, _, root = stand_in
    files = [sf.info(path) for path in audio_files(root)]
    assert len(files) == WAV_FILES[name]
    durations = [file.duration for file in files]
    shortest, longest, *mean = SECONDS[name]
    assert shortest <= min(durations) and max(durations) <= longest
    assert mean[0] <= np.mean(durations) <= mean[1]
    assert {file.subtype for file in files} == {"PCM_16"}
    rates = {file.samplerate for file in files}
    assert rates == RATES.get(name, {16000})


def test_it_is_used_again_when_complete(stand_in, monkeypatch):
    name, folder, root = stand_in
    monkeypatch.setattr(corpus, "whole_folder", None)  # would be called
    assert make_corpus(name, folder) == root


def test_what_a_killed_twin_left_is_removed(tmp_path):
    """The other one built the corpus, so that nothing is left to be done."""
    root = tmp_path / "Tiny"

    def die(_):
        os.kill(os.getpid(), signal.SIGKILL)

    killed = multiprocessing.get_context("fork").Process(
        target=corpus.build_once, args=(root, "tiny 1", die)
    )
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    aside = tmp_path.with_name("aside")  # of this test: the twin is faster
    left.rename(aside)
    corpus.build_once(root, "tiny 1", lambda new: (new / "a").write_text("a"))
    aside.rename(left)
    assert corpus.build_once(root, "tiny 1", None) == root
    assert list(tmp_path.iterdir()) == [root]


@pytest.mark.parametrize(
    "name",
    [
        name
        if name in ("M3ED", "OwnData")
        # Seconds each, and the same voice.
        else pytest.param(name, marks=pytest.mark.slow)
        for name in WAV_FILES
    ],
)
def test_the_same_bytes_everywhere(name, corpora, tmp_path):
    root = make_corpus(name, tmp_path)
    assert list(tmp_path.iterdir()) == [root]
    assert contents(root) == contents(make_corpus(name, corpora))


def damage_audio(root):
    path = sorted(audio_files(root))[3]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def remove_audio(root):
    sorted(audio_files(root))[-1].unlink()


def add_file(root):
    (root / "more.txt").write_text("more")


def old_version(root):
    marker = root / "SYNTHETIC.txt"
    text = marker.read_text()
    marker.write_text(re.sub(r"generator: .*", "generator: older", text))


CHANGES = [damage_audio, remove_audio, add_file, old_version]


@pytest.mark.parametrize("change", CHANGES)
def test_any_other_stand_in_is_replaced(tmp_path, change):
    root = tmp_path / "Corpus"
    root.mkdir()  # an empty folder is filled

    def write(folder):
        for index in range(5):
            wave = np.full(100, index / 10)
            write_audio(folder / "deep" / f"{index}.wav", wave)

    corpus.build_once(root, "test 1", write)
    before = contents(root)
    change(root)
    assert contents(root) != before
    corpus.build_once(root, "test 1", write)
    assert contents(root) == before
    assert list(tmp_path.iterdir()) == [root]


def test_a_real_corpus_is_never_touched(tmp_path):
    root = tmp_path / "IEMOCAP_full_release"
    (root / "Session1").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="no stand-in"):
        make_corpus("IEMOCAP", tmp_path)
    assert [path.name for path in root.iterdir()] == ["Session1"]


def test_a_failure_leaves_what_was_there(tmp_path):
    def fail(folder):
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        corpus.build_once(tmp_path / "Corpus", "test 1", fail)
    assert list(tmp_path.iterdir()) == []

    corpus.build_once(tmp_path / "Corpus", "test 1", add_file)
    before = contents(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        corpus.build_once(tmp_path / "Corpus", "test 2", fail)
    assert contents(tmp_path) == before


def test_the_faster_of_two_processes_wins(tmp_path):
    root = tmp_path / "Corpus"

    def write(folder):
        add_file(folder)
        if not root.exists():  # meanwhile, another process
            corpus.build_once(root, "test 1", add_file)

    assert corpus.build_once(root, "test 1", write) == root
    assert corpus.is_synthetic(root)
    assert list(tmp_path.iterdir()) == [root]


def test_an_unknown_corpus_is_named(tmp_path):
    with pytest.raises(ValueError, match="IEMOCAP, M3ED, RAVDESS, nEMO"):
        make_corpus("CREMA-D", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stand_in", ["IEMOCAP"], indirect=True)
def test_iemocap_has_the_pitfalls(stand_in):
    _, _, root = stand_in
    names = {path.relative_to(root).as_posix() for path in root.rglob("*")}
    for session in range(1, 6):
        folder = f"Session{session}/dialog/EmoEvaluation"
        for part in "Categorical", "Attribute", "Self-evaluation":
            assert any(name.startswith(f"{folder}/{part}/") for name in names)
        assert any(f"{folder}/._Ses" in name for name in names)
    assert any("sentences/wav/Ses03M_impro05a/._Ses" in name for name in names)
    labels = "Session5/dialog/EmoEvaluation/Ses05M_script01_1b.txt"
    text = (root / labels).read_text()
    assert text.startswith("% [START_TIME")
    assert "\nC-E2:" in text and "\nA-E3:" in text and "\n\n" in text
    everything = "".join(
        path.read_text() for path in root.rglob("EmoEvaluation/Ses*.txt")
    )
    found = set(re.findall(r"\t([a-z]{3})\t", everything))
    assert found == {
        *("neu", "hap", "exc", "sad", "ang"),
        *("xxx", "fru", "sur", "fea", "oth", "dis"),
    }


@pytest.mark.parametrize("stand_in", ["M3ED"], indirect=True)
def test_m3ed_has_the_pitfalls(stand_in):
    _, _, root = stand_in
    audio = root / "modality_speech"
    names = {path.name for path in audio.iterdir()}
    assert sum(name.endswith(".WAV") for name in names) == 1
    tiny = [p for p in audio_files(root) if sf.info(p).frames == 114]
    assert len(tiny) == 2
    lists = {
        split: (root / "splitInfo" / f"movie_list_{split}.txt").read_bytes()
        for split in ("train", "val", "test")
    }
    series = {split: text.split() for split, text in lists.items()}
    assert all(len(names) > 1 for names in series.values())
    assert lists["val"].endswith(b"\r\n\r\n")
    assert not lists["train"].endswith(b"\n")

    annotation = json.loads((root / "annotation.json").read_text("utf-8"))
    assert len(annotation) == sum(map(len, series.values()))
    labels, missing, keys = {}, [], []
    for dialogues in annotation.values():
        for parts in dialogues.values():
            genders = [x["Gender"] for x in parts["SpeakerInfo"].values()]
            assert "Femal" in genders
            keys.append([int(key.split("_")[2]) for key in parts["Dialog"]])
            for key, content in parts["Dialog"].items():
                emotions = content.get("EmoAnnotation", {})
                label = emotions.get("final_main_emo")
                labels[label] = labels.get(label, 0) + 1
                name = f"{content['Speaker']}_{key}"
                if not names & {f"{name}.wav", f"{name}.WAV"}:
                    missing.append(name)
    assert len(labels) == 8 and labels[None] == 1
    assert len(missing) == 1 and f"._{missing[0]}.wav" in names
    assert any(numbers != sorted(numbers) for numbers in keys)


@pytest.mark.parametrize("stand_in", ["nEMO"], indirect=True)
def test_nemo_has_the_pitfalls(stand_in):
    _, _, root = stand_in
    names = {path.name for path in audio_files(root / "samples")}
    assert any(path.name.startswith("._") for path in root.rglob("*.wav"))
    header, *rows = (root / "data.tsv").read_text("utf-8").splitlines()
    rows = [
        dict(zip(header.split("\t"), row.split("\t"), strict=True))
        for row in rows
    ]
    listed = [row["file_id"] for row in rows]
    assert {*listed} == names and len(listed) == len(names)
    assert listed != sorted(listed)
    counts = {}
    for row in rows:
        assert row["speaker_id"].startswith("  ")
        speaker = row["speaker_id"].strip()
        key = f"{speaker}_{row['emotion']}_"
        assert row["file_id"].startswith(key)
        counts[speaker] = counts.get(speaker, 0) + 1
    assert counts.pop("MK0") == 25 and counts.pop("MP0") == 15
    assert len(counts) == 7 and {*counts.values()} == {30}
    assert not any(name.startswith("MK0_surprised") for name in names)


@pytest.mark.parametrize("stand_in", ["DAIC-WOZ"], indirect=True)
def test_daic_woz_has_the_pitfalls(stand_in):
    _, _, root = stand_in
    archives, transcripts = [], {}
    for path in sorted(root.glob("9*.zip")):
        with zipfile.ZipFile(path) as archive:
            kinds = {info.compress_type for info in archive.infolist()}
            inside = {"/" in name for name in archive.namelist()}
            archives.append((*kinds, *inside))
            (name,) = (n for n in archive.namelist() if n.endswith(".csv"))
            transcripts[path.stem] = archive.read(name)
    stored, deflated = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
    assert {*archives} == {
        *((stored, False), (stored, True)),
        *((deflated, False), (deflated, True)),
    }
    for path in root.rglob("*_[Tt]*.csv"):
        if path.parent != root and not path.name.startswith("._"):
            transcripts[path.parent.name] = path.read_bytes()
    assert len(transcripts) == 18
    assert len(list(root.rglob("._*"))) == 3
    texts = transcripts.values()
    assert {b"\r\n" in text for text in texts} == {True, False}
    assert {text.endswith((b"\n\n", b"\n\r\n")) for text in texts} == {
        True,
        False,
    }
    assert {b"\tEllie\t" in text for text in texts} == {True, False}
    assert sum(b"<sync>" in text for text in texts) == 2
    assert "910_p" in transcripts and "911_P" in transcripts

    overlapping, past_the_end = set(), set()
    for name, text in transcripts.items():
        lines = text.decode().split("\n")[1:]
        rows = [line.split("\t") for line in lines if line.strip()]
        times = [(float(start), float(stop)) for start, stop, *_ in rows]
        if any(start < stop for (_, stop), (start, _) in pairwise(times)):
            overlapping.add(name)
        path = root / name / f"{name[:3]}_AUDIO.wav"
        if path.exists() and sf.info(path).duration < times[-1][1]:
            past_the_end.add(name)
    assert len(overlapping) == 3 and past_the_end == {"905_P"}

    lists = {
        name: (root / f"{name}_split_Depression_AVEC2017.csv").read_text()
        for name in ("train", "dev", "test")
    }
    for name in "train", "dev":
        rows = [line.split(",") for line in lists[name].splitlines()]
        assert rows[0][:2] == ["Participant_ID", "PHQ8_Binary"]
        assert {row[1] for row in rows[1:]} == {"0", "1"}
    assert "," * 2 in lists["train"]
    assert lists["test"].startswith("participant_ID,Gender\n")
    # Participants of the real corpus have other numbers.
    numbers = re.findall(r"^\d+", "".join(lists.values()), re.M)
    assert len(numbers) == 20 and min(map(int, numbers)) > 900
