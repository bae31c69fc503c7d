"""DAIC-WOZ is cut by the paper's rule, whatever lies in its folders.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import os
import shutil
import zipfile

import pytest
import soundfile as sf
from daic_woz_corpus import (
    LISTS,
    SENTINELS,
    pack,
    row,
    write_interview,
    write_list,
    write_noise,
)
from preparers import load_manifests, load_preparer

from speechbrain_hrf.dataio.sound.audio import read_parts

prepare = load_preparer("DAIC-WOZ")
prepare_daic_woz = prepare.prepare_daic_woz

# Participants and clips by label. Figures of the paper and the official lists.
WHOLE = {
    "train": {0: (77, 3651), 1: (30, 1433)},
    "dev": {0: (23, 1155), 1: (12, 776)},
}
TALK = [row(0, 40)]  # 4 windows: 0-10, 9-19, 18-28, 27-37 s


def shared_out(total, people):
    """So many numbers that differ and add up to a total."""
    parts = [total // people + (k % 2) * 7 - 3 for k in range(people)]
    parts[-1] += total - sum(parts)
    return parts


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The corpus's numbers of interviews and of clips. Not to be changed."""
    root = tmp_path_factory.mktemp("daic")
    write_noise(root / "source.wav", 900)
    who = 300
    for name, labels in WHOLE.items():
        listed = {}
        for label, (people, clips) in labels.items():
            for count in shared_out(clips, people):
                # 8.999 s more make no clip more; questions lie in between.
                seconds = 10 + 9 * (count - 1) + (who % 10) * 0.999
                rows = [row(0, 3, "Ellie")]
                start = 2.5  # answers before the question ends
                for part in 0.25 * seconds, 0.75 * seconds:
                    stop = round(start + part, 3)
                    rows.append(row(f"{start:.3f}", f"{stop:.3f}"))
                    rows.append(row(f"{stop:.3f}", f"{stop + 2:.3f}", "Ellie"))
                    start = stop + 2
                write_interview(root, who, rows, root / "source.wav")
                listed[who] = label
                who += 1
        write_list(root, name, listed)
    return root


@pytest.fixture
def root(tmp_path):
    """Two interviews to train on and two to score, to be changed at will."""
    root = tmp_path / "data"
    for who in 303, 318, 373, 409:
        write_interview(root, who, TALK, 45)
    write_list(root, "train", {303: 0, 318: 1})
    write_list(root, "dev", {409: 0, 373: 1})
    return root


def run(root, folder, **options):
    prepare_daic_woz(root, folder, **options)
    return load_manifests(folder)


def count(entries, key="participant"):
    return collections.Counter(entry[key] for entry in entries.values())


def parts_of(entries, who):
    return [
        entry["parts"]
        for _, entry in sorted(entries.items())
        if entry["participant"] == str(who)
    ]


def talk(root, who, rows, end="\n", seconds=None):
    """Gives an interview another transcript, and perhaps another recording."""
    path = root / f"{who}_P" / f"{who}_TRANSCRIPT.csv"
    header = path.read_text().splitlines()[0]
    path.write_bytes("".join(x + end for x in [header, *rows]).encode())
    if seconds:
        write_noise(root / f"{who}_P" / f"{who}_AUDIO.wav", seconds)
    return path


def test_counts_of_the_paper(whole, tmp_path, caplog):
    manifests = run(whole, tmp_path)
    assert set(manifests) == {"train", "test"}
    train, test = manifests["train"], manifests["test"]
    assert count(train, "state") == {"not depressed": 3651, "depressed": 1433}
    assert count(test, "state") == {"not depressed": 1155, "depressed": 776}
    assert len(count(train)) == 107 and len(count(test)) == 35
    assert "WARNING" not in caplog.text
    lengths = {
        sum(stop - start for start, stop in entry["parts"])
        for entry in [*train.values(), *test.values()]
    }
    assert lengths == {10000}  # 10 s at 1000 Hz

    # Held out or not, they add up.
    held_out = run(whole, tmp_path, protocol="held_out", held_out_part=5)
    assert held_out["test"] == test
    assert {**held_out["train"], **held_out["valid"]} == train
    assert not count(held_out["train"]).keys() & count(held_out["valid"]).keys()
    assert "WARNING" not in caplog.text


