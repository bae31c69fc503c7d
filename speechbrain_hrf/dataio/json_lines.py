"""Files of one JSON object per line, which many processes may append to.

A line is appended whole, under a lock. What a killed process or a full disk
leaves of a last line is told from a line by its missing end, named when it is
read, and cut off by the next one who appends.

Example
-------
>>> path = getfixture("tmpdir").join("trials.jsonl").strpath
>>> append_line(path, {"seed": 1})
>>> append_line(path, {"seed": 2})
>>> read_lines(path)
[{'seed': 1}, {'seed': 2}]

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os

from speechbrain.utils.logger import get_logger

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

logger = get_logger(__name__)


def append_line(path, line):
    """Adds an object to the end of a file, which is made if it is missing.

    Arguments
    ---------
    path : str or os.PathLike
    line : dict
        Fits into JSON; not-a-number and infinity are refused, since other
        readers of JSON do not know them.

    Raises
    ------
    ValueError
        If the object does not fit into JSON.

    Example
    -------
    >>> path = getfixture("tmpdir").join("x.jsonl").strpath
    >>> append_line(path, {"loss": float("nan")})
    Traceback (most recent call last):
        ...
    ValueError: Out of range float values are not JSON compliant...
    """
    text = json.dumps(line, allow_nan=False, separators=(",", ":"))
    content = f"{text}\n".encode()
    with open(path, "ab+") as stream:
        if fcntl:
            fcntl.flock(stream, fcntl.LOCK_EX)
        _cut_torn_line(stream)
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _cut_torn_line(stream):
    stream.seek(0)
    content = stream.read()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        stream.truncate(whole)
    stream.seek(0, os.SEEK_END)


def read_lines(path):
    """All objects of a file.

    Arguments
    ---------
    path : str or os.PathLike
        A missing file counts as an empty one.

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError
        If a line is not JSON: the file and the line's number.

    Example
    -------
    >>> path = getfixture("tmpdir").join("x.jsonl")
    >>> read_lines(path.strpath)
    []
    >>> path.write('{"seed": 1}\\n{"se')
    >>> read_lines(path.strpath)
    [{'seed': 1}]
    """
    if not os.path.exists(path):
        return []
    with open(path, "rb") as stream:
        if fcntl:
            fcntl.flock(stream, fcntl.LOCK_SH)
        *lines, torn = stream.read().split(b"\n")
    if torn:
        logger.warning(
            "%s ends within line %d: what wrote it was stopped. That line is "
            "left out.",
            path,
            len(lines) + 1,
        )
    objects = []
    for number, line in enumerate(lines, start=1):
        try:
            objects.append(json.loads(line))
        except ValueError as error:
            raise ValueError(
                f"{path}, line {number}: not JSON ({error}). Remove that line; "
                "what it stands for will be run again."
            ) from error
    return objects
