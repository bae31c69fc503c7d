"""The error for an audio file that cannot be used, and its reasons.

Authors
 * The speechbrain_hrf authors 2026
"""

import os


class UnusableAudio(ValueError):
    """A file that cannot be used as audio, and why.

    Arguments
    ---------
    path : str or os.PathLike
        The file.
    reason : str
        What is wrong with it.

    Example
    -------
    >>> error = UnusableAudio("a.wav", "the file is empty")
    >>> str(error), error.reason
    ('a.wav: the file is empty', 'the file is empty')
    """

    def __init__(self, path, reason):
        super().__init__(path, reason)  # both in args, so that it pickles
        self.path = os.fspath(path)
        self.reason = reason

    def __str__(self):
        return f"{self.path}: {self.reason}"


def check_file(path):
    """Refuses what libsndfile has no clear words for.

    Arguments
    ---------
    path : str or os.PathLike

    Raises
    ------
    UnusableAudio
        For a folder, a missing and an empty file.

    Example
    -------
    >>> check_file("nowhere.wav")
    Traceback (most recent call last):
        ...
    speechbrain_hrf.dataio.unusable.UnusableAudio: ...the file is missing
    """
    if os.path.isdir(path):
        raise UnusableAudio(path, "it is a folder, not a file")
    if not os.path.exists(path):
        raise UnusableAudio(path, "the file is missing")
    if os.path.getsize(path) == 0:
        raise UnusableAudio(path, "the file is empty")


def cause(error):
    """What libsndfile said, without the path that it repeats.

    Arguments
    ---------
    error : Exception

    Returns
    -------
    str

    Example
    -------
    >>> cause(ValueError("no sound"))
    'no sound'
    """
    return getattr(error, "error_string", None) or str(error)
