"""Runs one trial: the recipe's train.py in a process of its own.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML

from speechbrain_hrf.dataio.synthetic import make_corpus
from speechbrain_hrf.files import append_line as append
from speechbrain_hrf.files import locked
from speechbrain_hrf.files import read_lines as read
from speechbrain_hrf.studies.attached import LOOK_EVERY_SECONDS
from speechbrain_hrf.studies.line import trial_line
from speechbrain_hrf.studies.lines import add_trial, read_lines
from speechbrain_hrf.studies.provenance import code_version, cpu_name
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.trial import TEACHER, Trial
from speechbrain_hrf.training.history import read_history
from speechbrain_hrf.training.launch import STAND_IN
from speechbrain_hrf.training.scores import SCORES

OUTPUT = "output.txt"
# Of each stage that is done, the epoch and the test scores.
STAGES = "stages.jsonl"
# What is shown of a failed trial's output.
_SHOWN_CHARACTERS = 2000
_SECONDS_TO_END = 10


class TrialFailed(RuntimeError):
    """A recipe ended with an error; the message shows how its output ends.

    Example
    -------
    >>> raise TrialFailed("conformer ALL: train.py ended with status 1.")
    Traceback (most recent call last):
        ...
    speechbrain_hrf.studies.run.TrialFailed: conformer ALL: train.py ended ...
    """


def run_trial(trial: Trial, study: Study) -> dict[str, Any]:
    """Runs a trial and adds its line to the study's trials.jsonl.

    It trains in stages, one for each epoch of the study's ``score_at``: the
    recipe is started with so many epochs, scores its test set, and goes on
    from its checkpoint. One that was stopped before goes on likewise; one that
    has its line is not run again. The recipe exports nothing; its output
    folder, ``runs/<id>``, stays, with ``output.txt``, what it printed.

    Arguments
    ---------
    trial : Trial
    study : Study

    Returns
    -------
    dict
        The line, see ``trial_line``.

    Raises
    ------
    TrialFailed
        If the recipe fails.

    Example
    -------
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="X",
    ...     data_folder="/data/X", score_at=[1, 3])
    >>> study = Study(folder, folder, [], keys)
    >>> trial = Trial("X", "conformer", "ALL",
    ...     {"number_of_epochs": 3, "seed": 1}, "UA")
    >>> _ = (folder / "train.py").write_text("raise SystemExit('no data')")
    >>> run_trial(trial, study)
    Traceback (most recent call last):
        ...
    speechbrain_hrf.studies.run.TrialFailed: conformer ALL, ...: ... no data
    """
    output_folder = study.folder / "runs" / trial.id
    output_folder.mkdir(parents=True, exist_ok=True)
    # A machine that was given up for lost may still be at it.
    with locked(output_folder / "lock"):
        if (output_folder / OUTPUT).exists():
            time.sleep(2 * LOOK_EVERY_SECONDS)  # until it sees that it is alone
        for line in read_lines(study.folder):
            if line["id"] == trial.id:
                return line
        version = code_version()  # the files may be others when it ends
        start = time.perf_counter()
        for epochs in stages_left(trial, study, output_folder):
            command = recipe_command(trial, study, epochs)
            run_attached(command, output_folder / OUTPUT, trial.label, study)
            note_stage(output_folder, epochs)
        how = {
            "engine": "processes",
            "device": cpu_name(),
            "threads": study.keys.threads_per_trial,
            "seconds": round(time.perf_counter() - start, 1),
        }
        return finish_trial(trial, study, output_folder, how, version)


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
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="X",
    ...     data_folder="/data/X", score_at=[1, 3])
    >>> study = Study(folder, folder, [], keys)
    >>> trial = Trial("X", "conformer", "ALL",
    ...     {"number_of_epochs": 3, "seed": 1}, "UA")
    >>> stages(trial, study)
    [1, 3]
    """
    total = trial.options["number_of_epochs"]
    return [e for e in sorted(study.keys.score_at) if e < total] + [total]


