"""Files and folders that appear whole or not at all, and locks.

What is written goes aside first and is moved to its place when it is complete:
``write_whole`` and ``whole_file`` for a file, ``whole_folder`` for a folder,
``replace_folder`` for one that replaces an earlier one. Lines of JSON,
``append_line``, are added to a file whole or not at all, by many processes at
once.

Example
-------
>>> root = pathlib.Path(getfixture("tmpdir"))
>>> write_whole(root / "a.txt", "a")
>>> with whole_folder(root / "cache") as folder:
...     write_whole(folder / "b.txt", "b")
>>> append_line(root / "trials.jsonl", {"seed": 1})
>>> sorted(str(path.relative_to(root)) for path in root.rglob("*.*"))
['a.txt', 'cache/b.txt', 'trials.jsonl']

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import ctypes
import errno
import json
import logging
import os
import pathlib
import platform
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from filelock import FileLock

from speechbrain_hrf.regular_file import why_no_file
from speechbrain_hrf.strict_json import parse_json

# Not SpeechBrain's: what is light and writes files should stay light.
logger = logging.getLogger(__name__)

# Of a folder that is filled aside: beside its content, the lock that its
# process holds as long as it lives, and the name of that process's machine.
_PARTIAL = ".partial"
_RANDOM = "[0-9a-f]" * 8  # others name folders so too, but not like this
_CONTENT = "content"
_REPLACED = "replaced"
_LOCK = "lock"
_MACHINE = "machine"
# What no lock tells about is removed after this time without a write; a living
# process writes every few seconds.
_ABANDONED_SECONDS = 3600
# Enough for the file system to say by an error of its own that it is full.
_PROBE_BYTES = 2**20
_REMOVE_LINE = "Remove that line; what it stands for will be run again."
# renameat2, https://man7.org/linux/man-pages/man2/rename.2.html
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
# What a kernel or file system answers that cannot exchange two folders.
_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


@contextlib.contextmanager
def locked(path: str | os.PathLike[str], seconds: float = -1) -> Iterator[None]:
    """Holds a lock, which goes with its process, however that ends.

    A process that is forked meanwhile does not hold it.

    Arguments
    ---------
    path : str or os.PathLike
        A file for the lock and nothing else; it is removed in the end.
    seconds : float
        How long to wait for it; default as long as it takes.

    Yields
    ------
    None

    Raises
    ------
    TimeoutError
        If another one holds it after so many seconds.
    OSError
        If the file cannot be made, or the file system has no locks.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> with locked(folder / "lock"):
    ...     os.listdir(folder)
    ['lock']
    >>> os.listdir(folder)
    []
    """
    with FileLock(path, timeout=seconds, poll_interval=0.02):
        process, mine = os.getpid(), os.stat(path)
        try:
            yield
        finally:
            # While it is held: who waits sees that its file is gone, and
            # makes a new one. On Windows the lock removes its file itself.
            # Where the folder was made anew meanwhile, the file is another's.
            with contextlib.suppress(OSError):
                same = os.path.samestat(os.stat(path), mine)
                if same and os.getpid() == process:
                    os.unlink(path)


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Writes a file, or leaves what is there as it is.

    Arguments
    ---------
    path : str or os.PathLike
    content : str or bytes
        Text is written as UTF-8, its line ends as they are.

    Raises
    ------
    OSError
        If it cannot be written.

    Example
    -------
    >>> path = pathlib.Path(getfixture("tmpdir")) / "a.txt"
    >>> write_whole(path, "line\\n")
    >>> path.read_bytes()
    b'line\\n'
    """
    if isinstance(content, str):
        content = content.encode()
    with whole_file(path) as partial, open(partial, "wb") as file:
        file.write(content)


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Where to write a file that is moved to its place when that has ended.

    For what wants a path to write to. An error leaves what was there before.

    Arguments
    ---------
    path : str or os.PathLike
        The file's place. One process at a time may write there.

    Yields
    ------
    pathlib.Path
        Beside it, with the same suffix.

    Raises
    ------
    OSError
        If it cannot be moved.

    Example
    -------
    >>> import numpy as np
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> with whole_file(folder / "a.npy") as partial:
    ...     np.save(partial, np.zeros(3))
    >>> os.listdir(folder)
    ['a.npy']
    """
    path = pathlib.Path(path)
    # Of a killed process the next one overwrites it.
    partial = path.with_name(f".{path.name}")
    try:
        with _naming(path):
            yield partial
            _sync(partial)
            os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


@contextlib.contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    # What a full disk answers to a write names no file.
    try:
        yield
    except OSError as error:
        if error.errno and not error.filename:
            error.filename = str(path)
        raise


def _sync(path: pathlib.Path) -> None:
    # A rename must not become durable before what it gives a name to.
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextlib.contextmanager
def whole_folder(
    place: str | os.PathLike[str],
    is_whole: Callable[[pathlib.Path], bool] = lambda place: True,
    mode: int = 0o700,
) -> Iterator[pathlib.Path]:
    """A folder to fill, moved to its place when that has ended.

    An error leaves nothing behind; what a killed process leaves goes by
    ``remove_abandoned``. Where the system can exchange two folders in one step
    (Linux), there is an old or a new one at every moment; elsewhere
    ``remove_abandoned`` puts the old one back if it is missing.

    Arguments
    ---------
    place : str or os.PathLike
        Where it goes; the folders above are made.
    is_whole : callable
        Whether to keep what is there already, such as what another process
        has made in the meantime. Otherwise it is replaced.
    mode : int
        Who may read it. Default only its owner: features are as private as
        the speech.

    Yields
    ------
    pathlib.Path
        An empty folder.

    Raises
    ------
    OSError
        If it cannot be made or moved.

    Example
    -------
    >>> place = pathlib.Path(getfixture("tmpdir")) / "cache"
    >>> for text in "first", "second":
    ...     with whole_folder(place) as folder:
    ...         write_whole(folder / "a.txt", text)
    >>> (place / "a.txt").read_text()
    'first'
    """
    place = pathlib.Path(place)
    with partial_folder(place, mode) as content:
        yield content
        try:
            content.rename(place)
        except OSError:
            if not place.exists():
                raise
            # What is replaced is removed with the partial folder.
            if is_whole(place) or _exchange(content, place):
                return
            replaced = content.with_name(_REPLACED)
            place.rename(replaced)
            try:
                content.rename(place)
            except BaseException:
                replaced.rename(place)
                raise


def _exchange(a: pathlib.Path, b: pathlib.Path) -> bool:
    # In one step; False where the system cannot.
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # no such function here
        return False
    names = [os.fsencode(path) for path in (a, b)]
    if renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE):
        code = ctypes.get_errno()
        if code in _CANNOT_EXCHANGE:
            return False
        raise OSError(code, os.strerror(code), str(b))
    return True


@contextlib.contextmanager
def replace_folder(
    place: str | os.PathLike[str],
    why_not: Callable[[pathlib.Path], str | None],
) -> Iterator[pathlib.Path]:
    """A folder to fill for others to read, in the place of an earlier one.

    Its files are on the disk before they get their place: also after a power
    cut there is the old folder or the new one.

    Arguments
    ---------
    place : str or os.PathLike
        The folders above are made. Of a link, what it points to is replaced.
    why_not : callable
        Called with a folder there that is not empty; gives the reason why it
        must not be replaced, or None.

    Yields
    ------
    pathlib.Path
        An empty folder.

    Raises
    ------
    FileExistsError
        What is there must not be replaced.
    OSError
        The place is a mount point, is or holds the current folder, or cannot be
        written; found out before the block runs.

    Example
    -------
    >>> place = pathlib.Path(getfixture("tmpdir")) / "model"
    >>> for text in "first", "second":
    ...     with replace_folder(place, why_not=lambda place: None) as folder:
    ...         write_whole(folder / "a.txt", text)
    >>> (place / "a.txt").read_text()
    'second'
    """
    place = pathlib.Path(os.path.realpath(place))
    _refuse_unmovable(place)
    remove_abandoned(place.parent)
    reason = None
    if place.is_dir():
        reason = why_not(place) if any(place.iterdir()) else None
    elif place.exists():
        reason = "it is a file"
    if reason:
        raise FileExistsError(
            f"{place} is not replaced, because {reason}. Give a new or empty "
            "folder, or the folder of an earlier export."
        )
    with contextlib.ExitStack() as stack:
        try:
            content = stack.enter_context(
                whole_folder(place, lambda place: False, mode=0o777)
            )
        except OSError as error:
            raise type(error)(
                f"{place} cannot be written: {error.strerror} "
                f"({error.filename}). Give a folder that you may write to."
            ) from error
        try:
            yield content
            for path in content.rglob("*"):
                if path.is_file():
                    _sync(path)
        except (OSError, RuntimeError) as error:
            # PyTorch, for one, does not say what the disk said.
            found = probe_folder(content)
            if found is None:
                raise
            raise OSError(
                f"{place} cannot be written ({found.strerror}): make room "
                "there, or give another folder."
            ) from error


def _refuse_unmovable(place: pathlib.Path) -> None:
    why = None
    if os.path.ismount(place):
        why = "is a mount point and"
    elif place in [pathlib.Path.cwd(), *pathlib.Path.cwd().parents]:
        # A shell that stays in what was replaced is nowhere.
        why = "is the current folder, or above it, and"
    if why:
        raise OSError(
            f"{place} {why} cannot be replaced as a whole: give a folder "
            f"inside it, such as {place / 'my_model'}."
        )


def probe_folder(folder: str | os.PathLike[str]) -> OSError | None:
    """What the system says to a file in a folder, of a megabyte.

    Arguments
    ---------
    folder : str or os.PathLike

    Returns
    -------
    OSError or None
        None if it can be written.

    Example
    -------
    >>> probe_folder("no/such/run")
    FileNotFoundError(2, 'No such file or directory')
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error
    return None


