"""Runs of an ensemble end as those of train.py do, whatever comes between.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import torch
from ensemble_runs import (
    ARMS,
    SCRIPT,
    VARIANTS,
    as_train_py,
    hparams_file,
    runs_of,
)

from speechbrain_hrf.training.ensemble import group, train_ensemble
from speechbrain_hrf.training.ensemble.snapshot import STATE
from speechbrain_hrf.training.history import read_history

pytestmark = pytest.mark.usefixtures("one_thread")

MODEL = "speechformer"
NORMALISED = ARMS["ALL + FRONT normalised"]


def train(runs, **options):
    return train_ensemble(SCRIPT, hparams_file(MODEL), runs, **options)


def checkpoints(run):
    """Epoch to the checkpoint's files."""
    found = {}
    for path in pathlib.Path(run["output_folder"], "save").glob("CKPT*"):
        content = {
            name: torch.load(path / f"{name}.ckpt", weights_only=False)
            for name in ("embedding_model", "classifier", "optimizer")
        }
        found[int((path / "epoch_counter.ckpt").read_text())] = content
    return found


def assert_same(mine, theirs):
    """Nested dictionaries of tensors, bit by bit."""
    assert type(mine) is type(theirs)
    if isinstance(mine, dict):
        assert mine.keys() == theirs.keys()
        for key in mine:
            assert_same(mine[key], theirs[key])
    elif isinstance(mine, torch.Tensor):
        assert torch.equal(mine, theirs)
    else:
        assert mine == theirs


def as_lists(run):
    """What each epoch has left, as plain numbers."""
    return [list(line.values()) for line in read_history(run["output_folder"])]


def assert_same_runs(mine, theirs):
    for run, other in zip(mine, theirs, strict=True):
        assert as_lists(run) == as_lists(other)
        assert_same(checkpoints(run), checkpoints(other))


OPTIONS = {**NORMALISED, "protocol": "held_out", "number_of_epochs": 3}


@pytest.fixture(scope="module")
def whole(corpus, tmp_path_factory):
    """Runs that were neither stopped nor taken apart."""
    folder = tmp_path_factory.mktemp("whole")
    runs = runs_of(corpus, folder, VARIANTS, **OPTIONS)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    train(runs)
    torch.set_num_threads(threads)
    return runs


def test_folders_are_those_of_train_py(corpus, recipe, tmp_path):
    """Then train.py's own loop goes on from them."""
    runs = runs_of(corpus, tmp_path, VARIANTS[:2], **NORMALISED)
    [metrics, other] = train(runs)
    folder = pathlib.Path(runs[0]["output_folder"])
    assert metrics == folder / "test_metrics.json"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("hyperparams.yaml", "manifests", "save", "train_log.txt", "env.log"),
        *("history.jsonl", "test_metrics.json", "train.py"),
    }
    results, others = (json.loads(p.read_text()) for p in (metrics, other))
    assert results["epoch"] == 1 and results["n_test"] == 17
    assert (folder / results["checkpoint"] / "CKPT.yaml").is_file()
    assert results["max_merge_difference"] < 1e-4
    assert (results["split"], others["split"]) == ("fold 1", "fold 2")
    assert others["n_test"] == 20
    manifest = json.loads((folder / "manifests" / "test.json").read_text())
    assert results["predicted"].keys() == manifest.keys()
    assert not list((folder / "save").glob(STATE))
    before = checkpoints(runs[0])[1]
    brain = as_train_py(recipe, MODEL, {**runs[0], "number_of_epochs": 2})
    assert brain.hparams.epoch_counter.current == 2
    steps = {s["step"].item() for s in brain.optimizer.state.values()}
    assert steps == {14} and brain.optimizer_step == 14
    assert before["optimizer"]["state"][0]["step"] == 7


def test_a_larger_number_of_epochs_goes_on(corpus, whole, tmp_path):
    """In stages or at once: the same bits. What is over is left alone."""
    stages = runs_of(corpus, tmp_path, VARIANTS, **OPTIONS)
    first = [{**run, "number_of_epochs": 1} for run in stages]
    [metrics, *_] = train(first)
    written = metrics.stat().st_mtime_ns
    train(first)
    assert metrics.stat().st_mtime_ns == written
    train(stages)
    assert metrics.stat().st_mtime_ns > written
    assert_same_runs(stages, whole)


def test_each_rate_is_halved_by_its_own_loss(corpus, recipe, tmp_path):
    """As train.py halves it; here whenever a loss has risen."""
    variants = [{"seed": 1, "lr": 0.001}, {"seed": 2, "lr": 0.2}]
    options = {"hrf_modules": [], "number_of_epochs": 5, "lr_patience": 0}
    options["batch_size"] = 32
    runs = runs_of(corpus, tmp_path / "together", variants, **options)
    train(runs)
    halvings = set()
    for mine, alone in zip(
        runs,
        runs_of(corpus, tmp_path / "alone", variants, **options),
        strict=True,
    ):
        as_train_py(recipe, MODEL, alone)
        found = [line["lr"] for line in read_history(mine["output_folder"])]
        theirs = [line["lr"] for line in read_history(alone["output_folder"])]
        assert found == theirs
        halvings.add(found[0] / found[-1])
    assert len(halvings) == 2  # control: not by a common loss


