"""One's own recordings: folds by speaker, what follows from the table.

Authors
 * The speechbrain_hrf authors 2026
"""

import itertools
import json
import re
import sys

import numpy as np
import pytest
import soundfile as sf
from preparers import RECIPES, load_manifests, load_module, load_preparer
from speechbrain.dataio.dataset import DynamicItemDataset

from speechbrain_hrf.dataio.segments import SegmentFeatures
from speechbrain_hrf.dataio.sound.audio import read
from speechbrain_hrf.dataio.synthetic import make_corpus
from speechbrain_hrf.studies.recipe import check_data, find_recipe
from speechbrain_hrf.training.overrides import read_overrides, resolved_yaml

prepare_owndata = load_preparer("OwnData").prepare_owndata
own_options = load_module("OwnData", "own_options")
folds = load_module("OwnData", "voice_folds")
Row = sys.modules["label_table"].Row
YAML = str(RECIPES / "OwnData/hparams/convtransformer_hrf.yaml")
PEOPLE = ["ann", "bob", "cid", "dan", "eve", "flo"]


def rows_of(
    people=PEOPLE, labels=("no", "yes"), each=3, split=None, known=True
):
    """Each says each label `each` times."""
    return [
        Row(
            f"{who}/{label}{k}.wav",
            f"/data/{who}/{label}{k}.wav",
            label,
            who if known else None,
            split and split[who],
            None,
            None,
        )
        for who, label, k in itertools.product(people, labels, range(each))
    ]


@pytest.fixture
def corpus(tmp_path):
    """Writes the files of rows, 0.1 s each, and my.csv; returns its path."""

    def write(rows, columns="path,label,speaker", extra=()):
        one = tmp_path / "one.wav"
        sf.write(one, np.zeros(800), 8000)
        lines = [columns]
        for row in rows:
            path = tmp_path / row.name
            path.parent.mkdir(exist_ok=True)
            path.hardlink_to(one)
            values = {**row._asdict(), "path": row.name}
            lines.append(",".join(values[x] or "" for x in columns.split(",")))
        path = tmp_path / "my.csv"
        path.write_text("\n".join([*lines, *extra]) + "\n")
        return path

    return write


def prepared(table, folder, **options):
    prepare_owndata(table.parent, folder, str(table), **options)
    return load_manifests(folder)


def voices(sets):
    return {name: {row.voice for row in rows} for name, rows in sets.items()}


@pytest.mark.parametrize("n_folds", [2, 3, "speaker"])
@pytest.mark.parametrize("known", [True, False])
def test_every_voice_tests_once_and_is_in_one_set(n_folds, known):
    if n_folds == "speaker" and not known:
        return
    rows = rows_of(known=known)
    protocol = "paper" if n_folds == 2 else "held_out"
    count = len(PEOPLE) if n_folds == "speaker" else n_folds
    tested = []
    for fold in range(1, count + 1):
        sets = folds.split_rows(rows, protocol, n_folds, fold)
        found = voices(sets)
        assert sum(map(len, sets.values())) == len(rows)
        for one, other in itertools.combinations(found.values(), 2):
            assert not one & other
        assert {row.label for row in sets["test"]} == {"no", "yes"}
        tested += found["test"]
        if protocol == "held_out":
            after = folds.split_rows(rows, protocol, n_folds, fold % count + 1)
            assert found["valid"] == voices(after)["test"]
    assert sorted(tested) == sorted({row.voice for row in rows})


def test_folds_have_like_shares_and_a_seed():
    """Half the speakers say one label nine times as often as the other."""
    rows = [
        *rows_of(PEOPLE[:3], ("no",), 9),
        *rows_of(PEOPLE[:3], ("yes",), 1),
        *rows_of(PEOPLE[3:], ("no",), 1),
        *rows_of(PEOPLE[3:], ("yes",), 9),
    ]
    for seed in range(5):
        for fold in folds.make_folds(rows, 3, seed):
            assert len({*fold} & {*PEOPLE[:3]}) == len(fold) / 2 == 1
    dealt = [folds.make_folds(rows, 3, seed) for seed in (1, 1, 2, 3, 4)]
    assert dealt[0] == dealt[1]
    assert any(other != dealt[0] for other in dealt[2:])


