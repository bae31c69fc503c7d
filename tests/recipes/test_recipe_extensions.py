"""What goes beyond the paper, in a recipe, as a user runs it.

On the stand-in corpus, in processes of their own: a student learns from an
original, chains are normalised inside and take shorter steps, and a run that
goes on ends where an uninterrupted one does.

Authors
 * The speechbrain_hrf authors 2026
"""

import shutil

import pytest
import torch

pytestmark = pytest.mark.slow

ORIGINAL = ["--d_model", "32", "--d_ffn", "32", "--hrf_modules", "[]"]
PAPERS = ["--hrf_modules", "[FFN2]", "--hrf_inner_norm", "False"]
NORMALISED = ["--hrf_modules", "[ALL]", "--hrf_layers", "2"]
NORMALISED += ["--hrf_inner_norm", "True", "--hrf_lr_scale", "0.3"]


@pytest.fixture(scope="module")
def run(run_recipe):
    """Runs that share the original's corpus and features."""

    def run_here(folder, *options, data="original/corpus", **recipe):
        folders = ["--data_folder", data, "--feature_folder", "features"]
        return run_recipe(folder, *folders, *options, **recipe)

    return run_here


@pytest.fixture(scope="module")
def place(tmp_path_factory, run):
    """A corpus, its features, and an original that was trained on it."""
    place = tmp_path_factory.mktemp("extensions")
    run(place / "original", *ORIGINAL, data="synthetic", epochs=2)
    return place


@pytest.mark.parametrize(
    "options",
    [["--distil_from", "original", *PAPERS], NORMALISED],
    ids=["distillation", "inner_norm"],
)
def test_a_run_that_goes_on_ends_as_an_uninterrupted_one(
    place, run, options, final_weights, assert_same
):
    name = options[0].strip("-")
    for folder, epochs in ((name, 2), (f"{name}2", 1), (f"{name}2", 2)):
        run(place / folder, *options, epochs=epochs)
    whole = final_weights(place / name)
    assert_same(final_weights(place / f"{name}2"), whole)
    assert any("hrf_norms" in key for key in whole) == (options is NORMALISED)
    # Merged, verified in a fresh process, without a trace of either.
    exported = place / name / "pretrained"
    state = torch.load(exported / "embedding_model.ckpt", weights_only=True)
    assert not any("hrf_" in key for key in state)
    shutil.rmtree(place / f"{name}2")


@pytest.mark.parametrize(
    "options, message",
    [
        (
            ["--distil_from", "original", "--fold", "2"],
            "has other splits than this run (test, train)",
        ),
        (["--hrf_lr_scale", "0"], "hrf_lr_scale is 0"),
    ],
)
def test_what_cannot_work_is_refused(place, run, options, message):
    assert message in run(place / "other", *options, status=1)
    assert not list((place / "other").glob("save/CKPT*"))
    shutil.rmtree(place / "other", ignore_errors=True)
