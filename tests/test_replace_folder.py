"""A target folder is the old one or the new one, whatever happens.

Authors
 * The speechbrain_hrf authors 2026
"""

import errno
import os
import shutil
import sys

import pytest

from speechbrain_hrf.export import folder as folders

OLD = {"a.txt": "old", "only_old.txt": "x"}
NEW = {"a.txt": "new", "only_new.txt": "y"}
DIED = 9


def content(folder):
    """Text of each file."""
    return {path.name: path.read_text() for path in folder.iterdir()}


def fill(folder, files):
    """Writes files."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def replace(target, is_ours=lambda path: None):
    """An export in miniature."""
    with folders.replaced(target, is_ours) as staging:
        fill(staging, NEW)


@pytest.fixture(params=["exchange", "two renames"])
def swap(request, monkeypatch):
    """Both ways of putting the new folder in place."""
    if request.param == "two renames":
        monkeypatch.setattr(folders, "exchange", lambda a, b: False)
    elif sys.platform != "linux":
        pytest.skip("renameat2 is Linux's")
    return request.param


def test_new_target_with_parents(tmp_path):
    """Missing parents are created; nothing else is left."""
    target = tmp_path / "deep" / "er" / "model"
    replace(target)
    assert content(target) == NEW
    assert os.listdir(target.parent) == ["model"]


@pytest.mark.parametrize("old", [{}, OLD])
def test_existing_target(tmp_path, swap, old):
    """The old files are gone, all of them."""
    target = tmp_path / "model"
    fill(target, old)
    replace(target)
    assert content(target) == NEW
    assert os.listdir(tmp_path) == ["model"]


def test_permissions_are_those_of_a_new_folder(tmp_path):
    """Others may read an export if they may read new folders here."""
    replace(tmp_path / "model")
    os.mkdir(tmp_path / "other")
    modes = {os.stat(tmp_path / name).st_mode for name in os.listdir(tmp_path)}
    assert len(modes) == 1


def test_error_in_the_block(tmp_path, swap):
    """The target is untouched and the half-written folder gone."""
    target = tmp_path / "model"
    fill(target, OLD)
    with pytest.raises(KeyboardInterrupt):
        with folders.replaced(target, lambda path: None) as staging:
            fill(staging, NEW)
            raise KeyboardInterrupt
    assert content(target) == OLD
    assert os.listdir(tmp_path) == ["model"]


def test_link_stays_a_link(tmp_path):
    """What it points to is replaced."""
    fill(tmp_path / "real", OLD)
    os.symlink(tmp_path / "real", tmp_path / "link")
    replace(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "real") == NEW


def test_relative_target(tmp_path, monkeypatch):
    """A relative path is meant from the current folder."""
    monkeypatch.chdir(tmp_path)
    replace("model")
    assert content(tmp_path / "model") == NEW


def test_refused_target(tmp_path):
    """The reason stands in the error; nothing happened."""
    target = tmp_path / "model"
    fill(target, OLD)
    with pytest.raises(FileExistsError, match=r"model is not.*holds a\.txt"):
        replace(target, is_ours=lambda path: "it holds a.txt")
    assert content(target) == OLD
    assert os.listdir(tmp_path) == ["model"]


def test_target_is_a_file(tmp_path):
    """A file is never replaced by a folder."""
    (tmp_path / "model").write_text("thesis")
    with pytest.raises(FileExistsError, match="it is a file"):
        replace(tmp_path / "model")
    assert (tmp_path / "model").read_text() == "thesis"


def test_parent_is_a_file(tmp_path):
    """A place that cannot hold folders is named with the reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="model cannot be written.*file"):
        replace(tmp_path / "file" / "model")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_unwritable_target(tmp_path, monkeypatch, code):
    """Found out before the block runs."""

    def refuse(path, *args):
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(OSError, match="cannot be written.*Give a folder"):
        with folders.replaced(tmp_path / "model", lambda path: None):
            pytest.fail("the block must not run")
    assert os.listdir(tmp_path) == []


