"""One owner at a time for a folder, known to whoever comes second.

The owner holds a lock, which goes with its process, however that ends. A note
beside it says whose it is. Between machines that share the folder it holds as
far as the file system passes locks on (NFS 4, CephFS, Lustre with ``flock``).

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import pathlib
import platform
import time
import uuid
from collections.abc import Iterator
from datetime import datetime

from speechbrain_hrf.files import locked, write_whole

logger = logging.getLogger(__name__)
# The owner writes its note just after it has got the lock.
_SECONDS_TO_NOTE = 1.0


@dataclasses.dataclass
class Owner:
    """Who holds a folder.

    Arguments
    ---------
    host : str
    pid : int
    since : str
    token : str
        Tells this hold from all others.

    Example
    -------
    >>> str(Owner("node1", 12, "2026-01-01 10:00:00", ""))
    'process 12 on node1, since 2026-01-01 10:00:00'
    """

    host: str = dataclasses.field(default_factory=platform.node)
    pid: int = dataclasses.field(default_factory=os.getpid)
    since: str = dataclasses.field(
        default_factory=lambda: f"{datetime.now():%Y-%m-%d %H:%M:%S}"
    )
    token: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


@contextlib.contextmanager
def owned(
    folder: str | os.PathLike[str], name: str, refusal: str
) -> Iterator[Owner]:
    """Holds a folder.

    Arguments
    ---------
    folder : str or os.PathLike
        Must exist.
    name : str
        Of the note; the lock's file is named after it.
    refusal : str
        What is raised if another one holds it; ``{owner}`` is who.

    Yields
    ------
    Owner
        This one.

    Raises
    ------
    ValueError
        If another one holds it.
    OSError
        If nothing can be written there.

    Example
    -------
    >>> folder = getfixture("tmpdir").strpath
    >>> with owned(folder, ".owner", "Held by {owner}.") as owner:
    ...     with owned(folder, ".owner", "Held by {owner}."):
    ...         pass
    Traceback (most recent call last):
        ...
    ValueError: Held by process ... on ..., since 20...
    """
    note = pathlib.Path(folder, name)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(f"{note}.lock", seconds=0))
        except TimeoutError:
            owner = _wait_for_note(note) or "another process"
            raise ValueError(refusal.format(owner=owner)) from None
        earlier = read_owner(note)
        mine = Owner()
        if earlier is not None and earlier.host != mine.host:
            logger.warning(
                "%s was left by %s. If that is still running, the file system "
                "does not pass locks on between machines: stop one of the two.",
                *(folder, earlier),
            )
        stack.callback(_remove_own, note, mine.token)
        write_whole(note, json.dumps(dataclasses.asdict(mine)))
        yield mine


def read_owner(note: str | os.PathLike[str]) -> Owner | None:
    """What a note says.

    Arguments
    ---------
    note : str or os.PathLike

    Returns
    -------
    Owner or None
        None without a note, or if its writer was killed while it wrote.

    Example
    -------
    >>> read_owner("no/such/note") is None
    True
    """
    try:
        content = json.loads(pathlib.Path(note).read_text(encoding="utf-8"))
        names = {field.name for field in dataclasses.fields(Owner)}
        return Owner(
            **{"pid": 0, "since": "", "token": ""}
            | {key: content[key] for key in names & content.keys()}
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, AttributeError):
        return None


def _wait_for_note(note: pathlib.Path) -> Owner | None:
    deadline = time.monotonic() + _SECONDS_TO_NOTE
    while (owner := read_owner(note)) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return owner


def _remove_own(note: pathlib.Path, token: str) -> None:
    # The folder may have been removed, and made anew by another owner.
    owner = read_owner(note)
    if owner is not None and (owner.token, owner.pid) == (token, os.getpid()):
        note.unlink(missing_ok=True)