@contextlib.contextmanager
def partial_folder(
    place: str | os.PathLike[str], mode: int = 0o700
) -> Iterator[pathlib.Path]:
    """A folder to fill, for who moves what is in it; removed in the end.

    Arguments
    ---------
    place : str or os.PathLike
        What it is made beside and named after, so that a move from there to
        here is a rename.
    mode : int
        Who may read it, once it has been moved.

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
    >>> root = pathlib.Path(getfixture("tmpdir"))
    >>> with partial_folder(root / "report") as folder:
    ...     oct(folder.stat().st_mode)[-3:], len(os.listdir(root))
    ('700', 1)
    >>> os.listdir(root)
    []
    """
    place = pathlib.Path(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        partial = _locked_partial(place, mode, stack)
        yield partial / _CONTENT


def _locked_partial(
    place: pathlib.Path, mode: int, stack: contextlib.ExitStack
) -> pathlib.Path:
    name = f"{place.name}.{uuid.uuid4().hex[:8]}{_PARTIAL}"
    partial = place.with_name(name)
    content = partial / _CONTENT
    stack.callback(_remove_partial, partial)
    partial.mkdir(mode=0o700)
    content.mkdir(mode=mode)
    try:
        stack.enter_context(locked(partial / _LOCK))
        machine = platform.node()
    except OSError:  # some network file systems have no locks
        machine = ""
    if content.exists():
        # Named once the lock is held: who reads it can rely on the lock.
        with contextlib.suppress(FileNotFoundError):
            write_whole(partial / _MACHINE, machine)
    if content.exists():
        return partial
    # Another process has taken it for a killed one's, before it was named.
    return _locked_partial(place, mode, stack)


def _remove_partial(partial: pathlib.Path) -> None:
    # The machine's name goes last: without it nobody could tell, after a kill,
    # that the rest may go.
    for content in _CONTENT, _REPLACED:
        shutil.rmtree(partial / content, ignore_errors=True)
    shutil.rmtree(partial, ignore_errors=True)


def remove_abandoned(folder: str | os.PathLike[str]) -> None:
    """Removes what killed processes have left in a folder, and says so.

    What one was about to replace is put back if its place is empty.

    At once where the lock tells that the process is dead. Where it cannot
    tell, because the process ran on another machine or the file system has no
    locks: if nothing was written there for an hour.

    Arguments
    ---------
    folder : str or os.PathLike
        Need not exist.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> with partial_folder(folder / "cache"):
    ...     remove_abandoned(folder)
    ...     len(os.listdir(folder))
    1
    """
    for partial in pathlib.Path(folder).glob(f"*.{_RANDOM}{_PARTIAL}"):
        if not _is_abandoned(partial):
            continue
        name = partial.name.removesuffix(_PARTIAL).rpartition(".")[0]
        replaced, place = partial / _REPLACED, partial.with_name(name)
        if replaced.exists() and not place.exists():
            logger.info("Putting %s back, which a killed run moved.", place)
            replaced.rename(place)
        logger.info("Removing what a killed run has left: %s", partial)
        shutil.rmtree(partial, ignore_errors=True)
        if partial.exists():
            logger.warning("%s cannot be removed: delete it.", partial)


def _is_abandoned(partial: pathlib.Path) -> bool:
    try:
        try:
            machine = (partial / _MACHINE).read_text(encoding="utf-8")
        except FileNotFoundError:  # it was killed, or is about to write it
            machine = platform.node()
        # Locks may be unknown to other machines that share the folder.
        if machine == platform.node() != "":
            with locked(partial / _LOCK, seconds=0):
                return True
    except TimeoutError:  # its process holds it
        return False
    except OSError:
        pass
    return _last_written(partial) < _now(partial) - _ABANDONED_SECONDS


def _now(folder: pathlib.Path) -> float:
    # By the clock that stamps files: this machine's may be hours ahead.
    try:
        with tempfile.TemporaryFile(dir=folder.parent) as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError:
        return time.time()


def _last_written(folder: pathlib.Path) -> float:
    times = [0.0]
    for path in [folder, *folder.rglob("*")]:
        with contextlib.suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times)