def test_the_held_out_actors_choose_the_epoch(corpus, tmp_path):
    options = {**NORMALISED, "protocol": "held_out", "number_of_epochs": 4}
    variants = [{"seed": seed, "lr": 0.01} for seed in (1, 2)]
    runs = runs_of(corpus, tmp_path / "best", variants, **options)
    last = runs_of(
        corpus, tmp_path / "last", variants, **options, scored_epoch="last"
    )
    chosen = set()
    for run, path in zip(runs, train(runs), strict=True):
        lines = read_history(run["output_folder"])
        best = max(lines, key=lambda line: (line["valid_UA"], line["epoch"]))
        assert json.loads(path.read_text())["epoch"] == best["epoch"]
        assert checkpoints(run).keys() == {best["epoch"], 4}
        chosen.add(best["epoch"])
    assert chosen != {4}  # control
    for mine, theirs, path in zip(runs, last, train(last), strict=True):
        assert json.loads(path.read_text())["epoch"] == 4
        assert_same(checkpoints(mine)[4], checkpoints(theirs)[4])


class Stopped(BaseException):
    """As a signal, it is caught nowhere."""


def test_stopped_between_and_within_epochs(
    corpus, whole, tmp_path, monkeypatch
):
    """The same bits as without, from the last epoch that had ended."""
    runs = runs_of(corpus, tmp_path, VARIANTS, **OPTIONS)
    saved, stepped = group.save_state, group.Stack.step
    count = {"saved": 0, "steps": 0}

    def save(*arguments):  # all after one epoch, then two of three
        if count["saved"] == 5:
            raise Stopped
        count["saved"] += 1
        saved(*arguments)

    def step(self, *arguments):
        count["steps"] += 1
        if count["steps"] == 8:
            raise Stopped
        return stepped(self, *arguments)

    monkeypatch.setattr(group, "save_state", save)
    with pytest.raises(Stopped):
        train(runs)
    monkeypatch.setattr(group.Stack, "step", step)
    count.update(saved=-10, steps=0)
    with pytest.raises(Stopped):
        train(runs)
    monkeypatch.undo()
    train(runs)
    assert_same_runs(runs, whole)


def test_what_does_not_fit_is_trained_in_halves(
    corpus, whole, tmp_path, monkeypatch
):
    """Found by trying; the epoch that has ended is not trained again."""
    runs = runs_of(corpus, tmp_path, VARIANTS, **OPTIONS)
    stepped, sizes = group.Stack.step, []

    def step(self, rows, active):
        sizes.append(len(rows))
        if len(rows) == 3 and len(sizes) > 8 or len(rows) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return stepped(self, rows, active)

    monkeypatch.setattr(group.Stack, "step", step)
    train(runs)
    # 6 steps a stacked epoch, since the folds' last batches differ; 5 alone
    assert [sizes.count(n) for n in (3, 2, 1)] == [9, 1, 3 * 2 * 5]
    for mine, theirs in zip(runs, whole, strict=True):
        for found, line in zip(as_lists(mine), as_lists(theirs), strict=True):
            # Sums in another order; its effect on scores is one utterance's.
            assert found[:3] == pytest.approx(line[:3], rel=1e-4)
            assert found == pytest.approx(line, abs=0.1)


def test_one_model_that_does_not_fit(corpus, tmp_path, monkeypatch):
    def step(self, rows, active):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to ...")

    monkeypatch.setattr(group.Stack, "step", step)
    with pytest.raises(RuntimeError, match="One model alone does not fit"):
        train(runs_of(corpus, tmp_path, VARIANTS[:2], hrf_modules=[]))


def test_a_device_that_vanishes(corpus, tmp_path, monkeypatch):
    """One sentence; the epoch that has ended is kept."""
    options = {"hrf_modules": [], "number_of_epochs": 2}
    runs = runs_of(corpus, tmp_path, VARIANTS[:1], **options)
    stepped, steps = group.Stack.step, []

    def step(self, *arguments):
        steps.append(0)
        if len(steps) == 10:
            raise RuntimeError("CUDA error: device unavailable\nCompile with")
        return stepped(self, *arguments)

    monkeypatch.setattr(group.Stack, "step", step)
    with pytest.raises(
        RuntimeError, match="cpu cannot be used any more .*kept"
    ):
        train(runs)
    train(runs)
    assert len(steps) == 10 + 7
    with pytest.raises(RuntimeError, match="finds no GPU here: give cpu"):
        torch.cuda.is_available() and pytest.skip("there is a GPU")
        train(runs, device="cuda")


