"""Trials that learn from another one wait for it, and find it.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import subprocess
import sys
import time

import pytest

from speechbrain_hrf.dataio.json_lines import read_lines
from speechbrain_hrf.sweep.cluster import ray_cluster
from speechbrain_hrf.sweep.driver_lock import driving
from speechbrain_hrf.sweep.plan import anywhere
from speechbrain_hrf.sweep.run import recipe_command
from speechbrain_hrf.sweep.study import load_study
from speechbrain_hrf.sweep.temporary_folder import (
    remove_temporary,
    temporary_folder,
)
from speechbrain_hrf.sweep.tuning import run_trials

TAUGHT = """
models: [speechformer]
modules: []
seeds: [1, 2]
arms:
    Taught:
        hrf_modules: []
        distil_from: {model: speechformer, arm: Big}
    Big: {hrf_modules: [], d_ffn: 32}
"""


def test_each_seed_has_the_teacher_of_its_own(study_yaml):
    """Same model and arm, same fold and seed; the command names its folder."""
    study = load_study(study_yaml, TAUGHT)
    by_place = {(t.arm, t.seed): t for t in study.trials}
    assert len(by_place) == 4
    for seed in 1, 2:
        pupil, teacher = by_place["Taught", seed], by_place["Big", seed]
        assert pupil.teacher == pupil.options["distil_from"] == teacher.id
        command = recipe_command(pupil, study)
        folder = command[command.index("--distil_from") + 1]
        teachers = recipe_command(teacher, study)
        assert folder == teachers[teachers.index("--output_folder") + 1]
        assert "--distil_from" not in teachers
    assert by_place["Taught", 1].id != by_place["Taught", 2].id


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("arm: Big", "arm: Huge", "has 0 such trials"),
        ("arm: Big", "arms: Big", "needs the teacher's model and arm"),
        ("arm: Big", "arm: Taught", "has a teacher itself"),
        ("seeds:", "learning_rates: [0.1, 0.2]\nseeds:", "has 2 such trials"),
    ],
)
def test_a_teacher_that_is_none_is_refused(study_yaml, old, new, said):
    """Before anything runs."""
    with pytest.raises(ValueError, match=said):
        load_study(study_yaml, TAUGHT.replace(old, new))


def test_pupils_wait_for_their_teachers(study_yaml, tmp_path):
    """On two cores, though they stand before them; a failed one ends theirs."""
    pytest.importorskip("ray.tune", reason="ray[tune] is not installed")
    study = anywhere(load_study(study_yaml, TAUGHT))
    study.folder.mkdir()
    failing = next(t for t in study.trials if t.arm == "Big" and t.seed == 2)
    (tmp_path / failing.id).touch()

    def run(trial, study, threads):
        begun = time.time()
        if (tmp_path / trial.id).exists():
            raise ValueError("no teacher")
        if trial.teacher and (tmp_path / trial.teacher).exists():
            raise ValueError("no lesson")
        time.sleep(0.0 if trial.teacher else 1.0)
        times = f"{begun} {time.time()}"
        (tmp_path / f"{trial.id}.times").write_text(times)
        return {"valid": {"UA": 0.5}, "metric": "UA"}

    events = {trial.id: [] for trial in study.trials}
    temporary = temporary_folder()
    try:
        with (
            driving(study.folder, temporary) as token,
            ray_cluster(temporary, cores=2, log=tmp_path / "ray.log") as ray,
        ):
            run_trials(
                ray,
                study,
                study.trials,
                token,
                lambda event, id, **_: events[id].append(event),
                retries=0,
                run=run,
            )
    finally:
        remove_temporary(temporary)
    ends = {(t.arm, t.seed): events[t.id][-1] for t in study.trials}
    assert ends == {
        ("Big", 1): "finished",
        ("Taught", 1): "finished",
        ("Big", 2): "failed",
        ("Taught", 2): "failed",
    }
    (pupil,) = (t for t in study.trials if t.arm == "Taught" and t.seed == 1)
    times = [
        [float(x) for x in (tmp_path / f"{id}.times").read_text().split()]
        for id in (pupil.id, pupil.teacher)
    ]
    assert times[0][0] >= times[1][1]


@pytest.mark.slow
def test_a_study_teaches(real_study_yaml):
    """Real recipes: the pupil has asked its own teacher, and says so."""
    pytest.importorskip("ray.tune", reason="ray[tune] is not installed")
    kept = [
        line
        for line in real_study_yaml.read_text().splitlines()
        if line.partition(":")[0] not in ("modules", "seeds", "models")
    ]
    own = TAUGHT.replace("[1, 2]", "[1]")
    real_study_yaml.write_text("\n".join(kept) + own)
    command = [sys.executable, "-m", "speechbrain_hrf.sweep"]
    done = subprocess.run(
        [*command, str(real_study_yaml), "--cores", "1"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folder = load_study(real_study_yaml).folder
    lines = {x["arm"]: x for x in read_lines(folder / "trials.jsonl")}
    assert set(lines) == {"Big", "Taught"}
    big, taught = lines["Big"], lines["Taught"]
    assert taught["overrides"]["distil_from"] == big["id"]
    answers = pathlib.Path("save", "teacher.pt")
    assert (folder / "runs" / taught["id"] / answers).is_file()
    assert not (folder / "runs" / big["id"] / answers).exists()