def test_parts_of_a_recording_stay_together():
    """Where no speaker is known; 40 recordings of two parts each."""
    rows = [
        Row(f"{k}.wav", "", label, None, None, start, start + 1)
        for k in range(40)
        for start, label in ((1.0, "no"), (3.0, "yes"))
    ]
    for fold in range(1, 6):
        sets = voices(folds.split_rows(rows, "held_out", 5, fold))
        assert not sets["train"] & (sets["test"] | sets["valid"])
        assert len(sets["test"]) == 8


ONE_SAYS_MAYBE = [*rows_of(), *rows_of(PEOPLE[:1], ("maybe",))]
REFUSED = [
    (
        rows_of(labels=("no",)),
        {},
        "All 18 rows have one label, no: .* Add rows",
    ),
    (rows_of(PEOPLE[:4]), {}, r"There are 4 speakers \(ann, .* than 5 folds"),
    (rows_of(PEOPLE[:4], known=False, each=1), {"n_folds": 9}, "8 recordings"),
    (rows_of(PEOPLE[:1]), {"n_folds": "speaker"}, "There are 1 speakers"),
    (
        rows_of(PEOPLE[:2]),
        {"n_folds": "speaker", "protocol": "held_out"},
        "3 folds: give n_folds 2 with protocol paper or more speakers",
    ),
    (
        rows_of(PEOPLE[:4]),
        {"protocol": "held_out"},
        "5 folds: give a smaller n_folds or more speakers",
    ),
    (rows_of(PEOPLE[:1]), {}, "5 folds: give more speakers"),
    (ONE_SAYS_MAYBE, {}, "Only one of the speakers has the label maybe: it ca"),
    (rows_of(known=False), {"n_folds": "speaker"}, "no column speaker: add it"),
    (rows_of(), {"n_folds": 1}, "n_folds is 1: it must be speaker or a whole"),
    (rows_of(), {"n_folds": True}, "n_folds is True"),
    (rows_of(), {"n_folds": 2, "protocol": "held_out"}, "number, 3 or more"),
    (rows_of(), {"n_folds": "five"}, "n_folds is 'five'"),
    (rows_of(), {"fold": 6}, "test_fold is a whole number, 1 to 5, not 6"),
]
SAID = dict(zip(PEOPLE, ["train"] * 3 + ["valid"] + ["test"] * 2, strict=True))


