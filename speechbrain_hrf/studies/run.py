"""Runs trials: the recipe's train.py for one, an ensemble for several.

Several trials of an arm, which differ in fold, seed and learning rate, train
together on a GPU (``speechbrain_hrf.training.ensemble``). Each leaves the
output folder that the recipe would leave, so it may be stopped at any moment
and go on.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import json
import sys
import time

import torch

from speechbrain_hrf import files, provenance
from speechbrain_hrf.results import METRICS_FILE
from speechbrain_hrf.studies import lines
from speechbrain_hrf.studies.attached import LOOK_EVERY_SECONDS, run_attached
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.trial import TEACHER, Trial
from speechbrain_hrf.training.history import HISTORY, read_history

OUTPUT = "output.txt"


class TrialFailed(RuntimeError):
    """Training ended with an error; the message shows how its output ends.

    Example
    -------
    >>> raise TrialFailed("Training ended with status 1.")
    Traceback (most recent call last):
        ...
    speechbrain_hrf.studies.run.TrialFailed: Training ended with status 1.
    """


def run_trials(trials: list[Trial], study: Study, device: str = "cuda") -> None:
    """Runs trials and adds their lines to the study's trials.jsonl.

    They train in stages, one for each epoch of the study's ``score_at``:
    training is started with so many epochs, scores the test set, and goes on
    from its checkpoint. What was stopped before goes on likewise; a trial that
    has its line is not run again. Nothing is exported; a trial's output
    folder, ``runs/<id>``, stays, with ``output.txt``, what was printed.

    Arguments
    ---------
    trials : list of Trial
        One, which is a process of the recipe on the CPU, or several of an arm
        and model that differ in fold, seed and learning rate.
    study : Study
    device : str
        Of several.

    Raises
    ------
    TrialFailed
        If training fails. Of several, those that have ended have their lines.

    Example
    -------
    >>> study = getfixture("demo_study")
    >>> run_trials(study.trials, study)
    Traceback (most recent call last):
        ...
    speechbrain_hrf.studies.run.TrialFailed: Training ended ... no data
    """
    folders = sorted(study.run_folder(trial.id) for trial in trials)
    with contextlib.ExitStack() as held:
        # A machine that was given up for lost may still be at it. In one order,
        # so that nobody waits for who waits for them.
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(files.locked(folder / "lock"))
        if any((folder / OUTPUT).exists() for folder in folders):
            # Until the training of a killed worker has ended.
            time.sleep(2 * LOOK_EVERY_SECONDS)
        done = {line["id"] for line in lines.read_lines(study.folder)}
        left = [trial for trial in trials if trial.id not in done]
        if left:
            _run(left, study, device if len(trials) > 1 else None)


def _run(trials, study, device):
    # The files may be others when it ends.
    commit, dirty = provenance.code_version()
    table = provenance.table_version(study.table)
    start = time.perf_counter()
    failure = None
    last = trials[0].options["number_of_epochs"]
    for epochs in sorted({last, *(e for e in study.keys.score_at if e < last)}):
        # One that has come further has no checkpoint of this epoch.
        stage = [
            t for t in trials if epochs == last or _trained(t, study) <= epochs
        ]
        try:
            if stage:
                _train(stage, study, epochs, device)
        except TrialFailed as error:
            # One whose loss is not finite ends alone: the others go on.
            failure = error
            lost = [t for t in stage if not _is_scored(t, study, epochs)]
            trials = [t for t in trials if t not in lost]
        for trial in stage:
            if epochs < last and trial in trials:
                lines.note_stage(study.run_folder(trial.id), epochs)
    seconds = time.perf_counter() - start
    gpu = torch.cuda.get_device_name() if device == "cuda" else None
    how = {
        "engine": "ensemble" if device else "processes",
        "device": gpu or provenance.cpu_name(),
        "threads": study.keys.threads_per_trial,
        **({"together": len(trials)} if device else {}),
        "seconds": round(seconds / max(len(trials), 1), 1),
        "commit": commit,
        "dirty": dirty,
        **({"table": table} if table else {}),
    }
    for trial in trials:
        try:
            line, test_set = lines.trial_line(trial, study)
            lines.add_trial(study.folder, line | how, test_set)
        except (OSError, RuntimeError, ValueError) as error:
            failure = error  # of one: the others have lines
    if failure is not None:
        raise failure


def _train(trials, study, epochs, device):
    folder = study.run_folder(trials[0].id)
    command = recipe_command(trials[0], study, epochs)
    if device:
        listed = folder / "ensemble.json"
        options = [recipe_options(trial, study, epochs) for trial in trials]
        listed.write_text(json.dumps(options), encoding="utf-8")
        python, *recipe = command[:3]
        module = ["-m", "speechbrain_hrf.training.ensemble"]
        runs = [str(listed), "--device", device]
        command = [python, *module, *recipe, *runs]
    output = folder / OUTPUT
    status = run_attached(command, output, study.keys.threads_per_trial)
    if status:
        end = output.read_text(encoding="utf-8", errors="replace")
        raise TrialFailed(
            f"Training ended with status {status}. Its output, {output}, "
            f"ends:\n{end[-2000:]}"
        )


def _trained(trial, study):
    history = read_history(study.run_folder(trial.id))
    return history[-1]["epoch"] if history else 0


def _is_scored(trial, study, epochs):
    """Whether a run has come to an epoch, and was scored since."""
    folder = study.run_folder(trial.id)
    history, metrics = folder / HISTORY, folder / METRICS_FILE
    ended = _trained(trial, study) == epochs and metrics.exists()
    return ended and metrics.stat().st_mtime >= history.stat().st_mtime


def recipe_options(
    trial: Trial, study: Study, epochs: int
) -> dict[str, object]:
    """What a trial's recipe is given, folders included.

    Arguments
    ---------
    trial : Trial
    study : Study
    epochs : int
        How far it trains.

    Returns
    -------
    dict

    Example
    -------
    >>> study = getfixture("demo_study")
    >>> recipe_options(study.trials[0], study, 1)["number_of_epochs"]
    1
    """
    options = {
        **trial.unsaid,
        **trial.options,
        "number_of_epochs": epochs,
        "data_folder": study.data_folder,
        "output_folder": str(study.run_folder(trial.id)),
        "feature_folder": str(study.folder / "features"),
        "export_folder": None,
    }
    if study.keys.labels:
        options["labels"] = study.keys.labels
    if trial.teacher:
        options[TEACHER] = str(study.run_folder(trial.teacher))
    return options


def recipe_command(trial: Trial, study: Study, epochs: int) -> list[str]:
    """The command that runs a trial by hand.

    Arguments
    ---------
    trial : Trial
    study : Study
    epochs : int
        How far it trains.

    Returns
    -------
    list of str

    Example
    -------
    >>> study = getfixture("demo_study")
    >>> " ".join(recipe_command(study.trials[0], study, 9)[1:])
    '...train.py ...conformer_hrf.yaml --hrf_modules ["ALL"] --lr 0.001
    --number_of_epochs 9 --seed 1 --data_folder /data/X --output_folder ...
    --feature_folder ... --export_folder null --device cpu --noprogressbar'
    """
    script = study.recipe_folder / "train.py"
    hparams = script.parent / "hparams" / f"{trial.model}_hrf.yaml"
    command = [sys.executable, str(script), str(hparams)]
    for key, value in recipe_options(trial, study, epochs).items():
        # A text may carry a tag; JSON is YAML.
        text = value if isinstance(value, str) else json.dumps(value)
        command += [f"--{key}", text]
    return [*command, "--device", "cpu", "--noprogressbar"]
