"""Which trials of a study are to run, and where its folders are.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import os

from speechbrain_hrf.recipe.launch import STAND_IN
from speechbrain_hrf.sweep.table import as_columns


def anywhere(study):
    """A study whose folders mean the same in every working directory.

    Arguments
    ---------
    study : Study

    Returns
    -------
    Study

    Example
    -------
    >>> import pathlib
    >>> from speechbrain_hrf.sweep.study import Study
    >>> here = pathlib.Path("x")
    >>> anywhere(Study("a", here, here, "data", [], 1, {})).folder.is_absolute()
    True
    """
    data_folder = study.data_folder
    if data_folder != STAND_IN:
        data_folder = os.path.abspath(data_folder)
    return dataclasses.replace(
        study,
        folder=study.folder.absolute(),
        recipe_folder=study.recipe_folder.absolute(),
        data_folder=data_folder,
    )


def missing_trials(study, lines, resume):
    """The trials that have no line yet.

    Arguments
    ---------
    study : Study
    lines : list of dict
        That its folder has.
    resume : bool
        Whether there may be any.

    Returns
    -------
    list of Trial

    Raises
    ------
    ValueError
        If there are lines, but the user did not ask to go on with them.

    Example
    -------
    >>> import pathlib
    >>> from speechbrain_hrf.sweep.study import Study
    >>> from speechbrain_hrf.sweep.trial import Trial
    >>> a, b = (
    ...     Trial("X", "conformer", "ALL", {"seed": seed}, "UA")
    ...     for seed in (1, 2))
    >>> folder = pathlib.Path("study")
    >>> study = Study("demo", folder, folder, "data", [a, b], 1, {})
    >>> missing_trials(study, [{"id": a.id}], resume=True) == [b]
    True
    >>> missing_trials(study, [{"id": a.id}], resume=False)
    Traceback (most recent call last):
        ...
    ValueError: study holds 1 finished trial already. Add --resume ...
    """
    if lines and not resume:
        raise ValueError(
            f"{study.folder} holds {count(len(lines), 'finished trial')} "
            "already. Add --resume to run what is missing, or give another "
            "--output_folder."
        )
    done = {line["id"] for line in lines}
    return [trial for trial in study.trials if trial.id not in done]


def plan(study, lines):
    """What a study would run.

    Arguments
    ---------
    study : Study
    lines : list of dict
        Of its finished trials.

    Returns
    -------
    str
        The trials in the order in which they would run, and their number.

    Example
    -------
    >>> import pathlib
    >>> from speechbrain_hrf.sweep.study import Study
    >>> from speechbrain_hrf.sweep.trial import Trial
    >>> trial = Trial("X", "conformer", "ALL", {"lr": 0.1, "seed": 1}, "UA")
    >>> folder = pathlib.Path("study")
    >>> study = Study("demo", folder, folder, "data", [trial], 1, {})
    >>> print(plan(study, []))
    id            trial                          state
    ------------  -----------------------------  ------
    ...           conformer ALL, lr 0.1, seed 1  to run
    <BLANKLINE>
    1 trial: 0 done, 1 to run, with 1 thread each; folder: study
    """
    missing = missing_trials(study, lines, resume=True)
    states = ["to run" if t in missing else "done" for t in study.trials]
    table = as_columns(
        [
            ("id", [trial.id for trial in study.trials]),
            ("trial", [trial.label for trial in study.trials]),
            ("state", states),
        ]
    )
    return (
        f"{table}\n\n{count(len(study.trials), 'trial')}: "
        f"{states.count('done')} done, {len(missing)} to run, with "
        f"{count(study.threads_per_trial, 'thread')} each; folder: "
        f"{study.folder}"
    )


def count(number, thing):
    """A number of things.

    Arguments
    ---------
    number : int
    thing : str

    Returns
    -------
    str

    Example
    -------
    >>> count(1, "trial"), count(2, "trial")
    ('1 trial', '2 trials')
    """
    return f"{number} {thing}{'' if number == 1 else 's'}"
