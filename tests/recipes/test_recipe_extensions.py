"""What goes beyond the paper, in a recipe, as a user runs it.

On the stand-in corpus, in processes of their own: a student learns from an
original, chains are normalised inside and take shorter steps, and a run that
goes on ends where an uninterrupted one does.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import shutil
import subprocess
import sys

import pytest
import torch

pytestmark = pytest.mark.slow

REPOSITORY = pathlib.Path(__file__).parents[2]
SCRIPT = REPOSITORY / "recipes" / "RAVDESS" / "train.py"
ORIGINAL = ["--d_model", "32", "--d_ffn", "32", "--hrf_modules", "[]"]
NORMALISED = ["--hrf_modules", "[ALL]", "--hrf_layers", "2"]
NORMALISED += ["--hrf_inner_norm", "True", "--hrf_lr_scale", "0.3"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A corpus, its features, and an original that was trained on it."""
    place = tmp_path_factory.mktemp("extensions")
    first = run(place, "original", 2, *ORIGINAL, corpus="synthetic")
    assert first.returncode == 0, first.stdout[-4000:]
    return place


def run(place, name, epochs, *options, corpus="original/corpus"):
    return subprocess.run(
        [
            *(sys.executable, str(SCRIPT), "hparams/speechformer_hrf.yaml"),
            *("--output_folder", name, "--number_of_epochs", str(epochs)),
            *("--data_folder", corpus, "--feature_folder", "features"),
            *("--device", "cpu", "--noprogressbar", *options),
        ],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )


def weights(folder):
    (checkpoint,) = (folder / "save").glob("CKPT*")
    return {
        f"{name}.{key}": value
        for name in ("embedding_model", "classifier")
        for key, value in torch.load(
            checkpoint / f"{name}.ckpt", weights_only=True
        ).items()
    }


@pytest.mark.parametrize(
    "options",
    [["--distil_from", "original"], NORMALISED],
    ids=["distillation", "inner_norm"],
)
def test_a_run_that_goes_on_ends_as_an_uninterrupted_one(place, options):
    name = options[0].strip("-")
    for folder, epochs in ((name, 2), (f"{name}2", 1), (f"{name}2", 2)):
        done = run(place, folder, epochs, *options)
        assert done.returncode == 0, done.stdout[-4000:]
    whole, parts = weights(place / name), weights(place / f"{name}2")
    assert whole.keys() == parts.keys()
    for key, value in whole.items():
        assert torch.equal(value, parts[key]), key
    assert any("hrf_norms" in key for key in whole) == (options is NORMALISED)
    # Merged, verified in a fresh process, without a trace of either.
    exported = place / name / "pretrained"
    state = torch.load(exported / "embedding_model.ckpt", weights_only=True)
    assert not any("hrf_" in key for key in state)
    shutil.rmtree(place / f"{name}2")


def test_a_teacher_of_another_fold_is_refused(place):
    done = run(place, "other", 1, "--distil_from", "original", "--fold", "2")
    assert done.returncode != 0
    assert "has other splits than this run (test, train)" in done.stdout
    assert not list((place / "other").glob("save/CKPT*"))


def test_a_bad_scale_is_refused(place):
    done = run(place, "scale", 1, "--hrf_lr_scale", "0")
    assert done.returncode != 0
    assert "hrf_lr_scale is 0" in done.stdout
