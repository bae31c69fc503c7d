"""From the command line to an output folder that fits the run."""

import pathlib

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml, resolve_references
from ruamel.yaml import YAML
from speechbrain import create_experiment_directory

from speechbrain_hrf.training.launch import (
    locate_hparams,
    make_stand_in,
    refuse_other_options,
    use_stand_in,
    warn_if_synthetic,
)

RECIPE = """\
data_folder: synthetic
corpus: RAVDESS
number_of_epochs: 120
arm: hrf
hrf_modules: [FFN1]
activation: !name:torch.nn.ReLU
opt_class: !name:torch.optim.AdamW
    lr: 0.001
output_folder: !ref results/<corpus>/<arm>
save_folder: !ref <output_folder>/save
"""


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "recipe" / "hparams").mkdir(parents=True)
    (tmp_path / "recipe" / "hparams" / "model.yaml").write_text(RECIPE)
    return tmp_path / "recipe"


def test_yaml_relative_to_the_script(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    argv = ["hparams/model.yaml", "--seed", "1"]
    found = locate_hparams(argv, recipe / "train.py")
    assert found == [str(recipe / "hparams" / "model.yaml"), "--seed", "1"]


def test_yaml_of_the_current_folder_comes_first(recipe, monkeypatch, tmp_path):
    (tmp_path / "hparams").mkdir()
    (tmp_path / "hparams" / "model.yaml").write_text(RECIPE)
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


def test_features_of_the_stand_in_lie_beside_it(recipe):
    yaml = recipe / "hparams" / "model.yaml"
    yaml.write_text(f"{RECIPE}feature_folder: !ref results/<corpus>/features")
    features = "feature_folder: results/RAVDESS-synthetic/x/features"
    assert features in use_stand_in(yaml, "arm: x").splitlines()
    assert "results" not in use_stand_in(
        yaml, "output_folder: /out\nfeature_folder: /elsewhere"
    )


@pytest.mark.parametrize(
    "given",
    [
        "data_folder: synthetic",
        "corpus: RAVDESS",
        "output_folder: '/tmp/a #1/out'",
        "output_folder: '/tmp/a: b'",
        "activation: !name:torch.nn.GELU",
    ],
)
def test_stand_in_respects_what_is_given(recipe, given):
    yaml = recipe / "hparams" / "model.yaml"
    with open(yaml) as stream:
        hparams = load_hyperpyyaml(stream, use_stand_in(yaml, given))
    assert hparams["corpus"] == "RAVDESS-synthetic"
    expected = (
        YAML().load(given).get("output_folder", "results/RAVDESS-synthetic/hrf")
    )
    assert hparams["output_folder"] == expected
    assert hparams["data_folder"] == f"{expected}/corpus"
    assert ("GELU" in given) == (hparams["activation"] is torch.nn.GELU)


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


@pytest.fixture
def finished(recipe, tmp_path):
    """A run with a checkpoint, as SpeechBrain leaves it."""
    yaml = recipe / "hparams" / "model.yaml"
    output = tmp_path / "out"
    overrides = f"data_folder: /data\noutput_folder: {output}"
    create_experiment_directory(str(output), str(yaml), overrides)
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


REPOSITORY = pathlib.Path(__file__).parents[2]


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


def test_a_folder_without_checkpoint_is_free(recipe, tmp_path):
    yaml = recipe / "hparams" / "model.yaml"
    overrides = f"data_folder: /data\noutput_folder: {tmp_path}"
    create_experiment_directory(str(tmp_path), str(yaml), overrides)
    refuse_other_options(yaml, f"{overrides}\narm: other")
