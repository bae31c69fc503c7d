"""A driver's folder for Ray's sockets and logs.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import re
import shutil
import tempfile

# Ray's sockets lie below the temporary folder, and a socket's path is limited
# to 107 characters, of which Ray takes 63.
_LONGEST_TEMPORARY = 40


def temporary_folder():
    """A new folder for Ray's sockets and logs, with a path that is short.

    Returns
    -------
    pathlib.Path

    Example
    -------
    >>> folder = temporary_folder()
    >>> len(str(folder)) <= 40
    True
    >>> remove_temporary(folder)
    >>> folder.exists()
    False
    """
    usual = tempfile.gettempdir()
    return pathlib.Path(
        tempfile.mkdtemp(
            prefix="hrf-",
            dir=usual if len(usual) + 13 <= _LONGEST_TEMPORARY else "/tmp",
        )
    )


def remove_temporary(folder):
    """Removes what ``temporary_folder`` has made, and nothing else.

    Arguments
    ---------
    folder : str or os.PathLike

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> remove_temporary(folder.strpath)
    >>> folder.exists()
    True
    """
    folder = pathlib.Path(folder)
    if re.fullmatch(r"hrf-\w{8}", folder.name) and folder.parent in (
        pathlib.Path(tempfile.gettempdir()),
        pathlib.Path("/tmp"),
    ):
        # A dying process of Ray may still write into it.
        shutil.rmtree(folder, ignore_errors=True)
