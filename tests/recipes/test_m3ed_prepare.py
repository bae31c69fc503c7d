"""M3ED is prepared with the paper's counts, whatever is wrong with its files.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import json
import logging
import os
import pathlib
import time

import numpy as np
import pytest
import soundfile as sf
from preparers import load_manifests, load_preparer

from speechbrain_hrf.dataio.synthetic import make_corpus

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


@pytest.fixture(autouse=True)
def log_everything(caplog):
    caplog.set_level(logging.INFO)


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
    prepare_m3ed(whole, tmp_path)
    manifests = load_manifests(tmp_path)
    assert set(manifests) == {"train", "valid", "test"}
    sizes = {name: len(part) for name, part in manifests.items()}
    assert sizes == {"train": 17427 - 12, "valid": 2821, "test": 4201}
    for split, row in COUNTS.items():
        found = collections.Counter(
            entry["emo"]
            for entry in manifests[
                "valid" if split == "val" else split
            ].values()
        )
        missing = 12 if split == "train" else 0  # the first ones, neutral
        assert [found[label] for label in LABELS] == [
            row[0] - missing,
            *row[1:],
        ]
    # Annotated and usable totals, and nothing to complain about but those 12.
    assert (
        "7130   1626  2734   3816       696     1145   280  17427"
        in caplog.text
    )
    assert (
        "7118   1626  2734   3816       696     1145   280  17415"
        in caplog.text
    )
    text = "24449 utterances are annotated, 24437 of them have usable audio"
    assert text in caplog.text
    unusable = [r for r in caplog.messages if r.startswith("Unusable: ")]
    assert len(unusable) == 12
    assert all(r.endswith("the file is missing") for r in unusable)
    assert "will not compare" not in caplog.text

    series = [
        {entry["series"] for entry in part.values()}
        for part in (manifests[split] for split in ("train", "valid", "test"))
    ]
    assert list(map(len, series)) == [38, 7, 11]
    assert len(set.union(*series)) == 56


@pytest.mark.slow
def test_the_whole_corpus_in_a_minute(whole, tmp_path):
    start = time.perf_counter()
    prepare_m3ed(whole, tmp_path)
    assert time.perf_counter() - start < 60


def test_entries(small, tmp_path):
    prepare_m3ed(small, tmp_path / "m")
    annotation = json.loads((small / "annotation.json").read_text())
    expected = {
        f"{content['Speaker']}_{key}": content
        for key, content in contents(annotation)
    }
    found = entries(tmp_path / "m")
    assert found.keys() == expected.keys()
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


def test_other_counts_are_named(small, tmp_path, caplog):
    prepare_m3ed(small, tmp_path / "m")
    assert "are not the paper's" in caplog.text
    assert "train Neutral 3 (paper 7130)" in caplog.text
    assert "test Fear 3 (paper 65)" in caplog.text


def test_missing_and_broken_audio(small, tmp_path, caplog):
    missing, broken, empty, *_ = wavs(small)
    for path in missing, broken, empty:
        path.unlink()
    broken.write_bytes(b"RIFF")
    sf.write(empty, np.zeros(0), 16000)
    decoy = missing.with_name(f"._{missing.name}")
    os.link(small / "source.wav", decoy)
    message = error(small)
    assert "3 of 63 M3ED utterances (4.76%)" in message
    for part in f"{missing}: the file is missing", str(broken), str(empty):
        assert part in message

    prepare_m3ed(small, tmp_path / "m", max_unusable=0.05)
    assert len(entries(tmp_path / "m")) == 60
    assert not entries(tmp_path / "m").keys() & {missing.stem, broken.stem}
    text = "63 utterances are annotated, 60 of them have usable audio"
    assert text in caplog.text
    assert "in the public release it is" not in caplog.text


def test_more_missing_than_in_the_release_is_said(small, tmp_path, caplog):
    for path in wavs(small)[:13]:
        path.unlink()
    prepare_m3ed(small, tmp_path / "m", max_unusable=0.5)
    assert "13 utterances are without usable audio" in caplog.text


def test_a_file_under_another_speaker_is_named(small, tmp_path, caplog):
    path = wavs(small)[0]
    path.rename(path.with_name(path.name.replace("A_", "B_", 1)))
    prepare_m3ed(small, tmp_path / "m", max_unusable=0.02)
    assert "under another speaker: 1" in caplog.text
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


def test_a_series_in_two_lists_is_leakage(small):
    lists = small / "splitInfo"
    with open(lists / "movie_list_test.txt", "a") as file:
        file.write("\ntrainab\n")
    message = error(small)
    assert "movie_list_test.txt: trainab also stands in" in message
    assert str(lists / "movie_list_train.txt") in message


def test_a_series_in_no_list_is_left_out(small, tmp_path, caplog):
    (small / "splitInfo" / "movie_list_train.txt").write_text("trainaa\n")
    prepare_m3ed(small, tmp_path / "m")
    assert "left out: 2 (trainab, trainac)" in caplog.text
    series = {entry["series"] for entry in entries(tmp_path / "m").values()}
    assert series == {"trainaa", "valaa", "testaa", "testab"}


def test_a_series_without_annotation_is_named(small):
    with open(small / "splitInfo" / "movie_list_val.txt", "a") as file:
        file.write("\nTrainab")
    message = error(small)
    assert "no series Trainab" in message and "perhaps trainab" in message


def test_an_empty_list_is_named(small):
    path = small / "splitInfo" / "movie_list_val.txt"
    path.write_text("\r\n\r\n")
    assert f"{path} is empty" in error(small)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"anjia": {\n "anjia_1": {,', "line 2, column 14: this is no JSON"),
        ('{"anjia": {', "line 1, column 12: this is no JSON"),
        ("", "line 1, column 1: this is no JSON"),
        ("[1, 2]", "holds no mapping of series"),
        (b'{"\xff": 1}', "byte 2: this is no UTF-8"),
    ],
)
def test_a_broken_annotation_is_located(small, content, message):
    path = small / "annotation.json"
    content = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(content)
    found = error(small)
    assert found.startswith(str(path)) and message in found


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda a: a.update(valaa=[]), "valaa holds '[]'"),
        (lambda a: a["valaa"].update(valaa_1=1), "valaa, valaa_1 holds '1'"),
        (lambda a: a["valaa"]["valaa_1"].pop("Dialog"), "valaa_1 holds 'None'"),
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


def test_prepared_again_only_when_something_changed(small, tmp_path, caplog):
    def run(**options):
        caplog.clear()
        prepare_m3ed(small, tmp_path / "m", **options)
        return caplog.text

    assert "because there are none yet" in run()
    assert "are current" in run()
    assert "max_unusable: 0.005 -> 0.1" in run(max_unusable=0.1)
    assert "are current" in run(max_unusable=0.1)
    assert "max_unusable: 0.1 -> 0.005" in run()

    def edit(annotation):
        key, content = next(iter(contents(annotation)))
        content["EmoAnnotation"]["final_main_emo"] = "Fear"
        return f"{content['Speaker']}_{key}"

    name = change(small, edit)
    assert "because the data changed" in run()
    assert entries(tmp_path / "m")[name]["emo"] == "Fear"
    path = small / "splitInfo" / "movie_list_train.txt"
    path.write_text("trainaa\ntrainab")
    assert "because the data changed" in run()
    path = small / "modality_speech" / f"{name}.wav"
    path.unlink()
    sf.write(path, np.zeros(3200), 16000)
    assert "because the data changed" in run()
    assert entries(tmp_path / "m")[name]["duration"] == 0.2
    assert "are current" in run()
    run(max_unusable=0.1)
    path.unlink()
    assert "because the data changed" in run(max_unusable=0.1)
    assert name not in entries(tmp_path / "m")


def test_the_search_goes_down_four_folders(small, tmp_path):
    audio = small / "modality_speech"
    (small / "1" / "2" / "3").mkdir(parents=True)
    audio.rename(small / "1" / "2" / "3" / "4")
    prepare_m3ed(small, tmp_path / "m")
    (small / "0").mkdir()
    (small / "1").rename(small / "0" / "1")
    message = error(small, FileNotFoundError)
    assert "at most 4 folders below it" in message
    prepare_m3ed(small, tmp_path / "m", audio_folder="0/1")


def test_wrong_folders_are_explained(small, tmp_path):
    def refused(folder, **options):
        return error(folder, FileNotFoundError, **options)

    assert "No folder" in refused(tmp_path / "nowhere")
    (tmp_path / "other" / "Session1").mkdir(parents=True)
    message = refused(tmp_path / "other")
    assert "no annotation.json" in message and "Found: Session1" in message
    assert "Expected" in message
    assert "correct audio_folder" in refused(small, audio_folder="audio")
    path = small / "splitInfo" / "movie_list_val.txt"
    path.unlink()
    assert f"Missing: {path}" in refused(small)


def test_several_annotations_are_named(small):
    for name in "old", "new":
        (small / name).mkdir()
        os.link(small / "annotation.json", small / name / "annotation.json")
    message = error(small)
    for folder in small, small / "old", small / "new":
        assert str(folder / "annotation.json") in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"protocol": "paper"},
            "official, the corpus's own split, not 'paper'",
        ),
        ({"max_unusable": -1}, "max_unusable"),
        ({"max_unusable": 2}, "max_unusable"),
        ({"max_unusable": "0.1"}, "not '0.1'"),
        ({"max_unusable": None}, "not None"),
        ({"max_unusable": True}, "not True"),
    ],
)
def test_options_out_of_range(small, options, message):
    assert message in error(small, **options)


def test_the_stand_in(tmp_path, tmp_path_factory, caplog):
    corpus = make_corpus("M3ED", tmp_path_factory.getbasetemp())
    prepare_m3ed(corpus, tmp_path / "m")
    sizes = {
        name: len(part) for name, part in load_manifests(tmp_path / "m").items()
    }
    assert sizes == {"train": 143, "valid": 48, "test": 48}
    text = "240 utterances are annotated, 239 of them have usable audio"
    assert text in caplog.text
    assert "not annotated (no final_main_emo) and left out: 1" in caplog.text
    assert "the paper's" not in caplog.text
    durations = [x["duration"] for x in entries(tmp_path / "m").values()]
    assert sorted(durations)[:2] == [114 / 16000] * 2
