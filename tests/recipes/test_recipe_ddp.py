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
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
import torch

pytestmark = pytest.mark.slow

REPOSITORY = pathlib.Path(__file__).parents[2]
SCRIPT = REPOSITORY / "recipes" / "RAVDESS" / "train.py"
BATCH = 8  # the stand-in's 200 training files are 25 of them
COMPARED = (1, 2)
TOLERANCE = 1e-4  # of losses around 2; log lines have four decimals


def start(folder, model, processes, epochs):
    """One run, in its own process group, as a user starts it."""
    launcher = [sys.executable]
    options = ["--batch_size", str(BATCH // processes)]
    if processes > 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        launcher += ["-m", "torch.distributed.run"]
        launcher += [f"--nproc_per_node={processes}", f"--master_port={port}"]
        options.append("--distributed_backend=gloo")
    return subprocess.Popen(
        [
            *launcher,
            str(SCRIPT),
            f"hparams/{model}_hrf.yaml",
            *("--output_folder", str(folder)),
            *("--number_of_epochs", str(epochs)),
            *("--device", "cpu", "--noprogressbar"),
            *options,
        ],
        cwd=folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(*arguments):
    process = start(*arguments)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output[-4000:]
    return output


def losses(folder):
    log = (folder / "train_log.txt").read_text()
    found = re.findall(r"epoch: (\d+), .* train loss: (\S+)", log)
    return {int(epoch): float(loss) for epoch, loss in found}


def weights(folder):
    (checkpoint,) = (folder / "save").glob("CKPT*")
    return torch.load(checkpoint / "classifier.ckpt", weights_only=True)


@pytest.mark.parametrize("model", ["convtransformer", "conformer"])
def test_two_processes_have_the_loss_curve_of_one(tmp_path, model):
    one, two, apart = tmp_path / "one", tmp_path / "two", tmp_path / "apart"
    run(one, model, 1, 3)
    run(two, model, 2, 3)
    expected, found = losses(one), losses(two)
    assert list(expected) == list(found) == [1, 2, 3]
    for epoch in COMPARED:
        difference = abs(found[epoch] - expected[epoch])
        assert difference <= TOLERANCE, (expected, found)
    assert expected[1] - expected[2] > 100 * TOLERANCE  # control: it trained
    if model != "conformer":
        return

    # Killed after its first epoch, both processes at once, it goes on.
    process = start(apart, model, 2, 3)
    deadline = time.time() + 300
    while time.time() < deadline and not any(
        apart.glob("save/CKPT*/CKPT.yaml")
    ):
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert "Loading a checkpoint" in run(apart, model, 2, 3)
    assert losses(apart)[3] == losses(two)[3]
    for key, tensor in weights(two).items():
        assert torch.equal(weights(apart)[key], tensor), key
