"""A table of one's own recordings is read however it was saved.

Authors
 * The speechbrain_hrf authors 2026
"""

import logging

import pytest
from preparers import load_module

table = load_module("OwnData", "label_table")
PLAIN = "path,label,speaker\na/1.wav,sad,ann\nb é/2.wav,happy,bob\n"
NAMES = {"a/1.wav": ("sad", "ann"), "b é/2.wav": ("happy", "bob")}


@pytest.fixture
def folder(tmp_path):
    """Empty files: a table is read without listening."""
    for name in NAMES:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    return tmp_path


def read(folder, content, encoding="utf-8"):
    path = folder / "my.csv"
    path.write_bytes(content.encode(encoding))
    return table.read_rows(str(path))


FORMS = {
    "plain": PLAIN,
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "Windows": PLAIN.replace("\n", "\r\n"),
    "old Macintosh": PLAIN.replace("\n", "\r"),
    "header": PLAIN.replace("path,label,speaker", " Path ,LABEL,Speaker"),
    "quoted": PLAIN.replace("a/1.wav,sad", '"a/1.wav", "sad"').replace(
        ", ", ","
    ),
    "backslashes": PLAIN.replace("/", "\\"),
    "dots": PLAIN.replace("a/1", "./b é/../a/1"),
    "blanks": PLAIN.replace("sad,", " sad ,").replace("\nb", "\n\n,,\nb"),
    "more cells, all empty": PLAIN.replace("ann", "ann,,"),
    "Excel's hint": "sep=;\n" + PLAIN.replace(",", ";"),
    "pandas": "".join(
        f"{k},{line}\n" if k else f",{line}\n"
        for k, line in enumerate(PLAIN.splitlines())
    ),
    "pandas, tabs": "".join(
        f"{k}\t{line}\n" if k else f"\t{line}\n"
        for k, line in enumerate(PLAIN.replace(",", "\t").splitlines())
    ),
    "no end of line": PLAIN.rstrip("\n"),
    "characters that nobody sees": PLAIN.replace("sad", "s\u200bad\u200b"),
    "an inch and a closed quotation": "".join(
        f"{line},{more}\n"
        for line, more in zip(
            PLAIN.splitlines(), ("text", '5" nails', '"Kids" are'), strict=True
        )
    ),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("form", FORMS)
def test_forms(folder, form, encoding):
    rows = read(folder, FORMS[form], encoding)
    assert {row.name: (row.label, row.speaker) for row in rows} == NAMES
    assert [row.id for row in rows] == sorted(NAMES)
    assert all((folder / row.name).samefile(row.path) for row in rows)


def test_home_and_absolute_paths(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder / "a"))
    content = PLAIN.replace("a/1", "~/1").replace("b é", f"{folder}/b é")
    assert [row.name for row in read(folder, content)] == list(NAMES)


def test_paths_count_from_another_folder(folder):
    path = folder / "tables" / "my.csv"
    path.parent.mkdir()
    path.write_text(PLAIN, encoding="utf-8")
    rows = table.read_rows(str(path), str(folder))
    assert [row.name for row in rows] == list(NAMES)
    with pytest.raises(
        FileNotFoundError, match="None of the 2 files .*--data_"
    ):
        table.read_rows(str(path))


def test_other_columns_are_named(folder, caplog):
    caplog.set_level(logging.INFO)
    read(folder, "path,age,label,\na/1.wav,30,sad,x\n")
    assert "columns passed over: age, (without a name)" in caplog.text


def test_a_column_that_is_nearly_known_is_asked_about(folder, caplog):
    read(folder, "path,label,speeker,age\na/1.wav,sad,ann,30\n")
    assert "column speeker is passed over. If it is what is" in caplog.text
    assert "called speaker here, rename it" in caplog.text
    caplog.clear()
    read(folder, "path,label,speaker,speaker_2,age\na/1.wav,sad,ann,b,30\n")
    assert "rename" not in caplog.text


@pytest.mark.parametrize(
    "labels, found",
    [
        (("10", "9"), ["9", "10"]),
        (("10.0", "9.0"), ["9", "10"]),  # pandas, of whole numbers
        (("1.5", "1.0"), ["1.0", "1.5"]),
        (("01", "2"), ["01", "2"]),
        (("b", "A"), ["A", "b"]),
        (("no", "yes"), ["no", "yes"]),
    ],
)
def test_order_of_labels(folder, labels, found):
    pairs = zip(NAMES, labels, strict=True)
    rows = [f"{name},{label}\n" for name, label in pairs]
    rows = read(folder, "path,label\n" + "".join(rows))
    assert table.sort_names(row.label for row in rows) == found


def test_words_for_splits(folder):
    words = [word.upper() for word in table.SPLITS]
    rows = [f"a/1.wav,x,{word},{k},\n" for k, word in enumerate(words, 1)]
    rows = read(folder, "path,label,split,start,stop\n" + "".join(rows))
    found = {row.start: row.split for row in rows}
    assert [found[k] for k in range(1, 1 + len(words))] == [
        *table.SPLITS.values()
    ]
    assert {"train", "valid", "test"} == {*found.values()}


def test_start_and_stop(folder):
    content = "path;label;start;stop\na/1.wav;x;1,5;3\na/1.wav;y;0;1.25\n"
    first, second = read(folder, content)
    assert (first.id, first.start, first.stop) == ("a/1.wav_-1.25", None, 1.25)
    assert (second.id, second.start, second.stop) == ("a/1.wav_1.5-3", 1.5, 3)


