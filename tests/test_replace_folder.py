"""A folder is the old one or the new one, whatever happens.

Authors
 * The speechbrain_hrf authors 2026
"""

import errno
import itertools
import os
import pathlib
import shutil
import sys

import pytest
import torch

from speechbrain_hrf import files
from speechbrain_hrf.files import remove_abandoned, replace_folder

OLD = {"a.txt": "old", "only_old.txt": "x"}
NEW = {"a.txt": "new", "only_new.txt": "y"}
DIED = 9
# Python 3.10's pathlib keeps os's functions for itself; later ones ask os.
OS = [os, *filter(None, [getattr(pathlib, "_normal_accessor", None)])]


def content(folder):
    """Text of each file; None without a folder."""
    if not folder.exists():
        return None
    return {path.name: path.read_text() for path in folder.iterdir()}


def fill(folder, files):
    """Writes files."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def replace(place, why_not=lambda place: None):
    """An export in miniature."""
    with replace_folder(place, why_not) as folder:
        fill(folder, NEW)


def no_renameat2(monkeypatch):
    """A kernel that lacks the call."""

    class Without:
        def renameat2(self, *arguments):
            return -1

    monkeypatch.setattr(files.ctypes, "get_errno", lambda: errno.EINVAL)
    monkeypatch.setattr(files.ctypes, "CDLL", lambda *_, **__: Without())


@pytest.fixture(params=["exchange", "two renames"])
def swap(request, monkeypatch):
    """Both ways of putting the new folder in place."""
    if request.param == "two renames":
        no_renameat2(monkeypatch)
    elif sys.platform != "linux":
        pytest.skip("renameat2 is Linux's")
    return request.param


@pytest.mark.parametrize("old", [None, {}, OLD])
def test_the_old_files_are_gone_and_others_may_read(tmp_path, swap, old):
    """Missing parents are made; nothing else is left."""
    place = tmp_path / "deep" / "model"
    if old is not None:
        place.parent.mkdir()
        fill(place, old)
    replace(place)
    assert content(place) == NEW
    assert os.listdir(place.parent) == ["model"]
    (tmp_path / "other").mkdir()
    assert place.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_an_error_in_the_block(tmp_path, swap):
    place = tmp_path / "model"
    fill(place, OLD)
    with pytest.raises(KeyboardInterrupt):
        with replace_folder(place, lambda place: None) as folder:
            fill(folder, NEW)
            raise KeyboardInterrupt
    assert content(place) == OLD
    assert os.listdir(tmp_path) == ["model"]


def test_a_link_stays_a_link(tmp_path, monkeypatch):
    """What it points to is replaced; a relative path is one from here."""
    fill(tmp_path / "real", OLD)
    os.symlink(tmp_path / "real", tmp_path / "link")
    monkeypatch.chdir(tmp_path)
    replace("link")
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "real") == NEW


def test_what_must_not_be_replaced(tmp_path):
    """The reason stands in the error; nothing happened."""
    fill(tmp_path / "model", OLD)
    with pytest.raises(FileExistsError, match=r"model is not.*holds a\.txt"):
        replace(tmp_path / "model", why_not=lambda place: "it holds a.txt")
    assert content(tmp_path / "model") == OLD
    with pytest.raises(FileExistsError, match="it is a file"):
        replace(tmp_path / "model" / "a.txt")
    with pytest.raises(OSError, match="new cannot be written.*a.txt"):
        replace(tmp_path / "model" / "a.txt" / "new")
    assert content(tmp_path / "model") == OLD
    assert os.listdir(tmp_path) == ["model"]


def test_a_mount_point(tmp_path, monkeypatch):
    """Found out before the block runs, for it cannot be moved."""
    place = tmp_path / "out"
    place.mkdir()
    monkeypatch.setattr(files.os.path, "ismount", lambda p: p == place)
    with pytest.raises(OSError, match="is a mount point.*out/my_model"):
        with replace_folder(place, lambda place: None):
            pytest.fail("the block must not run")
    replace(place / "my_model")
    assert content(place / "my_model") == NEW


@pytest.mark.parametrize("name", [".", "..", "../../model"])
def test_the_folder_that_one_is_in(tmp_path, monkeypatch, name):
    """A shell would stay in what is no longer there."""
    (tmp_path / "model" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "model" / "deep")
    with pytest.raises(OSError, match="the current folder, or above it"):
        replace(name)
    assert os.path.samefile(".", tmp_path / "model" / "deep")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_place_that_cannot_be_written(tmp_path, monkeypatch, code):
    """Found out before the block runs."""

    def refuse(path, *_):
        raise OSError(code, os.strerror(code), str(path))

    for owner in OS:
        monkeypatch.setattr(owner, "mkdir", refuse)
    with pytest.raises(OSError, match="cannot be written.*Give a folder"):
        with replace_folder(tmp_path / "model", lambda place: None):
            pytest.fail("the block must not run")
    assert os.listdir(tmp_path) == []


def test_a_disk_that_is_full_in_the_block(tmp_path, short_files):
    """PyTorch says "unexpected pos 1088 vs 982"."""
    (tmp_path / "model").mkdir()
    said = pytest.raises(OSError, match="model cannot be written .*make room")
    with short_files(1000), said:
        with replace_folder(tmp_path / "model", lambda place: None) as new:
            torch.save(torch.zeros(1000), new / "a.pt")
    with pytest.raises(RuntimeError, match="another reason"):
        with replace_folder(tmp_path / "model", lambda place: None):
            raise RuntimeError("another reason")
    assert os.listdir(tmp_path) == ["model"]


def act_before_each_step(monkeypatch, act):
    """Calls ``act`` before everything that changes the disk."""
    for owner, name in [
        *itertools.product(OS, ("mkdir", "rename", "replace")),
        (os, "fsync"),
        (shutil, "rmtree"),
        (files, "_exchange"),
    ]:
        original = getattr(owner, name)

        def step(*arguments, original=original, **options):
            act()
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, step)


@pytest.mark.parametrize("old", [None, OLD])
def test_an_error_at_every_step(tmp_path, swap, old):
    """A failing disk leaves the old folder or the new one."""
    fails_at, finished = 0, False
    while not finished:
        fails_at += 1
        place = tmp_path / f"run{fails_at}" / "model"
        place.parent.mkdir()
        if old:
            fill(place, old)
        taken = iter(range(1, 10**6))

        def act(fails_at=fails_at, taken=taken):
            if next(taken) == fails_at:
                raise OSError(errno.EIO, "disk")

        with pytest.MonkeyPatch.context() as patch:
            act_before_each_step(patch, act)
            try:
                replace(place)
                finished = next(taken) <= fails_at
            except OSError:
                pass
        assert content(place) in (old, NEW)
        replace(place)
        assert content(place) == NEW
    assert fails_at > 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*fork.*")
@pytest.mark.parametrize("old", [None, OLD])
def test_killed_at_every_step(tmp_path, swap, old):
    """The same without any handler running; the next one tidies up."""
    dies_at, exit_code, between = 0, DIED, 0
    while exit_code == DIED:
        dies_at += 1
        place = tmp_path / f"run{dies_at}" / "model"
        place.parent.mkdir()
        if old:
            fill(place, old)
        child = os.fork()
        if child == 0:
            taken = iter(range(1, 10**6))
            act_before_each_step(
                pytest.MonkeyPatch(),
                lambda t=taken, n=dies_at: next(t) != n or os._exit(DIED),
            )
            try:
                replace(place)
            finally:
                os._exit(0)
        exit_code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        # Between two renames there is none; the old one comes back.
        between += old is not None and content(place) is None
        assert swap == "two renames" or not between
        remove_abandoned(place.parent)
        assert content(place) in (old, NEW)
        replace(place)
        assert content(place) == NEW
    assert dies_at > 6
    assert between == (old is not None and swap == "two renames")


def test_another_one_to_the_same_place_is_not_disturbed(tmp_path):
    """The folder that a running process fills is no leftover."""
    place = tmp_path / "model"
    with replace_folder(place, lambda place: None) as first:
        fill(first, NEW)
        with replace_folder(place, lambda place: None) as second:
            fill(second, OLD)
        assert content(first) == NEW
    assert content(place) == NEW
    assert os.listdir(tmp_path) == ["model"]
