"""The YAML that is named on the command line, and what is refused there."""

import subprocess
import sys

import pytest

from speechbrain_hrf.training import parse_arguments
from speechbrain_hrf.training.launch import locate_hparams


def test_yaml_relative_to_the_script(recipe_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    argv = ["hparams/model.yaml", "--seed", "1"]
    found = locate_hparams(argv, recipe_folder / "train.py")
    assert found == [
        str(recipe_folder / "hparams" / "model.yaml"),
        "--seed",
        "1",
    ]


def test_yaml_of_the_current_folder_comes_first(
    recipe_folder, monkeypatch, tmp_path
):
    (tmp_path / "hparams").mkdir()
    (tmp_path / "hparams" / "model.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    argv = ["--debug", "hparams/model.yaml"]
    assert locate_hparams(argv, recipe_folder / "train.py") == argv


def test_missing_yaml_names_those_there_are(recipe_folder):
    with pytest.raises(FileNotFoundError, match="hparams/model.yaml"):
        locate_hparams(["hparams/other.yaml"], recipe_folder / "train.py")


def test_another_scored_epoch_is_refused(recipe_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yaml = recipe_folder / "hparams" / "model.yaml"
    yaml.write_text(f"{yaml.read_text()}features: fbank\nscored_epoch: first\n")
    with pytest.raises(ValueError, match="scored_epoch is 'first': it must be"):
        parse_arguments([str(yaml)], recipe_folder / "train.py")
    hparams_file, _, overrides = parse_arguments(
        [str(yaml), "--scored_epoch", "last"], recipe_folder / "train.py"
    )
    assert hparams_file == str(yaml)
    assert "scored_epoch: last" in overrides.splitlines()
    assert "corpus: RAVDESS-synthetic" in overrides.splitlines()


def test_unfinished_checkpoints_of_a_killed_run_are_removed(
    recipe_folder, tmp_path, monkeypatch
):
    """By the main process of a run, which holds the folder."""
    monkeypatch.chdir(tmp_path)
    yaml = recipe_folder / "hparams" / "model.yaml"
    yaml.write_text(f"{yaml.read_text()}features: fbank\n")
    save = tmp_path / "run" / "save"
    for name in ("CKPT+empty", "CKPT+part/model.ckpt", "CKPT+1/CKPT.yaml"):
        (save / name).mkdir(parents=True)
    (save / "notes").mkdir()
    given = [str(yaml), f"--output_folder={tmp_path}/run"]
    given += [f"--save_folder={save}"]
    monkeypatch.setenv("RANK", "1")
    parse_arguments(given, recipe_folder / "train.py")
    assert len(list(save.iterdir())) == 4
    monkeypatch.delenv("RANK")
    parse_arguments(given, recipe_folder / "train.py")
    assert {path.name for path in save.iterdir()} == {"CKPT+1", "notes"}


@pytest.mark.slow  # a process of its own
@pytest.mark.parametrize("corpus", ["RAVDESS", "OwnData"])
def test_first_line_says_that_the_data_are_synthetic(
    repository, tmp_path, corpus
):
    """And the output folder's name; --debug ends the run soon."""
    script = repository / "recipes" / corpus / "train.py"
    options = ["hparams/conformer_hrf.yaml", "--debug"]
    process = subprocess.run(
        [sys.executable, script, *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    first = process.stdout.splitlines()[0]
    assert "SYNTHETIC DATA" in first and f"place of {corpus}," in first
    assert (tmp_path / "results" / f"{corpus}-synthetic").is_dir()
