"""A trial is one process; what ends it, and what it leaves."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from speechbrain_hrf.studies.lines import add_trial, read_lines
from speechbrain_hrf.studies.run import TrialFailed, make_data, run_trial
from speechbrain_hrf.studies.study import Study, StudyFile, load_study
from speechbrain_hrf.studies.trial import Trial

TRIAL = Trial(
    "demo", "conformer", "ALL", {"seed": 1, "number_of_epochs": 2}, "UA"
)


@pytest.fixture
def recipe(tmp_path):
    """A recipe of one script, in a study of its own."""

    def make(script, **keys):
        (tmp_path / "train.py").write_text(script)
        keys = StudyFile(
            name="demo",
            output_folder="unused",
            recipe="demo",
            data_folder="/data",
            **keys,
        )
        return Study(tmp_path / "study", tmp_path, [], keys)

    return make


def test_a_failed_recipe_shows_why_and_leaves_no_line(recipe):
    study = recipe("print('corpus is empty'); raise SystemExit(3)")
    with pytest.raises(TrialFailed, match="(?s)status 3.*corpus is empty"):
        run_trial(TRIAL, study)
    assert read_lines(study.folder) == []


def test_a_finished_trial_is_not_run_again(recipe):
    study = recipe("raise SystemExit('must not run')")
    study.folder.mkdir()
    add_trial(study.folder, {"id": TRIAL.id, "n": 1}, {"id": "test"})
    assert run_trial(TRIAL, study)["n"] == 1


def test_the_recipe_gets_its_threads_and_its_arguments(recipe, tmp_path):
    study = recipe(
        "import json, os, sys\n"
        f"json.dump([os.environ['OMP_NUM_THREADS'], sys.argv], "
        f"open({str(tmp_path / 'seen.json')!r}, 'w'))\nraise SystemExit(1)",
        threads_per_trial=3,
    )
    with pytest.raises(TrialFailed):
        run_trial(TRIAL, study)
    threads, argv = json.loads((tmp_path / "seen.json").read_text())
    assert threads == "3"
    assert argv[0] == str(tmp_path / "train.py")
    assert argv[argv.index("--seed") + 1] == "1"
    assert argv[argv.index("--export_folder") + 1] == "null"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interrupted_trial_takes_its_recipe_with_it(recipe, tmp_path):
    study = recipe(
        "import os, time\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(600)"
    )

    def interrupt():
        wait_for(lambda: (tmp_path / "pid").exists() and pid(tmp_path))
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run_trial(TRIAL, study)
    wait_for(lambda: not alive(pid(tmp_path)))


def pid(folder):
    return int((folder / "pid").read_text() or 0)


def alive(process):
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
def test_a_killed_trial_goes_on_and_ends_as_if_it_had_not_been(tmp_path):
    """Real recipe, stand-in corpus, SIGKILL between two epochs."""
    yaml = tmp_path / "study.yaml"
    yaml.write_text(
        "name: demo\nrecipe: RAVDESS\ndata_folder: synthetic\n"
        f"output_folder: {tmp_path}/study\n"
        "models: [speechformer]\nmodules: [FFN2]\nseeds: [1]\n"
        "overrides: {protocol: held_out, number_of_epochs: 4}\n"
        "score_at: [2]\n"
    )
    study = load_study(yaml)
    make_data(study)
    (trial,) = study.trials
    uninterrupted = run_trial(trial, study)
    (study.folder / "trials.jsonl").unlink()
    (study.folder / "runs").rename(tmp_path / "first")

    code = (
        "import sys; from speechbrain_hrf.studies.study import load_study; "
        "from speechbrain_hrf.studies.run import run_trial; "
        "study = load_study(sys.argv[1]); run_trial(study.trials[0], study)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(yaml)])
    log = study.folder / "runs" / trial.id / "train_log.txt"
    wait_for(lambda: log.is_file() and "epoch: 3" in log.read_text(), 300)
    process.kill()
    process.wait()
    assert read_lines(study.folder) == []
    resumed = run_trial(trial, study)

    for line in uninterrupted, resumed:
        for key in ("seconds", "finished", "commit", "dirty"):
            del line[key]
    assert resumed == uninterrupted
    assert resumed["synthetic"] is True
    assert resumed["epoch"] in range(1, 5)
    assert set(resumed["test_at"]) == {"2"}
    assert resumed["params"]["merged"] == resumed["params"]["lightweight"]
    assert len(resumed["curves"]["valid_UA"]) == 4
