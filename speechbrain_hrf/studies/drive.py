"""From a study to its trials.jsonl: lock, data, Ray, trials, what is left.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import signal
import threading
import time

from speechbrain_hrf.dataio.synthetic import is_synthetic
from speechbrain_hrf.studies.cluster import ray_cluster, require_ray
from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.owner import owned
from speechbrain_hrf.studies.provenance import table_version
from speechbrain_hrf.studies.recipe import Recipe
from speechbrain_hrf.studies.run import OUTPUT, make_data, recipe_options
from speechbrain_hrf.studies.screen import Screen
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.tables import count
from speechbrain_hrf.studies.tasks import run_tasks, tasks_of
from speechbrain_hrf.studies.trial import Trial

# What Ray says, for whom a cluster gives riddles.
LOG = "ray.log"
INTERRUPTED = 130  # as shells say it of Ctrl-C


def missing_trials(study: Study, resume: bool) -> list[Trial]:
    """The trials that have no line yet.

    Arguments
    ---------
    study : Study
    resume : bool
        Whether there may be lines.

    Returns
    -------
    list of Trial

    Raises
    ------
    ValueError
        If there are lines, but the user did not ask to go on with them.

    Example
    -------
    >>> study = getfixture("demo_study")
    >>> missing_trials(study, resume=False) == study.trials
    True
    """
    lines = read_lines(study.folder)
    if lines and not resume:
        raise ValueError(
            f"{study.folder} holds {count(len(lines), 'finished trial')} "
            "already. Add --resume to run what is missing, or give another "
            "--output_folder."
        )
    done = {line["id"] for line in lines}
    return [trial for trial in study.trials if trial.id not in done]


def run_study(study: Study, options: argparse.Namespace) -> int:
    """Runs the trials that are missing, and says what is left to do.

    Arguments
    ---------
    study : Study
    options : argparse.Namespace
        Of ``read_arguments``.

    Returns
    -------
    int
        Exit status.

    Raises
    ------
    ValueError
        If the study was begun before, and is not to be resumed or was begun on
        other data; if another driver runs it, or no machine has what a trial
        needs.
    OSError
        If the data are not there, or Ray cannot be reached.
    ImportError
        If Ray is not installed.

    Example
    -------
    >>> from speechbrain_hrf.studies.command import read_arguments
    >>> run_study(getfixture("demo_study"), read_arguments(["demo.yaml"])[0])
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no data folder /data/X: give --data_folder ...
    """
    missing = missing_trials(study, options.resume)
    _refuse_other_data(study)
    if not missing:
        print(_left(study))
        return 0
    # A cluster's machines look themselves.
    if options.address is None and not study.is_stand_in:
        _check_data(study, missing)
    require_ray()
    study.folder.mkdir(parents=True, exist_ok=True)
    try:
        with owned(study.folder) as driver:
            failed = _drive(study, options, driver)
    except KeyboardInterrupt:
        print(f"\nInterrupted. {_left(study)}", flush=True)
        return INTERRUPTED
    if failed:
        number = sum(len(trials) for trials, _ in failed)
        print(f"{count(number, 'trial')} failed:")
        for (first, *_), reason in failed:
            print(f"  {first.label}: {reason.splitlines()[-1]}")
            print(f"    {study.run_folder(first.id) / OUTPUT}")
    print(_left(study), flush=True)
    return 1 if failed else 0


def _check_data(study, trials):
    for what, where, fix in (
        ("table of labels", study.keys.labels, "--labels my.csv"),
        ("data folder", study.data_folder, "--data_folder /path/to/corpus"),
    ):
        if where and not os.path.exists(where):
            raise FileNotFoundError(f"There is no {what} {where}: give {fix}.")
    runs = [recipe_options(t, study, 1) for t in trials]
    Recipe(study.recipe_folder).check_data(runs)


def _drive(study, options, driver):
    """Runs trials; those of tasks that have failed, and why."""
    # Read again: another driver may have ended since.
    missing = missing_trials(study, options.resume)
    missing.sort(key=lambda trial: trial.teacher is not None)
    deadline = time.time() + 60 * options.max_minutes
    study.save()
    make_data(study)
    screen = Screen(study)
    failed = []
    with ray_cluster(
        driver.temporary, options.address, options.cores, study.folder / LOG
    ) as ray:
        engine, at_once = _engine(ray, study, options)
        tasks = tasks_of(missing[: options.trials], study.keys.fold_key, engine)
        ends = run_tasks(
            ray, study, tasks, driver.token, at_once, options.retries, deadline
        )
        with screen, _interruptible() as is_interrupted:
            for trials, reason in ends:
                if is_interrupted():
                    raise KeyboardInterrupt
                if reason:
                    # Of several together, some may have finished.
                    some = dataclasses.replace(study, trials=trials)
                    trials = missing_trials(some, resume=True) or trials
                    failed.append((trials, reason))
                if trials:
                    screen.update(trials, reason)
    return failed


def _engine(ray, study, options):
    """Ensembles where a GPU is; and how many tasks Ray is to have at once.

    That it has no place at all is said, not waited for.
    """
    resources, engine = ray.cluster_resources(), options.engine
    if engine == "auto":
        engine = "ensemble" if resources.get("GPU") else "processes"
    elif engine == "ensemble" and not resources.get("GPU"):
        raise ValueError(
            "There is no GPU for ensembles: on CPUs they are slower than "
            "trials by themselves. Leave --engine out, or give processes."
        )
    threads = study.keys.threads_per_trial
    at_once = int(resources.get("CPU", 0) // threads)
    if options.address is not None:
        at_once = 2 * at_once + 8  # a cluster may grow by what waits
    if at_once == 0:
        raise ValueError(
            f"A trial of this study takes {threads} threads, and there are "
            f"{resources.get('CPU', 0):.0f} cores: give --threads_per_trial 1."
        )
    return engine, at_once


def _refuse_other_data(study):
    """A trial's id tells neither generated signals from speech nor tables."""
    folder = study.data_folder
    corpus = os.path.dirname(folder) if os.path.isfile(folder) else folder
    generated = study.is_stand_in or is_synthetic(corpus)
    if not generated and not os.path.exists(study.table):
        return
    lines = read_lines(study.folder)
    for key, here, other in (
        (
            "synthetic",
            generated,
            "speech" if generated else "generated signals",
        ),
        ("table", table_version(study.table), "another table of labels"),
    ):
        number = sum(line.get(key, here) != here for line in lines)
        if number:
            raise ValueError(
                f"{study.folder} holds {count(number, 'trial')} on {other}, "
                f"not on {study.table} as it is now. Give another "
                "--output_folder, or the data as they were."
            )


def _left(study):
    """The end of a run: what is left, and the command for it."""
    left, total = len(missing_trials(study, resume=True)), len(study.trials)
    if not left:
        return f"All {total} trials are done: hrf report {study.folder}"
    return (
        f"{total - left} of {count(total, 'trial')} are done and kept in "
        f"{study.folder}. The same command with --resume runs the other {left}."
    )


@contextlib.contextmanager
def _interruptible():
    """Notes Ctrl-C, and SIGTERM, by which Slurm and Kubernetes say the same.

    An exception raised wherever the process happens to be can get lost in Ray,
    for example in what it does when objects are deleted. Only who asks twice
    gets that.
    """
    asked = threading.Event()

    def ask(number, frame):
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    with contextlib.ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, ask))
        yield asked.is_set
