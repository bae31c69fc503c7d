"""From a study to its trials.jsonl: lock, data, Ray, trials, what is left.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import contextlib
import os
import signal
import sys

from speechbrain_hrf.dataio.synthetic import is_synthetic, make_corpus
from speechbrain_hrf.owner import owned
from speechbrain_hrf.provenance import table_version
from speechbrain_hrf.studies import cluster, run, tasks
from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.recipe import check_data
from speechbrain_hrf.studies.screen import show_progress
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.tables import count
from speechbrain_hrf.studies.trial import Trial

REFUSAL = (
    "Another driver ({owner}) runs this study. Wait for it, or give this one "
    "another --output_folder."
)


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
    FileNotFoundError: There are no data at /data/X: give --data_folder ...
    """
    missing = missing_trials(study, options.resume)
    _refuse_other_data(study)
    if not missing:
        print(_left(study))
        return 0
    # A cluster's machines look themselves.
    here = options.address is None and not study.is_stand_in
    data = study.data_folder
    if not data or (here and not os.path.exists(data)):
        raise FileNotFoundError(
            f"There are no data at {data or 'null'}: give --data_folder "
            "/path/to/corpus or, for OwnData, --labels my.csv."
        )
    if here:
        runs = [run.recipe_options(trial, study, 1) for trial in missing]
        check_data(study.recipe_folder, runs)
    cluster.require_ray()
    study.folder.mkdir(parents=True, exist_ok=True)
    try:
        with owned(study.folder, tasks.DRIVER, REFUSAL) as driver:
            failed = _drive(study, options, driver)
    except KeyboardInterrupt:
        print(f"\nInterrupted. {_left(study)}", flush=True)
        return 130  # as shells say it of Ctrl-C
    if failed:
        number = len(missing_trials(study, resume=True))
        print(f"{count(number, 'trial')} failed:")
        for first, reason in failed:
            print(f"  {first.label}: {reason.splitlines()[-1]}")
            print(f"    {study.run_folder(first.id) / run.OUTPUT}")
    print(_left(study), flush=True)
    return 1 if failed else 0


def _drive(study, options, driver):
    """Runs trials; of each task the first that has failed, and why."""
    # Read again: another driver may have ended since.
    missing = missing_trials(study, options.resume)
    study.save()
    if study.is_stand_in:
        make_corpus(study.recipe_folder.name, study.data_folder)
    failed, screen = [], sys.stdout
    log = study.folder / "ray.log"  # for whom a cluster gives riddles
    with cluster.ray_cluster(options.address, options.cores, log) as ray:
        engine, at_once = _engine(ray, study, options)
        todo = tasks.tasks_of(missing, study.keys.fold_key, engine)
        ends = tasks.run_tasks(ray, study, todo, driver, at_once)
        with (
            show_progress(study, screen) as show,
            _interruptible() as interrupted,
        ):
            for trials, reason in ends:
                if interrupted:
                    raise KeyboardInterrupt
                if reason:
                    left = missing_trials(study, resume=True)
                    failed += [(x, reason) for x in left if x in trials][:1]
                if trials:
                    show(trials, reason)
    return failed


def _engine(ray, study, options):
    """Ensembles where a GPU is; and how many tasks Ray is to have at once.

    That no trial has a place on this machine is said, not waited for.
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
            f"{resources.get('CPU', 0):.0f} cores: change --threads_per_trial "
            "or --cores."
        )
    return engine, at_once


def _refuse_other_data(study):
    """A trial's id tells neither generated signals from speech nor tables."""
    folder = study.data_folder
    corpus = os.path.dirname(folder) if os.path.isfile(folder) else folder
    generated = study.is_stand_in or is_synthetic(corpus)
    if not generated and not os.path.exists(study.table):
        return  # a cluster's machines will see it
    lines = read_lines(study.folder)
    speech = "speech" if generated else "generated signals"
    for key, now, other in (
        ("synthetic", generated, speech),
        ("table", table_version(study.table), "another table of labels"),
    ):
        if number := sum(line.get(key, now) != now for line in lines):
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
    asked = []

    def ask(number, frame):
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    with contextlib.ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, ask))
        yield asked
