"""A run's output folder: its run's alone, and what is wrong if it is not.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import pathlib
from collections.abc import Iterator

from speechbrain.utils.distributed import get_rank

from speechbrain_hrf.files import probe_folder
from speechbrain_hrf.owner import Owner, owned, read_owner

NAME = ".owner"
_REFUSAL = (
    "Another run ({{owner}}) is writing to {folder}. Wait for it, or give this "
    "one its own --output_folder (or --arm)."
)
_held: dict[pathlib.Path, Owner] = {}


def own_until_exit(folder: str | os.PathLike[str]) -> None:
    """Makes an output folder this process's until it ends, however it ends.

    Of a distributed run the main process holds it for all.

    Arguments
    ---------
    folder : str or os.PathLike
        It is made if it is missing.

    Raises
    ------
    ValueError
        If another run holds it: its process, machine and start.
    OSError
        If it cannot be written.

    Example
    -------
    >>> folder = getfixture("tmpdir").strpath
    >>> with owned_output(folder):  # as in another process
    ...     own_until_exit(folder)  # of this one it is no second run
    """
    if (get_rank() or 0) != 0:
        return
    stack = contextlib.ExitStack()
    stack.enter_context(owned_output(folder))
    pid = os.getpid()
    atexit.register(lambda: os.getpid() == pid and stack.close())


@contextlib.contextmanager
def owned_output(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Holds an output folder, which this process may hold already.

    Arguments
    ---------
    folder : str or os.PathLike
        It is made if it is missing.

    Yields
    ------
    None

    Raises
    ------
    ValueError, OSError
        See ``own_until_exit``.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"), "run")
    >>> with owned_output(folder):
    ...     (folder / NAME).is_file()
    True
    """
    place = pathlib.Path(folder).resolve()
    held = _held.get(place)
    if held is not None and read_owner(place / NAME) == held:
        yield
        return
    with contextlib.ExitStack() as stack:
        with explain_lost_output(place, new=True):
            place.mkdir(parents=True, exist_ok=True)
            refusal = _REFUSAL.format(folder=str(folder).replace("{", "{{"))
            mine = stack.enter_context(owned(place, NAME, refusal))
        _held[place] = mine
        try:
            yield
        finally:
            if _held.get(place) == mine:
                del _held[place]


@contextlib.contextmanager
def explain_lost_output(
    folder: str | os.PathLike[str], new: bool = False
) -> Iterator[None]:
    """Says in one sentence why a run cannot write, and what to do.

    Arguments
    ---------
    folder : str or os.PathLike
        The output folder, or one in it.
    new : bool
        Whether the run has not begun, so that there is nothing to go on from.

    Yields
    ------
    None

    Raises
    ------
    OSError
        If the disk is full, the folder is read-only, was removed, or is by now
        another run's.

    Example
    -------
    >>> with explain_lost_output("no/such/run"):
    ...     open("no/such/run/log.txt", "w")
    Traceback (most recent call last):
        ...
    FileNotFoundError: no/such/run is gone: it was removed or renamed ...
    """
    folder = pathlib.Path(folder)
    if not new:
        _refuse_other_owner(folder)
    try:
        yield
    except (OSError, RuntimeError) as error:
        # PyTorch's writer of checkpoints does not say what the disk said.
        found = error if isinstance(error, OSError) else probe_folder(folder)
        if found is None or found.errno is None:
            raise
        raise why_lost(folder, found, new) from error


def why_lost(
    folder: str | os.PathLike[str], found: OSError, new: bool = False
) -> OSError:
    """The error that says why a run cannot write, and what to do.

    Arguments
    ---------
    folder : str or os.PathLike
        The output folder, or one in it.
    found : OSError
        What the system said.
    new : bool
        Whether the run has not begun, so that there is nothing to go on from.

    Returns
    -------
    OSError

    Example
    -------
    >>> found = OSError(errno.EROFS, "Read-only file system")
    >>> why_lost(getfixture("tmpdir"), found)
    OSError('... cannot be written (Read-only file system): mend that and ...')
    """
    folder = pathlib.Path(folder)
    if not new and not folder.is_dir():
        return _gone(folder)
    fix = (
        "give --output_folder a folder that you may write to"
        if new
        else "mend that and start the run again, which goes on from its "
        "last checkpoint"
    )
    if found.errno in (errno.ENOSPC, errno.EDQUOT):
        fix = f"make room and {fix.removeprefix('mend that and ')}"
    return type(found)(f"{folder} cannot be written ({found.strerror}): {fix}.")


def _refuse_other_owner(folder: pathlib.Path) -> None:
    place = folder.resolve()
    for one in (place, *place.parents):
        if one in _held and read_owner(one / NAME) != _held[one]:
            raise _gone(one)


def _gone(folder: pathlib.Path) -> FileNotFoundError:
    return FileNotFoundError(
        f"{folder} is gone: it was removed or renamed while its run wrote to "
        "it. Start the run again, or put the folder back first to go on from "
        "its last checkpoint."
    )
