"""M3ED is prepared with the paper's counts, whatever is wrong with its files.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import json
import os
import pathlib

import numpy as np
import pytest
import soundfile as sf
from preparers import load_manifests, load_preparer

prepare = load_preparer("M3ED")
prepare_m3ed = prepare.prepare_m3ed

# In the order neutral, happy, sad, anger, surprise, disgust, fear.
COUNTS = {
    "train": (7130, 1626, 2734, 3816, 696, 1145, 280),
    "val": (1043, 303, 489, 682, 120, 134, 50),
    "test": (1855, 358, 734, 736, 235, 218, 65),
}
LABELS = ("Neutral", "Happy", "Sad", "Anger", "Surprise", "Disgust", "Fear")
SERIES = {"train": 38, "val": 7, "test": 11}
# As the annotators typed them; the recipe has no use for them.
DIRT = (
    {"Name": "甲", "Age": "Yong", "Gender": "Femal", "OtherName": ""},
    {"Name": "", "Age": "Mid", "Gender": None},
    {"Gender": "male "},
    {},
)
SAMPLES = 114  # the corpus's shortest file


def annotate(counts, series):
    """Series of each split, and an annotation of these counts."""
    lists, annotation = {}, {}
    for split, row in counts.items():
        names = [
            f"{split}{chr(97 + k // 26)}{chr(97 + k % 26)}"
            for k in range(series[split])
        ]
        lists[split] = names
        labels = [x for x, n in zip(LABELS, row, strict=True) for _ in range(n)]
        for k, label in enumerate(labels):
            name = names[k % len(names)]
            number = k // len(names)
            dialogue = f"{name}_{number // 10 + 1}"
            parts = annotation.setdefault(name, {}).setdefault(
                dialogue,
                {
                    "SpeakerInfo": {"A": DIRT[k % 4], "B": DIRT[k % 3]},
                    "Dialog": {},
                },
            )
            parts["Dialog"][f"{dialogue}_{number % 10 + 1}"] = {
                "StartTime": "00:00:00:01",
                "EndTime": "00:00:01:03",
                "Text": "合成",
                "Speaker": "AB"[k // 3 % 2],
                "EmoAnnotation": {
                    "EmoAnnotator1": "Fear",
                    "final_mul_emo": f"{label},Fear",
                    "final_main_emo": label,
                },
            }
    return lists, annotation


def contents(annotation):
    """Yields key and content of every utterance."""
    for dialogues in annotation.values():
        for parts in dialogues.values():
            yield from parts["Dialog"].items()


def write_json(folder, annotation):
    text = json.dumps(annotation, ensure_ascii=False)
    (folder / "annotation.json").write_text(text, encoding="utf-8")


def write_corpus(folder, counts, series, missing=0):
    """A corpus with all files but some; links to one file of 114 samples."""
    lists, annotation = annotate(counts, series)
    (folder / "splitInfo").mkdir(parents=True)
    for split, names in lists.items():
        path = folder / "splitInfo" / f"movie_list_{split}.txt"
        path.write_text("\n".join(names))
    write_json(folder, annotation)
    source = folder / "source.wav"
    sf.write(source, np.zeros(SAMPLES), 16000)
    audio = folder / "modality_speech"
    audio.mkdir()
    for k, (key, content) in enumerate(contents(annotation)):
        if k >= missing:
            os.link(source, audio / f"{content['Speaker']}_{key}.wav")
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A corpus of the real size, 12 files missing. Not to be changed."""
    folder = tmp_path_factory.mktemp("m3ed") / "M3ED"
    return write_corpus(folder, COUNTS, SERIES, missing=12)


@pytest.fixture
def small(tmp_path):
    """A corpus of 63 utterances, to be changed at will."""
    counts = dict.fromkeys(COUNTS, (3,) * 7)
    series = {"train": 3, "val": 1, "test": 2}
    return write_corpus(tmp_path / "data", counts, series)


def entries(folder):
    return {
        name: entry
        for part in load_manifests(folder).values()
        for name, entry in part.items()
    }


def change(folder, edit):
    """Edits the annotation: a function of it that changes it in place."""
    path = folder / "annotation.json"
    annotation = json.loads(path.read_text())
    result = edit(annotation)
    write_json(folder, annotation)
    return result


def wavs(folder):
    return sorted((folder / "modality_speech").iterdir())


def error(corpus, kind=ValueError, **options):
    """What prepare_m3ed says when it refuses; it must not write anything."""
    manifests = corpus.parent / "refused"
    with pytest.raises(kind) as caught:
        prepare_m3ed(corpus, manifests, **options)
    assert not manifests.exists()
    return str(caught.value)


