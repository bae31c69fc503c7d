"""Text files of a corpus (labels, lists, annotations), read or refused.

A named pipe among them would be waited for, for ever, and text in another
encoding would be taken for broken labels. Both are refused by name. A byte
order mark is passed over. What a message says of their content is short.

Example
-------
>>> path = getfixture("tmpdir").join("labels.txt")
>>> path.write_binary(b"\\xef\\xbb\\xbfa sad")
>>> read_text(path.strpath)
'a sad'

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import reprlib

from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio
from speechbrain_hrf.regular_file import why_no_file

_QUOTE = reprlib.Repr()
_QUOTE.maxstring = _QUOTE.maxother = 80


def read_text(path: str | os.PathLike[str], errors: str = "strict") -> str:
    """A text file's content.

    Arguments
    ---------
    path : str or os.PathLike
        A regular file.
    errors : {"strict", "replace"}
        What to do with bytes that are no UTF-8: refuse or replace them.

    Returns
    -------
    str
        Line ends as they are.

    Raises
    ------
    UnusableAudio
        A ``ValueError`` that names the file and what to do: it is missing, no
        regular file, unreadable, or not UTF-8.

    Example
    -------
    >>> read_text(getfixture("tmpdir").strpath)
    Traceback (most recent call last):
        ...
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio: ...: it is a folder, ...
    """
    why = why_no_file(path)
    if why:
        raise UnusableAudio(path, f"{why}: put the text file there")
    try:
        content = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise UnusableAudio(
            path,
            f"it cannot be read ({error.strerror}): restore the file or its "
            "permissions",
        ) from error
    return decode(path, content, errors)


def decode(
    path: str | os.PathLike[str], content: bytes, errors: str = "strict"
) -> str:
    """What bytes of a text file say.

    Arguments
    ---------
    path : str or os.PathLike
        Where they come from, for the error.
    content : bytes
    errors : {"strict", "replace"}
        What to do with bytes that are no UTF-8.

    Returns
    -------
    str
        Without a byte order mark.

    Raises
    ------
    UnusableAudio
        For UTF-16 and, if ``errors`` is "strict", all else that is no UTF-8.

    Example
    -------
    >>> decode("a.txt", "Text".encode("utf-16"))
    Traceback (most recent call last):
        ...
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio: a.txt: it is UTF-16: ...
    """
    # With its mark, or without: a letter, then 0, or the other way round.
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or 0 in content[:2]:
        raise UnusableAudio(path, "it is UTF-16: save it as UTF-8")
    try:
        return content.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        raise UnusableAudio(
            path,
            f"byte {error.start}: this is no UTF-8. Restore the file from the "
            "corpus, or save it as UTF-8.",
        ) from error


def shorten(name: object, length: int = 80) -> str:
    """A name for a message, without its end if it is very long.

    What stands in a file may have any length, and is not to fill the log.

    Arguments
    ---------
    name : object
        Anything with a text.
    length : int
        How many characters are shown.

    Returns
    -------
    str

    Example
    -------
    >>> shorten("anjia_1_1"), shorten("anjia_1_1", 5)
    ('anjia_1_1', 'anjia...')
    """
    text = str(name)
    return text if len(text) <= length else f"{text[:length]}..."


def quote(value: object) -> str:
    """A value that was read, as Python writes it, in some 80 characters.

    Arguments
    ---------
    value : object
        Text, or what JSON may hold, nested as deep as may be.

    Returns
    -------
    str

    Example
    -------
    >>> quote("neu"), len(quote("x" * 10**6))
    ("'neu'", 80)
    >>> print(quote([[[[[[[[]]]]]]]]))
    [[[[[[[...]]]]]]]
    """
    return _QUOTE.repr(value)