def test_fifths_share_nobody_and_leave_nobody_out(whole):
    """Each has a fifth of each label, 77 and 30 participants."""
    train = prepare.read_list(str(whole / LISTS["train"]))
    parts = [prepare.choose_part(train, part) for part in range(1, 6)]
    assert sorted(who for part in parts for who in part) == sorted(train)
    assert [sum(train[who] for who in part) for part in parts] == [6] * 5
    assert [len(part) - 6 for part in parts] == [16, 16, 15, 15, 15]
    assert prepare.choose_part(train, None) == []


def test_windows_by_hand(root, tmp_path):
    """T = 5 + 12.34 + 11.66 + 9 = 38 s: floor(28 / 9) + 1 = 4 windows."""
    rows = [
        row(1, 3.2, "Ellie"),
        row(3, 8),  # begins before the question ends
        row(8, 9, "Ellie"),
        row("10.00", "22.34"),
        row(22, 24, "Ellie"),
        row("20.34", "32.00"),  # overlaps the row before
        row(36, 45),
    ]
    talk(root, 303, rows)
    train = run(root, tmp_path / "m")["train"]
    assert parts_of(train, 303) == [
        [[3000, 8000], [10000, 15000]],
        [[14000, 22340], [20340, 22000]],
        [[21000, 31000]],
        [[30000, 32000], [36000, 44000]],
    ]
    assert list(train)[0] == "303_000"
    assert train["303_003"] == {
        "wav": "{data_root}/303_P/303_AUDIO.wav",
        "parts": [[30000, 32000], [36000, 44000]],
        "duration": 10.0,
        "state": "not depressed",
        "participant": "303",
    }
    path = root / "303_P" / "303_AUDIO.wav"
    samples, rate = sf.read(path, dtype="float32")
    wave = read_parts(path, train["303_003"]["parts"], sample_rate=rate)
    heard = [*samples[30000:32000], *samples[36000:44000]]
    assert wave.tolist() == pytest.approx(heard)


@pytest.mark.parametrize(
    "milliseconds, clips",
    [(9_999, 0), (10_000, 1), (18_999, 1), (19_000, 2), (27_999, 2)],
)
def test_full_windows_to_the_millisecond(root, tmp_path, milliseconds, clips):
    # 0.1 s is no binary fraction: sums of floats would be off.
    rows = [row(k / 10, (k + 1) / 10) for k in range(90)]
    rest = milliseconds - 9000
    rows.append(row("20.001", f"{(20001 + rest) / 1000:.3f}"))
    talk(root, 303, rows)
    write_noise(root / "303_P" / "303_AUDIO.wav", 45, rate=16000)
    train = run(root, tmp_path / "m")["train"]
    assert len(parts_of(train, 303)) == clips


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("tail", [[], ["", ""], ["\t\t\t"]])
def test_line_ends_do_not_matter(root, tmp_path, end, tail):
    before = run(root, tmp_path / "m")
    for who in 303, 318, 373, 409:
        talk(root, who, [*TALK, *tail], end)
    for name in LISTS.values():
        text = (root / name).read_text()
        (root / name).write_bytes(
            (text + "\n,,,\n\n").replace("\n", end).encode()
        )
    assert run(root, tmp_path / "m") == before


def test_rows_that_do_not_fit_the_recording(root, tmp_path, caplog):
    rows = [
        row(0, 5),
        row(6, 6),
        row(9, 8),
        row(40, "45.01"),
        row(46, 50),
        row(45, 47),
        row(7, 8, "Interviewer"),
    ]
    path = talk(root, 303, rows)
    train = run(root, tmp_path / "m")["train"]
    assert parts_of(train, 303) == [[[0, 5000], [40000, 45000]]]
    for text in (
        "rows that end after the recording are clipped: line 5\n",
        "rows that begin after the recording are left out: line 6, 7\n",
        "rows that do not end after they begin are left out: line 3, 4\n",
        "rows of neither Ellie nor the participant are left out: line 8\n",
    ):
        assert f"{path}: {text}" in caplog.text


