"""IEMOCAP is prepared with Table I's counts, whatever lies in its folders.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import logging
import os
import pathlib

import numpy as np
import pytest
import soundfile as sf
from preparers import load_manifests, load_preparer

from speechbrain_hrf.dataio.synthetic import make_corpus

prepare = load_preparer("IEMOCAP")
prepare_iemocap = prepare.prepare_iemocap

# Per session: neu, hap + exc, sad, ang. Rows add up to the sessions' counts,
# columns of sessions 1-4 to Table I's row "train".
COUNTS = {
    1: (384, 278, 194, 229),
    2: (362, 327, 197, 137),
    3: (320, 286, 305, 240),
    4: (258, 303, 143, 327),
    5: (384, 442, 245, 170),
}
DIALOGUES = {
    1: ("F_impro01", "M_script01_1", "M_impro02"),
    2: ("F_impro01", "M_script02_2"),
    3: ("M_impro05a", "M_impro05b", "M_impro08a", "F_script01_3"),
    4: ("F_impro01", "M_impro07"),
    5: ("M_script01_1b", "F_impro01", "M_impro04"),
}
HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]"


def label_line(turn, label):
    return f"[6.2901 - 8.2357]\t{turn}\t{label}\t[2.5000, 2.5000, 2.5000]"


def write_dialogue(release, dialogue, turns, source):
    """Labels with raters' lines between them, audio, and AppleDouble files."""
    session = release / f"Session{dialogue[4]}"
    lines = [HEADER, ""]
    for turn, label in turns.items():
        lines += [
            label_line(turn, label),
            "C-E2:\tNeutral;\t()",
            "A-F1:\tval 3; act 2; dom  1;\t(a remark)",
            "",
        ]
    labels = session / "dialog/EmoEvaluation"
    wavs = session / "sentences/wav" / dialogue
    for folder in (labels / "Categorical", labels / "Attribute", wavs):
        folder.mkdir(parents=True, exist_ok=True)
    (labels / f"{dialogue}.txt").write_text("\n".join(lines) + "\n")
    (labels / f"._{dialogue}.txt").write_bytes(b"\0\5\x16\7\xff\xfe")
    wrong = label_line(f"{dialogue}_F900", "ang")
    (labels / "Categorical" / f"{dialogue}.txt").write_text(wrong)
    (labels / "Attribute" / f"{dialogue}_e2_atr.txt").write_text("decoy")
    for turn in turns:
        os.link(source, wavs / f"{turn}.wav")
        os.link(source, wavs / f"._{turn}.wav")


def write_corpus(folder, counts, dropped):
    """A release with these counts of kept labels and some to drop."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "source.wav"
    sf.write(source, np.zeros(1600), 16000)
    release = folder / "IEMOCAP_full_release"
    for session, (neutral, happy, sad, angry) in counts.items():
        labels = ["neu"] * neutral + ["sad"] * sad + ["ang"] * angry
        labels += ["exc" if index % 3 else "hap" for index in range(happy)]
        labels += ["xxx", "fru", "sur", "fea", "oth", "dis"] * dropped
        dialogues = [f"Ses0{session}{name}" for name in DIALOGUES[session]]
        turns = {dialogue: {} for dialogue in dialogues}
        for index, label in enumerate(labels):
            dialogue = dialogues[index % len(dialogues)]
            gender = "FM"[index // 7 % 2]
            number = index // len(dialogues)
            turns[dialogue][f"{dialogue}_{gender}{number:03d}"] = label
        for dialogue, part in turns.items():
            write_dialogue(release, dialogue, part, source)
    return release


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A release of real size: 5531 turns to keep. Not to be changed."""
    return write_corpus(tmp_path_factory.mktemp("iemocap"), COUNTS, dropped=20)


@pytest.fixture
def small(tmp_path):
    """A release of 100 turns, to be changed at will."""
    counts = dict.fromkeys(range(1, 6), (5, 5, 5, 5))
    return write_corpus(tmp_path / "data", counts, dropped=1)


