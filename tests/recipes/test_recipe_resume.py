"""A stopped run goes on where it was; a bad start says what is wrong.

The recipes run as users run them, in processes of their own, on the stand-in
corpus.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest
import torch

pytestmark = pytest.mark.slow

REPOSITORY = pathlib.Path(__file__).parents[2]
SCRIPT = REPOSITORY / "recipes" / "RAVDESS" / "train.py"


def command(output_folder, *options, model="speechformer"):
    return [
        sys.executable,
        str(SCRIPT),
        f"hparams/{model}_hrf.yaml",
        "--output_folder",
        str(output_folder),
        "--noprogressbar",
        "--device",
        "cpu",
        *options,
    ]


def run(output_folder, *options, **model):
    return subprocess.run(
        command(output_folder, *options, **model),
        cwd=output_folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )


def final_weights(output_folder):
    # The newest: the held-out protocol keeps the best one besides.
    checkpoint = max((output_folder / "save").glob("CKPT*"))
    return {
        name: torch.load(checkpoint / f"{name}.ckpt", weights_only=True)
        for name in ("embedding_model", "classifier")
    }


def epochs_logged(output_folder):
    log = (output_folder / "train_log.txt").read_text()
    return re.findall(r"^epoch: (\d+), .*", log, re.MULTILINE)


def wait_for(folder, condition, process):
    deadline = time.time() + 300
    while time.time() < deadline:
        if condition():
            return
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    raise AssertionError(f"{folder} never got there")


@pytest.mark.parametrize(
    ("model", "protocol"),
    [("speechformer", "paper"), ("conformer", "held_out")],
)
def test_killed_in_an_epoch_it_ends_as_if_it_had_not_been(
    tmp_path, model, protocol
):
    options = ["--number_of_epochs", "4", "--ckpt_interval_steps", "2"]
    options += ["--protocol", protocol]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run(whole, *options, model=model).returncode == 0

    process = subprocess.Popen(
        command(broken, *options, model=model),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def in_a_later_epoch():
        # Saving the end of an epoch removes what was saved within it, so
        # both kinds are there only in the epochs after the first.
        marks = [path.read_text() for path in broken.glob("save/*/CKPT.yaml")]
        ends = ["end-of-epoch: true" in mark for mark in marks]
        return any(ends) and not all(ends)

    try:
        wait_for(broken, lambda: _safely(in_a_later_epoch), process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    finally:
        process.kill()

    resumed = run(broken, *options, model=model)
    assert resumed.returncode == 0, resumed.stdout
    assert "Loading a checkpoint" in resumed.stdout
    # Killed between an epoch's line in the log and its checkpoint, it ends that
    # epoch, and logs it, again.
    assert list(dict.fromkeys(epochs_logged(broken))) == ["1", "2", "3", "4"]
    expected, found = final_weights(whole), final_weights(broken)
    for name, state in expected.items():
        for key, tensor in state.items():
            assert torch.equal(found[name][key], tensor), (name, key)


def _safely(condition):
    try:
        return condition()
    except FileNotFoundError:  # a checkpoint that was deleted between looks
        return False


def test_finished_runs_are_not_trained_again(tmp_path):
    options = ["--number_of_epochs", "1"]
    assert run(tmp_path / "a", *options).returncode == 0
    again = run(tmp_path / "a", *options)
    assert again.returncode == 0
    assert epochs_logged(tmp_path / "a") == ["1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data_folder", "/nowhere/RAVDESS"], "/nowhere/RAVDESS"),
        (["--data_folder", os.fspath(REPOSITORY / "tests")], "Actor_"),
        (["--hrf_modules", "[FFN_M1]"], "FFN_M1"),
        (["--hrf_ratio", "0"], "ratio is 0"),
        (["--hrf_layers", "0"], "extra layers is 0"),
        (["--fold", "7"], "fold"),
        (["--protocol", "best_test_epoch"], "best_test_epoch"),
        (["--n_classes", "4"], "n_classes is 4"),
        (["--hrf_modules", "null"], "modules are None"),
        (["--number_of_epochs", "0"], "number_of_epochs is 0"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_options_are_named(tmp_path, options, message):
    if "--number_of_epochs" not in options:
        options = ["--number_of_epochs", "1", *options]
    result = run(tmp_path / "a", *options)
    assert result.returncode != 0
    last = result.stdout.strip().splitlines()[-12:]
    assert message in "\n".join(last)
    assert not list((tmp_path / "a").glob("save/CKPT*"))
    assert not (tmp_path / "a" / "pretrained").exists()


def test_a_refused_or_debug_run_leaves_the_finished_one_as_it_was(tmp_path):
    options = ["--number_of_epochs", "1"]
    folder = tmp_path / "a"
    assert run(folder, *options).returncode == 0
    before = contents(folder)
    for other in (
        ["--hrf_modules", "[]"],
        ["--fold", "2"],
        ["--lr", "0.5"],
        ["--activation", "!name:torch.nn.GELU"],
    ):
        refused = run(folder, *options, *other)
        assert refused.returncode != 0
        assert "its own --output_folder" in refused.stdout
        assert contents(folder) == before
    assert run(folder, *options, "--debug").returncode == 0
    for name in ("test_metrics.json", "confusion_matrix.png"):
        assert contents(folder)[name] == before[name]


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "corpus" not in path.parts
    }