def test_end_is_another_name_of_stop(folder):
    [row] = read(folder, "path,label,Start,END\na/1.wav,x,1,3\n")
    assert (row.start, row.stop) == (1, 3)
    [row] = read(folder, "path,label,stop,end\na/1.wav,x,2,3\n")
    assert row.stop == 2


@pytest.mark.parametrize(
    "columns, named",
    [
        ("start,duration", "duration"),
        ("start,dur", "dur"),
        ("start,end_time", "end_time"),
        ("stop_time", "stop_time"),
        ("begin,end", "begin"),
        ("offset,duration", "offset"),
        ("onset", "onset"),
        ("Start_Time,stop", "start_time"),
    ],
)
def test_times_of_a_cut_are_not_passed_over(folder, columns, named):
    row = f"a/1.wav,x{',1' * len(columns.split(','))}\n"
    with pytest.raises(ValueError, match=f"column {named} would be passed ov"):
        read(folder, f"path,label,{columns}\n{row}")


@pytest.mark.parametrize(
    "columns", ["duration", "start,stop,duration", "start,end,end_time"]
)
def test_times_that_cut_nothing_are(folder, columns):
    row = f"a/1.wav,x{',1,2,3'[: 2 * len(columns.split(','))]}\n"
    assert len(read(folder, f"path,label,{columns}\n{row}")) == 1


def test_one_character_is_written_in_one_way(folder):
    names = ("Zo\xeb", "Zoe\u0308")
    rows = [f"{x},{y},{y}\n" for x, y in zip(NAMES, names, strict=True)]
    rows = read(folder, "path,label,speaker\n" + "".join(rows))
    assert {(row.label, row.speaker) for row in rows} == {(names[0],) * 2}


@pytest.mark.parametrize("key", ["label", "speaker"])
@pytest.mark.parametrize(
    "one, other",
    [("Ann", "ann"), ("Ann B", "AnnB"), ("01", "1"), ("1", "1.0"), ("0", "00")],
)
def test_spellings_of_one_name_are_refused(folder, key, one, other):
    texts = [
        PLAIN.replace("sad", one).replace("happy", other),
        PLAIN.replace("ann", one).replace("bob", other),
    ]
    message = f"one {key} seems to be .* '{one}' and '{other}': write them"
    with pytest.raises(ValueError, match=message):
        read(folder, texts[key == "speaker"])


@pytest.mark.parametrize(
    "one, other", [("1_1", "11"), ("10", "1"), ("1.5", "1.50001"), ("a", "á")]
)
def test_other_names_are_others(folder, one, other):
    read(folder, PLAIN.replace("ann", one).replace("bob", other))


START = "path,label,start,stop\n"
REFUSED = [
    ("", "no columns path and label"),
    ("file,label\na,b\n", "no columns path and label.*'file,label'"),
    ("path label\na b\n", "no columns path and label"),
    ("path,label\n", "no row below"),
    ("path,label,Label\na,b,c\n", "2 columns label"),
    ("path,label\na/1.wav,\n", "line 2: label is empty"),
    ("path,label,speaker\na/1.wav,x\n", "line 2: speaker is empty"),
    ("path,label\na/1.wav,{x}\n", "line 2: label is '{x}': leave out the br"),
    ("path,label\na/1.wav,x => y\n", "'x => y': leave out the arrow =>"),
    ("path,label,speaker\na/1.wav,x,\u200b\n", "line 2: speaker is empty"),
    ('path,label,t\na/1.wav,x,"y\nb,x,z"\n', "line 2: a quotation mark is o"),
    ('path,label\n\na/1.wav,"x', "line 3: a quotation mark is opened and not"),
    ("path,label\n\na/1.wav,x,y\n", "line 3: it has 3 cells.*2 columns"),
    ("sep=,\npath,label\na/1.wav,\n", "line 3: label is empty"),
    ("path,label,split\na/1.wav,x,all\n", "line 2: split is 'all', not train"),
    ("path,label\na/1.wav,x\na/1.wav,x\n", "line 3: a/1.wav stands there twi"),
    ("path,label\na/1.wav,x\n./a/1.wav,y\n", "twice, as x and as y"),
    (f"{START}a/1.wav,x,1,2\na/1.wav,y,1.0,2\n", "wav_1-2 stands there twice"),
    (f"{START}a/1.wav,x,2,1\n", "line 2: stop, 1 s, is not after start, 2 s"),
    (f"{START}a/1.wav,x,,0\n", "stop, 0 s, is not after start, 0 s"),
    (f"{START}a/1.wav,x,0:10,\n", "start is '0:10', not a number of seconds"),
    (f"{START}a/1.wav,x,-1,\n", "start is '-1', not a number of seconds"),
    (f"{START}a/1.wav,x,,nan\n", "stop is 'nan', not a number of seconds"),
]


@pytest.mark.parametrize("content, message", REFUSED)
def test_what_is_refused(folder, content, message):
    """With the place, the reason and an example."""
    with pytest.raises(ValueError, match=message) as caught:
        read(folder, content)
    assert str(folder / "my.csv") in str(caught.value)
    assert "path,label,speaker\nanna/001.wav,happy,anna" in str(caught.value)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le"])
def test_encodings_that_cannot_be_told(folder, encoding):
    with pytest.raises(ValueError, match="save it as 'CSV UTF-8'"):
        read(folder, PLAIN, encoding)


def test_a_mark_that_stands_there_twice(folder):
    assert len(read(folder, "\ufeff" + PLAIN, "utf-16")) == 2


def test_no_table(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no table .*\s+path,label"):
        table.read_rows(str(tmp_path / "my.csv"))
