"""A recipe's folder as a study sees it: its options, its folds, its rows.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import dataclasses
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


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A folder with train.py and hparams/<model>_hrf.yaml.

    Arguments
    ---------
    folder : pathlib.Path

    Example
    -------
    >>> recipe = find_recipe("RAVDESS")
    >>> recipe.folds, recipe.defaults("conformer")["batch_size"]
    (6, 32)
    """

    folder: pathlib.Path

    @property
    def folds(self) -> int:
        """int: What the preparer's ``FOLDS`` is or has; 0: it has none."""
        try:
            folds = _preparer(self.folder).get("FOLDS", ())
            return folds if isinstance(folds, int) else len(folds)
        except ImportError:
            # One that needs other packages is checked by its own training.
            return 0

    def defaults(self, model: str) -> dict[str, Any]:
        """A model's YAML as plain values; nothing of it is built.

        Arguments
        ---------
        model : str

        Returns
        -------
        dict

        Raises
        ------
        ValueError
            If there is no such model: which there are.
        """
        yaml = self.folder / "hparams" / f"{model}_hrf.yaml"
        if not yaml.is_file():
            known = sorted(p.stem[:-4] for p in yaml.parent.glob("*_hrf.yaml"))
            raise ValueError(
                f"There is no model {model!r} in {yaml.parent}. It has {known}."
            )
        return _read(yaml)

    def check_rows(self, model: str, rows: list[str]) -> None:
        """Raises if a model of this package has no layers of these names.

        Arguments
        ---------
        model : str
        rows : list of str
            What ``hrf_modules`` is to be.

        Raises
        ------
        ValueError
            Naming the row and those that there are.
        """
        built = self.defaults(model).get("embedding_model")
        tag = getattr(built, "tag", None)
        name = str(getattr(tag, "value", "")).rpartition(".")[2]
        if rows and name in lobes.__all__:
            resolve(_built(name), rows)

    def check_data(self, runs: list[dict[str, Any]]) -> None:
        """Raises what would stop runs on these data, before any starts.

        As far as the preparer can tell, by its function ``check_runs``.

        Arguments
        ---------
        runs : list of dict
            The options of each.

        Raises
        ------
        ValueError, FileNotFoundError
        """
        check = _preparer(self.folder).get("check_runs")
        if check is not None:
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


@functools.cache
def _read(yaml):
    # What these tags give is not known before the run: to fill in references
    # would call the functions and open the files.
    text = re.sub("!(applyref|include):", "!unknown:", read_yaml_text(yaml))
    with explain_yaml(yaml):
        tree = YAML().load(resolve_references(text))
    if not isinstance(tree, dict):
        raise ValueError(f"{yaml} is no recipe: it has no keys.")
    return tree


def find_recipe(recipe: str) -> Recipe:
    """A recipe by its folder's path, or by its name below recipes/.

    Arguments
    ---------
    recipe : str

    Returns
    -------
    Recipe

    Raises
    ------
    FileNotFoundError
        Naming where it was looked for.

    Example
    -------
    >>> find_recipe("RAVDESS").folder.name
    'RAVDESS'
    """
    checkout = pathlib.Path(__file__).resolve().parents[2]
    places = [
        pathlib.Path(recipe),
        pathlib.Path("recipes", recipe),
        checkout / "recipes" / recipe,
    ]
    for place in places:
        if (place / "train.py").is_file():
            return Recipe(place.resolve())
    raise FileNotFoundError(
        f"There is no recipe {recipe!r}: no train.py in "
        f"{', '.join(map(str, places))}."
    )
