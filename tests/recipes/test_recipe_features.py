"""Runs with a cache, without one, on HuBERT's features, in bf16, compiled.

The recipes run as users run them, in processes of their own, on the stand-in
corpus.
"""

import json
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def test_the_cache_changes_nothing_but_the_time(
    tmp_path, run_recipe, final_weights, assert_same
):
    first, second, without = (tmp_path / name for name in "abc")
    log = run_recipe(first)
    assert log.count("Computing the features") == 2
    features = first / "features"
    names = sorted(path.name for path in features.iterdir())
    assert [name.split("-")[0] for name in names] == ["test", "train"]

    shared = ["--data_folder", str(first / "corpus")]
    log = run_recipe(second, *shared, "--feature_folder", str(features))
    assert "Computing the features" not in log
    log = run_recipe(without, *shared, "--cache_features", "False")
    assert "eatures of" not in log

    assert sorted(path.name for path in features.iterdir()) == names
    # Nothing beside the output folders, and no second cache.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]
    expected = final_weights(first)
    assert_same(final_weights(second), expected)
    assert_same(final_weights(without), expected)


def test_training_on_hubert(tmp_path, hubert_folder, run_recipe, final_weights):
    first, second = tmp_path / "a", tmp_path / "b"
    hubert = ["--features", "hubert", "--hubert_source", str(hubert_folder)]
    hubert += ["--hrf_modules", "[ALL]"]  # the front end stays as it is
    log = run_recipe(first, *hubert)
    assert log.count("Computing the features") == 2
    assert "Nothing is exported: its features come from HuBERT" in log
    assert not (first / "pretrained").exists()
    results = json.loads((first / "test_metrics.json").read_text())
    assert results["features"] == "hubert"
    assert results["hubert_source"] == str(hubert_folder)
    weights = final_weights(first)
    assert weights["embedding_model, front_end.weight"].shape == (16, 16)

    features = first / "features"
    shared = ["--data_folder", str(first / "corpus")]
    shared += ["--feature_folder", str(features), "--seed", "2"]
    assert "Computing the features" not in run_recipe(second, *shared, *hubert)
    # Other features of the same corpus lie beside these.
    log = run_recipe(tmp_path / "c", *shared)
    assert "have other class, frames, samples, values" in log
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


def test_a_hubert_that_is_not_there_leaves_no_output(tmp_path, run_recipe):
    source = str(tmp_path / "none")
    options = ["--features", "hubert", "--hubert_source", source]
    log = run_recipe(tmp_path / "a", *options, status=1)
    assert f"Cannot load a HuBERT from hubert_source {source}" in log
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("options", [["--precision", "bf16"], ["--compile"]])
def test_precision_and_compilation_go_through_to_the_export(
    options, tmp_path, run_recipe
):
    if "--compile" in options and not shutil.which("g++"):
        pytest.skip("torch.compile needs a C++ compiler on a CPU: no g++")
    log = run_recipe(tmp_path / "run", *options)
    assert (tmp_path / "run" / "pretrained" / "README.md").is_file()
    assert "failed to compile" not in log
