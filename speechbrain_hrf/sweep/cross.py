"""One grid of a study: the trials of all combinations of what it names.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import itertools

from speechbrain_hrf.recipe.overrides import resolved_yaml
from speechbrain_hrf.sweep.checks import check_options_of
from speechbrain_hrf.sweep.trial import ACTIVATIONS, Trial

ORIGINAL, LIGHTWEIGHT = "Original", "Lightweight"


def cross(grid, recipe_folder):
    """Crosses models, arms, activations, rates, folds and seeds.

    Arguments
    ---------
    grid : dict
        All keys of a study but those that its grids have in common.
    recipe_folder : pathlib.Path

    Returns
    -------
    dict of (fold, seed): list of Trial

    Raises
    ------
    ValueError
        If a model has no YAML or not the options that it is given, or folds
        and seeds are no pairs.

    Example
    -------
    >>> import pathlib
    >>> from speechbrain_hrf.sweep.study import DEFAULTS
    >>> grid = {"models": ["conformer"], "modules": ["Lightweight", "ALL"],
    ...     "folds": [2], "seeds": [7], "learning_rates": [0.1, 0.2]}
    >>> blocks = cross({**DEFAULTS, **grid}, pathlib.Path("recipes/RAVDESS"))
    >>> for trial in blocks[2, 7]:
    ...     print(trial.label)
    conformer Lightweight, lr 0.1, fold 2, seed 7
    conformer Lightweight, lr 0.2, fold 2, seed 7
    conformer ALL, lr 0.1, ratio 8, layers 1, fold 2, seed 7
    conformer ALL, lr 0.2, ratio 8, layers 1, fold 2, seed 7
    """
    folds, seeds = grid["folds"], grid["seeds"]
    if grid["pair_folds_with_seeds"]:
        if len(folds) != len(seeds):
            raise ValueError(
                "pair_folds_with_seeds needs as many folds as seeds, but "
                f"there are {len(folds)} and {len(seeds)}."
            )
        pairs = list(zip(folds, seeds, strict=True))
    else:
        pairs = list(itertools.product(folds, seeds))
    return {
        (fold, seed): [
            trial
            for model in grid["models"]
            for trial in _arms(grid, recipe_folder, model, fold, seed)
        ]
        for fold, seed in pairs
    }


def _arms(grid, recipe_folder, model, fold, seed):
    yaml = recipe_folder / "hparams" / f"{model}_hrf.yaml"
    if not yaml.is_file():
        known = sorted(p.stem[:-4] for p in yaml.parent.glob("*_hrf.yaml"))
        raise ValueError(
            f"There is no model {model!r} in {yaml.parent}. It has {known}."
        )
    defaults = _defaults(yaml)
    place = {"seed": seed}
    if fold is not None:
        place[grid["fold_key"]] = fold
    for arm, options in _rows(grid, model):
        for activation, lr in itertools.product(
            grid["activations"], grid["learning_rates"]
        ):
            chosen = {**grid["overrides"], **options}
            if activation is not None:
                chosen["activation"] = _activation(activation)
            if lr is not None:
                chosen["lr"] = lr
            check_options_of(chosen, defaults, arm, yaml)
            # Always said, so that the same run has the same id in all studies
            for key in ("lr", "number_of_epochs", "protocol"):
                chosen.setdefault(key, defaults[key])
            yield Trial(
                recipe_folder.name,
                model,
                arm,
                _as_plain({**chosen, **place}),
                grid["metric"],
                fold,
            )


@functools.cache
def _defaults(yaml):
    return resolved_yaml(yaml, "")


def _rows(grid, model):
    """Names of arms with the overrides that make them."""
    for row in grid["modules"]:
        if row == LIGHTWEIGHT:
            yield row, {"hrf_modules": []}
        elif row == ORIGINAL:
            if model not in grid["originals"]:
                raise ValueError(
                    f"The row {ORIGINAL!r} needs the sizes of the original "
                    f"{model}: give originals: {{{model}: {{d_model: ...}}}}."
                )
            yield row, {"hrf_modules": [], **grid["originals"][model]}
        else:
            for ratio, layers in itertools.product(
                grid["ratios"], grid["layers"]
            ):
                yield (
                    row,
                    {
                        "hrf_modules": [row],
                        "hrf_ratio": ratio,
                        "hrf_layers": layers,
                    },
                )
    yield from grid["arms"].items()


def _activation(name):
    if name not in ACTIVATIONS:
        raise ValueError(
            f"There is no activation {name!r}: choose of {list(ACTIVATIONS)}."
        )
    return f"!name:{ACTIVATIONS[name]}"


def _as_plain(value):
    """Numbers, texts, lists and mappings of Python's own types."""
    if isinstance(value, dict):
        return {str(key): _as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if value is None:
        return None
    raise ValueError(
        f"An option is {value!r}, which is not written as it stands: put it "
        "into quotes, such as '!name:torch.nn.GELU'."
    )
