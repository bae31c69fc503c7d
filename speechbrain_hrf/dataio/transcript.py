"""Who speaks when, from the transcript of an interview, and not what is said.

Transcripts of clinical interviews must not leave their folder. So the words
of a row are looked at here and dropped at once: no row that is returned and
no error holds any of them.

What is said is cut out of a recording as ranges, [start, stop) in whole
samples, so that nothing is ever rounded.

Example
-------
>>> path = getfixture("tmpdir").join("300_TRANSCRIPT.csv")
>>> path.write('''start_time\\tstop_time\\tspeaker\\tvalue
... 36.588\\t39.668\\tEllie\\twords
... 62.328\\t63.178\\tParticipant\\t<laughter>
... ''')
>>> for row in read_transcript(path.strpath):
...     print(row.line, row.start, row.stop, row.speaker, row.only_tags)
2 36.588 39.668 ellie False
3 62.328 63.178 participant True

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from speechbrain_hrf.dataio.sound.archive import read_bytes
from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio
from speechbrain_hrf.dataio.text_file import decode

COLUMNS = ("start_time", "stop_time", "speaker", "value")
SPEAKERS = ("ellie", "participant")
_TIME = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
_LINE_END = re.compile(r"\r\n|\n|\r")
_ONLY_TAGS = re.compile(r"(?:\s*<[^<>]*>)+\s*")
_HIDDEN = "(What it says is not shown: it is confidential.)"
# <sync>, also as some were typed: [synch], <sync., [syncing]
_SYNC = re.compile(r"\s*[<\[]\s*synch?(?:ing)?\s*\.?\s*[>\]]?\s*", re.I)


class Row(NamedTuple):
    """One row of a transcript, without its words.

    Arguments
    ---------
    line : int
        Where it stands in the file, from 1.
    start, stop : decimal.Decimal
        Seconds, as exact as they are written.
    speaker : str
        One of ``SPEAKERS``, or empty for anybody else.
    sync : bool
        Whether it is nothing but the mark `<sync>`.
    only_tags : bool
        Whether it is nothing but tags: `<laughter>`, `<sync>` as well.

    Example
    -------
    >>> Row(2, Decimal("0.5"), Decimal("1.5"), "ellie", False, False).line
    2
    """

    line: int
    start: Decimal
    stop: Decimal
    speaker: str
    sync: bool
    only_tags: bool


def read_transcript(path: str | os.PathLike[str]) -> list[Row]:
    """All rows of a transcript in their order.

    Any line ends and blank lines are accepted; columns are separated by tabs
    and named in the first line.

    Arguments
    ---------
    path : str or os.PathLike
        The file; it may lie in a zip archive, see ``archive``.

    Returns
    -------
    list of Row

    Raises
    ------
    ValueError
        When a row is malformed. It names file and line and quotes nothing.
    UnusableAudio
        When the file cannot be read at all, or is no transcript: it is empty,
        UTF-16, or its first line is another one.

    Example
    -------
    >>> path = getfixture("tmpdir").join("300_TRANSCRIPT.csv")
    >>> path.write("start_time\\tstop_time\\tspeaker\\tvalue\\n1.5\\tlater\\tEllie")
    >>> read_transcript(path.strpath)
    Traceback (most recent call last):
    ...
    ValueError: /..., line 2: the times are not two numbers of seconds. ...
    """
    # Some bytes may be of an older encoding; times and speakers are ASCII.
    content = read_bytes(path)
    text = decode(path, content, errors="replace")
    numbered = [
        (number, line)
        for number, line in enumerate(_LINE_END.split(text), start=1)
        if line.strip()
    ]
    if not numbered:
        raise UnusableAudio(path, "there is nothing in the file")
    number, line = numbered[0]
    if tuple(cell.strip().lower() for cell in line.split("\t")) != COLUMNS:
        raise UnusableAudio(
            path,
            f"line {number}: the columns, separated by tabs, are not "
            f"{', '.join(COLUMNS)}: restore the file from the corpus. "
            f"{_HIDDEN}",
        )
    return [_row(path, number, line) for number, line in numbered[1:]]


def _row(path: str | os.PathLike[str], number: int, line: str) -> Row:
    # Words may hold anything, a tab as well.
    cells = line.split("\t", maxsplit=3)
    if len(cells) < 3:
        raise ValueError(_message(path, number, "there are too few columns"))
    start, stop, speaker = (cell.strip() for cell in cells[:3])
    if not _TIME.fullmatch(start) or not _TIME.fullmatch(stop):
        raise ValueError(
            _message(path, number, "the times are not two numbers of seconds")
        )
    words = cells[3] if len(cells) == 4 else ""
    return Row(
        number,
        Decimal(start),
        Decimal(stop),
        speaker.lower() if speaker.lower() in SPEAKERS else "",
        bool(_SYNC.fullmatch(words)),
        bool(_SYNC.fullmatch(words) or _ONLY_TAGS.fullmatch(words)),
    )


def _message(path: str | os.PathLike[str], number: int, problem: str) -> str:
    return (
        f"{path}, line {number}: {problem}. Expected, separated by tabs: "
        "start, stop, speaker, words. Restore the file from the corpus or "
        f"repair the line. {_HIDDEN}"
    )


def cut_windows(
    ranges: Sequence[tuple[int, int]], length: int, hop: int
) -> Iterator[list[list[int]]]:
    """Full windows over ranges that are joined end to end.

    There are ``floor((total - length) / hop) + 1`` of them, none if the total
    is below the length; what remains at the end is left out.

    Arguments
    ---------
    ranges : list of (int, int)
        In the order in which they are joined; they may overlap.
    length : int
        Of a window, in samples.
    hop : int
        From one window's start to the next one's.

    Yields
    ------
    list of [int, int]
        The ranges of one window; their lengths add up to ``length``.

    Example
    -------
    >>> list(cut_windows([(100, 104), (50, 53)], length=4, hop=3))
    [[[100, 104]], [[103, 104], [50, 53]]]
    >>> list(cut_windows([(0, 3)], length=4, hop=3))
    []
    """
    total = sum(stop - start for start, stop in ranges)
    for begin in range(0, total - length + 1, hop):
        yield _cut(ranges, begin, begin + length)


def _cut(
    ranges: Sequence[tuple[int, int]], begin: int, end: int
) -> list[list[int]]:
    """The part from begin to end of the joined ranges."""
    found, offset = [], 0
    for start, stop in ranges:
        first = max(begin - offset, 0)
        last = min(end - offset, stop - start)
        if first < last:
            found.append([start + first, start + last])
        offset += stop - start
    return found


def remove_gap(
    ranges: Sequence[tuple[int, int]], gap: tuple[int, int]
) -> list[tuple[int, int]]:
    """Ranges less what lies in a gap.

    Arguments
    ---------
    ranges : list of (int, int)
        In any order.
    gap : (int, int)
        What to take out.

    Returns
    -------
    list of (int, int)
        In the order given; a range around the gap becomes two.

    Example
    -------
    >>> remove_gap([(0, 4), (5, 9), (1, 9)], gap=(3, 6))
    [(0, 3), (6, 9), (1, 3), (6, 9)]
    """
    return [
        (start, stop)
        for one, other in ranges
        for start, stop in (
            (one, min(other, gap[0])),
            (max(one, gap[1]), other),
        )
        if start < stop
    ]
