"""Trials by themselves and together: what ends them, and what they leave.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from speechbrain_hrf.files import read_lines as read_stages
from speechbrain_hrf.studies import run
from speechbrain_hrf.studies.lines import (
    STAGES,
    add_trial,
    read_lines,
    read_test_sets,
)
from speechbrain_hrf.studies.run import (
    TrialFailed,
    recipe_options,
    run_trials,
)
from speechbrain_hrf.studies.study import load_study
from speechbrain_hrf.training.history import append_epoch

TWO_FOLDS = """
modules: [FFN2]
folds: [1, 2]
seeds: [1]
score_at: [1]
overrides: {protocol: held_out, number_of_epochs: 2}
"""


def test_a_failed_recipe_shows_why_and_leaves_no_line(demo_study):
    script = demo_study.recipe_folder / "train.py"
    script.write_text("print('corpus is empty'); raise SystemExit(3)")
    with pytest.raises(TrialFailed, match="(?s)status 3.*corpus is empty"):
        run_trials(demo_study.trials, demo_study)
    assert read_lines(demo_study.folder) == []


def test_a_finished_trial_is_not_run_again(demo_study):
    (trial,) = demo_study.trials
    demo_study.folder.mkdir()
    add_trial(demo_study.folder, {"id": trial.id}, {"id": "test"})
    run_trials([trial], demo_study)
    assert len(read_lines(demo_study.folder)) == 1


def test_a_row_is_the_papers_where_the_recipe_s_own_is_normalised(study_yaml):
    """RAVDESS's is; what an arm says itself stays."""
    normalised = "{hrf_modules: [ALL], hrf_inner_norm: True}"
    study = load_study(study_yaml, f"arms: {{mine: {normalised}, lr: {{}}}}")
    given = {
        trial.arm: recipe_options(trial, study, 1).get("hrf_inner_norm")
        for trial in study.trials
    }
    assert given == {
        "Lightweight": False,
        "FFN2": False,
        "mine": True,
        "lr": None,
    }


def test_the_recipe_gets_its_threads_and_its_arguments(demo_study, tmp_path):
    (tmp_path / "train.py").write_text(
        "import os, sys; print(os.environ['OMP_NUM_THREADS'], *sys.argv)\n"
        "raise SystemExit(1)"
    )
    with pytest.raises(TrialFailed) as caught:
        run_trials(demo_study.trials, demo_study)
    *_, printed = str(caught.value).splitlines()
    assert printed.startswith(f"1 {tmp_path}/train.py {tmp_path}/hparams/conf")
    assert "--seed 1" in printed and "--export_folder null" in printed


def test_a_run_passes_each_stage_that_does_not_lie_behind_it(
    demo_study, run_results
):
    """Of one that was trained further there is no checkpoint any more."""
    demo_study.keys.score_at = [7, 2, 1]  # of 3 epochs
    (trial,) = demo_study.trials
    folder = demo_study.run_folder(trial.id)
    folder.mkdir(parents=True)
    append_epoch(folder, 2, lr=0.1, train_loss=1.0)
    run_results.write(folder)
    (demo_study.recipe_folder / "train.py").write_text(
        "import sys\nepochs = sys.argv[sys.argv.index('--number_of_epochs') + 1]"
        "\nprint('epochs:', epochs)\nraise SystemExit(epochs == '3')"
    )
    with pytest.raises(TrialFailed):
        run_trials(demo_study.trials, demo_study)
    printed = (folder / "output.txt").read_text()
    assert printed == "epochs: 2\nepochs: 3\n"
    [noted] = read_stages(folder / STAGES)
    assert noted["epoch"] == 2 and noted["UA"] == run_results.UA


