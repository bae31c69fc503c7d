"""One run of a study: which recipe with which options.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import hashlib
import json
from typing import Any

ORIGINAL, LIGHTWEIGHT = "Original", "Lightweight"  # arms of every study
# The option by which a recipe learns from a trained model.
TEACHER = "distil_from"
# In a trial's label, where they are given.
_TOLD = ("lr", "hrf_ratio", "hrf_layers", "activation", "fold", "seed")


def digest(content: object) -> str:
    """What a thing is known by, wherever it is the same.

    Arguments
    ---------
    content : object
        Fits into JSON. The order of a mapping's keys does not count.

    Returns
    -------
    str
        Twelve digits.

    Example
    -------
    >>> digest({"fold": 1, "labels": ["sad"]})
    'f7e10eab1775'
    """
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclasses.dataclass(frozen=True)
class Trial:
    """What one run of a recipe differs in from the others of its study.

    Arguments
    ---------
    recipe : str
        Name of the recipe's folder, such as "RAVDESS".
    model : str
        The recipe's YAML is hparams/<model>_hrf.yaml.
    arm : str
        What is compared: "Lightweight", "FFN2", "ALL, normalised", ...
    options : dict
        Everything that the recipe's YAML is overridden with and that the
        result depends on, seed and fold included, but no folders.
    fold : int or str, optional
        Stands in the options too, by the name that the recipe has for it.
    teacher : str, optional
        Id of the trial that this one learns from; stands in the options too.
    unsaid : dict
        What the recipe is overridden with besides, where its YAML has something
        else than the paper: the id is the same in all recipes.

    Example
    -------
    >>> trial = Trial("RAVDESS", "conformer", "FFN2",
    ...     {"hrf_modules": ["FFN2"], "lr": 0.001, "fold": 2, "seed": 1},
    ...     fold=2)
    >>> trial.label, len(trial.id)
    ('conformer FFN2, lr 0.001, fold 2, seed 1', 12)
    """

    recipe: str
    model: str
    arm: str
    options: dict[str, Any]
    fold: int | str | None = None
    teacher: str | None = None
    unsaid: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def id(self) -> str:
        """Twelve digits that tell what was run, whatever study asked for it."""
        return digest([self.recipe, self.model, self.options])

    @property
    def seed(self) -> int:
        """The recipe's seed."""
        return self.options["seed"]

    @property
    def label(self) -> str:
        """What tells the trial from others, for a reader."""
        parts = [f"{self.model} {self.arm}"]
        known = {**self.options, "fold": self.fold}
        for key in _TOLD:
            if known.get(key) is not None:
                value = str(known[key]).removeprefix("!name:")
                parts.append(f"{key.removeprefix('hrf_')} {value}")
        return ", ".join(parts)


def with_teachers(trials: list[Trial]) -> list[Trial]:
    """Gives each trial that names a teacher the teacher's id.

    A study's YAML cannot know the folder of a run that is still to come, and
    each fold needs a teacher of its own, so an arm names the teacher's model
    and arm. The teacher has the same fold and seed.

    Arguments
    ---------
    trials : list of Trial
        All of a study. ``distil_from`` may be a mapping with ``model`` and
        ``arm``; a text, a folder, stays as it is.

    Returns
    -------
    list of Trial
        In the same order.

    Raises
    ------
    ValueError
        If the study has no such trial that needs no teacher itself, or several.

    Example
    -------
    >>> big = Trial("X", "conformer", "Original", {"seed": 1})
    >>> of = {"model": "conformer", "arm": "Original"}
    >>> small = Trial("X", "conformer", "Taught",
    ...     {"seed": 1, "distil_from": of})
    >>> with_teachers([small, big])[0].teacher == big.id
    True
    """
    teachers: dict[str, list[Trial]] = {}
    for trial in trials:
        if not trial.options.get(TEACHER):
            name = {"model": trial.model, "arm": trial.arm}
            teachers.setdefault(_place(name, trial), []).append(trial)
    return [_with_teacher(trial, teachers) for trial in trials]


def _place(name, trial):
    return json.dumps([name, trial.fold, trial.seed], sort_keys=True)


def _with_teacher(trial, teachers):
    name = trial.options.get(TEACHER)
    if not isinstance(name, dict):
        return trial
    found = teachers.get(_place(name, trial), [])
    if len(found) != 1:
        raise ValueError(
            f"The arm {trial.arm!r} learns from {name}: give model and arm of "
            f"one trial (one rate, ratio and activation) without {TEACHER}. Of "
            f"fold {trial.fold} and seed {trial.seed} there are {len(found)}."
        )
    options = {**trial.options, TEACHER: found[0].id}
    return dataclasses.replace(trial, options=options, teacher=found[0].id)
