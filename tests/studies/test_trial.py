"""Trials that learn from another one wait for it, and find it.

Authors
 * The speechbrain_hrf authors 2026
"""

import subprocess

import pytest

from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.run import recipe_command
from speechbrain_hrf.studies.study import load_study

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
        learner, teacher = by_place["Taught", seed], by_place["Big", seed]
        assert learner.teacher == learner.options["distil_from"] == teacher.id
        command = recipe_command(learner, study, 1)
        folder = command[command.index("--distil_from") + 1]
        teachers = recipe_command(teacher, study, 1)
        assert folder == teachers[teachers.index("--output_folder") + 1]
        assert "--distil_from" not in teachers
    assert by_place["Taught", 1].id != by_place["Taught", 2].id


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("arm: Big", "arm: Huge", "Of fold 1 and seed 1 there are 0"),
        ("arm: Big", "arms: Big", "give model and arm of one trial.*are 0"),
        ("arm: Big", "arm: Big, lr: 1", "give model and arm of one.*are 0"),
        ("arm: Big", "arm: Taught", "without distil_from.*are 0"),
        (
            "seeds:",
            "learning_rates: [0.1, 0.2]\nseeds:",
            "one rate, ratio and act.*are 2",
        ),
    ],
)
def test_a_teacher_that_is_none_is_refused(study_yaml, old, new, said):
    """Before anything runs."""
    with pytest.raises(ValueError, match=said):
        load_study(study_yaml, TAUGHT.replace(old, new))


@pytest.mark.slow
def test_a_study_teaches(real_study_yaml, hrf):
    """Real recipes: who learns has asked its own teacher, and says so."""
    pytest.importorskip("ray", reason="ray is not installed")
    kept = [
        line
        for line in real_study_yaml.read_text().splitlines()
        if line.partition(":")[0] not in ("modules", "seeds", "models")
    ]
    own = TAUGHT.replace("[1, 2]", "[1]")
    real_study_yaml.write_text("\n".join(kept) + own)
    done = subprocess.run(
        [*hrf, "study", str(real_study_yaml), "--cores", "2"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    study = load_study(real_study_yaml)
    lines = {line["arm"]: line for line in read_lines(study.folder)}
    assert set(lines) == {"Big", "Taught"}
    big, taught = lines["Big"]["id"], lines["Taught"]
    assert taught["options"]["distil_from"] == big
    answers = "save/teacher.pt"
    assert (study.run_folder(taught["id"]) / answers).is_file()
    assert not (study.run_folder(big) / answers).exists()