def test_counts_of_the_paper(whole, tmp_path, caplog):
    """12 files are missing, as in the release: the first ones, neutral."""
    prepare_m3ed(whole, tmp_path)
    manifests = load_manifests(tmp_path)
    assert set(manifests) == {"train", "valid", "test"}
    for split, row in COUNTS.items():
        part = manifests["valid" if split == "val" else split].values()
        found = collections.Counter(entry["emo"] for entry in part)
        missing = 12 if split == "train" else 0
        assert [found[label] for label in LABELS] == [
            row[0] - missing,
            *row[1:],
        ]
        assert len({entry["series"] for entry in part}) == SERIES[split]
    text = "24449 utterances are annotated, 24437 of them have usable audio"
    assert text in caplog.text
    unusable = [r for r in caplog.messages if r.startswith("Unusable: ")]
    assert len(unusable) == 12
    assert "will not compare" not in caplog.text


def test_entries_and_other_counts(small, tmp_path, caplog):
    missing = [path.stem for path in wavs(small)[:13]]
    for path in wavs(small)[:13]:
        path.rename(path.with_name(f"._{path.name}"))  # of a Macintosh
    prepare_m3ed(small, tmp_path / "m", max_unusable=0.25)
    annotation = json.loads((small / "annotation.json").read_text())
    expected = {
        f"{content['Speaker']}_{key}": content
        for key, content in contents(annotation)
    }
    found = entries(tmp_path / "m")
    assert found.keys() == expected.keys() - {*missing}
    for name, entry in found.items():
        path = pathlib.Path(entry["wav"].replace("{data_root}", str(small)))
        assert path.is_file() and path.stem == name
        # Neither texts nor names of roles.
        assert entry == {
            "wav": f"{{data_root}}/modality_speech/{name}.wav",
            "duration": SAMPLES / 16000,
            "emo": expected[name]["EmoAnnotation"]["final_main_emo"],
            "series": name.split("_")[1],
            "speaker": name[0],
        }
    assert "the counts are not the paper's" in caplog.text
    assert "train Neutral 3 (paper 7130)" in caplog.text
    assert "valid Happy 3 (paper 303)" in caplog.text
    assert "test Fear 3 (paper 65)" in caplog.text
    text = "13 utterances are without usable audio; in the public release it"
    assert text in caplog.text


def test_neither_dirt_nor_order_matters(small, tmp_path):
    prepare_m3ed(small, tmp_path / "1")

    def edit(annotation):
        for name, dialogues in list(annotation.items()):
            for parts in dialogues.values():
                parts["Dialog"] = dict(reversed(parts["Dialog"].items()))
            del parts["SpeakerInfo"]
            annotation[name] = dict(reversed(dialogues.items()))

    change(small, edit)
    path = small / "splitInfo" / "movie_list_train.txt"
    path.write_text("\n".join(reversed(path.read_text().splitlines())))
    prepare_m3ed(small, tmp_path / "2")
    assert load_manifests(tmp_path / "1") == load_manifests(tmp_path / "2")


def test_line_ends_blank_lines_and_byte_order_marks(small, tmp_path):
    prepare_m3ed(small, tmp_path / "1")
    for path in (small / "splitInfo").iterdir():
        lines = path.read_bytes().split(b"\n")
        # A blank line, spaces, a series twice: nothing of it is a reason.
        lines += [b"", lines[0] + b"  ", b"", b""]
        path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    path = small / "annotation.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    prepare_m3ed(small, tmp_path / "2")
    assert load_manifests(tmp_path / "1") == load_manifests(tmp_path / "2")


def test_a_file_under_another_speaker_is_named(small, tmp_path, caplog):
    path = wavs(small)[0]
    path.rename(path.with_name(path.name.replace("A_", "B_", 1)))
    prepare_m3ed(small, tmp_path / "m", max_unusable=0.02)
    assert "if they are the right ones): 1 (" in caplog.text
    assert path.stem in caplog.text and f"B{path.name[1:]}" in caplog.text
    # Who is right cannot be told, so it is not taken.
    assert len(entries(tmp_path / "m")) == 62


def test_what_is_not_annotated_is_left_out(small, tmp_path, caplog):
    def edit(annotation):
        first, second, third, fourth, *_ = contents(annotation)
        del first[1]["EmoAnnotation"]
        del second[1]["EmoAnnotation"]["final_main_emo"]
        third[1]["EmoAnnotation"]["final_main_emo"] = ""
        fourth[1]["EmoAnnotation"] = None
        return [key for key, _ in (first, second, third, fourth)]

    keys = change(small, edit)
    prepare_m3ed(small, tmp_path / "m")
    assert f"left out: 4 ({', '.join(keys)})" in caplog.text
    assert "59 utterances are annotated, 59 of them" in caplog.text
    assert len(entries(tmp_path / "m")) == 59