def test_a_loss_that_is_not_finite_ends_its_own_run_alone(corpus, tmp_path):
    variants = [{"seed": 1, "lr": 0.001}, {"seed": 1, "lr": 1e30}]
    runs = runs_of(corpus, tmp_path, variants, **NORMALISED)
    with pytest.raises(ValueError, match="1 of 2 runs .*/1: the loss of") as e:
        train(runs)
    assert str(tmp_path / "0") not in str(e.value)
    assert (tmp_path / "0" / "test_metrics.json").is_file()
    assert not (tmp_path / "1" / "test_metrics.json").exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("distil_from", "results/teacher", "distil_from is results/teacher"),
        ("hrf_lr_scale", 0.5, "hrf_lr_scale is 0.5"),
        ("features", "hubert", "features is hubert"),
        ("record_steps", 5, "record_steps is 5"),
        ("skip_prep", True, "skip_prep is True"),
    ],
)
def test_options_that_are_refused(corpus, tmp_path, option, value, message):
    runs = runs_of(corpus, tmp_path, VARIANTS[:1], **{option: value})
    with pytest.raises(ValueError, match=f"{message}.* one by one"):
        train(runs)


def test_runs_that_are_refused(corpus, tmp_path):
    runs = runs_of(corpus, tmp_path, VARIANTS[:2])
    with pytest.raises(
        ValueError, match="runs differ in batch_size, hrf_ratio"
    ):
        train([runs[0], {**runs[1], "hrf_ratio": 4, "batch_size": 2}])
    with pytest.raises(ValueError, match="output_folder is .* for 2 runs"):
        train([runs[0], {**runs[1], "output_folder": runs[0]["output_folder"]}])
    with pytest.raises(ValueError, match="no option hrf_ration .* hrf_ratio"):
        train([{**runs[0], "hrf_ration": 4}])
    with pytest.raises(ValueError, match="list of runs is empty"):
        train([])
    for other in (runs[0], ["seed"], [1], "runs", None):
        with pytest.raises(ValueError, match="no list of objects, one a run"):
            train(other)


def test_another_run_s_state_is_refused(corpus, tmp_path, monkeypatch):
    runs = runs_of(corpus, tmp_path, VARIANTS[:1], number_of_epochs=2)
    saved = group.save_state

    def save(*arguments):
        saved(*arguments)
        raise Stopped

    monkeypatch.setattr(group, "save_state", save)
    with pytest.raises(Stopped):
        train(runs)
    monkeypatch.undo()
    options = pathlib.Path(runs[0]["output_folder"], "hyperparams.yaml")
    before = options.read_bytes()
    for other, message in (
        ({"lr": 0.5}, "other options: lr is 0.5"),
        (
            {"number_of_epochs": 0},
            "1 epochs, and number_of_epochs is 0: give 1",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            train([{**runs[0], **other}])
        assert options.read_bytes() == before
    note = options.parent / "save" / "trained_on.json"
    data = note.read_text()
    note.write_text(data.replace('"train"', '"others"'))
    with pytest.raises(
        ValueError, match="the others and the train set changed"
    ):
        train([{**runs[0], "number_of_epochs": 3}])
    assert options.read_bytes() == before
    note.write_text(data)
    train(runs)  # in the end it goes on


@pytest.mark.slow
def test_killed_by_a_signal(corpus, tmp_path):
    """The command, killed between two epochs, and started again."""
    options = {**NORMALISED, "number_of_epochs": 6}
    runs = runs_of(corpus, tmp_path / "killed", VARIANTS, **options)
    whole = runs_of(corpus, tmp_path / "whole", VARIANTS, **options)
    for name, each in ("killed", runs), ("whole", whole):
        (tmp_path / f"{name}.json").write_text(json.dumps(each))
    command = [sys.executable, "-m", "speechbrain_hrf.training.ensemble"]
    command += [str(SCRIPT), f"hparams/{MODEL}_hrf.yaml"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    history = tmp_path / "killed" / "2" / "history.jsonl"
    process = subprocess.Popen(
        [*command, str(tmp_path / "killed.json")], env=environment
    )
    deadline = time.monotonic() + 300
    while len(read_history(history.parent)) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (history.parent / "test_metrics.json").exists()
    for name in "killed", "whole":
        done = subprocess.run(
            [*command, str(tmp_path / f"{name}.json")],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        assert len(done.stdout.split()[-3:]) == 3
    assert_same_runs(runs, whole)


@pytest.mark.slow
def test_a_run_is_exported_as_any_other(corpus, tmp_path):
    runs = runs_of(corpus, tmp_path, VARIANTS[:2], **NORMALISED)
    train(runs)
    target = tmp_path / "exported"
    subprocess.run(
        [
            *(sys.executable, "-m", "speechbrain_hrf.export"),
            *(runs[1]["output_folder"], str(target)),
        ],
        check=True,
    )
    assert (target / "hyperparams.yaml").is_file()
