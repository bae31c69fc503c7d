"""An export, an ensemble and a study that are killed end as if they were not.

Ten moments are drawn at random; HRF_FAULTS_SEED draws others.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import pathlib
import random
import signal

import pytest
import runs
from runs import training
from test_killed_training import SEED

PHASES = {"export": 4, "ensemble": 4, "study": 2}
STUDY = """\
name: faults
output_folder: study
recipe: RAVDESS
data_folder: {corpus}
models: [speechformer]
modules: [Lightweight]
seeds: [1]
folds: [1]
overrides: {{number_of_epochs: 1}}
"""


def command(phase, folder, shared, trained):
    """The command of a phase, which writes into a folder of its own."""
    corpus, features = shared
    if phase == "export":
        return ["-m", "speechbrain_hrf.export", trained, folder / "model"]
    if phase == "study":
        study = folder / "study.yaml"
        study.write_text(STUDY.format(corpus=corpus))
        script = pathlib.Path(__file__).with_name("study_without_ray.py")
        return [script, study, folder / "study"]
    options = [
        {
            "seed": seed,
            "output_folder": str(folder / f"run {seed}"),
            "data_folder": str(corpus),
            "feature_folder": str(features),
            "number_of_epochs": 2,
        }
        for seed in (1, 2)
    ]
    listed = folder.with_name(f"{folder.name}.json")
    listed.write_text(json.dumps(options))
    recipe = training(folder, shared, "shared")[:2]
    return ["-m", "speechbrain_hrf.training.ensemble", *recipe, listed]


def left(phase, folder):
    """What a command has left that must not depend on the kill."""
    if phase == "export":
        return {
            path.name: path.read_bytes()
            for path in (folder / "model").iterdir()
            # These name the folder, or its kept time.
            if path.name not in ("README.md", "manifest.json")
        }
    if phase == "ensemble":
        return {str(k): runs.result(folder / f"run {k}") for k in (1, 2)}
    [line] = (folder / "study/trials.jsonl").read_text().splitlines()
    line = json.loads(line)
    return {key: line[key] for key in ("id", "test", "predicted")}


@pytest.fixture(scope="session")
def undisturbed_command(forks, shared, undisturbed):
    """A phase's command to which nothing happens, and its changes."""
    made = {}

    def get(phase):
        if phase not in made:
            trained = undisturbed("shared")[0] / "run"
            folder = forks.folder / f"undisturbed {phase}"
            folder.mkdir()
            record = forks.folder / f"{phase}.txt"
            fault = {"record": str(record), "under": f"{folder}/"}
            argv = command(phase, folder, shared, trained)
            status, said = forks(argv, forks.folder / "log.txt", fault)
            assert status == 0, said[-3000:]
            changes = record.read_text().splitlines()
            count = sum(x not in ("step", "save") for x in changes)
            made[phase] = left(phase, folder), count, trained
        return made[phase]

    return get


@pytest.mark.parametrize(
    ("phase", "number"),
    [(phase, k + 1) for phase, n in PHASES.items() for k in range(n)],
)
def test_after_a_kill_it_ends_as_if_nothing_had_been(
    forks, shared, undisturbed_command, tmp_path, count, phase, number
):
    expected, changes, trained = undisturbed_command(phase)
    chance = random.Random(f"{SEED} {phase} {number}")
    fault = {
        "under": f"{tmp_path}/",
        "at": "change",
        "n": chance.randint(1, changes),
        "do": "kill",
    }
    print(f"HRF_FAULTS_SEED={SEED}: {fault} of {changes}")
    argv = command(phase, tmp_path, shared, trained)
    log = tmp_path.with_name(f"{tmp_path.name}.log")
    killed, said = forks(argv, log, fault)
    assert killed == -signal.SIGKILL, said[-3000:]
    status, said = forks(argv, log)
    wrong = [said[-3000:]] if status else []
    if not wrong:
        wrong = runs.differences(left(phase, tmp_path), expected)
        wrong += runs.leftovers(tmp_path)
    count("commands", tried=1, lost=bool(wrong))
    assert not wrong, wrong
