"""An arm's trials trained together, as one ensemble on a GPU.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import contextlib
import json
import sys
import time

import torch

from speechbrain_hrf.files import locked
from speechbrain_hrf.studies.attached import LOOK_EVERY_SECONDS
from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.provenance import code_version, cpu_name
from speechbrain_hrf.studies.run import (
    OUTPUT,
    TrialFailed,
    finish_trial,
    note_stage,
    recipe_options,
    run_attached,
    stages,
    stages_left,
)
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.trial import Trial


def run_group(
    trials: list[Trial], study: Study, device: str | None = None
) -> None:
    """Runs trials that differ in fold, seed and learning rate; adds their lines.

    Each leaves the output folder that the recipe would leave; so it may be
    stopped at any moment and go on.

    Arguments
    ---------
    trials : list of Trial
        Of one arm and model.
    study : Study
    device : str, optional
        Default: the GPU, where there is one.

    Raises
    ------
    speechbrain_hrf.studies.run.TrialFailed
        If training fails.

    Example
    -------
    >>> import pathlib
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="X",
    ...     data_folder="/data/X", score_at=[1, 3])
    >>> study = Study(folder, folder, [], keys)
    >>> trial = Trial("X", "conformer", "ALL",
    ...     {"number_of_epochs": 3, "seed": 1}, "UA")
    >>> (folder / "train.py").write_text("")
    0
    >>> run_group([trial], study, device="cpu")
    Traceback (most recent call last):
        ...
    speechbrain_hrf.studies.run.TrialFailed: conformer ALL, 1 together: it ended ...
    """
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    folders = {t.id: study.folder / "runs" / t.id for t in trials}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        # A machine that was given up for lost may still be at it. In one order,
        # so that nobody waits for who waits for them.
        for name in sorted(folders):
            held.enter_context(locked(folders[name] / "lock"))
        if any((folder / OUTPUT).exists() for folder in folders.values()):
            time.sleep(2 * LOOK_EVERY_SECONDS)  # until it sees that it is alone
        done = {line["id"] for line in read_lines(study.folder)}
        left = [trial for trial in trials if trial.id not in done]
        if left:
            _run(left, study, folders, device)


def _run(trials, study, folders, device):
    first, failure = trials[0], None
    version, start = code_version(), time.perf_counter()
    for epochs in stages(first, study):
        left = [
            trial
            for trial in trials
            if epochs in stages_left(trial, study, folders[trial.id])
        ]
        if not left:
            continue
        scored = {t.id: _scored(folders[t.id]) for t in left}
        listed = folders[left[0].id] / "ensemble.json"
        options = [recipe_options(trial, study, epochs) for trial in left]
        listed.write_text(json.dumps(options), encoding="utf-8")
        hparams = study.recipe_folder / "hparams" / f"{first.model}_hrf.yaml"
        command = [
            *(sys.executable, "-m", "speechbrain_hrf.training.ensemble"),
            *(str(study.recipe_folder / "train.py"), str(hparams), str(listed)),
            *("--device", device),
        ]
        label = f"{first.model} {first.arm}, {len(left)} together"
        try:
            run_attached(command, listed.with_name(OUTPUT), label, study)
            ended = left
        except TrialFailed as error:
            # One whose loss is not finite ends alone: the others go on.
            failure = error
            ended = [t for t in left if _scored(folders[t.id]) != scored[t.id]]
        for trial in ended:
            note_stage(folders[trial.id], epochs)
        trials = [t for t in trials if t in ended or t not in left]
    name = torch.cuda.get_device_name() if device == "cuda" else cpu_name()
    how = {
        "engine": "ensemble",
        "device": name,
        "threads": study.keys.threads_per_trial,
        "together": len(trials),
        "seconds": round(
            (time.perf_counter() - start) / max(len(trials), 1), 1
        ),
    }
    for trial in trials:
        finish_trial(trial, study, folders[trial.id], how, version)
    if failure is not None:
        raise failure


def _scored(folder):
    """When a run has last scored its test set."""
    path = folder / "test_metrics.json"
    return path.stat().st_mtime_ns if path.exists() else None