@pytest.fixture(autouse=True)
def log_everything(caplog):
    caplog.set_level(logging.INFO)


def emotions(entries):
    return collections.Counter(entry["emo"] for entry in entries.values())


def sessions(entries):
    return collections.Counter(entry["session"] for entry in entries.values())


def labels_of(release, dialogue):
    session = release / f"Session{dialogue[4]}"
    return session / "dialog" / "EmoEvaluation" / f"{dialogue}.txt"


def test_counts_of_table_1(whole, tmp_path, caplog):
    prepare_iemocap(whole, tmp_path)
    manifests = load_manifests(tmp_path)
    assert set(manifests) == {"train", "test"}
    train, test = manifests["train"], manifests["test"]
    assert len(train) == 4290 and len(test) == 1241
    assert emotions(train) == {"neu": 1324, "hap": 1194, "sad": 839, "ang": 933}
    assert emotions(test) == {"neu": 384, "hap": 442, "sad": 245, "ang": 170}
    assert sessions(train) == {1: 1085, 2: 1023, 3: 1151, 4: 1031}
    assert sessions(test) == {5: 1241}
    assert "6131 turns, 5531 kept" in caplog.text
    assert "train  1324  1194  839  933   4290" in caplog.text
    assert "WARNING" not in caplog.text


@pytest.mark.parametrize("session, count", [(1, 1085), (4, 1031)])
def test_a_held_out_session(whole, tmp_path, session, count, caplog):
    prepare_iemocap(whole, tmp_path, protocol="held_out", valid_session=session)
    manifests = load_manifests(tmp_path)
    assert sessions(manifests["valid"]) == {session: count}
    assert set(sessions(manifests["train"])) == {1, 2, 3, 4} - {session}
    assert len(manifests["train"]) == 4290 - count
    assert len(manifests["test"]) == 1241
    assert "WARNING" not in caplog.text  # held out or not, Table I adds up


def test_the_last_letter_is_the_speaker(whole, tmp_path):
    prepare_iemocap(whole, tmp_path)
    entries = {
        name: entry
        for part in load_manifests(tmp_path).values()
        for name, entry in part.items()
    }
    for name, entry in entries.items():
        dialogue, _, turn = name.rpartition("_")
        assert entry["speaker"] == f"{name[:5]}{turn[0]}"
        assert entry["session"] == int(name[4])
        folder = f"{{data_root}}/Session{name[4]}/sentences/wav/{dialogue}"
        assert entry["wav"] == f"{folder}/{name}.wav"
    speakers = {entry["speaker"] for entry in entries.values()}
    assert len(speakers) == 10
    # Women who speak in dialogues where the man wears the markers, and v.v.
    assert any(name[5] == "M" and name[-4] == "F" for name in entries)
    lettered = {name[:-5] for name in entries if name[-6] in "ab"}
    assert lettered == {
        *("Ses03M_impro05a", "Ses03M_impro05b", "Ses03M_impro08a"),
        "Ses05M_script01_1b",
    }


def test_the_folder_above_is_accepted(small, tmp_path):
    prepare_iemocap(small.parent, tmp_path / "m")
    for part in load_manifests(tmp_path / "m").values():
        for entry in part.values():
            assert entry["duration"] == 0.1
            path = entry["wav"].replace("{data_root}", str(small.parent))
            assert os.path.isfile(path)
    # {data_root} is another one now, so these manifests would not do.
    before = load_manifests(tmp_path / "m")
    prepare_iemocap(small, tmp_path / "m")
    assert load_manifests(tmp_path / "m") != before


def test_other_counts_are_named(small, tmp_path, caplog):
    prepare_iemocap(small, tmp_path / "m")
    assert "not those of Table I" in caplog.text
    assert "train neu 20 (paper 1324)" in caplog.text
    assert "test ang 5 (paper 170)" in caplog.text