def test_tags_and_sync_are_kept_unless_dropped(root, tmp_path, caplog):
    rows = [
        row(0, 10, text="<sync>"),
        row(10, 20, text="<laughter> <sigh>"),
        row(20, 30, text="<laughter> yes"),
        row(30, 41, "Ellie", text="<sync>"),
    ]
    talk(root, 303, rows)

    def starts(**options):
        train = run(root, tmp_path / "m", **options)["train"]
        return [parts[0][0] for parts in parts_of(train, 303)]

    assert starts() == [0, 9000, 18000]
    assert "dropped" not in caplog.text and " is on" not in caplog.text
    assert starts(drop_sync_rows=True) == [10000, 19000]
    assert "drop_sync_rows is on, for all interviews" in caplog.text
    assert "1 rows dropped: drop_sync_rows" in caplog.text
    assert starts(drop_tag_only_rows=True) == [20000]
    assert "2 rows dropped: drop_tag_only_rows" in caplog.text
    assert starts(drop_sync_rows=True, drop_tag_only_rows=True) == [20000]
    starts(drop_sync_rows=True, drop_rows_before_interviewer=True)
    both = "3 rows dropped: drop_sync_rows, drop_rows_before_interviewer"
    assert both in caplog.text


@pytest.mark.parametrize(
    "option, who, ranges, rows",
    [
        # 34.319917, 3.8379167, 6.1892 and 16.8582 s, at 1000 Hz
        ("correct_offsets", 318, [[34320, 44320]], None),
        ("correct_offsets", 321, [[3838, 13838]], None),
        ("correct_offsets", 341, [[6189, 16189]], None),
        ("correct_offsets", 362, [[16858, 26858]], None),
        (
            "cut_interruptions",
            373,
            [[390000, 395000], [428000, 433000]],
            [row(390, 402), row(426, 433)],
        ),
        (
            "cut_interruptions",
            444,
            [[281000, 286000], [387000, 392000]],
            [row(281, 293), row(385, 392)],
        ),
    ],
)
def test_times_are_corrected_where_they_are_wrong(
    root, tmp_path, option, who, ranges, rows, caplog
):
    write_interview(root, 499, rows or TALK, 450)
    shutil.rmtree(root / f"{who}_P", ignore_errors=True)
    (root / "499_P").rename(root / f"{who}_P")
    for name in "AUDIO.wav", "TRANSCRIPT.csv":
        path = root / f"{who}_P" / f"499_{name}"
        path.rename(path.with_name(f"{who}_{name}"))
    write_list(root, "train", {303: 0, who: 1})
    write_list(root, "dev", {409: 1})
    before = run(root, tmp_path / "m")
    after = run(root, tmp_path / "m", **{option: True})
    assert parts_of(before["train"], who)[0] != ranges
    assert parts_of(after["train"], who)[0] == ranges
    assert parts_of(after["train"], 303) == parts_of(before["train"], 303)
    assert after["test"] == before["test"]
    assert f"{option} is on, for {who}\n" in caplog.text


def test_the_label_of_409_is_corrected(root, tmp_path, caplog):
    def states(**options):
        test = run(root, tmp_path / "m", **options)["test"]
        return {entry["participant"]: entry["state"] for entry in test.values()}

    assert states() == {"409": "not depressed", "373": "depressed"}
    corrected = states(correct_label_of_409=True)
    assert corrected == {"409": "depressed", "373": "depressed"}
    assert "correct_label_of_409 is on, for 409\n" in caplog.text
    write_list(root, "dev", {373: 1})
    assert states(correct_label_of_409=True) == {"373": "depressed"}
    assert "correct_label_of_409 is on, for nobody" in caplog.text


