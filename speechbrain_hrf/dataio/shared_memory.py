"""Shared memory, through which processes hand tensors on; where it is full.

In a container it is often 64 MB.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import shutil

PLACE = "/dev/shm"  # of Linux; other systems have no folder for it
# A data loader's locks take a few pages, of 4 kB.
_LEAST = 2**18


def name_shared_memory() -> str:
    """What to call it in a message, with its size where that is known.

    Returns
    -------
    str

    Example
    -------
    >>> name_shared_memory()  # of 64 MB: "/dev/shm (64 MB)"
    '...'
    """
    if not os.path.isdir(PLACE):
        return "Shared memory"
    size = shutil.disk_usage(PLACE).total
    return f"{PLACE} ({size / 2**20:,.3g} MB)"


def is_full() -> bool:
    """Whether no data loader could start.

    Returns
    -------
    bool

    Example
    -------
    >>> is_full()
    False
    """
    return os.path.isdir(PLACE) and shutil.disk_usage(PLACE).free < _LEAST
