"""Memory that is freed stays with the process, for the next step.

A training step of a small model allocates tensors of some MB and frees them
again. The C library gives such memory back to the system at once, and gets
every page of it anew, filled with zeros, in the next step: on a CPU that takes
up to a third of a step's time (``benchmarks/training_step.py --returning``).

Authors
 * The speechbrain_hrf authors 2026
"""

import ctypes
import os
import sys

# Numbers of mallopt's parameters in glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> bool:
    """Asks the C library to keep what the process frees.

    The process then holds as much as it once needed, which training does
    anyway. On systems without glibc, and where the user has set one of its
    environment variables (MALLOC_TRIM_THRESHOLD_ ...), nothing is changed.

    Returns
    -------
    bool
        Whether it was done.

    Example
    -------
    >>> os.environ["MALLOC_TRIM_THRESHOLD_"] = "1000"  # the user's choice
    >>> keep_freed_memory()
    False
    >>> del os.environ["MALLOC_TRIM_THRESHOLD_"]
    """
    chosen = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"}
    if not sys.platform.startswith("linux") or chosen & set(os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl has none
        return False
    # Older versions take no more than 32 MiB as the first.
    kept = mallopt(_MMAP_THRESHOLD, 2**30) or mallopt(_MMAP_THRESHOLD, 2**25)
    return bool(kept and mallopt(_TRIM_THRESHOLD, 2**31 - 1))