def test_one_that_cannot_be_read_keeps_no_line_from_the_others(
    demo_study, monkeypatch
):
    demo_study.keys.score_at = []
    (first,) = demo_study.trials
    options = [{**first.options, "seed": seed} for seed in (1, 2, 3)]
    trials = [dataclasses.replace(first, options=x) for x in options]

    def read(trial, study):
        if trial.seed == 2:
            raise RuntimeError("weights are not finite")
        return {"id": trial.id}, {"id": "test"}

    monkeypatch.setattr(run, "_train", lambda *of: None)
    monkeypatch.setattr(run.lines, "trial_line", read)
    with pytest.raises(RuntimeError, match="weights are not finite"):
        run_trials(trials, demo_study, "cpu")
    found = [line["id"] for line in read_lines(demo_study.folder)]
    assert found == [trials[0].id, trials[2].id]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interrupted_trial_takes_its_recipe_with_it(demo_study, tmp_path):
    note = tmp_path / "pid"
    (tmp_path / "train.py").write_text(
        f"import os, time\nopen({str(note)!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(600)"
    )

    def interrupt():
        wait_for(lambda: note.exists() and note.read_text())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run_trials(demo_study.trials, demo_study)
    wait_for(lambda: not is_alive(int(note.read_text())))


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_trial_goes_on_and_ends_as_if_it_had_not_been(
    real_study_yaml, tmp_path
):
    """Real recipe, stand-in corpus, SIGKILL between two epochs."""
    options = (
        "modules: [FFN2]\nseeds: [1]\nscore_at: [2]\n"
        "overrides: {protocol: held_out, number_of_epochs: 4}"
    )
    study = load_study(real_study_yaml, options)
    run_trials(study.trials, study)
    (uninterrupted,) = read_lines(study.folder)
    study.folder.rename(tmp_path / "first")

    code = (
        "import sys; from speechbrain_hrf.studies.study import load_study; "
        "from speechbrain_hrf.studies.run import run_trials; "
        "study = load_study(*sys.argv[1:]); run_trials(study.trials, study)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(real_study_yaml), options]
    )
    log = study.run_folder(study.trials[0].id) / "train_log.txt"
    wait_for(lambda: log.is_file() and "epoch: 3" in log.read_text(), 300)
    process.kill()
    process.wait()
    assert read_lines(study.folder) == []
    run_trials(study.trials, study)
    (resumed,) = read_lines(study.folder)

    for line in uninterrupted, resumed:
        for key in ("seconds", "finished", "commit", "dirty"):
            del line[key]
    assert resumed == uninterrupted
    assert resumed["synthetic"] is True
    assert set(resumed["test_at"]) == {"2"}
    assert resumed["params"]["merged"] == resumed["params"]["lightweight"]
    assert len(resumed["curves"]["valid_UA"]) == 4


@pytest.mark.slow
def test_trials_together_leave_what_they_leave_alone(real_study_yaml, tmp_path):
    """Real recipes on the stand-in corpus, on the CPU."""
    together = load_study(real_study_yaml, TWO_FOLDS)
    run_trials(together.trials, together, device="cpu")
    elsewhere = f"{TWO_FOLDS}output_folder: {tmp_path}/alone"
    alone = load_study(real_study_yaml, elsewhere)
    for trial in alone.trials:
        run_trials([trial], alone)
    assert read_test_sets(alone.folder) == read_test_sets(together.folder)
    expected = {line["id"]: line for line in read_lines(alone.folder)}
    found = {line["id"]: line for line in read_lines(together.folder)}
    assert found.keys() == expected.keys() and len(found) == 2
    for name, line in found.items():
        other = expected[name]
        assert (line["engine"], other["engine"]) == ("ensemble", "processes")
        assert (line["together"], "together" in other) == (2, False)
        for key in ("test_set", "epoch", "options", "params", "rates"):
            assert line[key] == other[key]
        assert line["test_at"].keys() == other["test_at"].keys() == {"1"}
        losses = other["curves"]["train_loss"]
        assert line["curves"]["train_loss"] == pytest.approx(losses, abs=0.01)
        assert line["test"]["UA"] == pytest.approx(other["test"]["UA"], abs=0.1)


@pytest.mark.slow
def test_one_that_diverges_ends_alone(real_study_yaml):
    rates = "learning_rates: [0.001, 1.0e+30]"
    study = load_study(real_study_yaml, f"{TWO_FOLDS}{rates}")
    with pytest.raises(TrialFailed, match="not finite"):
        run_trials(study.trials, study, device="cpu")
    assert [line["lr"] for line in read_lines(study.folder)] == [0.001, 0.001]
