"""From a study to its trials.jsonl: lock, data, Ray, trials, what is left.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import os
import signal
import threading
import time

from speechbrain_hrf.dataio.json_lines import append_line
from speechbrain_hrf.recipe.launch import STAND_IN
from speechbrain_hrf.sweep.cluster import places, ray_cluster, require_ray
from speechbrain_hrf.sweep.driver_lock import driving
from speechbrain_hrf.sweep.lines import read_lines
from speechbrain_hrf.sweep.plan import count, missing_trials
from speechbrain_hrf.sweep.progress import Progress
from speechbrain_hrf.sweep.run import OUTPUT, make_data
from speechbrain_hrf.sweep.screen import Screen, last_line
from speechbrain_hrf.sweep.temporary_folder import (
    remove_temporary,
    temporary_folder,
)
from speechbrain_hrf.sweep.tuning import remove_storage, run_trials
from speechbrain_hrf.synthetic import is_synthetic

# The trials that the last driver has given up, with their errors.
FAILED = "failed.jsonl"
# What Ray says, for whom a cluster gives riddles.
LOG = "ray.log"
INTERRUPTED = 130  # as shells say it of Ctrl-C


def run_study(study, options):
    """Runs the trials that are missing, and says what is left to do.

    Arguments
    ---------
    study : Study
        With absolute paths.
    options : argparse.Namespace
        Of ``read_arguments``.

    Returns
    -------
    int
        Exit status.

    Raises
    ------
    ValueError
        If the study was begun before and is not to be resumed, or on generated
        signals and is to be resumed on speech; if another driver runs it, or
        no machine has the cores for a trial.
    OSError
        If the data are not there, or Ray cannot be reached.
    RayMissing
        If Ray is not installed.

    Example
    -------
    >>> import pathlib
    >>> from speechbrain_hrf.sweep.arguments import read_arguments
    >>> from speechbrain_hrf.sweep.study import Study
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> study = Study("demo", folder, folder, "synthetic", [], 1, {})
    >>> run_study(study, read_arguments(["demo.yaml"])[0])
    All 0 trials of ... are done.
    0
    """
    lines = read_lines(study.folder)
    missing = missing_trials(study, lines, options.resume)
    _refuse_other_data(study, lines)
    if not missing:
        print(f"All {len(study.trials)} trials of {study.folder} are done.")
        return 0
    _check_data(study, options.address)
    require_ray()
    study.folder.mkdir(parents=True, exist_ok=True)
    temporary = temporary_folder()
    try:
        with driving(study.folder, temporary, remove_temporary) as token:
            try:
                return _drive(study, options, token, temporary)
            finally:  # Ray has ended: nobody writes there any more
                remove_storage(study.folder)
    except KeyboardInterrupt:
        print(f"\nInterrupted. {_left(study)}", flush=True)
        return INTERRUPTED
    finally:
        remove_temporary(temporary)


def _drive(study, options, token, temporary):
    # Read again: another driver may have ended since.
    lines = read_lines(study.folder)
    chosen = missing_trials(study, lines, options.resume)[: options.trials]
    deadline = None
    if options.max_minutes is not None:
        deadline = time.time() + 60 * options.max_minutes
    study.save()
    (study.folder / FAILED).unlink(missing_ok=True)
    make_data(study)
    screen = Screen(study.folder)
    with ray_cluster(
        temporary, options.address, options.cores, study.folder / LOG
    ) as ray:
        progress = Progress(
            study.trials,
            lines,
            study.settings["metric"],
            _places(ray, study, options.address, screen),
            {"seed", study.settings["fold_key"]},
            len(chosen),
        )

        def notify(event, trial_id, **details):
            if event == "failed":
                _note_failure(study, progress.trial(trial_id), **details)
            screen.note(event, trial_id, **details)

        with screen.showing(progress), _interruptible() as is_interrupted:
            run_trials(
                ray,
                study,
                chosen,
                token,
                notify,
                is_interrupted,
                options.retries,
                deadline,
            )
    if progress.failures:
        print(f"{count(len(progress.failures), 'trial')} failed:")
        for trial, reason in progress.failures.items():
            print(f"  {trial.label}: {last_line(reason)}")
            print(f"    {study.folder / 'runs' / trial.id / OUTPUT}")
        print(f"More of each stands in {study.folder / FAILED}.")
    print(_left(study), flush=True)
    return 1 if progress.failures else 0


def _refuse_other_data(study, lines):
    """A trial's id does not tell generated signals from speech."""
    generated = study.data_folder == STAND_IN or is_synthetic(study.data_folder)
    if not generated and not os.path.exists(study.data_folder):
        return  # only the machines of a cluster see it, perhaps
    others = [
        line for line in lines if line.get("synthetic", generated) != generated
    ]
    if others:
        raise ValueError(
            f"{study.folder} holds {count(len(others), 'trial')} on "
            f"{'speech' if generated else 'generated signals'}, and the data "
            f"folder, {study.data_folder}, has "
            f"{'generated signals' if generated else 'speech'}. Give another "
            "--output_folder."
        )


def _check_data(study, address):
    """Looks before every trial does; a cluster's machines look themselves."""
    if address is None and study.data_folder != STAND_IN:
        if not os.path.exists(study.data_folder):
            raise FileNotFoundError(
                f"There is no data folder {study.data_folder}: give "
                "--data_folder /path/to/corpus."
            )


def _places(ray, study, address, screen):
    """How many trials run at once; none at all is said, not waited for."""
    threads = study.threads_per_trial
    found = places(ray, threads)
    if found == 0 and address is None:
        raise ValueError(
            f"A trial of this study takes {threads} threads, and there are "
            f"{ray.cluster_resources().get('CPU', 0):.0f} cores: give "
            "--threads_per_trial 1."
        )
    if found == 0:
        screen.say(
            f"No machine of the cluster at {address} has the {threads} cores "
            "of a trial yet. Waiting for one."
        )
    return found


def _note_failure(study, trial, reason):
    append_line(
        study.folder / FAILED,
        {
            "id": trial.id,
            "trial": trial.label,
            "folder": str(study.folder / "runs" / trial.id),
            "reason": reason,
        },
    )


def _left(study):
    """The end of a run: what is left, and the command for it."""
    left = missing_trials(study, read_lines(study.folder), resume=True)
    if not left:
        return (
            f"All {len(study.trials)} trials are done: "
            f"python -m speechbrain_hrf.report {study.folder}"
        )
    done = len(study.trials) - len(left)
    return (
        f"{done} of {count(len(study.trials), 'trial')} are done and kept in "
        f"{study.folder}. The same command with --resume runs the other "
        f"{len(left)}."
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

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set  # signals are the main thread's
        return
    earlier = {
        n: signal.signal(n, ask) for n in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield asked.is_set
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
