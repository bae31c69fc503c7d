"""Two processes train as one does, and go on where they were stopped.

DDP over gloo on the CPU, as a user starts it with torchrun: half of each batch
in each process. Sums in another order differ by float32's rounding, which AdamW
amplifies from epoch to epoch as it would any perturbation, so that the curves
are compared over the first epochs; in float64 the weights themselves are, in
tests/lobes/test_ddp.py.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import re
import signal
import socket
import subprocess
import time

import pytest

pytestmark = pytest.mark.slow

BATCH = 8  # the stand-in's 200 training files are 25 of them
COMPARED = (1, 2)
TOLERANCE = 1e-4  # of losses around 2; log lines have four decimals


@pytest.fixture
def start(recipe_command):
    """Starts a run of some processes in a process group of its own."""

    def start_group(folder, model, processes):
        size = str(BATCH // processes)
        command = recipe_command(
            folder,
            *("--batch_size", size, "--hrf_modules", "[FFN2]"),
            *("--hrf_inner_norm", "False"),
            model=model,
            epochs=3,
        )
        if processes > 1:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            command[1:1] = [
                *("-m", "torch.distributed.run"),
                *(f"--nproc_per_node={processes}", f"--master_port={port}"),
            ]
            command.append("--distributed_backend=gloo")
        return subprocess.Popen(
            command,
            cwd=folder.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # If a process is aborted, its threads are seen.
            env={**os.environ, "PYTHONFAULTHANDLER": "1"},
            start_new_session=True,
        )

    return start_group


def end(process):
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output[-4000:]
    return output


def losses(folder):
    log = (folder / "train_log.txt").read_text()
    found = re.findall(r"epoch: (\d+), .* train loss: (\S+)", log)
    return {int(epoch): float(loss) for epoch, loss in found}


@pytest.mark.parametrize("model", ["convtransformer", "conformer"])
def test_two_processes_have_the_loss_curve_of_one(
    tmp_path, model, start, final_weights, assert_same
):
    one, two, apart = tmp_path / "one", tmp_path / "two", tmp_path / "apart"
    end(start(one, model, 1))
    end(start(two, model, 2))
    expected, found = losses(one), losses(two)
    assert list(expected) == list(found) == [1, 2, 3]
    for epoch in COMPARED:
        difference = abs(found[epoch] - expected[epoch])
        assert difference <= TOLERANCE, (expected, found)
    assert expected[1] - expected[2] > 100 * TOLERANCE  # control: it trained
    if model != "conformer":
        return

    # Killed after its first epoch, both processes at once, it goes on.
    process = start(apart, model, 2)
    deadline = time.time() + 300
    while time.time() < deadline and not any(
        apart.glob("save/CKPT*/CKPT.yaml")
    ):
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert "Loading a checkpoint" in end(start(apart, model, 2))
    assert losses(apart)[3] == losses(two)[3]
    assert_same(final_weights(apart), final_weights(two))
