"""A whole run of DAIC-WOZ's recipe lets nothing out that is confidential.

Transcripts hold a word, and lists hold scores, that are found nowhere but in
the data folder: not in the log, the manifests, the features, the checkpoints
or the export.

Authors
 * The speechbrain_hrf authors 2026
"""

import zipfile

import pytest
from daic_woz_corpus import (
    SENTINELS,
    pack,
    row,
    write_interview,
    write_list,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def corpus(tmp_path):
    """Ten interviews, with everything that the preparer warns about."""
    root = tmp_path / "data"
    labels = {300 + k: k % 2 for k in range(10)}
    for who in labels:
        rows = [
            row(0, 3, "Ellie"),
            row(2, 20),
            row(21, 21),
            row(22, 24, SENTINELS[0]),
            row(25, 60),
            row(70, 80),
        ]
        write_interview(root, who, rows, 50, rate=16000)
    pack(root / "301_P")
    pack(root / "308_P", zipfile.ZIP_DEFLATED)
    write_list(root, "train", dict(list(labels.items())[:6]))
    write_list(root, "dev", dict(list(labels.items())[6:]))
    return root


def holding(folder, word):
    """Files below a folder whose content or name holds a word."""
    return [
        path
        for path in folder.rglob("*")
        if word in str(path)
        or (path.is_file() and word.encode() in path.read_bytes())
    ]


def test_nothing_confidential_is_written_or_said(corpus, tmp_path, run_recipe):
    place = tmp_path / "work"
    place.mkdir()
    said = run_recipe(
        place / "output",
        *("--data_folder", str(corpus)),
        *("--protocol", "held_out", "--class_weights", "balanced"),
        *("--drop_sync_rows", "True", "--drop_tag_only_rows", "True"),
        corpus="DAIC-WOZ",
    )
    written = {path.name for path in place.rglob("*") if path.is_file()}
    assert {"log.txt", "valid.json", "features.f32", "README.md"} <= written
    assert {"embedding_model.ckpt", "test_metrics.json"} <= written
    assert "TRANSCRIPT.csv: rows that end after" in said
    for word in SENTINELS:
        assert holding(corpus, word)  # or nothing would be proven
        assert word not in said
        assert holding(place, word) == []
    # No audio either: what the export is checked on is generated.
    assert not [name for name in written if name.lower().endswith(".wav")]
    assert "on 4 generated signals" in said


@pytest.mark.parametrize("broken", ["transcript", "list"])
def test_a_run_that_fails_says_nothing_confidential(
    corpus, tmp_path, broken, run_recipe
):
    place = tmp_path / "work"
    place.mkdir()
    if broken == "transcript":
        path = corpus / "303_P" / "303_TRANSCRIPT.csv"
        path.write_text(path.read_text() + row(SENTINELS[0], 9) + "\n")
    else:
        path = corpus / "train_split_Depression_AVEC2017.csv"
        path.write_text(path.read_text() + f"399,{SENTINELS[1]},1,0,2\n")
    data = ["--data_folder", str(corpus)]
    said = run_recipe(place / "output", *data, status=1, corpus="DAIC-WOZ")
    assert f"{path}, line 8: " in said
    assert (place / "output" / "log.txt").is_file()
    for word in SENTINELS:
        assert word not in said
        assert holding(place, word) == []
