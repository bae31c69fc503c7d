"""IEMOCAP is prepared with Table I's counts, whatever lies in its folders.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import os

import numpy as np
import pytest
import soundfile as sf
from preparers import load_manifests, load_preparer

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


def emotions(entries):
    return collections.Counter(entry["emo"] for entry in entries.values())


def sessions(entries):
    return collections.Counter(entry["session"] for entry in entries.values())


def labels_of(release, dialogue):
    session = release / f"Session{dialogue[4]}"
    return session / "dialog" / "EmoEvaluation" / f"{dialogue}.txt"


def test_counts_of_table_1(whole, tmp_path, caplog):
    prepare_iemocap(whole, tmp_path)
    train, test = load_manifests(tmp_path).values()
    assert emotions(train) == {"neu": 1324, "hap": 1194, "sad": 839, "ang": 933}
    assert emotions(test) == {"neu": 384, "hap": 442, "sad": 245, "ang": 170}
    assert prepare.EMOTIONS == list(prepare.PAPER_COUNTS["test"])
    assert sessions(train) == {1: 1085, 2: 1023, 3: 1151, 4: 1031}
    assert sessions(test) == {5: 1241}
    assert "6131 turns, 5531 kept" in caplog.text
    assert "WARNING" not in caplog.text

    # The last letter is the speaker, not the first one.
    entries = {**train, **test}
    for name, entry in entries.items():
        dialogue, _, turn = name.rpartition("_")
        assert entry["speaker"] == f"{name[:5]}{turn[0]}"
        folder = f"{{data_root}}/Session{name[4]}/sentences/wav/{dialogue}"
        assert entry["wav"] == f"{folder}/{name}.wav"
    assert len({entry["speaker"] for entry in entries.values()}) == 10
    # Women who speak in dialogues where the man wears the markers, and v.v.
    assert any(name[5] == "M" and name[-4] == "F" for name in entries)
    lettered = {name[:-5] for name in entries if name[-6] in "ab"}
    assert lettered == {
        *("Ses03M_impro05a", "Ses03M_impro05b", "Ses03M_impro08a"),
        "Ses05M_script01_1b",
    }


def test_a_held_out_session(whole, tmp_path, caplog):
    prepare_iemocap(whole, tmp_path, protocol="held_out", valid_session=1)
    manifests = load_manifests(tmp_path)
    assert sessions(manifests["valid"]) == {1: 1085}
    assert sessions(manifests["train"]) == {2: 1023, 3: 1151, 4: 1031}
    assert sessions(manifests["test"]) == {5: 1241}
    assert "WARNING" not in caplog.text  # held out or not, Table I adds up


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
    assert "the counts are not the paper's, 4290 + 1241" in caplog.text
    assert "train neu 20 (paper 1324)" in caplog.text
    assert "test ang 5 (paper 170)" in caplog.text


@pytest.mark.parametrize("end", [b"\r\n", b"\r"], ids=["Windows", "old Mac"])
def test_line_ends_and_odd_bytes_do_not_matter(small, tmp_path, end):
    prepare_iemocap(small, tmp_path / "1")
    for path in small.glob("Session?/dialog/EmoEvaluation/Ses*.txt"):
        content = path.read_bytes().replace(b"\n", end)
        path.write_bytes(content.replace(b"a remark", b"na\xefve \x93so\x94"))
    prepare_iemocap(small, tmp_path / "2")
    assert load_manifests(tmp_path / "1") == load_manifests(tmp_path / "2")


def test_a_comment_over_several_lines_is_no_label_line(small):
    """Unless it looks like one: a broken label is not hidden by a comment."""
    path = labels_of(small, "Ses01F_impro01")
    before = prepare.read_turns([str(path)])
    text = path.read_text()
    path.write_text(text.replace("(a remark)", "(a remark\nthat goes on)"))
    assert prepare.read_turns([str(path)]) == before
    for broken in "\tnew\t", " neu ":
        path.write_text(
            text.replace("(a remark)", "(a remark").replace("\tneu\t", broken)
        )
        with pytest.raises(ValueError, match="not a label line"):
            prepare.read_turns([str(path)])
    # A comment that is closed does not go on.
    path.write_text(text.replace("(a remark)", "(a remark)\nthat goes on"))
    with pytest.raises(ValueError, match="not a label line: 'that goes on'"):
        prepare.read_turns([str(path)])


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


def test_a_turn_labelled_twice_is_named(small, tmp_path):
    path = labels_of(small, "Ses01F_impro01")
    with open(path, "a") as file:
        file.write(label_line(TURN, "sad"))
    line = len(path.read_text().splitlines())
    with pytest.raises(ValueError, match="second time") as caught:
        prepare_iemocap(small, tmp_path / "m")
    assert str(caught.value).startswith(f"{path}, line {line}: {TURN}")
    assert f"after {path}, line 3." in str(caught.value)


def test_what_a_session_lacks_is_named(small, tmp_path):
    def error():
        with pytest.raises(FileNotFoundError, match="Expected") as caught:
            prepare_iemocap(small, tmp_path / "m")
        return str(caught.value).split("Expected")[0]

    for path in small.glob("Session4/dialog/EmoEvaluation/Ses*.txt"):
        path.unlink()  # the leftovers of a Macintosh do not count
    assert "Session4/dialog/EmoEvaluation holds no *.txt" in error()
    (small / "Session2").rename(small / "Session 2")
    assert "Session2/dialog/EmoEvaluation, Session2/sentences/wav" in error()
    assert "Session3" not in error()


def lose(release, dialogue, share):
    """Keeps the first label lines of a file: this share of what it holds."""
    path = labels_of(release, dialogue)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: round(len(lines) * share / 5) * 5]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda release, name: labels_of(release, name).unlink(),
        lambda release, name: labels_of(release, name).write_text(""),
        lambda release, name: lose(release, name, share=0.5),
    ],
    ids=["missing", "empty", "half"],
)
def test_lost_labels_are_named_and_counted(small, tmp_path, spoil, caplog):
    prepare_iemocap(small, tmp_path / "m")
    before = load_manifests(tmp_path / "m")
    dialogue = "Ses05F_impro01"
    spoil(small, dialogue)
    with pytest.raises(ValueError, match="IEMOCAP turns .* unusable") as caught:
        prepare_iemocap(small, tmp_path / "n")
    folder = small / "Session5/sentences/wav" / dialogue
    turns = [path.stem for path in folder.glob("Ses*.wav")]
    path = labels_of(small, dialogue)
    text = path.read_text() if path.exists() else ""
    lost = sorted(turn for turn in turns if turn not in text)
    assert f"{len(lost)} turns of 1 dialogues have audio and no" in caplog.text
    assert f"line: {dialogue} ({len(lost)} of {len(turns)})" in caplog.text
    assert f"{len(lost)} of " in str(caught.value)
    for turn in lost:
        assert f"{turn}: {folder / turn}.wav: no label" in str(caught.value)
    assert not (tmp_path / "n").exists()

    # Where so many may be lost, the others are as before.
    prepare_iemocap(small, tmp_path / "n", max_unusable=0.2)
    after = load_manifests(tmp_path / "n")
    assert after["train"] == before["train"]
    assert after["test"] == {
        name: entry
        for name, entry in before["test"].items()
        if name not in lost
    }


def test_labels_that_come_back_are_noticed(small, tmp_path):
    path = labels_of(small, "Ses05F_impro01")
    prepare_iemocap(small, tmp_path / "m")
    before = load_manifests(tmp_path / "m")
    path.rename(small / "kept")
    prepare_iemocap(small, tmp_path / "m", max_unusable=0.2)
    assert load_manifests(tmp_path / "m") != before
    (small / "kept").rename(path)
    prepare_iemocap(small, tmp_path / "m", max_unusable=0.2)
    assert load_manifests(tmp_path / "m") == before


def test_byte_order_marks_do_not_matter(small, tmp_path):
    prepare_iemocap(small, tmp_path / "1")
    for path in small.glob("Session?/dialog/EmoEvaluation/Ses*.txt"):
        # With the header as the first line, and with a label line.
        content = path.read_bytes()
        if path.name[4] > "2":
            content = content.split(b"\n", 2)[2]
        path.write_bytes(b"\xef\xbb\xbf" + content)
    prepare_iemocap(small, tmp_path / "2")
    assert load_manifests(tmp_path / "1") == load_manifests(tmp_path / "2")


def test_a_long_line_is_not_quoted_whole(small, tmp_path):
    path = labels_of(small, "Ses01F_impro01")
    path.write_text(f"{label_line(TURN, 'neu')}\n{'x' * 10**7}\n")
    with pytest.raises(ValueError, match="line 2: not a label line") as caught:
        prepare_iemocap(small, tmp_path / "m")
    assert len(str(caught.value)) < 600 + len(str(path))


def test_a_corpus_without_audio_does_not_fill_the_log(small, tmp_path, caplog):
    for path in small.glob("Session?/sentences/wav/*/Ses*.wav"):
        path.write_bytes(b"RIFF")
    with pytest.raises(ValueError, match="(?s)100 of 100 .*and 80 more"):
        prepare_iemocap(small, tmp_path / "m")
    said = [x for x in caplog.messages if x.startswith("Unusable: ")]
    assert len(said) == 51 and said[-1] == "Unusable: 50 more"


def upper_ends(release):
    for path in release.rglob("Ses*.wav"):
        path.rename(path.with_suffix(".WAV"))


def lower_names(release):
    for path in sorted(release.rglob("*"), reverse=True):
        path.rename(path.with_name(path.name.lower()))


def flatten(release):
    for path in release.glob("Session?/sentences/wav/*/*.wav"):
        path.rename(path.parents[1] / path.name)


def as_flac(release):
    for path in release.rglob("Ses*.wav"):
        samples, rate = sf.read(path)
        sf.write(path.with_suffix(".flac"), samples, rate)
        path.unlink()


def nest(release):
    release.rename(release.with_name("aside"))
    release.mkdir()
    release.with_name("aside").rename(release / release.name)


def add_strays(release):
    for folder in "dialog/EmoEvaluation", "sentences/wav":
        path = release / "Session1" / folder / "readme.txt"
        path.write_text("Labels are in these files.")


@pytest.mark.parametrize(
    "change", [upper_ends, lower_names, flatten, as_flac, nest, add_strays]
)
def test_layouts_give_the_same_turns(small, tmp_path, change):
    data = small.parent
    prepare_iemocap(data, tmp_path / "1")
    before = load_manifests(tmp_path / "1")
    change(small)
    prepare_iemocap(data, tmp_path / "2")
    after = load_manifests(tmp_path / "2")
    for split, entries in before.items():
        assert after[split].keys() == entries.keys()
        for name, entry in entries.items():
            found = after[split][name]
            assert {**found, "wav": entry["wav"]} == entry
            path = found["wav"].replace("{data_root}", str(data))
            assert os.path.isfile(path)


def test_several_releases_are_named(small, tmp_path):
    copy = small.with_name("copy")
    small.rename(small.with_name("one"))
    for session in range(1, 6):
        (copy / f"Session{session}").mkdir(parents=True)
    with pytest.raises(ValueError, match="several releases: .*/copy/, .*/one/"):
        prepare_iemocap(small.parent, tmp_path / "m")
