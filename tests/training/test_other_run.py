"""Checkpoints are taken up for the options they were made with."""

import os
import pathlib

import pytest
from hyperpyyaml import resolve_references
from speechbrain import create_experiment_directory
from speechbrain.utils.run_opts import RunOptions

from speechbrain_hrf.training import parse_arguments
from speechbrain_hrf.training.other_run import (
    RUN_OPTIONS,
    refuse_other_options,
    refuse_other_run_options,
)

REPOSITORY = pathlib.Path(__file__).parents[2]


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
    mark = "end-of-epoch: true\nepoch: 120\nunixtime: 0.0\n"
    (checkpoint / "CKPT.yaml").write_text(mark)
    return yaml, overrides


@pytest.mark.parametrize(
    "more", ["", "number_of_epochs: 200", "data_folder: /moved"]
)
def test_the_same_run_goes_on(finished, more):
    yaml, overrides = finished
    kept = [x for x in overrides.splitlines() if x.split(":")[0] not in more]
    refuse_other_options(yaml, "\n".join([*kept, more]))


def test_fewer_epochs_than_it_has_are_refused(finished):
    yaml, overrides = finished
    refuse_other_options(yaml, f"{overrides}\nnumber_of_epochs: 120")
    with pytest.raises(ValueError, match="120 epochs, .* is 119: give 120 or"):
        refuse_other_options(yaml, f"{overrides}\nnumber_of_epochs: 119")


OPTIONS = """\
lr: 0.001
arm: out
distil_from: {above}teacher
output_folder: {folder}
save_folder: !ref <output_folder>/save
train_logger: !new:speechbrain.utils.train_logger.FileTrainLogger
    save_file: !ref <output_folder>/train_log.txt
"""


def test_a_folder_may_move_and_be_spelt_otherwise(tmp_path, monkeypatch):
    """With the other runs beside it, one of which it may learn from."""
    yaml = tmp_path / "x.yaml"

    def refuse(folder, above=None, more=""):
        above = f"{os.path.dirname(folder)}/" if above is None else above
        yaml.write_text(OPTIONS.format(folder=folder, above=above))
        refuse_other_options(yaml, more)

    runs = tmp_path / "runs"
    monkeypatch.chdir(runs.parent)
    (runs / "out" / "save" / "CKPT+1").mkdir(parents=True)
    yaml.write_text(OPTIONS.format(folder="runs/out", above="runs/"))
    with open(yaml) as stream:
        resolved = resolve_references(stream).getvalue()
    (runs / "out" / "hyperparams.yaml").write_text(resolved)
    for folder in ("runs/out", "./runs/out", "runs/../runs/out", runs / "out"):
        refuse(folder)
    refuse("runs/out/", "runs/")
    monkeypatch.chdir(runs)
    refuse("out", "./")
    refuse("out/", "../runs/")
    with pytest.raises(ValueError, match="distil_from is .*, was runs/teacher"):
        refuse("out", "other/")
    with pytest.raises(ValueError, match="lr is 0.5, was 0.001"):
        refuse("out", "./", "lr: 0.5")
    (runs / "out").rename(tmp_path / "other")
    monkeypatch.chdir(tmp_path)
    refuse("other", "./")


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


@pytest.mark.parametrize("key", RUN_OPTIONS)
def test_speechbrain_s_own_options_are_compared(tmp_path, key):
    refuse_other_run_options(tmp_path, RunOptions(**{key: 3}))
    refuse_other_run_options(tmp_path, RunOptions())  # nothing is trained yet
    (tmp_path / "CKPT+1").mkdir()
    refuse_other_run_options(tmp_path, RunOptions(device="cpu"))
    with pytest.raises(ValueError, match=f"other options: {key} 3, was {key}"):
        refuse_other_run_options(tmp_path, RunOptions(**{key: 3}))
    (tmp_path / "run_options.txt").unlink()  # as earlier versions left it
    refuse_other_run_options(tmp_path, RunOptions(**{key: 3}))


def test_a_command_line_with_another_precision_is_refused(
    recipe_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    yaml = recipe_folder / "hparams" / "model.yaml"
    yaml.write_text(f"{yaml.read_text()}features: fbank\n")
    command = [str(yaml), "--output_folder", "run", "--max_grad_norm", "5"]
    parse_arguments(command, recipe_folder / "train.py")
    (tmp_path / "run" / "save" / "CKPT+1").mkdir()
    (tmp_path / "run" / "save" / "CKPT+1" / "CKPT.yaml").write_text("")
    parse_arguments(command, recipe_folder / "train.py")
    command += ["--precision", "bf16"]
    with pytest.raises(ValueError, match="precision bf16, was precision fp32"):
        parse_arguments(command, recipe_folder / "train.py")
