"""How a process of several ends: without Python's own clean-up.

Gloo's threads outlive their process group, since DDP keeps the group alive,
destroyed or not. Now and then one of them still asks for Python while Python
takes itself down, and the process is aborted ("terminate called without an
active exception") with all its work done; torchrun then calls the run failed.

Authors
 * The speechbrain_hrf authors 2026
"""

import atexit
import logging
import os
import sys

from torch import distributed

_done = False


def end_cleanly() -> None:
    """Registers the last thing that this process does.

    To be called first, since what is registered later runs earlier.

    Example
    -------
    >>> end_cleanly()
    """
    atexit.register(_end)


def work_is_done() -> None:
    """Says that nothing is left to do but to end.

    Example
    -------
    >>> work_is_done()
    """
    global _done
    _done = True


def _end() -> None:
    if not distributed.is_available() or not distributed.is_initialized():
        return
    failed = hasattr(sys, "last_value")  # an exception that nobody caught
    if distributed.get_backend() != "gloo" or failed or not _done:
        distributed.destroy_process_group()
        return
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
