"""Audio files: where they are, and the error for one that cannot be used.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import re
from collections.abc import Callable

from speechbrain_hrf.regular_file import why_no_file

#: Samples per second that recordings have; others are mistakes, such as 16 for
#: 16 kHz.
RATES = (1000, 768000)

# libsndfile's stand-in for an unknown length is far above it.
_MOST_FRAMES = 2**48

# libsndfile's log of a file that ends before its header says: of its samples,
# and of the whole of W64 and RF64.
_CUT_SHORT = re.compile(
    r"^\s*(?:data|SSND|BODY|Data Size|riff|Riff size)\s*: "
    r"(\d+) \(should be (\d+)\)",
    re.M,
)
# Programs that write to a pipe cannot know the length and put in the largest
# (0x7f00.... in AIFF; 0x7fff.... or 0xffffffff): such a file is whole.
_LENGTH_UNKNOWN = 0x7EFF0000


def find_audio(
    top: str | os.PathLike[str],
    extensions: tuple[str, ...] = (".wav",),
    depth: int = 4,
    on_error: Callable[[OSError], None] | None = None,
) -> list[str]:
    """Paths of the audio files below a folder, in a fixed order.

    `._*` files (leftovers of a Macintosh) and hidden folders are passed over;
    links are followed, but no folder is entered twice.

    Arguments
    ---------
    top : str or os.PathLike
        Where to search. What is no folder holds none.
    extensions : tuple of str
        In lower case; files may have them in upper case.
    depth : int
        Folders to go down at most: nobody wants to wait for a search through
        a whole disk.
    on_error : callable, optional
        Called with the error of a folder that cannot be read, before the
        search goes on. Default: it is raised.

    Returns
    -------
    list of str

    Raises
    ------
    OSError
        If a folder cannot be read.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> for name in "b.WAV", "a.wav", "._a.wav", "a.txt":
    ...     folder.join("audio", name).write("", ensure=True)
    >>> [os.path.basename(path) for path in find_audio(folder.strpath)]
    ['a.wav', 'b.WAV']
    """

    def stop(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise error

    paths, entered = [], set()
    for folder, subfolders, names in os.walk(
        top, onerror=on_error or stop, followlinks=True
    ):
        real = os.path.realpath(folder)
        if real in entered:  # by a link
            subfolders.clear()
            continue
        entered.add(real)
        relative = os.path.relpath(folder, top)
        gone_down = 0 if relative == "." else relative.count(os.sep) + 1
        if gone_down >= depth:
            subfolders.clear()
        # In place: this is what os.walk goes through next.
        subfolders[:] = sorted(x for x in subfolders if not x.startswith("."))
        paths += [
            os.path.join(folder, name)
            for name in names
            if name.lower().endswith(extensions) and not name.startswith("._")
        ]
    return sorted(paths)


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

    def __init__(self, path: str | os.PathLike[str], reason: str):
        super().__init__(path, reason)  # both in args, so that it pickles
        self.path = os.fspath(path)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def check_file(path: str | os.PathLike[str]) -> None:
    """Refuses what libsndfile has no clear words for.

    Arguments
    ---------
    path : str or os.PathLike

    Raises
    ------
    UnusableAudio
        For a folder, a missing and an empty file, and what is no file at all.

    Example
    -------
    >>> check_file("nowhere.wav")
    Traceback (most recent call last):
        ...
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio: ...the file is missing
    """
    if not os.path.exists(path):
        raise UnusableAudio(path, "the file is missing")
    check_kind(path)
    if os.path.getsize(path) == 0:
        raise UnusableAudio(path, "the file is empty")


def check_kind(path: str | os.PathLike[str]) -> None:
    """Refuses what would let its reader wait for ever, such as a named pipe.

    Arguments
    ---------
    path : str or os.PathLike
        It need not exist.

    Raises
    ------
    UnusableAudio

    Example
    -------
    >>> check_kind("/dev/null")
    Traceback (most recent call last):
        ...
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio: ...it is a device, no file
    """
    why = why_no_file(path)
    if why:
        raise UnusableAudio(path, why)


def check_header(
    path: str | os.PathLike[str], rate: int, frames: int = 0
) -> None:
    """Refuses audio of an impossible rate, or without a length.

    Arguments
    ---------
    path : str or os.PathLike
    rate : int
        What the header says, in samples per second.
    frames : int
        What libsndfile makes of the header.

    Raises
    ------
    UnusableAudio

    Example
    -------
    >>> check_header("a.flac", 16000, 2**63 - 1)
    Traceback (most recent call last):
        ...
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio: ...encode it again
    """
    if not RATES[0] <= rate <= RATES[1]:
        raise UnusableAudio(
            path,
            f"its header says {rate} samples per second, and recordings have "
            f"{RATES[0]} to {RATES[1]}",
        )
    if frames > _MOST_FRAMES:
        raise UnusableAudio(path, "its header gives no length: encode it again")


def check_end(path: str | os.PathLike[str], log: str) -> None:
    """Refuses a file that ends before its header says.

    Arguments
    ---------
    path : str or os.PathLike
    log : str
        What libsndfile noted when it opened the file.

    Raises
    ------
    UnusableAudio

    Example
    -------
    >>> check_end("a.wav", "data : 4000 (should be 1000)")
    Traceback (most recent call last):
        ...
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio: ...1000 of 4000 bytes...
    """
    short = _CUT_SHORT.search(log)
    if short:
        announced, present = int(short[1]), int(short[2])
        if present < announced < _LENGTH_UNKNOWN:
            raise UnusableAudio(
                path,
                f"it is truncated: {present} of {announced} bytes are there",
            )


def cause(error: Exception) -> str:
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
