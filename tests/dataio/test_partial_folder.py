"""What is being made stays; what a killed process has left goes at once."""

import os
import signal
import time

import pytest

from speechbrain_hrf.dataio import partial_folder as module
from speechbrain_hrf.dataio.partial_folder import (
    partial_folder,
    remove_abandoned,
)

needs_locks = pytest.mark.skipif(
    module.fcntl is None, reason="the system has no locks"
)


@pytest.fixture
def filling(tmp_path):
    """A process that fills a folder, and one forked from it, as a loader's."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with partial_folder(tmp_path / "cache") as content:
            (content / "data").write_text("data")
            worker = os.fork()
            if worker != 0:
                os.write(write, str(worker).encode())
            while True:
                time.sleep(1)
    worker = int(os.read(read, 20))
    yield child
    os.kill(worker, signal.SIGKILL)
    os.close(read)
    os.close(write)


def kill(process):
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def age(partial):
    for path in [partial, *partial.rglob("*")]:
        os.utime(path, (time.time() - 7200,) * 2)


@needs_locks
def test_a_dead_process_s_goes_at_once(filling, tmp_path):
    (partial,) = tmp_path.iterdir()
    # However long it has not written: it lives.
    age(partial)
    remove_abandoned(tmp_path)
    assert (partial / "content" / "data").exists()
    # Although the process that was forked from it lives on.
    kill(filling)
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []


def another_machine_s(partial):
    (partial / "lock").write_text("another machine")


def without_a_lock(partial):
    (partial / "lock").unlink()


def not_locked_yet(partial):
    (partial / "lock").write_text("")


@needs_locks
@pytest.mark.parametrize(
    "change", [another_machine_s, without_a_lock, not_locked_yet]
)
def test_what_no_lock_tells_about_stays_for_an_hour(filling, tmp_path, change):
    kill(filling)
    (partial,) = tmp_path.iterdir()
    change(partial)
    remove_abandoned(tmp_path)
    assert partial.exists()
    age(partial)
    remove_abandoned(tmp_path)
    assert not partial.exists()


def test_without_locks(filling, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "fcntl", None)
    kill(filling)
    remove_abandoned(tmp_path)
    (partial,) = tmp_path.iterdir()
    age(partial)
    with partial_folder(tmp_path / "cache") as content:
        remove_abandoned(tmp_path)
        assert list(tmp_path.iterdir()) == [content.parent]


@needs_locks
def test_one_s_own_stay(tmp_path):
    with partial_folder(tmp_path / "cache") as content:
        for _ in range(2):
            remove_abandoned(tmp_path)
            child = os.fork()
            if child == 0:
                module._own.clear()
                remove_abandoned(tmp_path)
                os._exit(0)
            os.waitpid(child, 0)
            assert content.exists()


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        with partial_folder(tmp_path / "features" / "cache") as content:
            (content / "data").write_text(str(1 / 0))
    assert list((tmp_path / "features").iterdir()) == []