def stages_left(
    trial: Trial, study: Study, output_folder: pathlib.Path
) -> list[int]:
    """The stages that a run has not passed yet.

    One that was added to ``score_at`` after the run had trained further is
    left out: there is no checkpoint of it any more.

    Arguments
    ---------
    trial : Trial
    study : Study
    output_folder : pathlib.Path
        Of the recipe's run.

    Returns
    -------
    list of int

    Example
    -------
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="X",
    ...     data_folder="/data/X", score_at=[1, 3])
    >>> study = Study(folder, folder, [], keys)
    >>> trial = Trial("X", "conformer", "ALL",
    ...     {"number_of_epochs": 5, "seed": 1}, "UA")
    >>> from speechbrain_hrf.training.history import append_epoch
    >>> append_epoch(folder, 2, lr=0.1, train_loss=1.0)
    >>> stages_left(trial, study, folder)
    [3, 5]
    """
    done = stages_done(output_folder)
    epochs = [line["epoch"] for line in read_history(output_folder)]
    trained = max(epochs, default=0)
    *early, last = stages(trial, study)
    left = [e for e in early if e not in done and e >= trained]
    return [] if last in done else [*left, last]


def stages_done(output_folder: pathlib.Path) -> dict[int, dict[str, float]]:
    """Epochs that are behind a run, with its test scores after each.

    Arguments
    ---------
    output_folder : pathlib.Path

    Returns
    -------
    dict of int: dict of str: float

    Example
    -------
    >>> stages_done(pathlib.Path(getfixture("tmpdir")))
    {}
    """
    return {line["epoch"]: line for line in read(output_folder / STAGES)}


def note_stage(output_folder: pathlib.Path, epochs: int) -> None:
    """Notes that a run has scored its test set after so many epochs.

    Arguments
    ---------
    output_folder : pathlib.Path
    epochs : int

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> scores = {"WA": 0.5, "UA": 0.4, "WF1": 0.5, "MF1": 0.4}
    >>> _ = (folder / "test_metrics.json").write_text(json.dumps(scores))
    >>> note_stage(folder, 30)
    >>> stages_done(folder)[30]["UA"]
    0.4
    """
    path = output_folder / "test_metrics.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    scores = {key: results[key] for key in SCORES}
    append(output_folder / STAGES, {"epoch": epochs, **scores})


def finish_trial(
    trial: Trial,
    study: Study,
    output_folder: pathlib.Path,
    how: dict[str, Any],
    version: tuple[str | None, bool | None],
) -> dict[str, Any]:
    """Adds the line of a run that has ended to the study.

    Arguments
    ---------
    trial : Trial
    study : Study
    output_folder : pathlib.Path
        Of the recipe's run.
    how : dict
        Engine, device, threads, seconds.
    version : tuple
        Of ``code_version``, when it was started.

    Returns
    -------
    dict
        The line.

    Example
    -------
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="X",
    ...     data_folder="/data/X", score_at=[1, 3])
    >>> study = Study(folder, folder, [], keys)
    >>> trial = Trial("X", "conformer", "ALL",
    ...     {"number_of_epochs": 3, "seed": 1}, "UA")
    >>> finish_trial(trial, study, folder, {}, (None, None))
    Traceback (most recent call last):
        ...
    FileNotFoundError: ...test_metrics.json...
    """
    done = stages_done(output_folder)
    earlier = {e: done[e] for e in stages(trial, study)[:-1] if e in done}
    line, test_set = trial_line(trial, study, output_folder, earlier)
    line |= how | {"commit": version[0], "dirty": version[1]}
    add_trial(study.folder, line, test_set)
    return line