def test_a_corrected_label_moves_nobody_between_the_fifths(root, tmp_path):
    listed = {300 + k: k % 2 for k in range(9)} | {409: 0}
    for who in listed.keys() - {303, 409}:
        write_interview(root, who, TALK, 45)
    write_list(root, "train", listed)
    write_list(root, "dev", {318: 0, 373: 1})
    options = {"protocol": "held_out", "held_out_part": 5}
    before = run(root, tmp_path / "m", **options)
    after = run(root, tmp_path / "m", correct_label_of_409=True, **options)
    # Of five with label 0 the fifth; were 409 one of label 1, it would be too.
    assert count(before["valid"]) == count(after["valid"]) == {"308": 4}
    assert before["train"] != after["train"]


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("inside", ["", "303_p/", "DAIC/303_P/303_P/"])
def test_archives_give_the_same_clips(root, tmp_path, kind, inside):
    before = run(root, tmp_path / "m")["train"]
    pack(root / "303_P", kind, inside)
    after = run(root, tmp_path / "m")["train"]
    wav = f"{{data_root}}/303_P.zip!/{inside}303_AUDIO.wav"
    for name, entry in before.items():
        if entry["participant"] == "303":
            entry = {**entry, "wav": wav}
        assert after[name] == entry
    path = wav.replace("{data_root}", str(root))
    assert len(read_parts(path, after["303_000"]["parts"], 1000)) == 10000
    assert not (root / "303_P").exists()


def nest(root, folder):
    inner = folder / folder.name
    folder.rename(root / "aside")
    folder.mkdir()
    (root / "aside").rename(inner)


def flatten(root, folder):
    for path in folder.iterdir():
        path.rename(root / path.name)
    folder.rmdir()


def below(root, folder):
    (root / "participants").mkdir(exist_ok=True)
    folder.rename(root / "participants" / folder.name)


def apart(root, folder):
    for path in folder.iterdir():
        place = root / {"wav": "audio", "csv": "transcripts"}[path.name[-3:]]
        place.mkdir(exist_ok=True)
        path.rename(place / path.name)
    folder.rmdir()


def zipped_below(root, folder):
    below(root, folder)
    pack(root / "participants" / folder.name)


@pytest.mark.parametrize("move", [nest, flatten, below, apart, zipped_below])
@pytest.mark.parametrize("lists", ["", "splits"])
def test_layouts_give_the_same_clips(root, tmp_path, move, lists):
    before = run(root, tmp_path / "m")
    for who in 303, 318, 373, 409:
        move(root, root / f"{who}_P")
    (root / lists).mkdir(exist_ok=True)
    for name in LISTS.values():
        (root / name).rename(root / lists / name)
    after = run(root, tmp_path / "m")
    for split, entries in before.items():
        assert after[split].keys() == entries.keys()
        for name, entry in entries.items():
            found = after[split][name]
            assert {**found, "wav": entry["wav"]} == entry
            path = found["wav"].replace("{data_root}", str(root))
            assert len(read_parts(path, found["parts"], 1000)) == 10000


def test_rows_before_the_interview_are_dropped_if_asked_for(root, tmp_path):
    rows = [row(0, 10), row(10, 12, "Ellie"), row(20, 31)]
    talk(root, 303, rows)

    def starts(**options):
        train = run(root, tmp_path / "m", **options)["train"]
        return [parts[0][0] for parts in parts_of(train, 303)]

    assert starts() == [0, 9000]
    assert starts(drop_rows_before_interviewer=True) == [20000]
    # Of an interview without her rows all is kept.
    talk(root, 303, [rows[0], rows[2]])
    assert starts(drop_rows_before_interviewer=True) == [0, 9000]


def test_folders_go_before_archives_if_they_are_whole(root, tmp_path):
    before = run(root, tmp_path / "m")
    with zipfile.ZipFile(root / "303_P.zip", "w") as file:
        file.writestr("303_AUDIO.wav", "no audio")
    assert run(root, tmp_path / "m") == before
    pack(root / "318_P")
    (root / "318_P").mkdir()
    (root / "318_P" / "318_COVAREP.csv").write_text("only this was unpacked")
    after = run(root, tmp_path / "m")["train"]
    assert parts_of(after, 318) == parts_of(before["train"], 318)
    assert "{data_root}/318_P.zip!/318_AUDIO.wav" in count(after, "wav")


