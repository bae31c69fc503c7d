"""Runs trials: the recipe's train.py for one, an ensemble for several.

Several trials of an arm, which differ in fold, seed and learning rate, train
together on a GPU (``speechbrain_hrf.training.ensemble``). Each leaves the
output folder that the recipe would leave, so it may be stopped at any moment
and go on.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any

import torch

from speechbrain_hrf import files
from speechbrain_hrf.dataio.synthetic import make_corpus
from speechbrain_hrf.results import METRICS_FILE, RunResults
from speechbrain_hrf.studies import provenance
from speechbrain_hrf.studies.attached import LOOK_EVERY_SECONDS, run_attached
from speechbrain_hrf.studies.lines import add_trial, read_lines, trial_line
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.trial import TEACHER, Trial
from speechbrain_hrf.training.history import read_history
from speechbrain_hrf.training.scores import SCORES

OUTPUT = "output.txt"
# Of each stage that is done, the epoch and the test scores.
STAGES = "stages.jsonl"
# What is shown of a failed trial's output.
_SHOWN_CHARACTERS = 2000


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
            time.sleep(2 * LOOK_EVERY_SECONDS)  # until it sees that it is alone
        done = {line["id"] for line in read_lines(study.folder)}
        left = [trial for trial in trials if trial.id not in done]
        if left:
            _run(left, study, device if len(trials) > 1 else None)


def _run(trials, study, device):
    failure = None
    # The files may be others when it ends.
    commit, dirty = provenance.code_version()
    table = provenance.table_version(study.table)
    start = time.perf_counter()
    for epochs in stages(trials[0], study):
        left = [t for t in trials if epochs in stages_left(t, study)]
        if not left:
            continue
        before = {trial.id: _last_scored(trial, study) for trial in left}
        try:
            _train(left, study, epochs, device)
            ended = left
        except TrialFailed as error:
            if device is None:
                raise
            # One whose loss is not finite ends alone: the others go on.
            failure = error
            ended = [t for t in left if _last_scored(t, study) != before[t.id]]
        for trial in ended:
            _note_stage(study.run_folder(trial.id), epochs)
        trials = [t for t in trials if t in ended or t not in left]
    seconds = (time.perf_counter() - start) / max(len(trials), 1)
    gpu = torch.cuda.get_device_name() if device == "cuda" else None
    how = {
        "engine": "ensemble" if device else "processes",
        "device": gpu or provenance.cpu_name(),
        "threads": study.keys.threads_per_trial,
        **({"together": len(trials)} if device else {}),
        "seconds": round(seconds, 1),
        "commit": commit,
        "dirty": dirty,
        **({"table": table} if table else {}),
    }
    for trial in trials:
        folder = study.run_folder(trial.id)
        scores, early = _scores(folder), stages(trial, study)[:-1]
        earlier = {epoch: scores[epoch] for epoch in early if epoch in scores}
        line, test_set = trial_line(trial, study, folder, earlier)
        add_trial(study.folder, line | how, test_set)
    if failure is not None:
        raise failure


def _train(trials, study, epochs, device):
    folder = study.run_folder(trials[0].id)
    command = recipe_command(trials[0], study, epochs)
    if device:
        listed = folder / "ensemble.json"
        options = [recipe_options(trial, study, epochs) for trial in trials]
        listed.write_text(json.dumps(options), encoding="utf-8")
        python, script, hparams = command[:3]
        module = ["-m", "speechbrain_hrf.training.ensemble"]
        command = [python, *module, script, hparams, str(listed)]
        command += ["--device", device]
    output = folder / OUTPUT
    status = run_attached(command, output, study.keys.threads_per_trial)
    if status:
        end = output.read_text(encoding="utf-8", errors="replace")
        raise TrialFailed(
            f"Training ended with status {status}. Its output, {output}, "
            f"ends:\n{end[-_SHOWN_CHARACTERS:]}"
        )


def _last_scored(trial, study):
    """When a run has last scored its test set."""
    path = study.run_folder(trial.id) / METRICS_FILE
    return path.stat().st_mtime_ns if path.exists() else None


def stages(trial: Trial, study: Study) -> list[int]:
    """The epochs after which a trial's test set is scored; all of them last.

    Arguments
    ---------
    trial : Trial
    study : Study

    Returns
    -------
    list of int

    Example
    -------
    >>> study = getfixture("demo_study")
    >>> stages(study.trials[0], study)
    [1, 3]
    """
    total = trial.options["number_of_epochs"]
    return [e for e in sorted(study.keys.score_at) if e < total] + [total]


def stages_left(trial: Trial, study: Study) -> list[int]:
    """The stages that a run has not passed yet.

    One that was added to ``score_at`` after the run had trained further is
    left out: there is no checkpoint of it any more.

    Arguments
    ---------
    trial : Trial
    study : Study

    Returns
    -------
    list of int

    Example
    -------
    >>> study = getfixture("demo_study")
    >>> from speechbrain_hrf.training.history import append_epoch
    >>> folder = study.run_folder(study.trials[0].id)
    >>> folder.mkdir(parents=True)
    >>> append_epoch(folder, 2, lr=0.1, train_loss=1.0)
    >>> stages_left(study.trials[0], study)
    [3]
    """
    folder = study.run_folder(trial.id)
    done = _scores(folder)
    *early, last = stages(trial, study)
    epochs = [line["epoch"] for line in read_history(folder)]
    trained = max(epochs, default=0)
    left = [epoch for epoch in early if epoch >= trained]
    return [epoch for epoch in [*left, last] if epoch not in done]


def _scores(folder):
    """By epoch, what a run has scored after its stages."""
    lines = files.read_lines(folder / STAGES, ["epoch", *SCORES])
    return {line["epoch"]: line for line in lines}


def _note_stage(folder, epochs):
    results = RunResults.read(folder)
    scores = {key: getattr(results, key) for key in SCORES}
    files.append_line(folder / STAGES, {"epoch": epochs, **scores})


def make_data(study: Study) -> None:
    """Generates the stand-in corpus of a study on "synthetic" data.

    To be called once, before its trials start.

    Arguments
    ---------
    study : Study

    Example
    -------
    >>> make_data(getfixture("demo_study"))
    """
    if study.is_stand_in:
        make_corpus(study.recipe_folder.name, study.data_folder)


def recipe_options(trial: Trial, study: Study, epochs: int) -> dict[str, Any]:
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
