"""One run of a study: which recipe with which options.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

ORIGINAL, LIGHTWEIGHT = "Original", "Lightweight"  # arms of every study
# The option by which a recipe learns from a trained model.
TEACHER = "distil_from"


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
    >>> trial.lr, trial.label, len(trial.id)
    (0.001, 'conformer FFN2, lr 0.001, fold 2, seed 1', 12)
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
        identity = [self.recipe, self.model, self.options]
        content = json.dumps(identity, sort_keys=True).encode()
        return hashlib.sha256(content).hexdigest()[:12]

    @property
    def seed(self) -> int:
        """The recipe's seed."""
        return self.options["seed"]

    @property
    def lr(self) -> float | None:
        """The learning rate."""
        return self.options.get("lr")

    @property
    def label(self) -> str:
        """What tells the trial from others, for a reader."""
        parts = [f"{self.model} {self.arm}", f"lr {self.lr}"]
        if self.options.get("hrf_modules"):
            for key in ("ratio", "layers"):
                if f"hrf_{key}" in self.options:
                    parts.append(f"{key} {self.options[f'hrf_{key}']}")
        if "activation" in self.options:
            parts.append(str(self.options["activation"]).rpartition(".")[2])
        if self.fold is not None:
            parts.append(f"fold {self.fold}")
        return ", ".join([*parts, f"seed {self.seed}"])


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
        If the study has no such trial, several, or one that has a teacher
        itself.

    Example
    -------
    >>> big = Trial("X", "conformer", "Original", {"seed": 1})
    >>> of = {"model": "conformer", "arm": "Original"}
    >>> small = Trial("X", "conformer", "Taught",
    ...     {"seed": 1, "distil_from": of})
    >>> with_teachers([small, big])[0].teacher == big.id
    True
    """
    arms: dict[tuple, dict[str, Trial]] = {}
    for trial in trials:
        place = (trial.model, trial.arm, trial.fold, trial.seed)
        arms.setdefault(place, {})[trial.id] = trial
    return [_with_teacher(trial, arms) for trial in trials]


def _with_teacher(trial, arms):
    of = trial.options.get(TEACHER)
    if not isinstance(of, dict):
        return trial
    said = f"The arm {trial.arm!r} learns from {of}"
    if of.keys() != {"model", "arm"}:
        raise ValueError(
            f"{said}: {TEACHER} needs the teacher's model and arm, such as "
            "{model: conformer, arm: Original}."
        )
    found = arms.get((of["model"], of["arm"], trial.fold, trial.seed), {})
    if len(found) != 1:
        raise ValueError(
            f"{said}, and for fold {trial.fold}, seed {trial.seed} this study "
            f"has {len(found)} such trials: it needs one. Add the arm, or "
            "give it one learning rate, ratio and activation."
        )
    (teacher,) = found.values()
    if TEACHER in teacher.options:
        raise ValueError(
            f"{said}, which has a teacher itself: name one that has none."
        )
    options = {**trial.options, TEACHER: teacher.id}
    return dataclasses.replace(trial, options=options, teacher=teacher.id)
