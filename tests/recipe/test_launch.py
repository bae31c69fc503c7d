"""From the command line to an output folder that fits the run."""

import pytest
import torch
from speechbrain.utils.checkpoints import Checkpointer

from speechbrain_hrf import SpeechFormer, apply_hrf
from speechbrain_hrf.recipe import (
    locate_hparams,
    make_stand_in,
    refuse_other_model,
    use_stand_in,
    warn_if_synthetic,
)

YAML = """\
data_folder: synthetic
corpus: RAVDESS
number_of_epochs: 120
arm: hrf
output_folder: !ref results/<corpus>/<arm>
"""


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "recipe" / "hparams").mkdir(parents=True)
    (tmp_path / "recipe" / "hparams" / "model.yaml").write_text(YAML)
    return tmp_path / "recipe"


def test_yaml_relative_to_the_script(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    argv = ["hparams/model.yaml", "--seed", "1"]
    found = locate_hparams(argv, recipe / "train.py")
    assert found == [str(recipe / "hparams" / "model.yaml"), "--seed", "1"]


def test_yaml_of_the_current_folder_comes_first(recipe, monkeypatch, tmp_path):
    (tmp_path / "hparams").mkdir()
    (tmp_path / "hparams" / "model.yaml").write_text(YAML)
    monkeypatch.chdir(tmp_path)
    argv = ["--debug", "hparams/model.yaml"]
    assert locate_hparams(argv, recipe / "train.py") == argv


def test_missing_yaml_names_those_there_are(recipe):
    with pytest.raises(FileNotFoundError, match="hparams/model.yaml"):
        locate_hparams(["hparams/other.yaml"], recipe / "train.py")


def test_stand_in_is_named_everywhere(recipe):
    overrides = use_stand_in(recipe / "hparams" / "model.yaml", "arm: x")
    assert overrides.splitlines() == [
        "arm: x",
        "corpus: RAVDESS-synthetic",
        "data_folder: results/RAVDESS-synthetic/x/corpus",
        "number_of_epochs: 40",
    ]


def test_real_data_change_nothing(recipe):
    overrides = "data_folder: /data/RAVDESS"
    yaml = recipe / "hparams" / "model.yaml"
    assert use_stand_in(yaml, overrides) == overrides


def test_epochs_asked_for_are_kept(recipe):
    yaml = recipe / "hparams" / "model.yaml"
    assert "40" not in use_stand_in(yaml, "number_of_epochs: 3")


def test_stand_in_is_found_to_be_synthetic(tmp_path):
    folder = str(tmp_path / "corpus")
    assert make_stand_in("RAVDESS-synthetic", folder) == folder
    assert warn_if_synthetic(folder)
    assert not warn_if_synthetic(str(tmp_path / "elsewhere"))


def checkpointed(folder, model):
    checkpointer = Checkpointer(folder, {"embedding_model": model})
    checkpointer.save_checkpoint()
    return checkpointer


def test_checkpoint_of_the_same_model_is_taken(tmp_path):
    model = SpeechFormer()
    apply_hrf(model, ["FFN1"])
    checkpointer = checkpointed(tmp_path, model)
    refuse_other_model(checkpointer, {"embedding_model": model})


@pytest.mark.parametrize(
    "other",
    [lambda: SpeechFormer(d_ffn=8), lambda: hrf("FFN2"), SpeechFormer],
    ids=["size", "HRF elsewhere", "no HRF"],
)
def test_checkpoint_of_another_model_is_refused(tmp_path, other):
    checkpointer = checkpointed(tmp_path, hrf("FFN1"))
    with pytest.raises(ValueError, match="its own --output_folder"):
        refuse_other_model(checkpointer, {"embedding_model": other()})


def hrf(group):
    model = SpeechFormer()
    apply_hrf(model, [group])
    return model


def test_a_new_folder_is_fine(tmp_path):
    checkpointer = Checkpointer(tmp_path, {"model": torch.nn.Linear(2, 2)})
    refuse_other_model(checkpointer, {"model": torch.nn.Linear(3, 3)})