def test_unknown_labels_are_named(small):
    def edit(annotation):
        (first, one), (_, two), (third, three), *_ = contents(annotation)
        one["EmoAnnotation"]["final_main_emo"] = "Angry"
        two["EmoAnnotation"]["final_main_emo"] = "Angry"
        three["EmoAnnotation"]["final_main_emo"] = ["Happy", "Sad"]
        return first, third

    first, third = change(small, edit)
    message = error(small)
    assert f"'Angry' (2 times, first {first}, perhaps Anger)" in message
    assert f"(1 times, first {third}" in message
    assert "The labels are Neutral, Happy" in message


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ("testaa\ntrainab\n", "list_test.txt: trainab also stands in"),
        ("Trainab", "no series Trainab, which the lists in splitInfo name, p"),
        ("\r\n\r\n", "movie_list_test.txt is empty"),
        (None, "splitInfo/movie_list_test.txt. Expected: annotation.json"),
    ],
)
def test_a_broken_list_is_named(small, series, message):
    """A series in two lists would be leakage."""
    path = small / "splitInfo" / "movie_list_test.txt"
    path.unlink()
    if series:
        path.write_text(series)
    assert message in error(small, ValueError if series else FileNotFoundError)


def test_a_series_in_no_list_is_left_out(small, tmp_path, caplog):
    (small / "splitInfo" / "movie_list_train.txt").write_text("trainaa\n")
    prepare_m3ed(small, tmp_path / "m")
    assert "left out: 2 (trainab, trainac)" in caplog.text
    series = {entry["series"] for entry in entries(tmp_path / "m").values()}
    assert series == {"trainaa", "valaa", "testaa", "testab"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"anjia": {\n "anjia_1": {,', "line 2, column 14: this is no JSON"),
        (b"", "line 1, column 1: this is no JSON"),
        (b"[1, 2]", "holds no mapping of series"),
        (b'{"\xff": 1}', "byte 2: this is no UTF-8"),
        (b'{"a":' * 10**5, "is nested too deep"),
        (b"[" * 10**5, "is nested too deep"),
        (b"[" + b"9" * 5000 + b"]", "or holds a number too long"),
    ],
)
def test_a_broken_annotation_is_located(small, content, message):
    path = small / "annotation.json"
    path.write_bytes(content)
    assert error(small).startswith(str(path)) and message in error(small)


def test_several_annotations_are_named(small):
    (small / "old").mkdir()
    os.link(small / "annotation.json", small / "old" / "annotation.json")
    for folder in small, small / "old":
        assert str(folder / "annotation.json") in error(small)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda a: a.update(valaa=[]), "valaa holds []"),
        (lambda a: a["valaa"].update(valaa_1=1), "valaa, valaa_1 holds 1"),
        (lambda a: a["valaa"]["valaa_1"].pop("Dialog"), "valaa_1 holds None"),
        (
            lambda a: a["valaa"]["valaa_1"]["Dialog"].update(valaa_1_1="x"),
            "valaa_1_1 holds 'x'",
        ),
        (
            lambda a: a["valaa"]["valaa_1"]["Dialog"]["valaa_1_1"].update(
                EmoAnnotation=["Sad"]
            ),
            "valaa_1_1 holds",
        ),
        (
            lambda a: a["valaa"]["valaa_1"]["Dialog"]["valaa_1_1"].pop(
                "Speaker"
            ),
            "valaa_1_1 has the Speaker None",
        ),
        (
            lambda a: a["valaa"]["valaa_1"]["Dialog"]["valaa_1_1"].update(
                Speaker=""
            ),
            "valaa_1_1 has the Speaker ''",
        ),
        (
            lambda a: a["trainaa"]["trainaa_1"]["Dialog"].update(
                a["valaa"]["valaa_1"]["Dialog"]
            ),
            "is annotated twice, in trainaa and in valaa",
        ),
    ],
)
def test_a_malformed_annotation_is_named(small, edit, message):
    change(small, edit)
    assert message in error(small)


