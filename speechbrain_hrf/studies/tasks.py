"""What Ray runs: a trial alone, or an arm's trials together on a GPU.

A lost worker or machine costs nobody a finished trial: its task is run again
elsewhere, and what is finished or half-way stands in the study's folder.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from types import ModuleType

from speechbrain_hrf.studies.owner import check_shared
from speechbrain_hrf.studies.run import run_trials
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.trial import TEACHER, Trial

# Options that ensembles do not train with; such trials run as processes.
_ALONE = (TEACHER, "class_weights", "hrf_lr_scale")


def tasks_of(
    trials: list[Trial], fold_key: str, engine: str
) -> list[list[Trial]]:
    """Which trials run as one task, in the order in which they are to start.

    Arguments
    ---------
    trials : list of Trial
    fold_key : str
        The option that chooses the fold.
    engine : str
        "processes": each by itself. "ensemble": those that differ in fold,
        seed and learning rate alone train as one.

    Returns
    -------
    list of list of Trial
        Teachers before those that learn from them.

    Example
    -------
    >>> trials = [Trial("X", "conformer", "ALL", {"seed": s}) for s in (1, 2)]
    >>> [len(task) for task in tasks_of(trials, "fold", "ensemble")]
    [2]
    >>> [len(task) for task in tasks_of(trials, "fold", "processes")]
    [1, 1]
    """
    varied = {"seed", "lr", fold_key}
    tasks: dict[str, list[Trial]] = {}
    for trial in trials:
        key, options = trial.id, trial.options
        alone = options.get("features") == "hubert"
        alone |= any(map(options.get, _ALONE))
        if engine == "ensemble" and not alone:
            same = {k: v for k, v in options.items() if k not in varied}
            key = f"{trial.model} {trial.arm} {same}"
        tasks.setdefault(key, []).append(trial)
    return sorted(tasks.values(), key=lambda task: task[0].teacher is not None)


def run_tasks(
    ray: ModuleType,
    study: Study,
    tasks: list[list[Trial]],
    token: str,
    places: int,
    retries: int = 2,
    deadline: float = math.inf,
    run: Callable[[list[Trial], Study], None] = run_trials,
) -> Iterator[tuple[list[Trial], str | None]]:
    """Runs trials on a Ray cluster that this process is connected to.

    Arguments
    ---------
    ray : module
    study : Study
    tasks : list of list of Trial
        Of ``tasks_of``.
    token : str
        Of ``owned``.
    places : int
        How many tasks to give to Ray at once.
    retries : int
        How often a task is tried again that has failed, or whose worker or
        machine was lost.
    deadline : float
        After this time (of ``time.time``) none is started.
    run : callable
        Runs the trials of a task, in a worker.

    Yields
    ------
    list of Trial
        Of a task that has ended; empty: none has for a moment. Those that were
        not started since it was too late are not named. Whoever asks no
        further leaves what still runs to end with the connection to Ray.
    str or None
        Why it failed; None: its trials are finished.

    Example
    -------
    >>> study = getfixture("demo_study")
    >>> list(run_tasks(None, study, [], "", places=1))
    []
    """
    tasks = list(tasks)
    described = dataclasses.replace(study, trials=[])  # need not travel
    of_trial = {}  # its task's, for those to wait for that learn from it
    running = {}
    while tasks or running:
        # Ray starts what it has in any order, so it is not given all at once.
        while tasks and len(running) < places:
            task = tasks.pop(0)
            work = ray.remote(
                num_cpus=study.keys.threads_per_trial,
                num_gpus=1 if len(task) > 1 else 0,
                max_retries=retries,
                retry_exceptions=True,
            )(_work)
            teachers = [
                of_trial[t.teacher] for t in task if t.teacher in of_trial
            ]
            reference = work.remote(
                task, described, token, deadline, run, *teachers
            )
            of_trial |= {trial.id: reference for trial in task}
            running[reference] = task
        done, _ = ray.wait(list(running), timeout=0.3)
        if not done:
            yield [], None
        for reference in done:
            task = running.pop(reference)
            try:
                if ray.get(reference):
                    yield task, None
                else:
                    tasks.clear()  # it is too late for all others too
            except ray.exceptions.RayError as error:
                yield task, _reason(ray, error)


def _work(task, study, token, deadline, run, *teachers):
    """In a worker: whether it ran. A failed teacher fails it, by Ray."""
    if time.time() > deadline:
        return False
    check_shared(study.folder, token)
    run(task, study)
    return True


def _reason(ray, error):
    of_task = ray.exceptions.RayTaskError
    while isinstance(error, of_task) and error.cause is not None:
        error = error.cause
    text = str(error).strip() or repr(error)
    if isinstance(error, ray.exceptions.RayError):
        return f"Its worker or machine was lost: {text.splitlines()[0]}"
    return text