def test_exchange_falls_back(tmp_path, monkeypatch):
    """A file system without the system call gets two renames."""
    fill(tmp_path / "model", OLD)
    monkeypatch.setattr(folders.ctypes, "get_errno", lambda: errno.EINVAL)
    monkeypatch.setattr(
        folders.ctypes, "CDLL", lambda *args, **kwargs: Without()
    )
    replace(tmp_path / "model")
    assert content(tmp_path / "model") == NEW
    assert os.listdir(tmp_path) == ["model"]


class Without:
    """A C library whose kernel lacks the call."""

    def renameat2(self, *args):
        """Fails as the kernel would."""
        return -1


def steps(monkeypatch, act):
    """Calls ``act`` before every step that touches the disk."""
    for owner, name in [
        (os, "mkdir"),
        (os, "rename"),
        (os, "fsync"),
        (shutil, "rmtree"),
        (folders, "exchange"),
    ]:
        original = getattr(owner, name)

        def step(*args, original=original, **kwargs):
            act()
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, step)


@pytest.mark.parametrize("old", [None, OLD])
def test_error_at_every_step(tmp_path, swap, old):
    """A failing disk leaves the old folder or the new one."""
    fails_at, finished = 0, False
    while not finished:
        fails_at += 1
        target = tmp_path / f"run{fails_at}" / "model"
        target.parent.mkdir()
        if old:
            fill(target, old)
        taken = iter(range(1, 10**6))

        def act(fails_at=fails_at, taken=taken):
            if next(taken) == fails_at:
                raise OSError(errno.EIO, "disk")

        with pytest.MonkeyPatch.context() as patch:
            if swap == "two renames":
                patch.setattr(folders, "exchange", lambda a, b: False)
            steps(patch, act)
            try:
                replace(target)
                finished = next(taken) <= fails_at
            except OSError:
                pass
        after = content(target) if target.exists() else None
        assert after in (old, NEW)
        replace(target)
        assert content(target) == NEW
        assert os.listdir(target.parent) == ["model"]
    assert fails_at > 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*fork.*")
@pytest.mark.parametrize("old", [None, OLD])
def test_killed_at_every_step(tmp_path, swap, old):
    """The same without any handler running; the next export tidies up."""
    dies_at, finished = 0, False
    while not finished:
        dies_at += 1
        target = tmp_path / f"run{dies_at}" / "model"
        target.parent.mkdir()
        if old:
            fill(target, old)
        child = os.fork()
        if child == 0:
            taken = iter(range(1, 10**6))
            patch = pytest.MonkeyPatch()
            steps(
                patch,
                lambda t=taken, n=dies_at: next(t) != n or os._exit(DIED),
            )
            try:
                replace(target)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        finished = os.waitstatus_to_exitcode(status) == 0
        after = content(target) if target.exists() else None
        # Between two renames there is none; the old one comes back.
        between = swap == "two renames" and after is None
        assert between or after in (old, NEW)
        folders.recover(target)
        after = content(target) if target.exists() else None
        assert after in (old, NEW)
        assert set(os.listdir(target.parent)) <= {"model"}
        replace(target)
        assert content(target) == NEW
    assert dies_at > 4


def test_another_export_is_not_disturbed(tmp_path):
    """The folder that a running export writes to is no leftover."""
    target = tmp_path / "model"
    with folders.replaced(target, lambda path: None) as first:
        fill(first, NEW)
        with folders.replaced(target, lambda path: None) as second:
            fill(second, OLD)
        assert content(first) == NEW
    assert content(target) == NEW
    assert os.listdir(tmp_path) == ["model"]


def test_only_own_leftovers_are_removed(tmp_path):
    """Folders of other targets stay."""
    for name in (".model.export-new-1", ".other.export-new-1", ".model.old"):
        os.mkdir(tmp_path / name)
    replace(tmp_path / "model")
    left = [".model.old", ".other.export-new-1", "model"]
    assert sorted(os.listdir(tmp_path)) == left
