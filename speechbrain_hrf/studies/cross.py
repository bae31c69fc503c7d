"""One grid of a study: the trials of all combinations of what it names.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from speechbrain_hrf.studies.recipe import Recipe
from speechbrain_hrf.studies.trial import LIGHTWEIGHT, ORIGINAL, Trial
from speechbrain_hrf.training.option_kinds import compare_kinds

if TYPE_CHECKING:
    from speechbrain_hrf.studies.study import StudyFile

# The activations of the paper's Figures 10-12 by the names used in studies.
ACTIVATIONS = {
    "relu": "torch.nn.ReLU",
    "gelu": "torch.nn.GELU",
    "swish": "torch.nn.SiLU",
    "relu2": "speechbrain_hrf.SquaredReLU",
}
# Options of a recipe that a study sets itself, and how it is told to.
SET_BY_STUDY = {
    "seed": "give seeds",
    "data_folder": "give the study's data_folder",
    "labels": "give the study's labels",
    "output_folder": "give the study's output_folder",
    "feature_folder": "all trials of a study share one",
    "export_folder": "trials export nothing",
    "record_steps": "run that trial by hand",
}
# Always said of a trial, so that the same run has the same id in all studies;
# and how a recipe gives them.
SAID = {"lr": "0.001", "number_of_epochs": "120", "protocol": "paper"}
_NORMALISED = "hrf_inner_norm"


def cross(grid: StudyFile, recipe: Recipe) -> Iterator[Trial]:
    """Crosses models, arms, activations, rates, folds and seeds.

    Arguments
    ---------
    grid : StudyFile
        A study whose grid has been filled in.
    recipe : Recipe

    Yields
    ------
    Trial

    Raises
    ------
    ValueError
        If a model has no YAML or not the options or rows that it is given, or
        a fold does not exist.

    Example
    -------
    >>> from speechbrain_hrf.studies.recipe import find_recipe
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> grid = StudyFile(name="demo", output_folder="x", recipe="RAVDESS",
    ...     data_folder="y", models=["conformer"], folds=[2], seeds=[7],
    ...     modules=["Lightweight", "ALL"], learning_rates=[0.1, 0.2])
    >>> for trial in cross(grid, find_recipe("RAVDESS")):
    ...     print(trial.label)
    conformer Lightweight, lr 0.1, fold 2, seed 7
    conformer Lightweight, lr 0.2, fold 2, seed 7
    conformer ALL, lr 0.1, ratio 8, layers 1, fold 2, seed 7
    conformer ALL, lr 0.2, ratio 8, layers 1, fold 2, seed 7
    """
    arms = []
    for model in grid.models:
        arms += _arms(grid, recipe, model)
    # All folds with the first seed come first: a study may be stopped.
    for seed, fold, (model, arm, options) in itertools.product(
        grid.seeds, grid.folds, arms
    ):
        options = {**options, "seed": seed}
        if fold is not None:
            options[grid.fold_key] = fold
        # A row that is named is the paper's, unless its arm says more, also
        # where the recipe's own is normalised.
        unsaid = {}
        if "hrf_modules" in options and recipe.defaults(model).get(_NORMALISED):
            unsaid = {_NORMALISED: False}
        yield Trial(
            recipe.folder.name, model, arm, options, fold, unsaid=unsaid
        )


def _arms(grid, recipe, model):
    """The model, each arm's name, and its options but seed and fold."""
    defaults = recipe.defaults(model)
    yaml = f"the recipe's hparams/{model}_hrf.yaml"
    for key, value in SAID.items():
        if key not in defaults:
            raise ValueError(
                f"A study needs the option {key!r}, and {yaml} (in "
                f"{recipe.folder}) has none: add it there, such as "
                f"`{key}: {value}`."
            )
    _check_folds(grid, recipe, defaults, yaml)
    for (arm, options), activation, lr in itertools.product(
        _rows(grid, model), grid.activations, grid.learning_rates
    ):
        chosen = {**grid.overrides, **options}
        if activation is not None:
            chosen["activation"] = f"!name:{ACTIVATIONS[activation]}"
        if lr is not None:
            chosen["lr"] = lr
        _check_options(chosen, defaults, arm, yaml, grid.fold_key)
        recipe.check_rows(model, chosen.get("hrf_modules", []))
        for key in SAID:
            # By JSON, which makes Python's own types of YAML's.
            own = json.loads(json.dumps(defaults[key]))
            chosen.setdefault(key, own)
        yield model, arm, chosen


def _check_folds(grid, recipe, defaults, yaml):
    if grid.folds != [None] and grid.fold_key not in defaults:
        raise ValueError(
            f"folds are given, but {yaml} has no option {grid.fold_key!r}: "
            "give fold_key, the option that chooses the split."
        )
    known = range(1, 1 + recipe.folds)
    for fold in grid.folds:
        if fold is not None and known and fold not in known:
            raise ValueError(
                f"There is no fold {fold!r}: {recipe.folder.name} has folds 1 "
                f"to {len(known)}."
            )


def _rows(grid, model):
    """Names of arms with the overrides that make them."""
    for row in grid.modules:
        if row == LIGHTWEIGHT:
            yield row, {"hrf_modules": []}
        elif row == ORIGINAL:
            if model not in grid.originals:
                raise ValueError(
                    f"The row {ORIGINAL!r} needs the sizes of the original "
                    f"{model}: give originals: {{{model}: {{d_model: ...}}}}."
                )
            yield row, {"hrf_modules": [], **grid.originals[model]}
        else:
            for ratio, layers in itertools.product(grid.ratios, grid.layers):
                whole = int(ratio) if ratio == int(ratio) else ratio
                options = {"hrf_ratio": whole, "hrf_layers": layers}
                yield row, {"hrf_modules": [row], **options}
    yield from grid.arms.items()


def _check_options(options, known, arm, yaml, fold_key):
    """A misspelt option would be found out by the first trial, not before."""
    set_by_study = {**SET_BY_STUDY, fold_key: "give folds"}
    for key in options:
        if key in set_by_study:
            raise ValueError(
                f"The arm {arm!r} overrides {key!r}, which a study sets: "
                f"{set_by_study[key]}."
            )
        if key not in known:
            raise ValueError(
                f"The arm {arm!r} overrides {key!r}, which {yaml} does not "
                "have. Look there for its name."
            )
    # What a tag gives is not known before the run.
    plain = {k: x for k, x in options.items() if str(x)[:1] != "!"}
    try:
        compare_kinds(known, plain)
    except ValueError as error:
        raise ValueError(f"The arm {arm!r}: {error}") from None
