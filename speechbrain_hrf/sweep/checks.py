"""Refuses a study that means something else than its writer thinks.

A text where a list belongs would be taken letter by letter, and an option that
the recipe does not have would be found out by the first trial, not before.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
import numbers

from speechbrain_hrf.metrics.scores import SCORES
from speechbrain_hrf.nnet.chain import check_options

_NONE = type(None)
# What the entries of lists may be, and an example.
LISTS = {
    "models": (str, "[conformer]"),
    "modules": (str, "[Lightweight, FFN2]"),
    "ratios": (numbers.Real, "[2, 4, 8]"),
    "layers": (numbers.Integral, "[1, 2, 3]"),
    "activations": ((str, _NONE), "[relu, swish]"),
    "learning_rates": ((numbers.Real, _NONE), "[0.001, 0.002]"),
    "folds": ((numbers.Integral, str, _NONE), "[1, 2, 3]"),
    "seeds": (numbers.Integral, "[1, 2, 3]"),
    "grids": (dict, "[{modules: [FFN2]}, {modules: [ALL]}]"),
}
MAPPINGS = {
    "arms": "{my arm: {hrf_modules: [FFN2]}}",
    "originals": "{conformer: {d_model: 80}}",
    "overrides": "{number_of_epochs: 30}",
}
TEXTS = ("name", "output_folder", "recipe", "data_folder", "fold_key")
# Options of a recipe that a study sets itself, and how it is told to.
SET_BY_STUDY = {
    "seed": "give seeds",
    "data_folder": "give the study's data_folder",
    "output_folder": "give the study's output_folder",
    "feature_folder": "all trials of a study share one",
    "export_folder": "trials export nothing",
    "record_steps": "a study chooses the steps",
}


def check_keys(given, known, where):
    """Raises if a study or a grid has a key that there is not.

    Arguments
    ---------
    given : iterable of str
    known : collection of str
    where : str
        Where they stand.

    Raises
    ------
    ValueError
        Naming the key and those that there are.

    Example
    -------
    >>> check_keys({"model": 1}, {"models", "folds"}, "demo.yaml")
    Traceback (most recent call last):
        ...
    ValueError: demo.yaml: there is no key 'model'. There are: folds, models.
    """
    for key in given:
        if key not in known:
            raise ValueError(
                f"{where}: there is no key {key!r}. There are: "
                f"{', '.join(sorted(known))}."
            )


def check_settings(settings, where):
    """Raises if a key of a study is not of the kind that it has to be.

    Arguments
    ---------
    settings : dict
        Of a study or one of its grids; keys that are missing are not looked at.
    where : str
        Where it stands.

    Raises
    ------
    ValueError
        Naming the key, its value and an example.

    Example
    -------
    >>> check_settings({"models": "conformer"}, "demo.yaml")
    Traceback (most recent call last):
        ...
    ValueError: demo.yaml: models is 'conformer', but must be a list, such as...
    """

    def refuse(key, fix):
        raise ValueError(f"{where}: {key} is {settings[key]!r}, but {fix}.")

    given = settings.keys()
    for key in given & set(TEXTS):
        if not isinstance(settings[key], str):
            refuse(key, "must be a text")
    for key in given & LISTS.keys():
        kinds, example = LISTS[key]
        entries = settings[key]
        if not isinstance(entries, list) or not all(
            isinstance(entry, kinds) and not isinstance(entry, bool)
            for entry in entries
        ):
            refuse(key, f"must be a list, such as {example}")
    for key in given & MAPPINGS.keys():
        value = settings[key]
        # Arms and originals are mappings of mappings.
        inner = () if key == "overrides" or not value else value
        if not isinstance(value, dict) or not all(
            isinstance(value[name], dict) for name in inner
        ):
            refuse(key, f"must be a mapping, such as {MAPPINGS[key]}")
    for ratio in settings.get("ratios", ()):
        check_options(ratio, 1, "out", "default")
    for layers in settings.get("layers", ()):
        check_options(1, layers, "out", "default")
    for lr in settings.get("learning_rates", ()):
        if lr is not None and not 0 < lr < math.inf:
            refuse("learning_rates", "each must be above 0")
    if settings.get("metric", SCORES[0]) not in SCORES:
        refuse("metric", f"must be one of {', '.join(SCORES)}")
    threads = settings.get("threads_per_trial", 1)
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        refuse("threads_per_trial", "must be an integer of at least 1")
    if not isinstance(settings.get("pair_folds_with_seeds", False), bool):
        refuse("pair_folds_with_seeds", "must be True or False")


def check_options_of(options, known, arm, yaml):
    """Raises if a recipe is given an option that it would not take.

    Arguments
    ---------
    options : dict
        Of an arm, before seed and fold.
    known : collection of str
        The keys of the recipe's YAML.
    arm : str
        The arm's name.
    yaml : str or os.PathLike
        The recipe's YAML.

    Raises
    ------
    ValueError
        Naming the option and the fix.

    Example
    -------
    >>> check_options_of({"epochs": 3}, {"number_of_epochs"}, "FFN2", "x.yaml")
    Traceback (most recent call last):
        ...
    ValueError: The arm 'FFN2' overrides 'epochs', which x.yaml does not have...
    >>> check_options_of({"seed": 3}, {"seed"}, "FFN2", "x.yaml")
    Traceback (most recent call last):
        ...
    ValueError: The arm 'FFN2' overrides 'seed', which a study sets: give seeds.
    """
    for key in options:
        if key in SET_BY_STUDY:
            raise ValueError(
                f"The arm {arm!r} overrides {key!r}, which a study sets: "
                f"{SET_BY_STUDY[key]}."
            )
        if key not in known:
            raise ValueError(
                f"The arm {arm!r} overrides {key!r}, which {yaml} does not "
                "have. Look there for its name."
            )
