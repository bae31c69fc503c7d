"""Trials on Ray Tune: order, retries, events, and no trace of Ray in the end.

A function stands in for the recipe here; test_sweep_kills.py runs recipes.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import time

import pytest

from speechbrain_hrf.sweep.cluster import places, ray_cluster
from speechbrain_hrf.sweep.driver_lock import driving
from speechbrain_hrf.sweep.plan import anywhere
from speechbrain_hrf.sweep.study import load_study
from speechbrain_hrf.sweep.temporary_folder import (
    remove_temporary,
    temporary_folder,
)
from speechbrain_hrf.sweep.tuning import STORAGE, run_trials, train

pytest.importorskip("ray.tune", reason="ray[tune] is not installed")


def stand_in(folder):
    """A function that fails where a file tells it to; notes its calls."""

    def run(trial, study, threads):
        with open(folder / f"{trial.id}.calls", "a") as stream:
            stream.write(f"{threads} ")
            calls = stream.tell() // 2
        if calls <= int((folder / f"{trial.id}.failures").read_text()):
            raise ValueError(f"failure number {calls}")
        return {"valid": {"UA": 0.25 * trial.seed}, "metric": "UA"}

    return run


def test_a_trial_runs_once_and_one_that_fails_again(
    study_yaml, tmp_path, monkeypatch
):
    """The second trial always fails, the others do not."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    study = anywhere(load_study(study_yaml))
    study.folder.mkdir()
    failures = [0, 9, 0, 0]
    for trial, number in zip(study.trials, failures, strict=True):
        (tmp_path / f"{trial.id}.failures").write_text(str(number))
    events = {trial.id: [] for trial in study.trials}

    def notify(event, trial_id, **details):
        events[trial_id].append((event, details))

    temporary = temporary_folder()
    try:
        with (
            driving(study.folder, temporary) as token,
            ray_cluster(temporary, cores=1, log=tmp_path / "ray.log") as ray,
        ):
            assert places(ray, 1) == 1
            assert places(ray, 2) == 0
            run_trials(
                ray,
                study,
                study.trials,
                token,
                notify,
                retries=1,
                run=stand_in(tmp_path),
            )
    finally:
        remove_temporary(temporary)
    names = [[name for name, _ in events[t.id]] for t in study.trials]
    assert names == [
        ["started", "finished"],
        ["started", "stopped", "started", "failed"],
        ["started", "finished"],
        ["started", "finished"],
    ]
    details = [events[trial.id][-1][1] for trial in study.trials]
    assert [d.get("valid") for d in details] == [0.25, None, 0.5, 0.5]
    assert details[1]["reason"] == "failure number 2"
    calls = [(tmp_path / f"{t.id}.calls").read_text() for t in study.trials]
    assert calls == ["1 ", "1 1 ", "1 ", "1 "]
    assert not temporary.exists()
    assert not (study.folder / STORAGE).exists()
    assert os.listdir(study.folder) == []
    assert not (home / ".ray").exists()  # a token there counts for ever
    assert not [name for name in os.environ if name.startswith("RAY_AUTH")]


def test_no_trial_starts_after_the_deadline(study_yaml):
    """Nor does a worker that has waited: it looks again."""
    study = anywhere(load_study(study_yaml))
    trials = {trial.id: trial for trial in study.trials}
    config = {"id": study.trials[0].id}
    late = train(config, study, trials, "", deadline=time.time() - 1)
    assert late == {"late": True}
    study.folder.mkdir()
    with driving(study.folder, "/tmp/hrf-00000000") as token:
        result = train(
            config,
            study,
            trials,
            token,
            deadline=time.time() + 60,
            run=lambda *arguments: {"valid": None, "metric": "UA"},
        )
    assert (result["late"], result["valid"]) == (False, None)


def test_what_tune_cannot_handle_is_one_sentence(study_yaml, monkeypatch):
    """A worker that Ray kills for want of memory, for example."""
    import ray
    import ray.tune

    study = anywhere(load_study(study_yaml))

    def fit(tuner):
        raise RuntimeError("Caught unexpected exception: no memory.\nlong text")

    monkeypatch.setattr(ray.tune.Tuner, "fit", fit)
    with pytest.raises(
        OSError, match="no memory. Finished .*--resume"
    ) as found:
        run_trials(ray, study, study.trials, "", print)
    assert "long text" not in str(found.value)