def run_attached(
    command: Sequence[str], output: pathlib.Path, label: str, study: Study
) -> None:
    """Runs a Python script that ends with this process, however that ends.

    Arguments
    ---------
    command : list of str
        Python, the script or -m and a module, its arguments.
    output : pathlib.Path
        Gets what it prints.
    label : str
        What it is, for the error.
    study : Study

    Raises
    ------
    TrialFailed
        If it ends with another status than 0.

    Example
    -------
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="X",
    ...     data_folder="/data/X", score_at=[1, 3])
    >>> study = Study(folder, folder, [], keys)
    >>> _ = (folder / "script.py").write_text("raise SystemExit(3)")
    >>> script = str(folder / "script.py")
    >>> run_attached([sys.executable, script], folder / "out.txt", "it", study)
    Traceback (most recent call last):
        ...
    speechbrain_hrf.studies.run.TrialFailed: it: it ended with status 3. ...
    """
    # A trial takes the cores it was given and no more: threads that wait for
    # each other on busy cores can make it twenty times slower.
    threads = str(study.keys.threads_per_trial)
    python, *arguments = command
    attached = ["-m", "speechbrain_hrf.studies.attached", str(os.getpid())]
    with open(output, "ab") as stream:
        process = subprocess.Popen(
            [python, *attached, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": threads},
            start_new_session=True,
        )
        try:
            status = process.wait()
        finally:
            _end(process)
    if status:
        end = output.read_text(encoding="utf-8", errors="replace")
        raise TrialFailed(
            f"{label}: it ended with status {status}. Its output, "
            f"{output}, ends:\n{end[-_SHOWN_CHARACTERS:]}"
        )


def make_data(study: Study) -> str:
    """Generates the stand-in corpus of a study on "synthetic" data.

    To be called once, before its trials start.

    Arguments
    ---------
    study : Study

    Returns
    -------
    str
        Where the trials' data are.

    Example
    -------
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="X",
    ...     data_folder="/data/X", score_at=[1, 3])
    >>> study = Study(folder, folder, [], keys)
    >>> make_data(study)
    '/data/X'
    """
    folder = data_folder(study)
    if study.keys.data_folder == STAND_IN:
        make_corpus(study.recipe_folder.name, folder)
    return folder


def data_folder(study: Study) -> str:
    """Where a study's trials find their data.

    Arguments
    ---------
    study : Study

    Returns
    -------
    str
        One stand-in corpus serves all trials of a study.

    Example
    -------
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="X",
    ...     data_folder="/data/X", score_at=[1, 3])
    >>> study = Study(folder, folder, [], keys)
    >>> data_folder(study)
    '/data/X'
    """
    if study.keys.data_folder == STAND_IN:
        return str(study.folder / "corpus")
    return study.keys.data_folder


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
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="X",
    ...     data_folder="/data/X", score_at=[1, 3])
    >>> study = Study(folder, folder, [], keys)
    >>> trial = Trial("X", "conformer", "ALL",
    ...     {"number_of_epochs": 3, "seed": 1}, "UA")
    >>> recipe_options(trial, study, 1)["number_of_epochs"]
    1
    """
    options = {
        **trial.options,
        "number_of_epochs": epochs,
        "data_folder": data_folder(study),
        "output_folder": str(study.folder / "runs" / trial.id),
        "feature_folder": str(study.folder / "features"),
        "export_folder": None,
    }
    if trial.teacher:
        options[TEACHER] = str(study.folder / "runs" / trial.teacher)
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
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> keys = StudyFile(name="demo", output_folder="study", recipe="X",
    ...     data_folder="/data/X")
    >>> study = Study(
    ...     pathlib.Path("study"), pathlib.Path("recipes/X"), [], keys)
    >>> trial = Trial("X", "conformer", "FFN2",
    ...     {"hrf_modules": ["FFN2"], "seed": 3}, "UA")
    >>> " ".join(recipe_command(trial, study, 9)[1:])
    'recipes/X/train.py recipes/X/hparams/conformer_hrf.yaml --hrf_modules
    [FFN2] --seed 3 --number_of_epochs 9 --data_folder /data/X --output_folder
    study/runs/... --feature_folder study/features --export_folder null
    --device cpu --noprogressbar'
    """
    command = [
        sys.executable,
        str(study.recipe_folder / "train.py"),
        str(study.recipe_folder / "hparams" / f"{trial.model}_hrf.yaml"),
    ]
    for key, value in recipe_options(trial, study, epochs).items():
        command += [f"--{key}", _as_yaml(value)]
    return [*command, "--device", "cpu", "--noprogressbar"]


def _as_yaml(value):
    if isinstance(value, str):
        return value  # may carry a tag
    stream = io.StringIO()
    yaml = YAML(typ="safe")
    yaml.default_flow_style = True
    yaml.width = 10**6
    yaml.dump(value, stream)
    return stream.getvalue().removesuffix("\n").removesuffix("\n...")


def _end(process):
    """Ends the trial's processes if they have not ended by themselves."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
