"""Models that are trained together are those that train.py trains.

The reference is the recipe's own Brain, run by run: three models, three arms,
two folds of different sizes, three seeds and three learning rates at once.

Authors
 * The speechbrain_hrf authors 2026
"""

import itertools

import pytest
from ensemble_runs import ARMS, MODELS, as_train_py, hparams_file, runs_of

from speechbrain_hrf.training.ensemble.build import build_variant
from speechbrain_hrf.training.ensemble.data import Corpus
from speechbrain_hrf.training.ensemble.group import Group
from speechbrain_hrf.training.history import read_history
from speechbrain_hrf.training.overrides import as_overrides

# Another order of sums. A bias in front of a normalisation has no gradient but
# rounding, which AdamW divides by 1e-8 and steps along.
EXACT = 1e-9
FLOAT32 = 1e-4  # of a loss of about 2, after two epochs


def grid(*quick):
    """Every model with every arm; what is not named takes minutes in all."""
    return pytest.mark.parametrize(
        ("model", "arm"),
        [
            pytest.param(*cell, marks=[] if cell in quick else pytest.mark.slow)
            for cell in itertools.product(MODELS, ARMS)
        ],
    )


def stacked(recipe, model, runs, double=True):
    folds = {}
    variants = [
        build_variant(
            recipe, hparams_file(model), as_overrides(run), folds, "cpu"
        )
        for run in runs
    ]
    if double:
        for variant in variants:
            variant.brain.modules.double()
    return Group(variants, Corpus(list(folds.values()), "cpu"))


@grid(
    ("convtransformer", "lightweight"),
    ("conformer", "ALL + FRONT normalised"),
    ("speechformer", "ALL"),
)
def test_twenty_steps_in_float64(corpus, recipe, tmp_path, model, arm):
    """Four epochs of five.

    Not one of 20 batches of four utterances: the last normalisation sees each
    as a row, and with statistics of four rows a rounding grows 500 times within
    20 steps, whoever trains.
    """
    options = {**ARMS[arm], "protocol": "held_out", "number_of_epochs": 4}
    runs = runs_of(corpus, tmp_path / "together", **options)
    group = stacked(recipe, model, runs)
    sizes = {len(group.rows[v.fold, "train"]) for v in group.variants}
    assert len(sizes) == 2  # control: the folds differ
    group.train()
    alone = runs_of(corpus, tmp_path / "alone", **options)
    changes = []
    for k, run in enumerate(alone):
        brain = as_train_py(recipe, model, run, double=True)
        assert brain.optimizer_step == 20
        tensors = group.stack.host()[k]
        rows = group.stack.layout.views(tensors["parameters"][None])
        for name, parameter in brain.modules.named_parameters():
            assert (rows[name][0] - parameter).abs().max() < EXACT, name
        for name, buffer in brain.modules.named_buffers():
            assert (tensors[name] - buffer).abs().max() < EXACT, name
        changes.append(tensors["parameters"])
        lines = read_history(run["output_folder"])
        mine = read_history(group.variants[k].output_folder)
        for found, line in zip(mine, lines, strict=True):
            assert found["train_loss"] == pytest.approx(line["train_loss"])
    assert (changes[0] - changes[2]).abs().max() > 1e-3  # control


@grid(("convtransformer", "ALL"), ("speechformer", "ALL + FRONT normalised"))
def test_two_epochs_in_float32(corpus, recipe, tmp_path, model, arm):
    """Log lines and validation included.

    With the recipe's batches; see above.
    """
    options = {**ARMS[arm], "protocol": "held_out", "number_of_epochs": 2}
    options["batch_size"] = 32
    group = stacked(
        recipe, model, runs_of(corpus, tmp_path / "together", **options), False
    )
    group.train()
    alone = runs_of(corpus, tmp_path / "alone", **options)
    for variant, run in zip(group.variants, alone, strict=True):
        brain = as_train_py(recipe, model, run)
        norms = variant.hparams["mean_var_norm"], brain.hparams.mean_var_norm
        assert norms[0].count == norms[1].count > 0
        assert norms[0].glob_mean.equal(norms[1].glob_mean)
        mine = read_history(variant.output_folder)
        theirs = read_history(run["output_folder"])
        assert len(mine) == len(theirs) == 2
        for found, line in zip(mine, theirs, strict=True):
            assert found["lr"] == line["lr"] == run["lr"]
            assert abs(found["train_loss"] - line["train_loss"]) < FLOAT32
            assert found.keys() == line.keys()
