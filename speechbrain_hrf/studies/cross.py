"""One grid of a study: the trials of all combinations of what it names.

Authors
 * The speechbrain_hrf authors 2026
"""

import itertools
import json
import pathlib
from collections.abc import Iterator

from speechbrain_hrf.studies import recipe
from speechbrain_hrf.studies.keys import StudyFile
from speechbrain_hrf.studies.trial import LIGHTWEIGHT, ORIGINAL, Trial
from speechbrain_hrf.training.option_kinds import compare_kinds

# The activations of the paper's Figures 10-12 by the names used in studies.
ACTIVATIONS = {
    "relu": "torch.nn.ReLU",
    "gelu": "torch.nn.GELU",
    "swish": "torch.nn.SiLU",
    "relu2": "speechbrain_hrf.SquaredReLU",
}
# Options of a recipe that a study sets itself, besides the fold's.
SET_BY_STUDY = {
    *("seed", "data_folder", "labels", "output_folder"),
    *("feature_folder", "export_folder", "record_steps"),
}
# Always said of a trial, so that the same run has the same id in all studies.
SAID = ("lr", "number_of_epochs", "protocol")


def cross(grid: StudyFile, folder: pathlib.Path) -> Iterator[Trial]:
    """Crosses models, arms, activations, rates, folds and seeds.

    Arguments
    ---------
    grid : StudyFile
        A study whose grid has been filled in.
    folder : pathlib.Path
        Of the recipe.

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
    >>> grid = StudyFile(name="demo", recipe="RAVDESS", models=["conformer"],
    ...     modules=["Lightweight", "ALL"], learning_rates=[0.1, 0.2],
    ...     folds=[2], seeds=[7])
    >>> for trial in cross(grid, recipe.find_recipe("RAVDESS")):
    ...     print(trial.label)
    conformer Lightweight, lr 0.1, fold 2, seed 7
    conformer Lightweight, lr 0.2, fold 2, seed 7
    conformer ALL, lr 0.1, ratio 8, layers 1, fold 2, seed 7
    conformer ALL, lr 0.2, ratio 8, layers 1, fold 2, seed 7
    """
    for model in grid.models:
        defaults = recipe.read_hparams(folder, model)
        yaml = f"the recipe's hparams/{model}_hrf.yaml"
        _check_recipe(grid, folder, defaults, yaml)
        # By JSON, which makes Python's own types of YAML's.
        said = {key: defaults[key] for key in SAID if key != grid.fold_key}
        said = json.loads(json.dumps(said))
        for (arm, options), activation, lr in itertools.product(
            _rows(grid, model), grid.activations, grid.learning_rates
        ):
            options = {**said, **grid.overrides, **options}
            if activation is not None:
                options["activation"] = f"!name:{ACTIVATIONS[activation]}"
            if lr is not None:
                options["lr"] = lr
            _check_options(options, defaults, arm, yaml, grid.fold_key)
            recipe.check_rows(defaults, options.get("hrf_modules", []))
            # A row that is named is the paper's, unless its arm says more,
            # also where the recipe's own is normalised.
            own = "hrf_modules" in options and defaults.get("hrf_inner_norm")
            unsaid = {"hrf_inner_norm": False} if own else {}
            for seed, fold in itertools.product(grid.seeds, grid.folds):
                chosen = {**options, "seed": seed}
                if fold is not None:
                    chosen[grid.fold_key] = fold
                yield Trial(
                    folder.name, model, arm, chosen, fold, unsaid=unsaid
                )


def _check_recipe(grid, folder, defaults, yaml):
    """A recipe of one's own may lack what a study needs."""
    has_folds = grid.folds != [None]
    for key in [*SAID, grid.fold_key] if has_folds else SAID:
        if key not in defaults:
            raise ValueError(
                f"A study needs the option {key!r}, which {yaml} (in {folder}) "
                "lacks: add it there, or correct fold_key if it is that."
            )
    known = range(1, 1 + recipe.count_folds(folder))
    for fold in grid.folds:
        if fold is not None and known and fold not in known:
            raise ValueError(
                f"There is no fold {fold!r}: there are 1 to {len(known)}."
            )


def _rows(grid, model):
    """Names of arms with the overrides that make them."""
    for row in grid.modules:
        if row == LIGHTWEIGHT:
            yield row, {"hrf_modules": []}
        elif row == ORIGINAL:
            if model not in grid.originals:
                raise ValueError(
                    f"The row {ORIGINAL!r} needs its sizes: give originals: "
                    f"{{{model}: {{d_model: ...}}}}."
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
    said = f"The arm {arm!r}"
    for key in options:
        if key in {*SET_BY_STUDY, fold_key}:
            raise ValueError(
                f"{said} overrides {key!r}, which is the study's: leave it "
                "out, or give the study's own key, such as seeds or folds."
            )
        if key not in known:
            raise ValueError(
                f"{said} overrides {key!r}, which is none of those in {yaml}."
            )
    # What a tag gives is not known before the run.
    plain = {k: x for k, x in options.items() if str(x)[:1] != "!"}
    try:
        compare_kinds(known, plain)
    except ValueError as error:
        raise ValueError(f"{said}: {error}") from None