@pytest.mark.parametrize(
    "key, where",
    [
        ("trainaa", "the file"),
        ("trainaa_1", "trainaa"),
        ("Dialog", "trainaa, trainaa_1"),
        ("trainaa_1_3", "trainaa, trainaa_1"),
        ("final_main_emo", "trainaa_1_1"),
    ],
)
def test_a_key_that_stands_there_twice_is_named(small, key, where):
    """JSON's readers would take the last one and drop the other's content."""
    path = small / "annotation.json"
    text = path.read_text(encoding="utf-8")
    place = text.index(f'"{key}": ')
    path.write_text(f'{text[:place]}"{key}": {{}}, {text[place:]}')
    assert f"{path}: {where} holds {key} twice" in error(small)


def test_a_role_may_have_two_names(small, tmp_path):
    """What is not looked at is no reason to refuse anything."""
    prepare_m3ed(small, tmp_path / "1")
    path = small / "annotation.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"Gender":', '"Age": "old", "Gender":'))
    prepare_m3ed(small, tmp_path / "2")
    assert load_manifests(tmp_path / "1") == load_manifests(tmp_path / "2")


def test_long_texts_are_not_quoted_whole(small):
    def edit(annotation):
        (_, one), *_ = contents(annotation)
        one["EmoAnnotation"]["final_main_emo"] = "x" * 10**6

    change(small, edit)
    assert len(error(small)) < 500 + len(str(small))
    (small / "splitInfo" / "movie_list_test.txt").write_text("x" * 10**6)
    assert len(error(small)) < 500 + len(str(small))


def test_upper_case_does_not_matter(small, tmp_path):
    prepare_m3ed(small, tmp_path / "1")
    one, two, three, *_ = wavs(small)
    one.rename(one.with_suffix(".WAV"))
    two.rename(two.with_name(two.name.upper()))
    three.rename(three.with_name(three.name.lower()))
    prepare_m3ed(small, tmp_path / "2")
    first, second = entries(tmp_path / "1"), entries(tmp_path / "2")
    assert first.keys() == second.keys()
    assert second[two.stem]["wav"].endswith(f"/{two.name.upper()}")


def test_two_files_of_a_name(small, tmp_path):
    copies = small / "audio"
    copies.mkdir()
    path = wavs(small)[5]
    os.link(path, copies / path.name)
    message = error(small)
    assert f"{copies / path.name} and {path}" in message
    assert "audio_folder" in message
    # Nor can the preparer know which of these is meant.
    (copies / path.name).rename(path.with_suffix(".WAV"))
    assert f"{path.with_suffix('.WAV')} and {path}" in error(small)
    path.with_suffix(".WAV").rename(copies / path.name)

    prepare_m3ed(small, tmp_path / "m", audio_folder="modality_speech")
    prepare_m3ed(
        small, tmp_path / "n", audio_folder=str(small / "modality_speech")
    )
    assert load_manifests(tmp_path / "m") == load_manifests(tmp_path / "n")
    places = {x["wav"].split("/")[1] for x in entries(tmp_path / "m").values()}
    assert places == {"modality_speech"}


def test_audio_anywhere_below_or_beside(small, tmp_path):
    """As the release may be unpacked: metadata and audio in two folders."""
    data = tmp_path / "raw"
    (data / "M3ED_metadata").mkdir(parents=True)
    for name in "annotation.json", "splitInfo":
        (small / name).rename(data / "M3ED_metadata" / name)
    for path in wavs(small):
        folder = data / "M3ED_audio" / "speech" / path.name.split("_")[1]
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(folder / path.name)
    # A link that leads back is no second copy, and no endless search.
    (data / "M3ED_audio" / "back").symlink_to(data)
    prepare_m3ed(data, tmp_path / "1")
    found = entries(tmp_path / "1")
    assert len(found) == 63

    # Outside the data folder they can be named.
    (data / "M3ED_audio" / "back").unlink()
    (data / "M3ED_audio").rename(tmp_path / "elsewhere")
    message = error(data, FileNotFoundError)
    assert "no wav file of the 63 utterances" in message
    prepare_m3ed(data, tmp_path / "2", audio_folder=tmp_path / "elsewhere")
    assert entries(tmp_path / "2").keys() == found.keys()
    for entry in entries(tmp_path / "2").values():
        assert os.path.isfile(entry["wav"].replace("{data_root}", str(data)))


def test_the_search_goes_down_four_folders(small, tmp_path):
    (small / "1" / "2" / "3").mkdir(parents=True)
    (small / "modality_speech").rename(small / "1" / "2" / "3" / "4")
    prepare_m3ed(small, tmp_path / "m")
    (small / "0").mkdir()
    (small / "1").rename(small / "0" / "1")
    assert "at most 4 folders below it" in error(small, FileNotFoundError)
    prepare_m3ed(small, tmp_path / "m", audio_folder="0/1")
    message = error(small, FileNotFoundError, audio_folder="audio")
    assert "Correct audio_folder" in message