def test_upper_and_lower_case_do_not_matter(root, tmp_path):
    for name in "303_AUDIO.wav", "303_TRANSCRIPT.csv":
        path = root / "303_P" / name
        path.rename(path.with_name(name.lower().replace(".wav", ".WAV")))
    (root / "303_P").rename(root / "303_p")
    for name in LISTS.values():
        text = (root / name).read_text().replace("PHQ8_B", "phq8_b")
        (root / name).unlink()
        (root / name.lower()).write_text(text)
    pack(root / "318_P").rename(root / "318_p.ZIP")
    assert count(run(root, tmp_path / "m")["train"], "wav") == {
        "{data_root}/303_p/303_audio.WAV": 4,
        "{data_root}/318_p.ZIP!/318_AUDIO.wav": 4,
    }


def test_apple_double_files_are_passed_over(root, tmp_path):
    before = run(root, tmp_path / "m")
    double = b"\0\5\16\7" + bytes(60)
    for name in (
        f"._{LISTS['train']}",
        "._303_P.zip",
        "303_P/._303_AUDIO.wav",
        "303_P/._303_TRANSCRIPT.csv",
    ):
        (root / name).write_bytes(double)
    assert run(root, tmp_path / "m") == before
    archive = pack(root / "303_P")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("__MACOSX/._303_AUDIO.wav", double)
        file.writestr("__MACOSX/303_AUDIO.wav", double)
    wavs = set(count(run(root, tmp_path / "m")["train"], "wav"))
    assert "{data_root}/303_P.zip!/303_AUDIO.wav" in wavs


@pytest.mark.parametrize(
    "text",
    [
        # Other columns and orders, rows that are short or long
        "Gender,PHQ8_Sleep,PHQ8_Binary,participant_ID,PHQ8_Score\n"
        "1,,0,303,\n,x,1, 318 ,none,more,,\n",
        '"Participant_ID","Remark","PHQ8_Binary"\r\n'
        '"303","one, two","0"\r\n318, "a ""b""","1"\r\n',
        # As pandas writes it, and with the name in full_test_split.csv
        ",Participant_ID,PHQ8_Binary\n0,303.0,0.0\n1,318.0,1.0\n",
        "Participant_ID,PHQ_Binary\n303,0\n318,1\n",
        "Participant_ID,PHQ8_Binary\r303,0\r318,1\r",  # as old Excel does
    ],
)
def test_only_two_columns_of_the_lists_are_read(root, tmp_path, text):
    before = run(root, tmp_path / "m")
    (root / LISTS["train"]).write_text(text)
    assert run(root, tmp_path / "m") == before


@pytest.mark.parametrize(
    "line, reason",
    [
        # Quotation marks left open: they swallow no row below.
        (f'307,"{SENTINELS[1]},0\n318,b,1', "quotation marks are not in pairs"),
        (
            f'307,"{SENTINELS[1]},0\n318,b",1',
            "quotation marks are not in pairs",
        ),
        (f'307,"a"{SENTINELS[1]},0', "quotation marks are not in pairs"),
        (f"{SENTINELS[1]},0,1", "Participant_ID is no number of three"),
        (f",0,{SENTINELS[1]}", "Participant_ID is no number of three"),
        (f"304,{SENTINELS[1]},0", "PHQ8_Binary is neither 0 nor 1"),
        (f"304,,{SENTINELS[1]}", "PHQ8_Binary is neither 0 nor 1"),
        ("304", "PHQ8_Binary is neither 0 nor 1"),
        (SENTINELS[1] * 20000, "it is too long for a list of participants"),
        (f"303,1,{SENTINELS[1]}", "303 is listed a second time"),
    ],
)
def test_malformed_lists_are_named_and_not_quoted(root, tmp_path, line, reason):
    path = root / LISTS["dev" if "304" in line else "train"]
    path.write_text(f"{path.read_text()}\n{line}\n")
    with pytest.raises(ValueError, match=reason) as caught:
        run(root, tmp_path / "m")
    assert f"{path}, line 5" in str(caught.value)
    assert not any(word in str(caught.value) for word in SENTINELS)
    assert not (tmp_path / "m").exists()


