"""Trials that learn from another trial of the study: of the same split.

A study's YAML cannot know the folder of a run that is still to come, and each
fold needs a teacher of its own, so an arm names the teacher's model and arm.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses

TEACHER = "distil_from"


def with_teachers(trials):
    """Gives each trial that names a teacher the teacher's id.

    Arguments
    ---------
    trials : list of Trial
        All of a study. ``distil_from`` may be a mapping with ``model`` and
        ``arm``; a text, a folder, stays as it is.

    Returns
    -------
    list of Trial
        In the same order. The teacher has the same fold and seed.

    Raises
    ------
    ValueError
        If the study has no such trial, several, or one that has a teacher
        itself.

    Example
    -------
    >>> from speechbrain_hrf.sweep.trial import Trial
    >>> big = Trial("X", "conformer", "Original", {"seed": 1}, "UA")
    >>> of = {"model": "conformer", "arm": "Original"}
    >>> small = Trial("X", "conformer", "Taught",
    ...     {"seed": 1, "distil_from": of}, "UA")
    >>> with_teachers([small, big])[0].teacher == big.id
    True
    """
    return [
        _taught(trial, trials) if _names_trial(trial) else trial
        for trial in trials
    ]


def _names_trial(trial):
    return isinstance(trial.options.get(TEACHER), dict)


def _taught(trial, trials):
    of = trial.options[TEACHER]
    said = f"The arm {trial.arm!r} learns from {of}"
    if of.keys() != {"model", "arm"}:
        raise ValueError(
            f"{said}: {TEACHER} needs the teacher's model and arm, such as "
            "{model: conformer, arm: Original}."
        )
    found = [
        other
        for other in dict.fromkeys(trials)
        if (other.model, other.arm) == (of["model"], of["arm"])
        and (other.fold, other.seed) == (trial.fold, trial.seed)
    ]
    if len(found) != 1:
        raise ValueError(
            f"{said}, and for fold {trial.fold}, seed {trial.seed} this study "
            f"has {len(found)} such trials: it needs one. Add the arm, or "
            "give it one learning rate, ratio and activation."
        )
    (teacher,) = found
    if TEACHER in teacher.options:
        raise ValueError(
            f"{said}, which has a teacher itself: name one that has none."
        )
    options = {**trial.options, TEACHER: teacher.id}
    return dataclasses.replace(trial, options=options, teacher=teacher.id)
