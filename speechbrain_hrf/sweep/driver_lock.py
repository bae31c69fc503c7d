"""One driver for a study's folder, known to its workers.

The driver keeps ``.driver`` locked as long as it lives; the lock goes with it,
however it ends. What stands in the file tells the others whose it is, a worker
whether it sees the same folder, and the next driver what a killed one has left.

Example
-------
>>> folder = getfixture("tmpdir").strpath
>>> with driving(folder, "/tmp/hrf-00000000") as token:
...     check_shared(folder, token)
>>> getfixture("tmpdir").listdir()
[]

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import errno
import json
import os
import pathlib
import platform
import time
import uuid

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

NAME = ".driver"
# A network file system may show a new file to other machines after a while.
_SECONDS_TO_APPEAR = 30


@contextlib.contextmanager
def driving(folder, temporary, remove=lambda path: None):
    """Holds a study's folder.

    Arguments
    ---------
    folder : str or os.PathLike
        The study's; must exist.
    temporary : str or os.PathLike
        This driver's folder for temporary files.
    remove : callable, optional
        Is called with that of a driver that was killed on this machine.

    Yields
    ------
    str
        Tells this driver's hold from all others.

    Raises
    ------
    ValueError
        If another driver holds it: where it runs.

    Example
    -------
    >>> folder = getfixture("tmpdir").strpath
    >>> with driving(folder, "/tmp/hrf-00000000") as token:
    ...     len(token)
    32
    """
    path = pathlib.Path(folder, NAME)
    token = uuid.uuid4().hex
    with _locked(path) as stream:
        earlier = _content(stream)
        if earlier.get("host") == platform.node():
            remove(earlier["temporary"])
        mine = {
            "token": token,
            "host": platform.node(),
            "pid": os.getpid(),
            "temporary": str(temporary),
        }
        stream.seek(0)
        stream.truncate()
        stream.write(json.dumps(mine))
        stream.flush()
        try:
            yield token
        finally:
            # The lock is still held: nobody else's file goes.
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path):
    while True:
        stream = open(path, "a+", encoding="utf-8")
        with stream:
            try:
                if fcntl is not None:
                    fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EAGAIN):
                    raise _held(path.parent, _content(stream)) from error
                # Some network file systems have no locks.
            if not _is_at(path, stream):  # its last holder has just removed it
                continue
            yield stream
            return


def _is_at(path, stream):
    try:
        return os.path.samestat(os.stat(path), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def _content(stream):
    stream.seek(0)
    try:
        return json.loads(stream.read())
    except ValueError:  # new, or its writer was killed
        return {}


def _held(folder, content):
    where = ""
    if content:
        where = f" (process {content['pid']} on {content['host']})"
    return ValueError(
        f"Another sweep{where} is running the study in {folder}. Wait for it, "
        "or give this one another --output_folder."
    )


def check_shared(folder, token, seconds=_SECONDS_TO_APPEAR):
    """Raises if this machine does not see the folder that the driver holds.

    Arguments
    ---------
    folder : str or os.PathLike
        The study's.
    token : str
        The driver's.
    seconds : float
        How long to wait for the driver's file to appear.

    Raises
    ------
    OSError
        Naming the machine and the folder.

    Example
    -------
    >>> check_shared(getfixture("tmpdir").strpath, "abc", seconds=0)
    Traceback (most recent call last):
        ...
    OSError: ... does not see the study's folder ...
    """
    deadline = time.monotonic() + seconds
    path = pathlib.Path(folder, NAME)
    while True:
        with contextlib.suppress(FileNotFoundError):
            with open(path, encoding="utf-8") as stream:
                if _content(stream).get("token") == token:
                    return
        if time.monotonic() >= deadline:
            raise OSError(
                f"The machine {platform.node()} does not see the study's "
                f"folder {folder}: put it on a file system that all machines "
                "of the cluster share, and give it as --output_folder."
            )
        time.sleep(0.5)
