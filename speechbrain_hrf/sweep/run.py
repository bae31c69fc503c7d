"""Runs one trial: the recipe's train.py in a process of its own.

Authors
 * The speechbrain_hrf authors 2026
"""

import io
import os
import signal
import subprocess
import sys
import time

from ruamel.yaml import YAML

from speechbrain_hrf.recipe.launch import STAND_IN
from speechbrain_hrf.sweep.line import trial_line
from speechbrain_hrf.sweep.lines import append_line, read_lines
from speechbrain_hrf.sweep.provenance import code_version
from speechbrain_hrf.sweep.teachers import TEACHER
from speechbrain_hrf.synthetic import make_corpus

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

OUTPUT = "output.txt"
# What is shown of a failed trial's output.
_SHOWN_CHARACTERS = 2000
_SECONDS_TO_END = 10
# Every so many steps of a trial the effective step is measured.
RECORD_STEPS = 20


class TrialFailed(RuntimeError):
    """A recipe ended with an error; the message shows how its output ends.

    Example
    -------
    >>> raise TrialFailed("conformer ALL: train.py ended with status 1.")
    Traceback (most recent call last):
        ...
    speechbrain_hrf.sweep.run.TrialFailed: conformer ALL: train.py ended ...
    """


def run_trial(trial, study, threads=1):
    """Runs a trial and adds its line to the study's trials.jsonl.

    One that was stopped before goes on from its last checkpoint; one that has
    its line is not run again. The recipe
    exports nothing; its output folder, ``runs/<id>``, stays, with
    ``output.txt``, what it printed.

    Arguments
    ---------
    trial : Trial
    study : Study
    threads : int
        Of the process.

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
    >>> import pathlib
    >>> from types import SimpleNamespace
    >>> from speechbrain_hrf.sweep.trial import Trial
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> _ = (folder / "train.py").write_text("raise SystemExit('no data')")
    >>> study = SimpleNamespace(
    ...     folder=folder, recipe_folder=folder, data_folder="data")
    >>> run_trial(Trial("demo", "conformer", "ALL", {}, "UA"), study)
    Traceback (most recent call last):
        ...
    speechbrain_hrf.sweep.run.TrialFailed: conformer ALL, ...: ... no data
    """
    output_folder = study.folder / "runs" / trial.id
    output_folder.mkdir(parents=True, exist_ok=True)
    with open(output_folder / "lock", "wb") as lock:
        # A machine that was given up for lost may still be at it.
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)
        for line in read_lines(study.folder):
            if line["id"] == trial.id:
                return line
        version = code_version()  # the files may be others when it ends
        seconds = _run_recipe(
            trial, study, output_folder / OUTPUT, threads, lock
        )
        line = trial_line(trial, study, output_folder, threads)
        line["seconds"]["total"] = seconds
        line["commit"], line["dirty"] = version
        append_line(study.folder, line)
    return line


def _run_recipe(trial, study, output, threads, lock):
    """Runs train.py; returns how many seconds that took."""
    # A trial takes the cores it was given and no more: threads that wait for
    # each other on busy cores can make it twenty times slower.
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    start = time.perf_counter()
    with open(output, "ab") as stream:
        process = subprocess.Popen(
            _attached(recipe_command(trial, study)),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
            pass_fds=[lock.fileno()],  # locked until both have ended
        )
        try:
            status = process.wait()
        finally:
            _end(process)
    if status:
        end = output.read_text(encoding="utf-8", errors="replace")
        raise TrialFailed(
            f"{trial.label}: train.py ended with status {status}. Its output, "
            f"{output}, ends:\n{end[-_SHOWN_CHARACTERS:]}"
        )
    return round(time.perf_counter() - start, 1)


def make_data(study):
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
    >>> from types import SimpleNamespace
    >>> make_data(SimpleNamespace(data_folder="/data/RAVDESS"))
    '/data/RAVDESS'
    """
    if study.data_folder == STAND_IN:
        folder = data_folder(study)
        make_corpus(study.recipe_folder.name, folder)
    return data_folder(study)


def data_folder(study):
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
    >>> from types import SimpleNamespace
    >>> data_folder(SimpleNamespace(data_folder="/data/RAVDESS"))
    '/data/RAVDESS'
    """
    if study.data_folder == STAND_IN:
        return str(study.folder / "corpus")
    return study.data_folder


def recipe_command(trial, study):
    """The command that runs a trial by hand.

    Arguments
    ---------
    trial : Trial
    study : Study

    Returns
    -------
    list of str

    Example
    -------
    >>> import pathlib
    >>> from types import SimpleNamespace
    >>> from speechbrain_hrf.sweep.trial import Trial
    >>> study = SimpleNamespace(folder=pathlib.Path("study"),
    ...     recipe_folder=pathlib.Path("recipes/X"), data_folder="/data/X")
    >>> trial = Trial("X", "conformer", "FFN2",
    ...     {"hrf_modules": ["FFN2"], "seed": 3}, "UA")
    >>> " ".join(recipe_command(trial, study)[1:])
    'recipes/X/train.py recipes/X/hparams/conformer_hrf.yaml --hrf_modules
    [FFN2] --seed 3 --data_folder /data/X --output_folder study/runs/...
    --feature_folder study/features --export_folder null --record_steps 20
    --noprogressbar'
    """
    hparams = study.recipe_folder / "hparams" / f"{trial.model}_hrf.yaml"
    options = {
        **trial.options,
        "data_folder": data_folder(study),
        "output_folder": str(study.folder / "runs" / trial.id),
        "feature_folder": str(study.folder / "features"),
        "export_folder": None,
        "record_steps": RECORD_STEPS,
    }
    if trial.teacher:
        options[TEACHER] = str(study.folder / "runs" / trial.teacher)
    command = [sys.executable, str(study.recipe_folder / "train.py")]
    command.append(str(hparams))
    for key, value in options.items():
        command += [f"--{key}", _as_yaml(value)]
    return [*command, "--noprogressbar"]


def _as_yaml(value):
    if isinstance(value, str):
        return value  # may carry a tag
    stream = io.StringIO()
    yaml = YAML(typ="safe")
    yaml.default_flow_style = True
    yaml.width = 10**6
    yaml.dump(value, stream)
    return stream.getvalue().removesuffix("\n").removesuffix("\n...")


def _attached(command):
    """The command, ended with this process however that ends."""
    python, script, *arguments = command
    attached = ["-m", "speechbrain_hrf.sweep.attached", str(os.getpid())]
    return [python, *attached, script, *arguments]


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
