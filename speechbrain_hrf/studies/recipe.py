"""A recipe's folder as a study sees it: its options, its folds, its rows.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import pathlib
import re
import runpy
import sys
from typing import Any

from hyperpyyaml import resolve_references
from ruamel.yaml import YAML
from torch import nn

from speechbrain_hrf.lobes import models as lobes
from speechbrain_hrf.nnet.targets import resolve
from speechbrain_hrf.yaml_text import explain_yaml, read_yaml_text


def find_recipe(recipe: str) -> pathlib.Path:
    """A recipe by its folder's path, or by its name below recipes/.

    Arguments
    ---------
    recipe : str

    Returns
    -------
    pathlib.Path
        Holds train.py and hparams/<model>_hrf.yaml.

    Raises
    ------
    FileNotFoundError
        Naming where it was looked for.

    Example
    -------
    >>> find_recipe("RAVDESS").name
    'RAVDESS'
    """
    checkout = pathlib.Path(__file__).resolve().parents[2]
    folders = ("", "recipes", checkout / "recipes")
    places = [pathlib.Path(folder, recipe) for folder in folders]
    for place in places:
        if (place / "train.py").is_file():
            return place.resolve()
    raise FileNotFoundError(
        f"There is no recipe {recipe!r}: no train.py in "
        f"{', '.join(map(str, places))}."
    )


def count_folds(folder: pathlib.Path) -> int:
    """How many folds a corpus has: the preparer's ``FOLDS``.

    Arguments
    ---------
    folder : pathlib.Path
        Of the recipe.

    Returns
    -------
    int
        0: the preparer does not say.

    Example
    -------
    >>> count_folds(find_recipe("RAVDESS"))
    6
    """
    return len(_preparer(folder).get("FOLDS", ()))


@functools.cache
def read_hparams(folder: pathlib.Path, model: str) -> dict[str, Any]:
    """A model's YAML as plain values; nothing of it is built.

    Arguments
    ---------
    folder : pathlib.Path
        Of the recipe.
    model : str

    Returns
    -------
    dict
        To be read alone: who asks again gets the same one.

    Raises
    ------
    ValueError
        If there is no such model: which there are.

    Example
    -------
    >>> read_hparams(find_recipe("RAVDESS"), "conformer")["batch_size"]
    32
    """
    yaml = folder / "hparams" / f"{model}_hrf.yaml"
    if not yaml.is_file():
        known = sorted(p.stem[:-4] for p in yaml.parent.glob("*_hrf.yaml"))
        raise ValueError(
            f"There is no model {model!r} in {yaml.parent}. It has {known}."
        )
    # What these tags give is not known before the run: to fill in references
    # would call the functions and open the files.
    text = re.sub("!(applyref|include):", "!unknown:", read_yaml_text(yaml))
    with explain_yaml(yaml):
        return YAML().load(resolve_references(text)) or {}


def check_rows(defaults: dict[str, Any], rows: list[str]) -> None:
    """Raises if a model of this package has no layers of these names.

    Arguments
    ---------
    defaults : dict
        Of ``read_hparams``.
    rows : list of str
        What ``hrf_modules`` is to be.

    Raises
    ------
    ValueError
        Naming the row and those that there are.

    Example
    -------
    >>> defaults = read_hparams(find_recipe("RAVDESS"), "conformer")
    >>> check_rows(defaults, ["FFN_M1"])
    """
    tag = getattr(defaults.get("embedding_model"), "tag", None)
    name = str(getattr(tag, "value", "")).rpartition(".")[2]
    if rows and name in lobes.__all__:
        resolve(_built(name), rows)


def check_data(folder: pathlib.Path, runs: list[dict[str, Any]]) -> None:
    """Raises what would stop runs on these data, before any starts.

    As far as the preparer can tell, by its function ``check_runs``.

    Arguments
    ---------
    folder : pathlib.Path
        Of the recipe.
    runs : list of dict
        The options of each.

    Raises
    ------
    ValueError, FileNotFoundError

    Example
    -------
    >>> check_data(find_recipe("RAVDESS"), [{"fold": 1}])
    """
    if check := _preparer(folder).get("check_runs"):
        check(runs)


@functools.cache
def _preparer(folder):
    """The names that a recipe's preparer has."""
    names = {}
    sys.path.insert(0, str(folder))  # modules beside it
    try:
        for path in sorted(folder.glob("*_prepare.py")):
            names |= runpy.run_path(str(path))
    finally:
        sys.path.remove(str(folder))
    return names


@functools.cache
def _built(name):
    embedding, head = getattr(lobes, name)(), lobes.ClassifierHead(16, 2)
    return nn.ModuleDict({"embedding_model": embedding, "classifier": head})
