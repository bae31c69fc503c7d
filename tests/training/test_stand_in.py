"""Without data a run gets a stand-in corpus, and says so everywhere."""

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from ruamel.yaml import YAML

from speechbrain_hrf.training import make_stand_in
from speechbrain_hrf.training.stand_in import (
    announce_stand_in,
    use_stand_in,
    warn_if_synthetic,
)


def test_stand_in_is_named_everywhere(recipe_folder):
    overrides = use_stand_in(recipe_folder / "hparams" / "model.yaml", "arm: x")
    assert overrides.splitlines() == [
        "arm: x",
        "corpus: RAVDESS-synthetic",
        "data_folder: results/RAVDESS-synthetic/x/corpus",
        "number_of_epochs: 40",
    ]


def test_features_of_the_stand_in_lie_beside_it(recipe_folder):
    yaml = recipe_folder / "hparams" / "model.yaml"
    text = yaml.read_text()
    yaml.write_text(f"{text}feature_folder: !ref results/<corpus>/features")
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
def test_stand_in_respects_what_is_given(recipe_folder, given):
    yaml = recipe_folder / "hparams" / "model.yaml"
    with open(yaml) as stream:
        hparams = load_hyperpyyaml(stream, use_stand_in(yaml, given))
    assert hparams["corpus"] == "RAVDESS-synthetic"
    expected = (
        YAML().load(given).get("output_folder", "results/RAVDESS-synthetic/hrf")
    )
    assert hparams["output_folder"] == expected
    assert hparams["data_folder"] == f"{expected}/corpus"
    assert ("GELU" in given) == (hparams["activation"] is torch.nn.GELU)


def test_real_data_change_nothing(recipe_folder):
    overrides = "data_folder: /data/RAVDESS"
    yaml = recipe_folder / "hparams" / "model.yaml"
    assert use_stand_in(yaml, overrides) == overrides


def test_epochs_asked_for_are_kept(recipe_folder):
    yaml = recipe_folder / "hparams" / "model.yaml"
    assert "40" not in use_stand_in(yaml, "number_of_epochs: 3")


def test_stand_in_is_found_to_be_synthetic(corpora, tmp_path):
    folder = str(corpora)
    assert make_stand_in("RAVDESS-synthetic", folder) == folder
    assert warn_if_synthetic(folder)
    assert not warn_if_synthetic(str(tmp_path / "elsewhere"))


def test_said_where_no_data_are_given_alone(recipe_folder, caplog):
    yaml = recipe_folder / "hparams" / "model.yaml"
    assert announce_stand_in(yaml, "")
    assert "SYNTHETIC DATA: no corpus is given" in caplog.text
    assert "in the place of RAVDESS, and its figures mean" in caplog.text
    caplog.clear()
    assert not announce_stand_in(yaml, "data_folder: /data/RAVDESS")
    assert not caplog.text
