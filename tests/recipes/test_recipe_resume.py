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
import time

import pytest

pytestmark = pytest.mark.slow

TESTS = pathlib.Path(__file__).parents[1]


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
    tmp_path,
    model,
    protocol,
    recipe_command,
    run_recipe,
    final_weights,
    assert_same,
):
    options = ["--ckpt_interval_steps", "2", "--protocol", protocol]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run_recipe(whole, *options, model=model, epochs=4)

    process = subprocess.Popen(
        recipe_command(broken, *options, model=model, epochs=4),
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

    resumed = run_recipe(broken, *options, model=model, epochs=4)
    assert "Loading a checkpoint" in resumed
    # Killed between an epoch's line in the log and its checkpoint, it ends that
    # epoch, and logs it, again.
    assert list(dict.fromkeys(epochs_logged(broken))) == ["1", "2", "3", "4"]
    assert_same(final_weights(broken), final_weights(whole))


def _safely(condition):
    try:
        return condition()
    except FileNotFoundError:  # a checkpoint that was deleted between looks
        return False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data_folder", "/nowhere/RAVDESS"], "/nowhere/RAVDESS"),
        (["--data_folder", os.fspath(TESTS)], "Actor_"),
        (["--hrf_modules", "[FFN_M1]"], "FFN_M1"),
        (["--hrf_ratio", "0"], "ratio is 0"),
        (
            ["--hrf_layers", "0", "--hrf_inner_norm", "False"],
            "extra layers is 0",
        ),
        (["--fold", "7"], "fold"),
        (["--protocol", "best_test_epoch"], "best_test_epoch"),
        (["--n_classes", "4"], "n_classes is 4"),
        (["--hrf_modules", "null"], "modules are None"),
        ([], "number_of_epochs is 0"),
    ],
    ids=lambda value: "".join(value[:1]) if isinstance(value, list) else "",
)
def test_bad_options_are_named(tmp_path, run_recipe, options, message):
    epochs = 1 if options else 0
    said = run_recipe(tmp_path / "a", *options, status=1, epochs=epochs)
    last = said.strip().splitlines()[-12:]
    assert message in "\n".join(last)
    assert not list((tmp_path / "a").glob("save/CKPT*"))
    assert not (tmp_path / "a" / "pretrained").exists()


def test_other_runs_leave_the_finished_one_as_it_was(tmp_path, run_recipe):
    """One that is refused, one to debug; the same again is not trained."""
    folder = tmp_path / "a"
    run_recipe(folder)
    run_recipe(folder)
    assert epochs_logged(folder) == ["1"]
    before = contents(folder)
    for other in (
        ["--hrf_modules", "[]"],
        ["--fold", "2"],
        ["--lr", "0.5"],
        ["--activation", "!name:torch.nn.GELU"],
    ):
        said = run_recipe(folder, *other, status=1)
        assert "its own --output_folder" in said
        assert contents(folder) == before
    run_recipe(folder, "--debug")
    for name in ("test_metrics.json", "confusion_matrix.png"):
        assert contents(folder)[name] == before[name]


def test_data_are_compared_without_preparation_too(tmp_path, run_recipe):
    """Manifests that were written by hand, and changed after the training."""
    folder = tmp_path / "a"
    run_recipe(folder)
    note = (folder / "save" / "trained_on.json").read_bytes()
    manifest = folder / "manifests" / "train.json"
    text = manifest.read_text()
    manifest.write_text(text.replace("neutral", "calm"))
    assert text != manifest.read_text()
    said = run_recipe(folder, "--skip_prep", "True", status=1)
    assert "the train set changed since" in said
    manifest.write_text(text)
    (folder / "save" / "trained_on.json").unlink()
    run_recipe(folder, "--skip_prep", "True")
    assert (folder / "save" / "trained_on.json").read_bytes() == note


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "corpus" not in path.parts
    }
