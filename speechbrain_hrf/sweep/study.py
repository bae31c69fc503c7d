"""A study's YAML and the trials that it stands for.

A study crosses models, rows of the paper's tables, ratios, extra layers,
activations, learning rates, folds and seeds. ``grids`` holds several such
crosses in one study; what a grid does not give is the study's.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import itertools
import os
import pathlib

from hyperpyyaml import load_hyperpyyaml
from ruamel.yaml import YAML

from speechbrain_hrf.sweep.checks import check_keys, check_settings
from speechbrain_hrf.sweep.cross import cross
from speechbrain_hrf.sweep.teachers import with_teachers

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
        If a key is unknown, missing, empty or of another kind, a model has no
        YAML or not the options that it is given, or a teacher is missing.
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
    # A key that the YAML leaves out may be given; check_keys knows all.
    given = load_hyperpyyaml(text, overrides, overrides_must_match=False)
    check_keys(given, DEFAULTS, path)
    settings = {**DEFAULTS, **given}
    missing = [key for key in REQUIRED if not settings[key]]
    if missing:
        raise ValueError(f"{path}: {', '.join(missing)} must be given.")
    check_settings(settings, path)
    recipe_folder = _find_recipe(settings["recipe"])
    trials = []
    for grid in settings["grids"]:
        check_keys(grid, set(DEFAULTS) - COMMON, f"a grid of {path}")
        check_settings(grid, f"a grid of {path}")
        trials.append(cross({**settings, **grid}, recipe_folder))
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
        _distinct(with_teachers(ordered)),
        settings["threads_per_trial"],
        settings,
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
