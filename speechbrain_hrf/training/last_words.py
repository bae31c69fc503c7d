"""What a run says last when a disk or the shared memory is full.

SpeechBrain's own files (``hyperparams.yaml``, ``label_encoder.txt``, ``log.txt``)
and the start of data loaders fail by the system's words alone, which name no
place; and where ``log.txt`` cannot be written, its logger speaks last.

Authors
 * The speechbrain_hrf authors 2026
"""

import errno
import os
import sys

from speechbrain_hrf.dataio.shared_memory import is_full, name_shared_memory
from speechbrain_hrf.files import probe_folder
from speechbrain_hrf.training.output_folder import why_lost

# What writing ends in, not reading. None: of an error that says more itself.
_WRITING = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, None),
)


def say_last_words(folder: str | os.PathLike[str]) -> None:
    """Ends the output by the reason for which a run was given up, if it is this.

    To be called when Python ends, after it has shown the error.

    Arguments
    ---------
    folder : str or os.PathLike
        The run's output folder.

    Example
    -------
    >>> say_last_words("results/run")  # nothing has gone wrong
    """
    words = find_last_words(getattr(sys, "last_value", None), folder)
    if words:
        sys.stdout.flush()
        print(words, file=sys.stderr, flush=True)


def find_last_words(
    error: BaseException | None, folder: str | os.PathLike[str]
) -> str | None:
    """A sentence that names what is full, and what to do.

    Arguments
    ---------
    error : BaseException or None
        What has ended the run.
    folder : str or os.PathLike
        Its output folder.

    Returns
    -------
    str or None
        None if all can be written, or the error is of another kind.

    Example
    -------
    >>> error = OSError(errno.ENOSPC, "No space left on device")
    >>> folder = getfixture("tmpdir").strpath
    >>> find_last_words(error, folder) is None  # there is room by now
    True
    """
    if not isinstance(error, OSError) or error.errno not in _WRITING:
        return None
    found = probe_folder(folder)
    if found is not None and found.errno in _WRITING:
        # Again what was said, or what should have been.
        last = error if error.errno is None else why_lost(folder, found)
        return f"{type(last).__name__}: {last}"
    # The locks of data loaders lie there, and name no file.
    if error.errno == errno.ENOSPC and error.filename is None and is_full():
        return (
            f"OSError: {name_shared_memory()} is full: make room in it or "
            "enlarge it (docker run --shm-size=1g), or give --num_workers 0. "
            "Then start the run again, which goes on from its last checkpoint."
        )
    return None
