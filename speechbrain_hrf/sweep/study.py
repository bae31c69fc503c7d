"""A study's YAML and the trials that it stands for.

A study crosses models, rows of the paper's tables, ratios, extra layers,
activations, learning rates, folds and seeds. ``grids`` holds several such
crosses in one study; what a grid does not give is the study's.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import functools
import itertools
import os
import pathlib

from hyperpyyaml import load_hyperpyyaml
from ruamel.yaml import YAML

from speechbrain_hrf.recipe.overrides import resolved_yaml
from speechbrain_hrf.sweep.checks import check_options_of, check_settings
from speechbrain_hrf.sweep.trial import ACTIVATIONS, Trial

# What a study may say, and what it means where it does not.
DEFAULTS = {
    "name": None,
    "output_folder": None,
    "recipe": None,
    "data_folder": None,
    "models": None,
    "modules": [],
    "arms": {},
    "originals": {},
    "ratios": [8],
    "layers": [1],
    "activations": [None],
    "learning_rates": [None],
    "fold_key": "fold",
    "folds": [None],
    "seeds": None,
    "pair_folds_with_seeds": False,
    "overrides": {},
    "metric": "UA",
    "threads_per_trial": 1,
    "paper": None,
    "grids": [{}],
}
REQUIRED = ("name", "output_folder", "recipe", "data_folder", "models", "seeds")
# What all grids of a study have in common.
COMMON = {
    *("name", "output_folder", "recipe", "data_folder", "metric", "paper"),
    *("threads_per_trial", "grids", "fold_key"),
}
ORIGINAL, LIGHTWEIGHT = "Original", "Lightweight"


@dataclasses.dataclass(frozen=True)
class Study:
    """The trials of a study, and where they run.

    Arguments
    ---------
    name : str
    folder : pathlib.Path
        Where trials.jsonl goes.
    recipe_folder : pathlib.Path
        With train.py and hparams.
    data_folder : str
        Of the recipe: a corpus, or "synthetic".
    trials : list of Trial
        In the order in which they are to run: all arms of a fold and seed
        before the next one's, so that a stopped study can be read.
    threads_per_trial : int
    settings : dict
        The whole YAML, resolved.

    Example
    -------
    >>> Study("demo", pathlib.Path("x"), pathlib.Path("y"), "z", [], 1, {}).name
    'demo'
    """

    name: str
    folder: pathlib.Path
    recipe_folder: pathlib.Path
    data_folder: str
    trials: list
    threads_per_trial: int
    settings: dict

    def save(self):
        """Writes study.yaml into the study's folder.

        Trials may be added to a study, but what is compared in it may not
        become another thing. Paths are left out: the folder may be published.

        Raises
        ------
        ValueError
            If the folder holds another study: which, and the fix.

        Example
        -------
        >>> folder = pathlib.Path(getfixture("tmpdir"))
        >>> study = Study("a", folder, folder, "data", [], 1,
        ...     {"name": "a", "recipe": "r", "metric": "UA"})
        >>> study.save()
        >>> (folder / "study.yaml").is_file()
        True
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.folder / "study.yaml"
        published = {
            **self.settings,
            "recipe": self.recipe_folder.name,
            "data_folder": f"/path/to/{self.recipe_folder.name}",
            "output_folder": ".",
        }
        if place.is_file():
            earlier = YAML(typ="safe").load(place.read_text(encoding="utf-8"))
            for key in ("name", "recipe", "metric"):
                if earlier.get(key) != published[key]:
                    raise ValueError(
                        f"{self.folder} holds a study whose {key} is "
                        f"{earlier.get(key)!r}, not {published[key]!r}. "
                        "Give this one another --output_folder."
                    )
        partial = self.folder / ".study.yaml"
        with open(partial, "w", encoding="utf-8") as stream:
            YAML(typ="safe").dump(published, stream)
        os.replace(partial, place)


def load_study(path, overrides=""):
    """Reads a study's YAML and says which trials it stands for.

    Arguments
    ---------
    path : str or os.PathLike
    overrides : str
        As SpeechBrain's ``parse_arguments`` returns them.

    Returns
    -------
    Study
        Nothing is written.

    Raises
    ------
    ValueError
        If a key is unknown, missing, empty or of another kind, or a model has
        no YAML or not the options that it is given.
    FileNotFoundError
        If there is no such recipe.

    Example
    -------
    >>> path = getfixture("tmpdir").join("demo.yaml")
    >>> path.write('''
    ... name: demo
    ... output_folder: results/demo
    ... recipe: RAVDESS
    ... data_folder: /data/RAVDESS
    ... models: [conformer, speechformer]
    ... modules: [Lightweight, FFN2]
    ... ratios: [2, 8]
    ... folds: [1, 2]
    ... seeds: [1, 2, 3]
    ... ''')
    >>> study = load_study(path.strpath, "seeds: [7]")
    >>> len(study.trials)  # 2 models, 1 + 2 arms, 2 folds, 1 seed
    12
    >>> study.trials[0].label
    'conformer Lightweight, lr 0.001, fold 1, seed 7'
    """
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    if not isinstance(YAML().load(text), dict):
        raise ValueError(
            f"{path} is no study: it has no keys. See studies/table_3.yaml."
        )
    # A key that the YAML leaves out may be given; _check_keys knows all.
    given = load_hyperpyyaml(text, overrides, overrides_must_match=False)
    _check_keys(given, DEFAULTS, path)
    settings = {**DEFAULTS, **given}
    missing = [key for key in REQUIRED if not settings[key]]
    if missing:
        raise ValueError(f"{path}: {', '.join(missing)} must be given.")
    check_settings(settings, path)
    recipe_folder = _find_recipe(settings["recipe"])
    trials = []
    for grid in settings["grids"]:
        _check_keys(grid, set(DEFAULTS) - COMMON, f"a grid of {path}")
        check_settings(grid, f"a grid of {path}")
        trials.append(_blocks({**settings, **grid}, recipe_folder))
    ordered = [
        trial
        for block in dict.fromkeys(itertools.chain(*trials))
        for blocks in trials
        for trial in blocks.get(block, [])
    ]
    if not ordered:
        raise ValueError(f"{path} has no trials: give modules or arms.")
    return Study(
        settings["name"],
        pathlib.Path(settings["output_folder"]),
        recipe_folder,
        str(settings["data_folder"]),
        _distinct(ordered),
        settings["threads_per_trial"],
        settings,
    )


def _check_keys(given, known, where):
    for key in given:
        if key not in known:
            raise ValueError(
                f"{where}: there is no key {key!r}. There are: "
                f"{', '.join(sorted(known))}."
            )


def _distinct(trials):
    """Each once: several grids may ask for the same one, by the same name."""
    distinct = {}
    for trial in trials:
        first = distinct.setdefault(trial.id, trial)
        if first.arm != trial.arm:
            raise ValueError(
                f"The arms {first.arm!r} and {trial.arm!r} of {trial.model} "
                "have the same options: leave one of them out."
            )
    return list(distinct.values())


def _find_recipe(recipe):
    """A recipe's folder by its path, or by its name below recipes/."""
    here = pathlib.Path(__file__).resolve()
    places = [
        pathlib.Path(recipe),
        pathlib.Path("recipes", recipe),
        here.parents[2] / "recipes" / recipe,
    ]
    for place in places:
        if (place / "train.py").is_file():
            return place.resolve()
    raise FileNotFoundError(
        f"There is no recipe {recipe!r}: no train.py in "
        f"{', '.join(str(place) for place in dict.fromkeys(places))}."
    )


def _blocks(grid, recipe_folder):
    """Trials by fold and seed."""
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
