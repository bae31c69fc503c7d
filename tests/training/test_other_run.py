"""Checkpoints are taken up for the options and data they were made with."""

import json
import pathlib

import pytest
from hyperpyyaml import resolve_references
from speechbrain import create_experiment_directory

from speechbrain_hrf.training.other_run import (
    refuse_other_data,
    refuse_other_options,
)

REPOSITORY = pathlib.Path(__file__).parents[2]

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


@pytest.fixture
def finished(recipe_folder, tmp_path):
    """A run with a checkpoint, as SpeechBrain leaves it."""
    yaml = recipe_folder / "hparams" / "model.yaml"
    output = tmp_path / "out"
    overrides = f"data_folder: /data\noutput_folder: {output}"
    create_experiment_directory(
        str(output), str(yaml), overrides, save_env_desc=False
    )
    checkpoint = output / "save" / "CKPT+1"
    checkpoint.mkdir(parents=True)
    (checkpoint / "CKPT.yaml").write_text("")
    return yaml, overrides


@pytest.mark.parametrize(
    "more", ["", "number_of_epochs: 200", "data_folder: /moved"]
)
def test_the_same_run_goes_on(finished, more):
    yaml, overrides = finished
    kept = [x for x in overrides.splitlines() if x.split(":")[0] not in more]
    refuse_other_options(yaml, "\n".join([*kept, more]))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("arm: other", "arm is other, was hrf"),
        ("hrf_modules: []", "hrf_modules is \\[\\], was \\['FFN1'\\]"),
        ("activation: !name:torch.nn.GELU", "torch.nn.GELU"),
        ("opt_class: !name:torch.optim.AdamW {lr: 0.5}", "opt_class"),
    ],
)
def test_other_options_in_the_same_folder_are_refused(finished, more, message):
    yaml, overrides = finished
    with pytest.raises(ValueError, match=message) as error:
        refuse_other_options(yaml, f"{overrides}\n{more}")
    assert "its own --output_folder" in str(error.value)


@pytest.mark.parametrize(
    "yaml",
    sorted(REPOSITORY.glob("recipes/*/hparams/conformer_hrf.yaml")),
    ids=lambda path: path.parts[-3],
)
def test_a_recipe_s_run_goes_on(yaml, tmp_path):
    overrides = f"data_folder: /data\noutput_folder: {tmp_path}"
    with open(yaml) as stream:
        resolved = resolve_references(stream, overrides)
    (tmp_path / "hyperparams.yaml").write_text(resolved.getvalue())
    (tmp_path / "save" / "CKPT+1").mkdir(parents=True)
    overrides += "\nnumber_of_epochs: 200\ncache_features: False"
    overrides += "\nfeature_folder: /elsewhere"
    refuse_other_options(yaml, overrides)
    with pytest.raises(ValueError, match="lr is 0.5"):
        refuse_other_options(yaml, f"{overrides}\nlr: 0.5")


def test_a_folder_without_checkpoint_is_free(recipe_folder, tmp_path):
    yaml = recipe_folder / "hparams" / "model.yaml"
    overrides = f"data_folder: /data\noutput_folder: {tmp_path}"
    create_experiment_directory(
        str(tmp_path), str(yaml), overrides, save_env_desc=False
    )
    refuse_other_options(yaml, f"{overrides}\narm: other")
