"""One driver for a study's folder, known to its workers.

The driver holds a lock as long as it lives; the lock goes with it, however it
ends. What stands in the file beside it tells others whose it is, a worker whether
it sees the same folder, and the next driver what a killed one has left.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import platform
import time
from collections.abc import Callable, Iterator

from speechbrain_hrf import owner

NAME = ".driver"
# A network file system may show a new file to other machines after a while.
_SECONDS_TO_APPEAR = 30


@contextlib.contextmanager
def owned(
    folder: str | os.PathLike,
    temporary: str | os.PathLike,
    remove: Callable[[str], None] = lambda path: None,
) -> Iterator[str]:
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
    >>> with owned(folder, "/tmp/hrf-00000000") as token:
    ...     check_shared(folder, token)
    """
    refusal = (
        f"Another driver ({{owner}}) runs the study in {folder}. Wait for it, "
        "or give this one another --output_folder."
    )
    with owner.owned(folder, NAME, refusal, str(temporary)) as (mine, earlier):
        if earlier and earlier.temporary and earlier.host == mine.host:
            remove(earlier.temporary)
        yield mine.token


def check_shared(
    folder: str | os.PathLike, token: str, seconds: float = _SECONDS_TO_APPEAR
) -> None:
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
    note = pathlib.Path(folder, NAME)
    while getattr(owner.read_owner(note), "token", None) != token:
        if time.monotonic() >= deadline:
            raise OSError(
                f"The machine {platform.node()} does not see the study's "
                f"folder {folder}: put it on a file system that all machines "
                "of the cluster share, and give it as --output_folder."
            )
        time.sleep(0.5)
