"""What only looks like a file, and would let its reader wait for ever.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import stat

_OTHERS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def why_no_file(path: str | os.PathLike[str]) -> str | None:
    """Why what stands at a path is not to be opened, if anything stands there.

    Arguments
    ---------
    path : str or os.PathLike
        It need not exist. Links are followed.

    Returns
    -------
    str or None
        None for a file, and for what cannot be looked at: opening it gives
        the reason.

    Example
    -------
    >>> why_no_file("/dev/null"), why_no_file(__file__), why_no_file("nowhere")
    ('it is a device, no file', None, None)
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return None
    for is_other, what in _OTHERS:
        if is_other(mode):
            return f"it is {what}, no file"
    return None
