"""A folder that is filled aside, and what of it a killed process leaves.

The folder holds ``lock``, which its process keeps locked as long as it lives,
and ``content``, which is moved to its place when it is complete. The lock goes
with the process, however it ends; so what a killed one has left is told from
what is being made.

Example
-------
>>> root = getfixture("tmpdir")
>>> with partial_folder(root.join("cache").strpath) as content:
...     _ = (content / "a.txt").write_text("a")
...     _ = content.rename(root.join("cache").strpath)
>>> [path.basename for path in root.listdir()]
['cache']

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import pathlib
import platform
import shutil
import time
import uuid

from speechbrain.utils.logger import get_logger

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

logger = get_logger(__name__)

_PARTIAL = ".partial"
_LOCK = "lock"
_CONTENT = "content"
# What no lock tells about is removed after this time without a write; a living
# process writes every few seconds.
_ABANDONED_SECONDS = 3600
# A process gets every lock on what it has locked itself, and loses the lock
# when it closes the file again: it must not look at its own ones.
_own = set()


@contextlib.contextmanager
def partial_folder(place):
    """A folder to fill; removed in the end, unless it was moved to its place.

    Only its owner can read it: features are as private as the speech.

    Arguments
    ---------
    place : str or os.PathLike
        Where it will be moved to. It is made beside that, so that this is a
        rename.

    Yields
    ------
    pathlib.Path
        An empty folder.

    Raises
    ------
    OSError
        If it cannot be made.

    Example
    -------
    >>> root = getfixture("tmpdir")
    >>> with partial_folder(root.join("cache").strpath) as content:
    ...     oct(content.stat().st_mode)[-3:], len(root.listdir())
    ('700', 1)
    >>> root.listdir()
    []
    """
    place = pathlib.Path(place)
    partial = place.with_name(f"{place.name}.{uuid.uuid4().hex[:8]}{_PARTIAL}")
    content = partial / _CONTENT
    partial.parent.mkdir(parents=True, exist_ok=True)
    own = partial.resolve()
    _own.add(own)
    try:
        partial.mkdir(mode=0o700)
        content.mkdir(mode=0o700)
        with _locked(partial / _LOCK):
            yield content
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        _own.discard(own)


def remove_abandoned(folder):
    """Removes what killed processes have left in a folder, and says so.

    At once where the lock tells that the process is dead. Where it cannot
    tell, because the process ran on another machine or the system has no
    locks: if nothing was written there for an hour.

    Arguments
    ---------
    folder : str or os.PathLike
        Need not exist.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> with partial_folder(folder.join("cache").strpath):
    ...     remove_abandoned(folder.strpath)
    ...     len(folder.listdir())
    1
    """
    for partial in pathlib.Path(folder).glob(f"*{_PARTIAL}"):
        if partial.resolve() in _own or not _is_abandoned(partial):
            continue
        logger.info("Removing what a killed run has left: %s", partial)
        shutil.rmtree(partial, ignore_errors=True)
        if partial.exists():
            logger.warning("%s cannot be removed: delete it.", partial)


@contextlib.contextmanager
def _locked(path):
    """Holds a lock that a forked process, unlike flock's, does not inherit."""
    if fcntl is None:
        yield
        return
    with open(path, "w", encoding="utf-8") as file:
        # Some network file systems have no locks. The name is written once
        # the lock is held: who reads it can rely on the lock.
        with contextlib.suppress(OSError):
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(platform.node())
            file.flush()
        yield


def _is_abandoned(partial):
    try:
        with open(partial / _LOCK, "r+", encoding="utf-8") as file:
            # Locks may be unknown to other machines that share the folder.
            if fcntl is not None and file.read() == platform.node() != "":
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
    except (BlockingIOError, PermissionError) as error:
        if error.filename is None:  # from the lock: another process has it
            return False
    except OSError:
        pass
    return _last_written(partial) < time.time() - _ABANDONED_SECONDS


def _last_written(folder):
    times = [0.0]
    for path in [folder, *folder.rglob("*")]:
        with contextlib.suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times)
