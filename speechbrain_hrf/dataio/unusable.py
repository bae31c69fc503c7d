"""The error for an audio file that cannot be used, and its reasons.

Authors
 * The speechbrain_hrf authors 2026
"""

import os

# libsndfile's stand-in for an unknown length is far above it.
_MOST_FRAMES = 2**48


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


def check_length(path, frames):
    """Refuses audio whose header does not say how long it is.

    Arguments
    ---------
    path : str or os.PathLike
    frames : int
        What libsndfile makes of the header.

    Raises
    ------
    UnusableAudio

    Example
    -------
    >>> check_length("a.flac", 2**63 - 1)
    Traceback (most recent call last):
        ...
    speechbrain_hrf.dataio.unusable.UnusableAudio: ...encode it again
    """
    if frames > _MOST_FRAMES:
        raise UnusableAudio(path, "its header gives no length: encode it again")


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
