"""What Ray runs: a trial alone, or an arm's trials together on a GPU.

A lost worker or machine costs nobody a finished trial: its task is run again
elsewhere, and what is finished or half-way stands in the study's folder.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import platform
import time
from collections.abc import Callable, Iterator
from types import ModuleType

from speechbrain_hrf.owner import Owner, read_owner
from speechbrain_hrf.studies.run import run_trials
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.trial import TEACHER, Trial

# How often a task is tried again that failed, or whose machine was lost.
RETRIES = 2
DRIVER = ".driver"  # of a study's folder: who runs it
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
        options = trial.options
        same = {k: v for k, v in options.items() if k not in varied}
        key = f"{trial.model} {trial.arm} {same}"
        alone = options.get("features") == "hubert"
        if alone or any(map(options.get, _ALONE)) or engine == "processes":
            key = trial.id
        tasks.setdefault(key, []).append(trial)
    return sorted(tasks.values(), key=lambda task: task[0].teacher is not None)


def run_tasks(
    ray: ModuleType,
    study: Study,
    tasks: list[list[Trial]],
    driver: Owner,
    places: int,
    run: Callable[[list[Trial], Study], None] = run_trials,
) -> Iterator[tuple[list[Trial], str | None]]:
    """Runs trials on a Ray cluster that this process is connected to.

    Arguments
    ---------
    ray : module
    study : Study
    tasks : list of list of Trial
        Of ``tasks_of``.
    driver : Owner
        This process, whose note a worker has to find in the study's folder.
    places : int
        How many tasks to give to Ray at once.
    run : callable
        Runs the trials of a task, in a worker.

    Yields
    ------
    list of Trial
        Of a task that has ended; empty: none has for a moment. Whoever asks no
        further leaves what still runs to end with the connection to Ray.
    str or None
        Why it failed, in its last line; None: its trials are finished.

    Example
    -------
    >>> study = getfixture("demo_study")
    >>> list(run_tasks(None, study, [], Owner(), places=1))
    []
    """
    tasks = list(tasks)
    described = dataclasses.replace(study, trials=[])  # need not travel
    begun = {}  # a trial's id to its task, for which its learners wait
    running = {}
    while tasks or running:
        # Ray starts what it has in any order, so it is not given all at once.
        while tasks and len(running) < places:
            task = tasks.pop(0)
            work = ray.remote(
                num_cpus=study.keys.threads_per_trial,
                num_gpus=1 if len(task) > 1 else 0,
                max_retries=RETRIES,
                retry_exceptions=True,
            )(_work)
            teachers = [begun[t.teacher] for t in task if t.teacher in begun]
            reference = work.remote(task, described, driver, run, *teachers)
            begun |= {trial.id: reference for trial in task}
            running[reference] = task
        done, _ = ray.wait(list(running), timeout=0.3)
        if not done:
            yield [], None
        for reference in done:
            task = running.pop(reference)
            try:
                ray.get(reference)
                yield task, None
            except ray.exceptions.RayError as error:
                yield task, str(error).strip()


def _work(task, study, driver, run, *teachers):
    """In a worker. A failed teacher fails it, by Ray."""
    # A network file system may show a new file to other machines after a while.
    for _ in range(60):
        if read_owner(study.folder / DRIVER) == driver:
            return run(task, study)
        time.sleep(0.5)
    raise OSError(
        f"The machine {platform.node()} does not see the study's folder "
        f"{study.folder}: put it on a file system that all machines of the "
        "cluster share, and give it as --output_folder."
    )
