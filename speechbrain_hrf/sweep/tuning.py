"""Trials on Ray Tune: one Tune trial each, tried again where it was lost.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import pickle
import shutil
import time

from speechbrain_hrf.sweep.driver_lock import check_shared
from speechbrain_hrf.sweep.first_trial import in_turn
from speechbrain_hrf.sweep.order import in_order
from speechbrain_hrf.sweep.run import run_trial

# Tune's own files, in the study's folder since all machines see that.
STORAGE = ".tune"
_LOOKS, _SECONDS_BETWEEN_LOOKS = 10, 0.3


def run_trials(
    ray,
    study,
    trials,
    token,
    notify,
    is_interrupted=lambda: False,
    retries=2,
    deadline=None,
    run=run_trial,
):
    """Runs trials on a Ray cluster that this process is connected to.

    What they result in stands in the study's folder.

    Arguments
    ---------
    ray : module
    study : Study
        With absolute paths.
    trials : list of Trial
        Those to run, in this order.
    token : str
        Of ``driving``.
    notify : callable
        Gets an event, a trial's id, and details: ("started", id), ("stopped",
        id, reason=...) when it will be run again, now or (reason None) with
        --resume, ("finished", id, valid=..., seconds=...), ("failed", id,
        reason=...).
    is_interrupted : callable
        Whether to stop at once.
    retries : int
        How often one is tried again that has failed, or whose worker or node
        was lost.
    deadline : float, optional
        After this time (of ``time.time``) none is started.
    run : callable
        Runs a trial, given the study and threads, in a worker.

    Raises
    ------
    KeyboardInterrupt
        If it was interrupted. What still runs ends with the connection to Ray.
    OSError
        If Ray itself has failed.

    Example
    -------
    >>> run_trials(None, None, [], "", print)
    """
    if not trials:
        return
    tune = ray.tune
    # How many may wait for a free place: as many as there may be places, but
    # those that wait for long are not started after the deadline.
    os.environ.setdefault("TUNE_MAX_PENDING_TRIALS_PG", "8")
    trainable = tune.with_resources(
        tune.with_parameters(
            train,
            study=study,
            trials={trial.id: trial for trial in trials},
            token=token,
            deadline=deadline,
            run=run,
        ),
        {"cpu": study.threads_per_trial},
    )
    remove_storage(study.folder)  # of a killed driver
    storage = pathlib.Path(study.folder, STORAGE)
    try:
        tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(
                search_alg=in_order(tune, trials, deadline),
                num_samples=len(trials),
                reuse_actors=True,  # importing takes seconds
            ),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=str(storage),
                failure_config=tune.FailureConfig(max_failures=retries),
                callbacks=[_events(tune, notify, is_interrupted)],
                verbose=0,
            ),
        ).fit()
    except RuntimeError as error:
        # What Tune cannot handle, a worker killed for memory for example.
        reason = str(error).strip().splitlines()[0]
        raise OSError(
            f"Ray has stopped: {reason} Finished trials are kept; the same "
            "command with --resume runs the others."
        ) from error
    finally:
        remove_storage(study.folder)


def remove_storage(folder):
    """Removes Tune's own files from a study's folder.

    A worker that is just ending may write once more, so it is looked at again.

    Arguments
    ---------
    folder : str or os.PathLike

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> _ = folder.join(STORAGE, "trials").ensure(dir=True)
    >>> remove_storage(folder.strpath)
    >>> folder.listdir()
    []
    """
    storage = pathlib.Path(folder, STORAGE)
    for _ in range(_LOOKS):
        if not storage.exists():
            return
        shutil.rmtree(storage, ignore_errors=True)
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def train(config, study, trials, token, deadline, run=run_trial):
    """In a worker: runs the trial that Tune has chosen.

    Arguments
    ---------
    config : dict
        With the trial's ``id``.
    study : Study
    trials : dict of str: Trial
    token : str
        Of the driver's ``driving``.
    deadline : float or None
    run : callable

    Returns
    -------
    dict
        Tune takes it as the trial's result: ``valid`` and ``seconds``, or
        ``late``: it was not started.

    Raises
    ------
    speechbrain_hrf.sweep.run.TrialFailed
        If the recipe fails.
    OSError
        If this machine does not see the study's folder.

    Example
    -------
    >>> train({"id": "a"}, None, {}, "", deadline=0)
    {'late': True}
    """
    if deadline is not None and time.time() > deadline:
        return {"late": True}
    check_shared(study.folder, token)
    trial = trials[config["id"]]
    runs = study.folder / "runs"
    with in_turn(study.folder / STORAGE / "folds", trial.fold, runs / trial.id):
        start = time.monotonic()
        line = run(trial, study, study.threads_per_trial)
    return {
        "late": False,
        "valid": line["valid"] and line["valid"].get(line["metric"]),
        "seconds": time.monotonic() - start,
    }


def _events(tune, notify, is_interrupted):
    """Passes on what happens to trials."""

    class Events(tune.Callback):
        def __init__(self, notify, is_interrupted):
            self._notify = notify
            self._is_interrupted = is_interrupted

        def __getstate__(self):
            return {}  # Tune keeps a copy on the disk; the screen does not fit

        def on_step_begin(self, iteration, trials, **info):
            # Ten times a second. No Exception: Tune would first wait for
            # all trials to end.
            if self._is_interrupted():
                raise KeyboardInterrupt

        def on_trial_start(self, iteration, trials, trial, **info):
            self._notify("started", trial.config["id"])

        def on_trial_recover(self, iteration, trials, trial, **info):
            reason = _reason(trial)
            self._notify("stopped", trial.config["id"], reason=reason)

        def on_trial_complete(self, iteration, trials, trial, **info):
            result = trial.last_result
            if result["late"]:
                self._notify("stopped", trial.config["id"], reason=None)
                return
            self._notify(
                "finished",
                trial.config["id"],
                valid=result["valid"],
                seconds=result["seconds"],
            )

        def on_trial_error(self, iteration, trials, trial, **info):
            self._notify("failed", trial.config["id"], reason=_reason(trial))

    return Events(notify, is_interrupted)


def _reason(trial):
    """What stands in the files of a Tune trial that has failed."""
    from ray.exceptions import RayTaskError

    error = None
    if trial.pickled_error_file is not None:
        with open(trial.pickled_error_file, "rb") as stream:
            error = pickle.load(stream)
    if isinstance(error, RayTaskError):
        return str(error.cause)
    lines = str(error or "no reason is known").strip().splitlines()
    return f"Its worker or machine was lost: {lines[0]}"
