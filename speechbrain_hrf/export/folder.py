"""A folder that appears whole, or not at all.

Files are written to a hidden folder beside the target, flushed to the disk,
and swapped with the target in one system call (``renameat2`` with
``RENAME_EXCHANGE``, Linux), or, where that is missing, by two renames; the
next export finishes those if the first one died between them. At every moment
the target is the old folder or the new one, never a mixture.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import ctypes
import errno
import logging
import os
import pathlib
import shutil
import uuid

try:
    import fcntl
except ImportError:  # Windows: what a killed export left is not cleared away
    fcntl = None

logger = logging.getLogger(__name__)

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
# What a kernel or file system answers that cannot exchange two folders.
_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


@contextlib.contextmanager
def replaced(target, is_ours):
    """Gives a new empty folder, which becomes ``target`` when the block ends.

    If the block raises, the new folder is removed and ``target`` stays as it
    was.

    Arguments
    ---------
    target : str or os.PathLike
        The folder to create or replace; missing parents are created.
    is_ours : callable
        Called with the path of an existing target that is not empty; gives
        None if it may be replaced, else the reason why not.

    Yields
    ------
    pathlib.Path
        The folder to write to.

    Raises
    ------
    FileExistsError
        The target is something that must not be replaced.
    OSError
        The target cannot be written; nothing was done yet.

    Example
    -------
    >>> target = pathlib.Path(getfixture("tmpdir")) / "model"
    >>> for text in ("old", "new"):
    ...     with replaced(target, is_ours=lambda path: None) as folder:
    ...         _ = (folder / "file.txt").write_text(text)
    >>> (target / "file.txt").read_text(), os.listdir(target.parent)
    ('new', ['model'])
    """
    # A link to a folder stays a link; what it points to is replaced.
    target = pathlib.Path(os.path.realpath(target))
    staging = _beside(target, f"new-{uuid.uuid4().hex[:8]}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        recover(target)
        _check_replaceable(target, is_ours)
        os.mkdir(staging)
    except OSError as error:
        if error.errno is None:  # _check_replaceable has said it
            raise
        raise type(error)(
            f"{target} cannot be written: {error.strerror} "
            f"({error.filename}). Give a folder that you may write to."
        ) from error
    try:
        with _locked(staging):
            yield staging
            _flush(staging)
            _put_in_place(staging, target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def recover(target):
    """Finishes what an export that was killed left beside its target.

    Arguments
    ---------
    target : pathlib.Path
        The target of that export.

    Example
    -------
    >>> target = pathlib.Path(getfixture("tmpdir")) / "model"
    >>> # Killed between two renames:
    >>> os.mkdir(target.with_name(".model.export-old"))
    >>> recover(target)
    >>> target.is_dir()
    True
    """
    old = _beside(target, "old")
    if old.exists() and not target.exists():
        os.rename(old, target)
        logger.info(f"Put back {target}, which a killed export had moved away.")
    elif old.exists():
        shutil.rmtree(old)
    for orphan in target.parent.iterdir():
        if not orphan.name.startswith(_beside(target, "new-").name):
            continue
        # Another export to this target may be running: its lock says so.
        with contextlib.suppress(OSError), _locked(orphan) as locked:
            if locked:
                shutil.rmtree(orphan)


def exchange(a, b):
    """Swaps two folders in one step, where the system can.

    Arguments
    ---------
    a, b : str or os.PathLike
        Folders on one file system.

    Returns
    -------
    bool
        Whether they were swapped; False if this system cannot.

    Raises
    ------
    OSError
        It can, but not these.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> for name in ("a", "b"):
    ...     os.makedirs(folder / name / name)
    >>> swapped = exchange(folder / "a", folder / "b")
    >>> os.listdir(folder / "a") == (["b"] if swapped else ["a"])
    True
    """
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # no such function here
        return False
    a, b = os.fsencode(a), os.fsencode(b)
    if renameat2(_AT_FDCWD, a, _AT_FDCWD, b, _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), os.fsdecode(b))


def _put_in_place(staging, target):
    if not target.exists():
        os.rename(staging, target)
    elif exchange(staging, target):
        _discard(staging)  # it is the old folder now
    else:
        old = _beside(target, "old")
        os.rename(target, old)
        try:
            os.rename(staging, target)
        except BaseException:
            os.rename(old, target)
            raise
        _discard(old)
    _sync(target.parent)


def _discard(folder):
    # The new folder is in place: a leftover is no reason to fail, and the
    # next export clears it away.
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        logger.warning(f"The replaced folder {folder} could not be removed.")


def _check_replaceable(target, is_ours):
    if not target.exists():
        return
    if not target.is_dir():
        reason = "it is a file"
    elif any(target.iterdir()):
        reason = is_ours(target)
    else:
        reason = None
    if reason:
        raise FileExistsError(
            f"{target} is not replaced, because {reason}. Give a new or empty "
            "folder, or the folder of an earlier export."
        )


def _beside(target, name):
    return target.parent / f".{target.name}.export-{name}"


@contextlib.contextmanager
def _locked(folder):
    # Gives whether the lock was got; the kernel drops it if we are killed.
    if fcntl is None:
        yield False
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _flush(folder):
    # A crash of the machine must not leave the new name on empty files.
    for path in folder.rglob("*"):
        if path.is_file():
            _sync(path)
    _sync(folder)


def _sync(path):
    if os.name != "posix":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
