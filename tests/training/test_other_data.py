"""Checkpoints are taken up for the data they were made with."""

import json

import pytest

from speechbrain_hrf.training.other_data import refuse_other_data

TRAIN = {"a": {"wav": "{data_root}/a.wav", "emo": "sad", "duration": 1.0}}
TEST = {"b": {"wav": "{data_root}/b.wav", "emo": "ang", "duration": 2.0}}


@pytest.fixture()
def run(tmp_path):
    """A folder with manifests, the note on them, and a checkpoint."""
    write(tmp_path, train=TRAIN, test=TEST)
    refuse_other_data(tmp_path, tmp_path / "save")
    (tmp_path / "save" / "CKPT+1").mkdir()
    return tmp_path


def write(folder, **manifests):
    for split, entries in manifests.items():
        (folder / f"{split}.json").write_text(json.dumps(entries))


def test_the_same_data_in_another_place_is_the_same(run):
    moved = {"a": {**TRAIN["a"], "wav": "{data_root}/elsewhere/a.wav"}}
    write(run, train=moved)
    refuse_other_data(run, run / "save")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"train": TEST, "test": TRAIN}, "the test and the train set"),
        ({"test": {"b": {**TEST["b"], "emo": "sad"}}}, "the test set"),
        ({"valid": TEST}, "the valid set"),
    ],
)
def test_changed_splits_are_refused(run, changed, named):
    write(run, **changed)
    with pytest.raises(ValueError, match=f"{named} changed since"):
        refuse_other_data(run, run / "save")
    with pytest.raises(ValueError):  # nor does a second try help
        refuse_other_data(run, run / "save")


def test_before_the_first_checkpoint_data_may_change(run):
    (run / "save" / "CKPT+1").rmdir()
    write(run, train=TEST, test=TRAIN)
    refuse_other_data(run, run / "save")
    (run / "save" / "CKPT+1").mkdir()
    refuse_other_data(run, run / "save")
    write(run, train=TRAIN)
    with pytest.raises(ValueError, match="the train set"):
        refuse_other_data(run, run / "save")


def test_models_trained_together_have_no_checkpoint_yet(run):
    """The file of an ensemble counts like one."""
    (run / "save" / "CKPT+1").rmdir()
    (run / "save" / "ensemble.pt").write_bytes(b"")
    write(run, train=TEST)
    with pytest.raises(ValueError, match="the train set changed since"):
        refuse_other_data(run, run / "save")
