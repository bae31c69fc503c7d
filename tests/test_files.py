"""Whole files, folders and lines only, whoever writes and is killed.

Authors
 * The speechbrain_hrf authors 2026
"""

import errno
import multiprocessing
import os
import signal
import time

import pytest

from speechbrain_hrf import files
from speechbrain_hrf.files import (
    append_line,
    locked,
    partial_folder,
    read_lines,
    remove_abandoned,
    whole_file,
    whole_folder,
    write_whole,
)


def test_an_error_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    with pytest.raises(ZeroDivisionError):
        with whole_file(path) as partial:
            partial.write_text("half")
            assert path.read_text() == "old" and partial.suffix == ".txt"
            1 / 0  # noqa: B018
    with pytest.raises(IsADirectoryError):
        (tmp_path / "folder").mkdir()
        write_whole(tmp_path / "folder", b"new")
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "folder"]
    write_whole(path, "new\n")
    assert path.read_bytes() == b"new\n"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            OSError(errno.ENOSPC, "no space"),
            r"\[Errno 28\] no space: '.*a.txt'",
        ),
        (OSError("words of its own"), "^words of its own$"),
    ],
)
def test_an_error_that_names_no_file(tmp_path, error, says):
    """As a write to a full disk ends."""
    with pytest.raises(OSError, match=says), whole_file(tmp_path / "a.txt"):
        raise error


def test_a_line_for_which_there_is_no_room(tmp_path, short_files):
    append_line(tmp_path / "a.jsonl", {"seed": 1})
    full = pytest.raises(OSError, match="File too large: '.*a.jsonl'")
    with short_files(20), full:
        append_line(tmp_path / "a.jsonl", {"seed": 100_000})
    append_line(tmp_path / "a.jsonl", {"seed": 2})
    seeds = [line["seed"] for line in read_lines(tmp_path / "a.jsonl")]
    assert seeds == [1, 2]


def test_a_lock_is_held_by_one(tmp_path):
    with locked(tmp_path / "lock"):
        with pytest.raises(TimeoutError):
            with locked(tmp_path / "lock", seconds=0):
                pass
        assert os.listdir(tmp_path) == ["lock"]
    assert os.listdir(tmp_path) == []


def test_a_whole_folder_stays_and_another_is_replaced(tmp_path):
    def fill(text, is_whole):
        with whole_folder(tmp_path / "cache", is_whole) as folder:
            (folder / "data").write_text(text)
        assert os.listdir(tmp_path) == ["cache"]
        return (tmp_path / "cache" / "data").read_text()

    assert fill("first", None) == "first"
    assert fill("second", lambda place: True) == "first"
    assert fill("third", lambda place: False) == "third"
    assert os.listdir(tmp_path / "cache") == ["data"]


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
    (partial / "machine").write_text("another machine")


def not_named_yet(partial):
    (partial / "machine").write_text("")


@pytest.mark.parametrize("change", [another_machine_s, not_named_yet])
def test_what_no_lock_tells_about_stays_for_an_hour(filling, tmp_path, change):
    kill(filling)
    (partial,) = tmp_path.iterdir()
    change(partial)
    remove_abandoned(tmp_path)
    assert partial.exists()
    age(partial)
    remove_abandoned(tmp_path)
    assert not partial.exists()


def test_what_was_killed_before_it_was_named_goes_at_once(filling, tmp_path):
    kill(filling)
    (partial,) = tmp_path.iterdir()
    (partial / "machine").unlink()
    remove_abandoned(tmp_path)
    assert not partial.exists()


def test_one_that_is_taken_for_a_killed_one_s_begins_again(
    tmp_path, monkeypatch
):
    """Before it holds its lock, a folder of the living looks like that."""
    lock, removed = files.locked, []

    def late(path, **options):
        if not removed:
            removed.append(path.parent)
            remove_abandoned(tmp_path)
            assert not path.parent.exists()
        return lock(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(files, "locked", late)
        # remove_abandoned's own call comes second, so it is the real one.
        with partial_folder(tmp_path / "cache") as content:
            assert content.is_dir() and content.parent != removed[0]
    assert list(tmp_path.iterdir()) == []


def test_without_locks(filling, tmp_path, monkeypatch):
    def no_locks(*arguments, **options):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(files, "FileLock", no_locks)
    kill(filling)
    remove_abandoned(tmp_path)
    (partial,) = tmp_path.iterdir()
    age(partial)
    with partial_folder(tmp_path / "cache") as content:
        remove_abandoned(tmp_path)
        assert list(tmp_path.iterdir()) == [content.parent]


def test_one_s_own_stay(tmp_path):
    with partial_folder(tmp_path / "cache") as content:
        for _ in range(2):
            remove_abandoned(tmp_path)
            child = os.fork()
            if child == 0:
                remove_abandoned(tmp_path)
                os._exit(0)
            os.waitpid(child, 0)
            assert content.exists()


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        with partial_folder(tmp_path / "features" / "cache") as content:
            (content / "data").write_text(str(1 / 0))
    assert list((tmp_path / "features").iterdir()) == []


def _append_many(path, writer):
    for k in range(50):
        append_line(path, {"writer": writer, "k": k, "pad": "x" * 5000})


def test_lines_of_many_processes_stay_whole(tmp_path):
    path = tmp_path / "x.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_append_many, args=(path, name))
        for name in range(2)
    ]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
    assert os.listdir(tmp_path) == [path.name]
    lines = read_lines(path)
    assert len(lines) == 100
    for writer in range(2):
        assert [x["k"] for x in lines if x["writer"] == writer] == list(
            range(50)
        )


def test_a_torn_last_line_is_named_and_cut_by_the_next(tmp_path, caplog):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a": 2')
    assert read_lines(path) == [{"a": 1}]
    append_line(path, {"a": 3})
    assert read_lines(path) == [{"a": 1}, {"a": 3}]
    assert path.read_text() == '{"a": 1}\n{"a":3}\n'


def test_the_warning_names_file_and_line(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "speechbrain_hrf.files.logger.warning",
        lambda text, *values: seen.append(text % values),
    )
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n')
    read_lines(path)
    assert seen == []
    path.write_text('{"a": 1}\n{"a"')
    read_lines(path)
    assert "x.jsonl ends within line 2" in seen[0]


def test_a_read_only_folder_is_read(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a": 2')
    tmp_path.chmod(0o500)
    try:
        assert read_lines(path) == [{"a": 1}]
    finally:
        tmp_path.chmod(0o700)


def test_damage_within_is_an_error_that_names_the_line(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a"\n{"a": 3}\n')
    with pytest.raises(ValueError, match=r"x\.jsonl, line 2 is not valid JSON"):
        read_lines(path)
    path.write_text('{"a": 1}\n{"b": 3}\n')
    with pytest.raises(ValueError, match=r"x\.jsonl, line 2 has no 'a'\. Rem"):
        read_lines(path, needs=["a"])


def test_what_does_not_fit_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "x.jsonl"
    append_line(path, {"a": 1})
    with pytest.raises(TypeError):
        append_line(path, {"a": object()})
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_line(path, {"a": float("inf")})
    assert read_lines(path) == [{"a": 1}]


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "lines.jsonl")
    with pytest.raises(ValueError, match="lines.jsonl: it is a named pipe"):
        read_lines(tmp_path / "lines.jsonl")