def append_line(path: str | os.PathLike[str], line: dict[str, Any]) -> None:
    """Adds an object to a file of one JSON object per line.

    Many processes may do so at once. What a killed process or a full disk has
    left of a last line is cut off.

    Arguments
    ---------
    path : str or os.PathLike
        It is made if it is missing.
    line : dict
        Fits into JSON; not-a-number and infinity are refused, since other
        readers of JSON do not know them.

    Raises
    ------
    ValueError
        If the object does not fit into JSON.

    Example
    -------
    >>> path = pathlib.Path(getfixture("tmpdir")) / "x.jsonl"
    >>> append_line(path, {"loss": float("nan")})
    Traceback (most recent call last):
        ...
    ValueError: Out of range float values are not JSON compliant...
    """
    text = json.dumps(line, allow_nan=False, separators=(",", ":"))
    with _locked_lines(path), _naming(path), open(path, "ab+") as file:
        file.seek(0)
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
        file.write(f"{text}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def read_lines(
    path: str | os.PathLike[str], needs: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """All objects of a file of one JSON object per line.

    Arguments
    ---------
    path : str or os.PathLike
        A missing file counts as an empty one. Its folder may be read-only.
    needs : sequence of str
        Keys that each object has.

    Returns
    -------
    list of dict
        Without a torn last line, which is named in a warning.

    Raises
    ------
    ValueError
        If a line is no JSON object, or lacks a key: the file and the line's
        number; or if it is no regular file.

    Example
    -------
    >>> path = pathlib.Path(getfixture("tmpdir")) / "x.jsonl"
    >>> read_lines(path)
    []
    >>> _ = path.write_text('{"seed": 1}\\n{"se')
    >>> read_lines(path)
    [{'seed': 1}]
    """
    path = pathlib.Path(path)
    if not path.exists():
        return []
    why = why_no_file(path)
    if why:
        raise ValueError(f"{path}: {why}. Remove it.")
    *lines, torn = path.read_bytes().split(b"\n")
    if torn:  # or is it being written just now?
        with contextlib.suppress(OSError), _locked_lines(path, 10):
            *lines, torn = path.read_bytes().split(b"\n")
    if torn:
        logger.warning(
            "%s ends within line %d: what wrote it was stopped. That line is "
            "left out.",
            path,
            len(lines) + 1,
        )
    objects = []
    for number, line in enumerate(lines, start=1):
        where = f"{path}, line {number}"
        found = parse_json(line, where, _REMOVE_LINE)
        if not isinstance(found, dict):
            raise ValueError(f"{where} is no JSON object. {_REMOVE_LINE}")
        for key in needs:
            if key not in found:
                raise ValueError(f"{where} has no {key!r}. {_REMOVE_LINE}")
        objects.append(found)
    return objects


def _locked_lines(
    path: str | os.PathLike[str], seconds: float = -1
) -> contextlib.AbstractContextManager[None]:
    path = pathlib.Path(path)
    return locked(path.with_name(f".{path.name}.lock"), seconds)