def test_lists_without_the_columns_are_refused(root, tmp_path):
    for text in (
        "",
        "Participant_ID,Gender\n303,1\n",
        # Which of the two?
        "Participant_ID,PHQ8_Binary,phq8_binary\n303,1,0\n318,0,1\n",
    ):
        (root / LISTS["train"]).write_text(text)
        with pytest.raises(ValueError, match="line 1: .* PHQ8_Binary"):
            run(root, tmp_path / "m")


def test_a_participant_in_both_lists_is_leakage(root, tmp_path):
    write_list(root, "dev", {303: 0, 318: 1, 409: 1})
    with pytest.raises(ValueError, match="^303, 318: in train_split.* in dev"):
        run(root, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_malformed_transcripts_are_named_and_not_quoted(root, tmp_path):
    path = talk(root, 318, [*TALK, f"1.0\t{SENTINELS[0]}"])
    with pytest.raises(ValueError) as caught:
        run(root, tmp_path / "m")
    assert f"{path}, line 3:" in str(caught.value)
    assert not any(word in str(caught.value) for word in SENTINELS)
    assert not (tmp_path / "m").exists()


def damage(archive, name):
    """Changes one byte at 90 % of a member."""
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as file:
        info = file.getinfo(name)
    place = info.header_offset + 30 + len(name)
    content[place + info.compress_size * 9 // 10] ^= 1
    archive.write_bytes(content)


def replace(path, content):
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize(
    "spoil, reason",
    [
        (
            lambda root, path: path.unlink(),
            "303_AUDIO.wav: there is no 303_TRA",
        ),
        (
            lambda root, path: path.parent.rename(root.parent / "303"),
            "303_P/303_AUDIO.wav: there is neither a folder 303_P nor 303_P.zip",
        ),
        (
            lambda root, path: os.truncate(root / "303_P/303_AUDIO.wav", 2000),
            "303_P/303_AUDIO.wav: it is truncated",
        ),
        (
            lambda root, path: (root / "303_P/303_AUDIO.wav").unlink(),
            "303_P/303_AUDIO.wav: the file is missing",
        ),
        (lambda root, path: (path.unlink(), path.mkdir()), "it is a folder"),
        (lambda root, path: replace(path, b""), "csv: the file is empty"),
        (lambda root, path: replace(path, b"\n\n"), "there is nothing in"),
        (
            lambda root, path: replace(path, SENTINELS[0].encode()),
            "line 1: the columns, separated by tabs, are not",
        ),
        (
            lambda root, path: damage(
                pack(root / "303_P"), "303_TRANSCRIPT.csv"
            ),
            "303_TRANSCRIPT.csv: 303_P.zip cannot be read as a zip archive",
        ),
        (
            # Here, and not when features are made of it
            lambda root, path: damage(pack(root / "303_P"), "303_AUDIO.wav"),
            "303_P.zip cannot be read as a zip archive",
        ),
        (
            lambda root, path: damage(
                pack(root / "303_P", zipfile.ZIP_DEFLATED), "303_AUDIO.wav"
            ),
            "303_P.zip cannot be read as a zip archive",
        ),
        (
            lambda root, path: os.truncate(pack(root / "303_P"), 4000),
            "303_P.zip cannot be read as a zip archive",
        ),
    ],
)
def test_what_cannot_be_used_is_named(root, tmp_path, spoil, reason, caplog):
    assert "303" in count(run(root, tmp_path / "before")["train"])
    spoil(root, root / "303_P" / "303_TRANSCRIPT.csv")
    with pytest.raises(ValueError, match="1 of 4 DAIC-WOZ inter") as caught:
        run(root, tmp_path / "m")
    assert reason in str(caught.value) and reason in caplog.text
    assert not any(word in str(caught.value) for word in SENTINELS)
    assert not (tmp_path / "m").exists()
    manifests = run(root, tmp_path / "m", max_unusable=0.25)
    assert count(manifests["train"]) == {"318": 4}


def test_changed_lists_and_archives_are_noticed(root, tmp_path, caplog):
    def said(**options):
        caplog.clear()
        run(root, tmp_path / "m", **options)
        return caplog.text

    said()
    # Without effect on this protocol, so no reason to prepare again.
    assert "are current" in said(held_out_part=2)
    write_list(root, "train", {303: 1, 318: 0})
    assert "because the data changed" in said()
    archive = pack(root / "303_P")
    assert "because the data changed" in said()
    os.utime(archive, (1, 1))
    assert "because the data changed" in said()
    assert "are current" in said()


def test_too_little_speech_gives_no_clip_and_says_so(root, tmp_path, caplog):
    talk(root, 303, [row(0, 5), row(7, "11.9"), row(12, 20, "Ellie")])
    manifests = run(root, tmp_path / "m")
    assert count(manifests["train"]) == {"318": 4}
    text = "303 gives no clip: the participant speaks for 9.9 s"
    assert text in caplog.text
    talk(root, 318, [row(0, 50, "Ellie")])
    with pytest.raises(ValueError, match="train set"):
        run(root, tmp_path / "m")
    assert "318 gives no clip: the participant speaks for 0.0 s" in caplog.text


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_other_rates_count_in_their_own_samples(root, tmp_path, rate):
    path = root / "303_P" / "303_AUDIO.wav"
    write_noise(path, 41, rate)
    talk(root, 303, [row("0.5", "1.001"), row(10, 30)])
    train = run(root, tmp_path / "m")["train"]
    first, second = parts_of(train, 303)
    begin = int(0.5 * rate), int(1.001 * rate + 0.5)
    assert first[0] == [*begin]
    assert sum(stop - start for start, stop in first) == 10 * rate
    assert len(read_parts(path, second)) == 160000


def test_other_counts_are_named(root, tmp_path, caplog):
    run(root, tmp_path / "m")
    assert "the counts are not the paper's" in caplog.text
    for text in (
        "train interviews 2 (paper 107)",
        "train not depressed 4 (paper 3651)",
        "train depressed 4 (paper 1433)",
        "dev interviews 2 (paper 35)",
        "dev not depressed 4 (paper 1155)",
        "dev depressed 4 (paper 776)",
    ):
        assert text in caplog.text
    caplog.clear()
    run(root, tmp_path / "m", drop_sync_rows=True)
    assert "the paper's" not in caplog.text


def test_the_folder_above_is_accepted(root, tmp_path):
    root = root.rename(tmp_path / "DAIC-WOZ")
    train = run(tmp_path, tmp_path / "m")["train"]
    wav = train["303_000"]["wav"]
    assert wav == "{data_root}/DAIC-WOZ/303_P/303_AUDIO.wav"
    # {data_root} is another one now, so these manifests would not do.
    assert run(root, tmp_path / "m")["train"] != train


def test_nothing_confidential_leaves_the_data(root, tmp_path, caplog):
    """Manifests and the log of a run that warns of everything."""
    talk(root, 303, [*TALK, row(44, 50), row(9, 8), row(1, 2, SENTINELS[0])])
    talk(root, 318, [row(0, 5)])
    pack(root / "373_P", zipfile.ZIP_DEFLATED)
    write_list(root, "train", {303: 0, 318: 1, 321: 1})
    run(
        root,
        tmp_path / "m",
        max_unusable=0.5,
        **dict.fromkeys(prepare.CORRECTIONS, True),
    )
    inside = (root / LISTS["train"]).read_bytes()
    inside += (root / "303_P" / "303_TRANSCRIPT.csv").read_bytes()
    written = b"".join(p.read_bytes() for p in (tmp_path / "m").iterdir())
    assert len(written) > 1000 and "line 4" in caplog.text
    for word in SENTINELS:
        assert word.encode() in inside  # or nothing would be proven
        assert word.encode() not in written
        assert word not in caplog.text
