"""Killed at any moment, saving leaves nothing that looks like a checkpoint."""

import pytest
import torch
from speechbrain.utils.checkpoints import Checkpointer
from speechbrain.utils.epoch_loop import EpochCounter

from speechbrain_hrf.training.checkpoints import AtomicCheckpointer


class Killed(BaseException):
    """Not an Exception: nothing may catch it on the way."""


def saver_that_dies(obj, path):
    path.write_bytes(b"")  # the file is begun
    raise Killed


def save_and_die(kind, folder):
    """A good checkpoint, then one whose second file is never finished."""
    model = torch.nn.Linear(2, 1)
    checkpointer = kind(folder, {"a": model, "b": model})
    good = checkpointer.save_checkpoint()
    checkpointer.custom_save_hooks["b"] = saver_that_dies
    with pytest.raises(Killed):
        checkpointer.save_checkpoint()
    return model, good


def test_the_last_whole_checkpoint_is_found(tmp_path):
    model, good = save_and_die(AtomicCheckpointer, tmp_path)
    again = AtomicCheckpointer(tmp_path, {"a": model, "b": model})
    assert again.recover_if_possible().path == good.path
    # What the killed run left goes with the next save.
    newer = again.save_checkpoint()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [good.path.name, newer.path.name]
    )


def test_control_speechbrain_takes_the_broken_one(tmp_path):
    model, _ = save_and_die(Checkpointer, tmp_path)
    with pytest.raises(EOFError):
        Checkpointer(tmp_path, {"a": model, "b": model}).recover_if_possible()


def test_names_do_not_collide_within_a_second(tmp_path):
    checkpointer = AtomicCheckpointer(tmp_path, {"a": torch.nn.Linear(2, 1)})
    paths = [checkpointer.save_checkpoint().path for _ in range(4)]
    assert len(set(paths)) == 4
    assert all((path / "a.ckpt").is_file() for path in paths)


def test_keeping_only_some_still_works(tmp_path):
    checkpointer = AtomicCheckpointer(tmp_path, {"a": torch.nn.Linear(2, 1)})
    for score in (0.1, 0.9, 0.5):
        checkpointer.save_and_keep_only(meta={"UA": score}, max_keys=["UA"])
    kept = [c.meta["UA"] for c in checkpointer.list_checkpoints()]
    assert sorted(kept) == [0.5, 0.9]
    assert checkpointer.find_checkpoint(max_key="UA").meta["UA"] == 0.9


def set_back(monkeypatch):
    """Each look at the clock tells an hour earlier than the last one."""
    times = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(
        "speechbrain.utils.checkpoints.time.time", lambda: float(next(times))
    )


def counted(folder, limit=9):
    counter = EpochCounter(limit)
    return counter, AtomicCheckpointer(folder, {"counter": counter})


def test_a_clock_that_goes_back_does_not_matter(tmp_path, monkeypatch):
    """Which are kept, which is recovered, also by another process."""
    set_back(monkeypatch)
    counter, checkpointer = counted(tmp_path)
    for epoch in counter:
        checkpointer.save_checkpoint(end_of_epoch=False)
        checkpointer.save_and_keep_only(
            meta={"epoch": epoch, "UA": 0.5 if epoch > 2 else 0.1},
            max_keys=["UA"],
        )
        (kept,) = checkpointer.list_checkpoints()
        assert kept.meta["epoch"] == epoch and kept.meta["end-of-epoch"]
    again, resumed = counted(tmp_path)
    assert resumed.recover_if_possible().meta["epoch"] == again.current == 9
    # Of equally good ones the newest.
    assert resumed.find_checkpoint(max_key="UA").meta["epoch"] == 9


def test_control_speechbrain_goes_by_the_clock(tmp_path, monkeypatch):
    set_back(monkeypatch)
    checkpointer = Checkpointer(tmp_path, {"a": torch.nn.Linear(2, 1)})
    for epoch in (1, 2):
        checkpointer.save_checkpoint(meta={"epoch": epoch})
    assert checkpointer.find_checkpoint().meta["epoch"] == 1
