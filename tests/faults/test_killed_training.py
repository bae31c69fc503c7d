"""A training that is killed at any moment ends as if it had not been.

Forty moments are drawn at random; HRF_FAULTS_SEED draws others. After each
kill the same command runs to its end, and the weights, the optimizer's state,
the history and the scores are those of an undisturbed run, bit for bit.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import random
import signal

import pytest
import runs
from runs import training

SEED = os.environ.get("HRF_FAULTS_SEED", "1")
EACH = 8
# What the run makes itself, and which of its changes belong to a phase.
PHASES = {
    "preparation": ("own corpus", lambda path: "/run/" in path),
    "features": ("own features", lambda path: "/features" in path),
    "step": ("shared", None),
    "torch.save": ("shared", None),
    "checkpoint": ("shared", lambda path: "/run/" in path),
}


def draw(phase, number, record):
    """A moment: the fault that ends the run there."""
    chance = random.Random(f"{SEED} {phase} {number}")
    if phase == "step":
        last = record.count("step")
        return {"at": "step", "n": chance.randint(1, last), "do": "kill"}
    if phase == "torch.save":
        last, size = record.count("save"), chance.randint(1, 4000)
        n = chance.randint(1, last)
        return {"at": "save", "n": n, "bytes": size, "do": "kill"}
    if phase == "features" and number > EACH // 2:
        # Within a write. Logs and manifests are smaller, the features larger.
        size = chance.randint(500_000, 2_000_000)
        return {"at": "byte", "n": size, "do": "kill"}
    changes = [each for each in record if each not in ("step", "save")]
    belongs = PHASES[phase][1]
    if phase == "checkpoint":
        first = changes.index(next(x for x in changes if "history" in x))
    else:
        first = 0
    places = [
        k
        for k, path in enumerate(changes, start=1)
        if belongs(path) and k > first
    ]
    return {"at": "change", "n": chance.choice(places), "do": "kill"}


@pytest.mark.parametrize("number", range(1, EACH + 1))
@pytest.mark.parametrize("phase", PHASES)
def test_after_a_kill_it_ends_as_if_nothing_had_been(
    forks, shared, undisturbed, tmp_path, count, phase, number
):
    own = PHASES[phase][0]
    reference, record = undisturbed(own)
    fault = {"under": f"{tmp_path}/", **draw(phase, number, record)}
    print(f"HRF_FAULTS_SEED={SEED}: {fault}")
    command, log = training(tmp_path, shared, own), tmp_path.parent / "log.txt"
    killed, said = forks(command, log, fault)
    assert killed in (-signal.SIGKILL, -signal.SIGXFSZ), said[-3000:]
    status, said = forks(command, log)
    wrong = [said[-3000:]] if status else []
    if not wrong:
        found, expected = (
            runs.result(folder / "run") for folder in (tmp_path, reference)
        )
        wrong = runs.differences(found, expected) + runs.leftovers(tmp_path)
    count("killed", tried=1, lost=bool(wrong))
    assert not wrong, wrong
