"""Trials on Ray: once each, again where they fail, teachers first.

A function stands in for the recipe here; test_drive.py runs recipes.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import functools
import os
import time
from types import SimpleNamespace

import pytest

from speechbrain_hrf.studies.cluster import ray_cluster
from speechbrain_hrf.studies.owner import owned
from speechbrain_hrf.studies.study import load_study
from speechbrain_hrf.studies.tasks import run_tasks, tasks_of

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
        driver.token,
        run=stand_in(folder),
        **options,
    )
    return [(task, reason) for task, reason in found if task]


def run_all(study, folder, **options):
    study.folder.mkdir()
    log = folder / "ray.log"
    with (
        owned(study.folder) as driver,
        ray_cluster(driver.temporary, cores=1, log=log) as ray,
    ):
        assert ray.cluster_resources()["CPU"] == 1
        found = ended(ray, study, driver, folder, places=1, **options)
    assert not os.path.exists(driver.temporary)
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
    reasons = run_all(study, tmp_path, retries=1)
    assert reasons.pop(failing.id) == "failure number 2"
    assert "failure number 2" in reasons.pop(of_failed.id)
    assert set(reasons.values()) == {None} and len(reasons) == 4
    assert len(calls(tmp_path, light)) == len(calls(tmp_path, teacher)) == 1
    assert len(calls(tmp_path, failing)) == 2
    assert calls(tmp_path, of_failed) == []
    order = (teacher, other, failing, light, learner)
    started = [calls(tmp_path, trial) for trial in order]
    assert started == sorted(started)
    assert os.listdir(study.folder) == []
    assert not (home / ".ray").exists()  # a token there counts for ever
    assert not [name for name in os.environ if name.startswith("RAY_AUTH")]


@pytest.mark.parametrize("minutes, ran", [(-1, 0), (1, 4)])
def test_past_the_deadline_none_is_started_and_none_has_ended(
    study_yaml, tmp_path, minutes, ran
):
    """Whoever waits too long is not told as one that has ended."""
    at_once = SimpleNamespace(  # Ray, but without other processes
        remote=lambda **options: lambda work: SimpleNamespace(
            remote=functools.partial(functools.partial, work)
        ),
        wait=lambda references, timeout: (references, []),
        get=lambda reference: reference(),
        exceptions=SimpleNamespace(RayError=OSError),
    )
    study = load_study(study_yaml)
    study.folder.mkdir()
    with owned(study.folder) as driver:
        deadline = time.time() + 60 * minutes
        found = ended(
            at_once, study, driver, tmp_path, places=2, deadline=deadline
        )
        assert len(found) == ran
    assert sum(len(calls(tmp_path, x)) for x in study.trials) == ran


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


@pytest.mark.slow
def test_a_second_study_starts_in_the_same_process(tmp_path):
    """Ray keeps the first token that a process has had."""
    for _ in range(2):
        with (
            owned(tmp_path) as driver,
            ray_cluster(driver.temporary, cores=1) as ray,
        ):
            assert ray.cluster_resources()["CPU"] == 1
