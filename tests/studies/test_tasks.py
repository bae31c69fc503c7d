"""Trials on Ray: once each, again where they fail, teachers first.

A function stands in for the recipe here; test_drive.py runs recipes.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import json
import os
import tempfile
import threading
import time
from types import SimpleNamespace

import pytest

from speechbrain_hrf.files import write_whole
from speechbrain_hrf.owner import Owner, owned
from speechbrain_hrf.studies import tasks
from speechbrain_hrf.studies.cluster import ray_cluster
from speechbrain_hrf.studies.drive import REFUSAL
from speechbrain_hrf.studies.study import load_study
from speechbrain_hrf.studies.tasks import DRIVER, run_tasks, tasks_of

pytest.importorskip("ray", reason="ray is not installed")


def stand_in(folder):
    """A function that fails where a file tells it to; notes its calls."""

    def run(trials, study):
        (trial,) = trials
        with open(folder / f"{trial.id}.calls", "a") as stream:
            stream.write(f"{time.time()} ")
        calls = len((folder / f"{trial.id}.calls").read_text().split())
        failures = folder / f"{trial.id}.failures"
        if failures.exists() and calls <= int(failures.read_text()):
            raise ValueError(f"failure number {calls}")

    return run


def calls(folder, trial):
    path = folder / f"{trial.id}.calls"
    return [float(t) for t in path.read_text().split()] if path.exists() else []


def ended(ray, study, driver, folder, **options):
    """The tasks that have ended, each with the reason why it failed."""
    found = run_tasks(
        ray,
        study,
        tasks_of(study.trials, "fold", "processes"),
        driver,
        run=stand_in(folder),
        **options,
    )
    return [(task, reason) for task, reason in found if task]


def run_all(study, folder, **options):
    study.folder.mkdir()
    log = folder / "ray.log"
    with (
        owned(study.folder, DRIVER, REFUSAL) as driver,
        ray_cluster(cores=1, log=log) as ray,
    ):
        assert ray.cluster_resources()["CPU"] == 1
        found = ended(ray, study, driver, folder, places=1, **options)
    return {trial.id: reason for (trial,), reason in found}


def test_trials_run_once_failed_ones_again_and_learners_last(
    study_yaml, tmp_path, monkeypatch
):
    """The second of seed 1 always fails; seed 2's learn from each other."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    study = load_study(
        study_yaml,
        "modules: [Lightweight, FFN2]\nseeds: [1, 2]\narms: {Taught: "
        "{hrf_modules: [], distil_from: {model: speechformer, arm: FFN2}}}",
    )
    light, failing, of_failed, other, teacher, learner = study.trials
    assert (learner.arm, learner.teacher) == ("Taught", teacher.id)
    (tmp_path / f"{failing.id}.failures").write_text("9")
    # It waits for its teacher though it stands before it.
    study = dataclasses.replace(study, trials=study.trials[::-1])
    monkeypatch.setattr(tasks, "RETRIES", 1)
    reasons = run_all(study, tmp_path)
    for one in (failing, of_failed):
        last_line = reasons.pop(one.id).splitlines()[-1]
        assert last_line == "ValueError: failure number 2"
    assert set(reasons.values()) == {None} and len(reasons) == 4
    assert len(calls(tmp_path, light)) == len(calls(tmp_path, teacher)) == 1
    assert len(calls(tmp_path, failing)) == 2
    assert calls(tmp_path, of_failed) == []
    order = (teacher, other, failing, light, learner)
    started = [calls(tmp_path, trial) for trial in order]
    assert started == sorted(started)
    assert os.listdir(study.folder) == []
    assert not (home / ".ray").exists()  # a token there counts for ever


def test_an_arm_s_trials_train_together_but_for_those_that_cannot(study_yaml):
    study = load_study(
        study_yaml,
        "folds: [1, 2]\nlearning_rates: [0.001, 0.002]\narms: "
        "{Slow: {hrf_modules: [ALL], hrf_lr_scale: 0.5}, "
        "HuBERT: {features: hubert, hrf_modules: []}}\noverrides: {}",
    )
    # 2 arms of 2 folds, 2 seeds, 2 rates together; two arms by themselves.
    sizes = [len(t) for t in tasks_of(study.trials, "fold", "ensemble")]
    assert sorted(sizes) == [1] * 16 + [8, 8]


def test_a_worker_tells_another_folder_from_the_driver_s(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    with (
        owned(here, DRIVER, REFUSAL) as driver,
        owned(elsewhere, DRIVER, REFUSAL),
    ):
        assert ran_in(here, driver) == [here]
        for folder in (elsewhere, tmp_path):
            with pytest.raises(OSError, match="does not see"):
                ran_in(folder, driver)


def ran_in(folder, driver):
    """The folders of the studies that a worker has run."""
    ran, study = [], SimpleNamespace(folder=folder)
    tasks._work([], study, driver, lambda _, x: ran.append(x.folder))
    return ran


def test_a_worker_waits_for_a_file_system_that_is_late(tmp_path):
    driver = Owner()
    note = json.dumps(dataclasses.asdict(driver))
    timer = threading.Timer(0.3, write_whole, [tmp_path / DRIVER, note])
    timer.start()
    assert ran_in(tmp_path, driver) == [tmp_path]
    timer.join()


@pytest.mark.slow
def test_a_second_study_starts_in_the_same_process(tmp_path, monkeypatch):
    """Ray keeps the first token that a process has had.

    And where the folder for temporary files has a long path, it is not taken:
    below it are sockets of Ray's, whose paths may not be long.
    """
    long = tmp_path / ("x" * 50)
    long.mkdir()
    for folder in (tempfile.gettempdir(), str(long)):
        monkeypatch.setattr(tempfile, "tempdir", folder)
        with ray_cluster(cores=1) as ray:
            assert ray.cluster_resources()["CPU"] == 1
    assert list(long.iterdir()) == []
