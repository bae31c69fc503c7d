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
import shutil
import tempfile
import time
from collections.abc import Iterator

from speechbrain_hrf import owner

NAME = ".driver"
# A network file system may show a new file to other machines after a while.
_SECONDS_TO_APPEAR = 30


@contextlib.contextmanager
def owned(folder: str | os.PathLike) -> Iterator[owner.Owner]:
    """Holds a study's folder, with a folder for temporary files.

    What a driver that was killed on this machine has left there is removed.

    Arguments
    ---------
    folder : str or os.PathLike
        The study's; must exist.

    Yields
    ------
    Owner
        This driver: ``temporary`` is an empty folder with a short path, which
        is removed in the end; ``token`` tells this hold from all others.

    Raises
    ------
    ValueError
        If another driver holds it: where it runs.

    Example
    -------
    >>> folder = getfixture("tmpdir").strpath
    >>> with owned(folder) as driver:
    ...     check_shared(folder, driver.token)
    ...     os.listdir(driver.temporary)
    []
    """
    refusal = (
        f"Another driver ({{owner}}) runs the study in {folder}. Wait for it, "
        "or give this one another --output_folder."
    )
    root = pathlib.Path(tempfile.gettempdir())
    # Sockets lie below it, whose paths are limited to 107 characters, of which
    # Ray takes 63.
    if len(str(root / "hrf-12345678")) > 40:
        root = pathlib.Path("/tmp")
    with (
        # A dying process of Ray may still write into it.
        tempfile.TemporaryDirectory(
            prefix="hrf-", dir=root, ignore_cleanup_errors=True
        ) as temporary,
        owner.owned(folder, NAME, refusal, temporary) as (mine, earlier),
    ):
        if earlier and earlier.temporary and earlier.host == mine.host:
            left = pathlib.Path(earlier.temporary)
            # The note may say anything; nothing else is removed.
            if left in root.glob("hrf-????????"):
                shutil.rmtree(left, ignore_errors=True)
        yield mine


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