def test_windows_line_ends_and_odd_bytes_do_not_matter(small, tmp_path):
    prepare_iemocap(small, tmp_path / "1")
    for path in small.glob("Session?/dialog/EmoEvaluation/Ses*.txt"):
        content = path.read_bytes().replace(b"\n", b"\r\n")
        path.write_bytes(content.replace(b"a remark", b"na\xefve \x93so\x94"))
    prepare_iemocap(small, tmp_path / "2")
    assert load_manifests(tmp_path / "1") == load_manifests(tmp_path / "2")


def test_a_comment_over_several_lines_is_no_label_line(small):
    path = labels_of(small, "Ses01F_impro01")
    before = prepare._read_turns([str(path)])
    text = path.read_text()
    path.write_text(text.replace("(a remark)", "(a remark\nthat goes on)"))
    assert prepare._read_turns([str(path)]).keys() == before.keys()


TURN = "Ses01F_impro01_F000"
MALFORMED = [
    f"[6.2901 - 8.2357]\t{TURN}",
    f"[6.2901 - 8.2357]\t{TURN}\tneu",
    f"[6.2901 - 8.2357]\t{TURN}\tneu\t[2.5000, 2.5",
    f"[6.2901 - 8.2357]\t{TURN}\thappy\t[2.5000, 2.5000, 2.5000]",
    f"[6.2901 - 8.2357]\t{TURN}\t\t[2.5000, 2.5000, 2.5000]",
    f"[6.2901 - 8.2357] {TURN} neu [2.5000, 2.5000, 2.5000]",
    f"[6.2901]\t{TURN}\tneu\t[2.5000, 2.5000, 2.5000]",
    "[6.2901 - 8.2357]\tSes01F_impro01\tneu\t[2.5000, 2.5000, 2.5000]",
    "[6.2901 - 8.2357]\tSes09F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]",
    f"8.2357]\t{TURN}\tneu\t[2.5000, 2.5000, 2.5000]",
    "something else",
    "<<<<<<< HEAD",
]


@pytest.mark.parametrize("line", MALFORMED)
def test_malformed_lines_are_named(small, tmp_path, line):
    path = labels_of(small, "Ses01F_impro01")
    lines = path.read_text().splitlines()
    lines[2] = line
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError) as caught:
        prepare_iemocap(small, tmp_path / "m")
    message = str(caught.value)
    assert f"{path}, line 3:" in message
    assert repr(line) in message and "Expected" in message
    assert not (tmp_path / "m").exists()


def test_a_broken_label_inside_an_open_comment_is_seen(small, tmp_path):
    path = labels_of(small, "Ses01F_impro01")
    text = path.read_text().replace("(a remark)", "(a remark")
    path.write_text(text.replace("\tneu\t", "\tnew\t"))
    with pytest.raises(ValueError, match="not a label line"):
        prepare_iemocap(small, tmp_path / "m")


def test_a_turn_labelled_twice_is_named(small, tmp_path):
    path = labels_of(small, "Ses01F_impro01")
    with open(path, "a") as file:
        file.write(label_line(TURN, "sad"))
    with pytest.raises(ValueError, match="second time") as caught:
        prepare_iemocap(small, tmp_path / "m")
    assert f"{path}, line 3" in str(caught.value)


def test_missing_and_broken_audio(small, tmp_path, caplog):
    wavs = small / "Session1" / "sentences" / "wav" / "Ses01F_impro01"
    missing, broken = sorted(wavs.glob("Ses*.wav"))[:2]
    missing.unlink()
    broken.unlink()
    broken.write_bytes(b"RIFF")
    with pytest.raises(ValueError, match="2 of 100 IEMOCAP turns") as caught:
        prepare_iemocap(small, tmp_path / "m")
    for part in str(missing), "missing", str(broken), "max_unusable":
        assert part in str(caught.value)
    assert not (tmp_path / "m").exists()

    prepare_iemocap(small, tmp_path / "m", max_unusable=0.02)
    manifests = load_manifests(tmp_path / "m")
    assert len(manifests["train"]) == 78
    assert missing.stem not in manifests["train"]
    assert str(broken) in caplog.text


