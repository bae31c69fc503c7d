"""Runs with a cache, without one, and on HuBERT's features.

The recipes run as users run them, in processes of their own, on the stand-in
corpus.
"""

import json
import pathlib
import subprocess
import sys

import pytest
import torch

pytestmark = pytest.mark.slow

REPOSITORY = pathlib.Path(__file__).parents[2]
SCRIPT = REPOSITORY / "recipes" / "RAVDESS" / "train.py"


def run(output_folder, *options, status=0):
    """Trains for one epoch and returns what was logged."""
    done = subprocess.run(
        [
            sys.executable,
            str(SCRIPT),
            "hparams/speechformer_hrf.yaml",
            "--output_folder",
            str(output_folder),
            *["--number_of_epochs", "1", "--device", "cpu", "--noprogressbar"],
            *options,
        ],
        cwd=output_folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == status, done.stdout[-4000:]
    return done.stdout


def final_weights(output_folder):
    (checkpoint,) = (output_folder / "save").glob("CKPT*")
    files = {path.name: path for path in checkpoint.glob("*.ckpt")}
    # What is left counts steps and learning rates.
    names = ("embedding_model.ckpt", "classifier.ckpt", "mean_var_norm.ckpt")
    return {name: torch.load(files[name]) for name in names}


def assert_equal(found, expected):
    for name, state in expected.items():
        for key, value in state.items():
            if torch.is_tensor(value):
                assert torch.equal(found[name][key], value), (name, key)
            else:
                assert found[name][key] == value, (name, key)


def test_the_cache_changes_nothing_but_the_time(tmp_path):
    first, second, without = (tmp_path / name for name in "abc")
    log = run(first)
    assert log.count("Computing the features") == 2
    features = first / "features"
    names = sorted(path.name for path in features.iterdir())
    assert [name.split("-")[0] for name in names] == ["test", "train"]

    shared = ["--data_folder", str(first / "corpus")]
    log = run(second, *shared, "--feature_folder", str(features))
    assert "Computing the features" not in log
    log = run(without, *shared, "--cache_features", "False")
    assert "eatures of" not in log

    assert sorted(path.name for path in features.iterdir()) == names
    # Nothing beside the output folders, and no second cache.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]
    expected = final_weights(first)
    assert_equal(final_weights(second), expected)
    assert_equal(final_weights(without), expected)


def test_training_on_hubert(tmp_path, hubert_folder):
    first, second = tmp_path / "a", tmp_path / "b"
    hubert = ["--features", "hubert", "--hubert_source", str(hubert_folder)]
    log = run(first, *hubert)
    assert log.count("Computing the features") == 2
    assert "Nothing is exported: its features come from HuBERT" in log
    assert not (first / "pretrained").exists()
    results = json.loads((first / "test_metrics.json").read_text())
    assert results["features"] == "hubert"
    assert results["hubert_source"] == str(hubert_folder)
    weights = final_weights(first)["embedding_model.ckpt"]
    assert weights["front_end.weight"].shape == (16, 16)

    features = first / "features"
    shared = ["--data_folder", str(first / "corpus")]
    shared += ["--feature_folder", str(features), "--seed", "2"]
    assert "Computing the features" not in run(second, *shared, *hubert)
    # Other features of the same corpus lie beside these.
    assert "have other class, frames, values" in run(tmp_path / "c", *shared)
    assert len(list(features.iterdir())) == 4

    for source in (first, *(first / "save").glob("CKPT*")):
        refused = subprocess.run(
            [sys.executable, "-m", "speechbrain_hrf.export", source, "model"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert refused.returncode == 1
        assert "cannot be exported: its features come" in refused.stderr
        assert not (tmp_path / "model").exists()


def test_a_hubert_that_is_not_there_leaves_no_output(tmp_path):
    source = str(tmp_path / "none")
    options = ["--features", "hubert", "--hubert_source", source]
    log = run(tmp_path / "a", *options, status=1)
    assert f"Cannot load a HuBERT from hubert_source {source}" in log
    assert not (tmp_path / "a").exists()