@pytest.mark.parametrize("rows, options, message", REFUSED)
def test_what_cannot_be_split(rows, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        folds.split_rows(rows, **options)
    assert "\n" not in str(caught.value)


def test_a_label_that_nobody_would_train_is_refused_by_rows():
    """Of two people who say it, one is tested and the other held out."""
    rows = [*rows_of(), *rows_of(PEOPLE[:2], ("maybe",))]
    said = []
    for fold in range(1, 7):
        try:
            folds.split_rows(rows, "held_out", "speaker", fold)
        except ValueError as error:
            said.append((fold, str(error)))
    [(fold, message)] = said
    assert fold == 1
    assert "No training utterance has the label maybe: choose" in message


def test_a_label_of_few_speakers_is_named(caplog):
    rows = [*rows_of(), *rows_of(PEOPLE[:2], ("maybe",))]
    folds.make_folds(rows, 3, 1)
    assert "fewer speakers than the 3 folds" in caplog.text
    assert "do not test them: maybe 2\n" in caplog.text


def test_the_tables_own_splits(caplog):
    rows = rows_of(split=SAID)
    sets = voices(folds.split_rows(rows, "held_out"))
    assert sets == {
        "train": {*PEOPLE[:3]},
        "valid": {PEOPLE[3]},
        "test": {*PEOPLE[4:]},
    }
    assert "not used" not in caplog.text
    sets = voices(folds.split_rows(rows, "paper"))
    assert sets == {"train": {*PEOPLE[:3]}, "test": {*PEOPLE[4:]}}
    assert "6 rows of split valid are not used" in caplog.text
    with pytest.raises(ValueError, match="test_fold is 2, but the table says"):
        folds.split_rows(rows, fold=2)


def test_without_a_split_to_validate_training_speakers_do():
    rows = rows_of(split=SAID | {PEOPLE[3]: "train"})
    sets = voices(folds.split_rows(rows, "held_out", n_folds=2))
    assert len(sets["valid"]) == len(sets["train"]) == 2
    assert sets["valid"] | sets["train"] == {*PEOPLE[:4]}
    assert sets["test"] == {*PEOPLE[4:]}


@pytest.mark.parametrize(
    "known, message",
    [
        (True, r"speakers in more than one split: ann \(test and train\)\. "),
        (False, r"recordings in more than one split: ann/no0.wav \(test and "),
    ],
)
def test_a_voice_in_two_splits_is_refused(known, message):
    first, *rest = rows_of(split=SAID, known=known)
    rows = [first, first._replace(split="test", start=1.0), *rest]
    with pytest.raises(ValueError, match=message):
        folds.split_rows(rows)


@pytest.mark.parametrize("absent", ["train", "test"])
def test_a_split_without_rows_is_refused(absent):
    rows = [row for row in rows_of(split=SAID) if row.split != absent]
    with pytest.raises(ValueError, match=f"split has no row of {absent}:"):
        folds.split_rows(rows)


def test_manifests(corpus, tmp_path, caplog):
    table = corpus(rows_of(), extra=["ann/no0.wav,maybe,ann"][:0])
    found = prepared(table, tmp_path / "m", fold=2, protocol="held_out")
    assert sorted(found) == ["test", "train", "valid"]
    entries = {k: v for split in found.values() for k, v in split.items()}
    assert entries["ann/no0.wav"] == {
        "wav": "{data_root}/ann/no0.wav",
        "duration": 0.1,
        "parts": None,
        "emo": "no",
        "speaker": "ann",
    }
    assert len(entries) == 36
    said = re.search(r"test: (\d) speakers: (.*)", caplog.text)
    speakers = {entry["speaker"] for entry in found["test"].values()}
    assert said[2] == ", ".join(sorted(speakers))
    assert "column speaker" not in caplog.text
    # Neither the order of rows nor what cannot be used changes folds.
    header, *lines = table.read_text().splitlines()
    table.write_text("\n".join([header, *lines[::-1]]))
    again = prepared(table, tmp_path / "n", fold=2, protocol="held_out")
    assert again == found
    gone = next(iter(found["train"]))
    (tmp_path / gone).unlink()
    with pytest.raises(
        ValueError, match="1 of 36 files .* more than"
    ) as caught:
        prepared(table, tmp_path / "n", fold=2, protocol="held_out")
    assert f"{gone}: {tmp_path / gone}: the file is missing" in str(
        caught.value
    )
    options = {"fold": 2, "protocol": "held_out", "max_unusable": 0.1}
    del found["train"][gone]
    assert prepared(table, tmp_path / "n", **options) == found


def test_without_speakers_there_is_a_warning(corpus, tmp_path, caplog):
    table = corpus(rows_of(), "path,label")
    for _ in range(2):  # also where manifests are current
        caplog.clear()
        found = prepared(table, tmp_path / "m")
        assert "has no column speaker. Nobody said who speaks" in caplog.text
    # A study then takes each recording for a unit of its own.
    name, entry = next(iter(found["test"].items()))
    assert "speaker" not in entry and entry["recording"] == name


def test_parts_are_cut_out(corpus, tmp_path, caplog):
    wave = np.arange(16000) / 20000
    sf.write(tmp_path / "long.wav", wave, 16000)
    columns = "path,label,speaker,start,stop"
    cut = ["long.wav,no,zoe,0.25,0.5", "long.wav,yes,zoe,0.9,1.05"]
    table = corpus(rows_of(), columns, cut)
    found = prepared(table, tmp_path / "m", n_folds="speaker", fold=7)["test"]
    assert [*found] == ["long.wav_0.25-0.5", "long.wav_0.9-1.05"]
    first, second = found.values()
    assert first["parts"] == [[4000, 8000]] and first["duration"] == 0.25
    assert second["parts"] == [[14400, 16000]]  # a rounded end is the end
    whole = SegmentFeatures(lambda wave: wave.T, 500)
    assert np.allclose(
        whole(tmp_path / "long.wav", first["parts"])[:, 0],
        read(tmp_path / "long.wav")[4000:8000],
    )
    # Beyond the file: counted and named, as files are.
    table.write_text(f"{table.read_text()}long.wav,no,zoe,0.5,9\n")
    with pytest.raises(
        ValueError, match="1 of 39 utterances end after"
    ) as caught:
        prepared(table, tmp_path / "m")
    assert "long.wav_0.5-9: the file lasts 1.00 s" in str(caught.value)
    again = prepared(
        *(table, tmp_path / "m"), n_folds="speaker", fold=7, max_unusable=0.1
    )
    assert again["test"] == found
    assert "utterances left out, they end after" in caplog.text


def test_a_label_that_nobody_trains_is_refused(corpus, tmp_path, caplog):
    rows = [
        row
        for row in rows_of(split=SAID)
        if row.label == "yes" or row.split != "train"
    ]
    table = corpus(rows, "path,label,speaker,split")
    with pytest.raises(ValueError, match="No training utterance has .* no: "):
        prepared(table, tmp_path / "m")
    rows = table.read_text().replace("test", "other").replace("train", "test")
    table.write_text(rows.replace("other", "train"))
    prepared(table, tmp_path / "m")
    assert "the test set has no utterance of no: its UA is" in caplog.text
    assert "its MF1 counts these as 0" in caplog.text


def test_a_label_whose_files_cannot_be_used_is_refused(corpus, tmp_path):
    first, *rows = rows_of(split=SAID)
    rows = [x for x in rows if x.label == "yes" or x.split != "train"]
    table = corpus([first, *rows], "path,label,speaker,split")
    (tmp_path / first.name).unlink()
    with pytest.raises(ValueError, match="No training utterance has .* no: "):
        prepared(table, tmp_path / "m", max_unusable=0.1)


@pytest.mark.parametrize("known", [True, False])
def test_braces_in_names(corpus, tmp_path, known):
    """SpeechBrain fills in what stands between them."""
    people = [f"{who}{{1}}" for who in PEOPLE]
    columns = "path,label,speaker" if known else "path,label"
    prepared(corpus(rows_of(people), columns), tmp_path / "m")
    dataset = DynamicItemDataset.from_json(
        tmp_path / "m" / "test.json", replacements={"data_root": str(tmp_path)}
    )
    for name, entry in dataset.data.items():
        assert entry["wav"] == str(tmp_path / name) and "{1}" in name
        who = entry["speaker" if known else "recording"]
        assert who == (name.partition("/")[0] if known else name)


def filled(**given):
    text = "\n".join(f"{k}: {json.dumps(v)}" for k, v in given.items())
    return read_overrides(own_options.fill_in(YAML, text))


def test_what_follows_from_the_table(corpus, tmp_path):
    table = corpus(rows_of(labels=("3", "20", "100")))
    found = filled(labels=str(table))
    assert found == {
        "labels": str(table),
        "data_folder": str(tmp_path),
        "classes": ["3", "20", "100"],
        "n_classes": 3,
        "segment_seconds": 5,
        "dataset": "OwnData (name not given)",
    }
    # The table in the place of the folder, as a study gives it
    assert filled(data_folder=str(table)) == found
    table = table.rename(tmp_path / "labels.csv")
    found["labels"] = str(table)
    assert filled(data_folder=str(tmp_path)) == found
    given = {"n_classes": 9, "segment_seconds": 7, "classes": [100, 3, 20]}
    found = filled(labels=str(table), corpus_name="Calls", **given)
    assert found.items() >= {**given, "classes": ["100", "3", "20"]}.items()
    assert "dataset" not in found
    with pytest.raises(ValueError, match="labels are 3, 20, 100: give each"):
        filled(labels=str(table), classes=[3, 20])
    assert filled(labels=str(table), corpus_name=2024)["corpus_name"] == "2024"
    with pytest.raises(ValueError, match="corpus_name is null: give a name, "):
        filled(labels=str(table), corpus_name=None)
    with pytest.raises(ValueError, match="corpus_name is 'emo-synth.* end in"):
        filled(labels=str(table), corpus_name="emo-synthetic")


def test_what_cannot_be_split_is_said_at_once(corpus, caplog):
    """Before there is an output folder; warnings wait for preparation."""
    table = corpus(rows_of(PEOPLE[:4]), "path,label,speaker")
    with pytest.raises(ValueError, match="There are 4 speakers .* 5 folds"):
        filled(labels=str(table))
    with pytest.raises(ValueError, match="1 to 4, not 5"):
        filled(labels=str(table), n_folds="speaker", test_fold=5)
    text = table.read_text()
    for who in PEOPLE[2:]:
        text = text.replace(f"no,{who}", f"yes,{who}")
    table.write_text(text)
    filled(labels=str(table), n_folds=4, corpus_name="Calls")
    assert not caplog.text
    prepared(table, table.parent / "m", n_folds=4)
    assert "fewer speakers than the 4 folds" in caplog.text


@pytest.mark.parametrize(
    "splits, given, protocol",
    [
        (SAID, {}, "held_out"),
        (SAID, {"protocol": "paper"}, "paper"),
        (SAID | {PEOPLE[3]: "train"}, {}, "paper"),
    ],
)
def test_a_table_with_splits_chooses_the_protocol(
    corpus, splits, given, protocol
):
    table = corpus(rows_of(split=splits), "path,label,split,speaker")
    text = "\n".join(f"{k}: {v}" for k, v in {"labels": table, **given}.items())
    resolved = resolved_yaml(YAML, own_options.fill_in(YAML, text))
    assert resolved["protocol"] == protocol
    assert f"/own_split_{protocol}/" in resolved["output_folder"]
    assert resolved["caution"] is None


def test_the_card_is_told_that_no_speaker_is_known(corpus):
    assert (
        "Nobody said who speaks"
        in filled(labels=str(corpus(rows_of(), "path,label")))["caution"]
    )


@pytest.mark.parametrize(
    "seconds, segment",
    [([1.0] * 9, 5), ([9.1] * 9, 10), ([40] * 9, 30), ([6] * 95 + [20] * 5, 7)],
)
def test_length_of_segments(seconds, segment):
    rows = [
        Row("", "", "x", None, None, 10.0, 10 + length) for length in seconds
    ]
    assert own_options.choose_seconds(rows) == segment


def test_length_of_segments_from_headers(tmp_path):
    """At most a thousand of them, and not of what cannot be read."""
    sf.write(tmp_path / "a.wav", np.zeros(8000 * 8), 8000)
    row = Row("", str(tmp_path / "a.wav"), "x", None, None, None, None)
    gone = row._replace(path=str(tmp_path / "gone.wav"))
    assert own_options.choose_seconds([row, gone]) == 8
    assert own_options.choose_seconds([row, gone] * 1000) == 8
    assert own_options.choose_seconds([gone]) == 5


def test_without_data_the_stand_in_is_meant():
    assert filled() == {
        "classes": ["angry", "happy", "neutral", "sad"],
        "n_classes": 4,
    }
    with pytest.raises(
        ValueError, match="corpus_name is 'X', .* --labels my.c"
    ):
        filled(corpus_name="X")


def test_an_order_of_classes_is_spelt_as_the_table_does():
    rows = rows_of(labels=("01", "Zo\xeb"))
    found = own_options.choose_classes(rows, ["Zoe\u0308", "01"])
    assert found == ["Zo\xeb", "01"]
    with pytest.raises(ValueError, match="zeros in quotes .\"\\['02', '01'\\]"):
        own_options.choose_classes(rows, ["Zo\xeb", 1])


def test_a_study_is_told_of_every_fold(corpus):
    """Of the first one, in which nobody trains a label."""
    rows = [*rows_of(), *rows_of(PEOPLE[:2], ("maybe",))]
    table = str(corpus(rows))
    run = {"labels": table, "data_folder": table, "protocol": "held_out"}
    runs = [run | {"n_folds": "speaker", "fold": k} for k in range(1, 7)]
    recipe = find_recipe("OwnData")
    check_data(recipe, runs[1:])
    with pytest.raises(ValueError, match="^Fold 1: No training .* --folds"):
        check_data(recipe, runs)


@pytest.mark.parametrize(
    "split, given, message",
    [
        (None, {}, None),
        (None, {"n_folds": 7}, "6 speakers .*fewer than 7 folds.* --folds"),
        (None, {"n_folds": "speaker"}, None),
        (None, {"n_folds": 3}, r"1 to 3, not 5\. A study is given folds and"),
        (SAID, {}, "test_fold is 5, but the table says itself .* --folds"),
        (None, {"classes": ["no", "ja"]}, "table's labels are no, yes"),
    ],
)
def test_a_study_is_told_before_it_starts(corpus, split, given, message):
    """Of the fold that would be missed; five of them, and two seeds."""
    columns = "path,label,speaker" + ",split" * bool(split)
    table = str(corpus(rows_of(split=split), columns))
    runs = [
        {"labels": table, "data_folder": table, "fold": k, "seed": s, **given}
        for k, s in itertools.product(range(1, 6), (1, 2))
    ]
    recipe = find_recipe("OwnData")
    if message is None:
        check_data(recipe, runs)
        return
    with pytest.raises(ValueError, match=message) as caught:
        check_data(recipe, runs)
    assert "\n" not in str(caught.value)


def test_the_stand_in_is_prepared_as_its_table_says(corpora, tmp_path):
    root = make_corpus("OwnData", corpora)
    prepare_owndata(root, tmp_path, n_folds="speaker", fold=8)
    found = load_manifests(tmp_path)
    assert [len(found[name]) for name in ("train", "test")] == [112, 16]
    for name, entry in found["test"].items():
        assert name.startswith("audio/joined.wav_")
        assert entry["speaker"] == "Hal" and len(entry["parts"]) == 1


@pytest.mark.parametrize(
    "model", ["convtransformer", "conformer", "speechformer"]
)
def test_models_and_training_are_those_of_the_other_recipes(model):
    """What is proven of RAVDESS's YAML, such as the paper's rows, holds."""
    own, other = (
        resolved_yaml(RECIPES / corpus / f"hparams/{model}_hrf.yaml", "")
        for corpus in ("OwnData", "RAVDESS")
    )
    differing = {key for key in other if str(own[key]) != str(other[key])}
    mine = {"corpus", "licence", "n_classes", "split_name", "output_folder"}
    mine |= {"save_folder", "train_log", "export_folder", "manifest_folder"}
    mine |= {"train_annotation", "valid_annotation", "test_annotation"}
    mine |= {"label_encoder_file", "feature_folder", "run_notes"}
    # These hold some of those.
    mine |= {"train_logger", "classifier", "model", "modules", "checkpointer"}
    mine |= {"distillation", "hrf_optimizer"}
    mine |= {"hrf_modules", "hrf_inner_norm", "apply_hrf"}  # another arm
    mine |= {"lr", "opt_class"}  # RAVDESS's are those of its study
    assert differing <= mine