def test_prepared_again_only_when_something_changed(small, tmp_path, caplog):
    def run(**options):
        caplog.clear()
        prepare_iemocap(small, tmp_path / "m", **options)
        return caplog.text

    assert "because there are none yet" in run()
    assert "are current" in run()
    # Without effect on this protocol, so no reason to prepare again.
    assert "are current" in run(valid_session=2)
    assert "protocol: 'paper' -> 'held_out'" in run(protocol="held_out")
    text = run(protocol="held_out", valid_session=2)
    assert "valid_session: 4 -> 2" in text
    assert set(sessions(load_manifests(tmp_path / "m")["valid"])) == {2}
    run()
    assert "valid" not in load_manifests(tmp_path / "m")

    path = labels_of(small, "Ses01F_impro01")
    path.write_text(path.read_text().replace("\tneu\t", "\tang\t"))
    assert "because the data changed" in run()
    entry = next(iter(load_manifests(tmp_path / "m")["test"].values()))
    path = pathlib.Path(entry["wav"].replace("{data_root}", str(small)))
    path.unlink()
    sf.write(path, np.zeros(3200), 16000)
    assert "because the data changed" in run()
    assert load_manifests(tmp_path / "m")["test"][path.stem]["duration"] == 0.2
    assert "are current" in run()


def test_the_order_of_folders_does_not_matter(small, tmp_path, monkeypatch):
    prepare_iemocap(small, tmp_path / "1")
    listdir = os.listdir
    monkeypatch.setattr(
        os, "listdir", lambda path: sorted(listdir(path), reverse=True)
    )
    prepare_iemocap(small, tmp_path / "2")
    for name in "train.json", "test.json", "fingerprint.json":
        first, second = (tmp_path / part / name for part in "12")
        assert first.read_bytes() == second.read_bytes()


def test_wrong_folders_are_explained(small, tmp_path):
    def error(folder):
        with pytest.raises(FileNotFoundError, match="Expected") as caught:
            prepare_iemocap(folder, tmp_path / "m")
        assert not (tmp_path / "m").exists()
        return str(caught.value)

    assert "No folder" in error(tmp_path / "nowhere")
    (tmp_path / "other" / "Actor_01").mkdir(parents=True)
    assert "Found: Actor_01" in error(tmp_path / "other")
    # One session is not there, one lacks its labels, one its label files.
    (small / "Session2").rename(small / "Session 2")
    message = error(small)
    assert "Session2/dialog/EmoEvaluation" in message
    assert "Session3" not in message.split("Expected")[0]
    (small / "Session 2").rename(small / "Session2")
    for path in small.glob("Session4/dialog/EmoEvaluation/Ses*.txt"):
        path.unlink()
    assert "holds no *.txt" in error(small)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"protocol": "random"}, "paper, held_out, not 'random'"),
        ({"protocol": "held_out", "valid_session": 5}, "1 to 4, not 5"),
        ({"protocol": "held_out", "valid_session": 0}, "1 to 4, not 0"),
        ({"valid_session": True}, "1 to 4, not True"),
        ({"valid_session": 4.0}, "1 to 4, not 4.0"),
        ({"max_unusable": -1}, "max_unusable"),
        ({"max_unusable": None}, "max_unusable .* not None"),
    ],
)
def test_options_out_of_range(small, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        prepare_iemocap(small, tmp_path / "m", **options)
    assert not (tmp_path / "m").exists()


def test_the_stand_in(tmp_path, tmp_path_factory, caplog):
    release = make_corpus("IEMOCAP", tmp_path_factory.getbasetemp())
    prepare_iemocap(release, tmp_path / "m", protocol="held_out")
    manifests = load_manifests(tmp_path / "m")
    sizes = {name: len(part) for name, part in manifests.items()}
    assert sizes == {"train": 144, "valid": 48, "test": 48}
    speakers = {
        entry["speaker"]
        for part in manifests.values()
        for entry in part.values()
    }
    assert len(speakers) == 10
    assert "280 turns, 240 kept" in caplog.text
    assert "Table I" not in caplog.text
