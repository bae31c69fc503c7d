"""Reads a table of one's own recordings, however a spreadsheet has saved it.

One row per utterance, `path,label` and, as far as they are known, `speaker`,
`split`, `start` and `stop` (seconds in the file). The delimiter may be a comma, a
semicolon or a tab, the encoding UTF-8 or Excel's UTF-16; column names count in
any case and order, other columns are passed over. Spellings of one label or
speaker are one, or refused: as two persons, one would be trained and tested.

Authors
 * The speechbrain_hrf authors 2026
"""

import csv
import difflib
import math
import os
import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple, NoReturn

from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.preparation import list_some
from speechbrain_hrf.dataio.sound.archive import split_member

logger = get_logger(__name__)

COLUMNS = ("path", "label", "speaker", "split", "start", "stop")
SPLITS = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("valid", "validation", "val"), "valid"),
    **dict.fromkeys(("dev", "devel", "development"), "valid"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation", "tst"), "test"),
}
# Columns that are nearly known: to pass them over would cut nothing.
_TIMES = {
    **dict.fromkeys(("begin", "onset", "offset", "start_time"), "start"),
    **dict.fromkeys(("end_time", "stop_time", "duration", "dur"), "stop"),
}
EXAMPLE = """\
path,label,speaker
anna/001.wav,happy,anna
anna/002.wav,sad,anna
ben/001.wav,happy,ben
Columns that may be added: split (train, valid or test), start and stop (seconds).
Paths count from the table's own folder."""


class Row(NamedTuple):
    """An utterance of the table.

    Example
    -------
    >>> Row("a.wav", "/data/a.wav", "sad", None, None, 1.5, None).id
    'a.wav_1.5-'
    """

    name: str
    path: str
    label: str
    speaker: str | None
    split: str | None
    start: float | None
    stop: float | None

    @property
    def id(self) -> str:
        """str: The file's path in the table, and which part of it."""
        if self.start is None and self.stop is None:
            return self.name
        ends = (
            "" if x is None else f"{x:.10g}" for x in (self.start, self.stop)
        )
        return f"{self.name}_{'-'.join(ends)}"

    @property
    def voice(self) -> str:
        """str: Who speaks; where that is not known, the recording."""
        return self.name if self.speaker is None else self.speaker


def read_rows(table: str, folder: str | None = None) -> list[Row]:
    """All utterances of a table, sorted by their ids.

    Arguments
    ---------
    table : str
        The file.
    folder : str, optional
        What paths are relative to. Default: the table's folder.

    Returns
    -------
    list of Row
        All have a speaker or none has, and likewise a split.

    Raises
    ------
    FileNotFoundError
        When the table, or every file that it names, is missing.
    ValueError
        When it cannot be understood: the line, the reason, an example.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> folder.join("a.wav").write("")
    >>> folder.join("my.csv").write("Label;PATH;note\\n1;a.wav;loud\\n")
    >>> [row] = read_rows(folder.join("my.csv").strpath)
    >>> row.name, row.label, row.speaker
    ('a.wav', '1', None)
    """
    folder = folder or os.path.dirname(os.path.abspath(table))
    lines = _read_lines(table)
    rows = {}
    for number, cells in lines:
        row = _row(table, folder, number, cells)
        other = rows.setdefault(row.id, row)
        if other is not row:
            what = f"{row.id} stands there twice"
            if row.label != other.label:
                what += f", as {other.label} and as {row.label}"
            _refuse(f"{table}, line {number}", f"{what}: keep one of the rows")
    if not rows:
        _refuse(table, "it has no row below the names of its columns")
    rows = _without_pandas_floats(rows.values())
    for key in ("label", "speaker"):
        _refuse_spellings(table, key, {getattr(row, key) for row in rows})
    if not any(os.path.exists(_on_disk(row.path)) for row in rows):
        raise FileNotFoundError(
            f"None of the {len(rows)} files of {table} is there: the first "
            f"would be {rows[0].path}. Paths count from the table's folder: "
            "put it beside or above the audio, or name the audio's folder "
            "with --data_folder."
        )
    return sorted(rows, key=lambda row: row.id)


def sort_names(names) -> list[str]:
    """Distinct labels or speakers in order: numbers by value, else by text.

    Arguments
    ---------
    names : iterable of str

    Returns
    -------
    list of str

    Example
    -------
    >>> sort_names(["10", "9", "10"]), sort_names(["sad", "10", "9"])
    (['9', '10'], ['10', '9', 'sad'])
    """
    distinct = sorted(set(names))
    try:
        return sorted(distinct, key=float)
    except ValueError:
        return distinct


def tidy_name(text: str) -> str:
    """A label or speaker, one way of those to write the same characters.

    Arguments
    ---------
    text : str

    Returns
    -------
    str
        Composed (NFC), without characters that nobody sees (category Cf).

    Example
    -------
    >>> tidy_name("e\\u0301ve\\u200b ") == "\\xe9ve"
    True
    """
    seen = [x for x in text if unicodedata.category(x) != "Cf"]
    return unicodedata.normalize("NFC", "".join(seen)).strip()


def _read_lines(table):
    """(line number, column -> text) of each row that is not empty."""
    text = _decode(table)
    # Excel's own hint, which it takes for no row either.
    said = re.match(r"sep=.\n", text, re.I)
    body = text[said.end() :] if said else text
    names, delimiter = _header(table, body)
    # Line by line: a quotation mark that is not closed would swallow others.
    _, *lines = body.split("\n")
    found = []
    for number, line in enumerate(lines, 2 + bool(said)):
        where = f"{table}, line {number}"
        try:
            cells = next(csv.reader([line + "\n"], delimiter=delimiter))
        except csv.Error as error:
            _refuse(where, f"{error}")
        if any("\n" in cell for cell in cells):
            _refuse(
                where,
                "a quotation mark is opened and not closed here: close it, "
                "or remove it; a cell holds no line break",
            )
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        if any(cells[len(names) :]):
            _refuse(
                where,
                f"it has {len(cells)} cells, and there are {len(names)} "
                "columns: put a cell that holds the delimiter in quotes",
            )
        cells += [""] * (len(names) - len(cells))
        found.append((number, dict(zip(names, cells, strict=False))))
    return found


def _decode(table):
    if not os.path.isfile(table):
        raise FileNotFoundError(
            f"There is no table {table}. It looks like this:\n{EXAMPLE}"
        )
    with open(table, "rb") as file:
        content = file.read()
    is_utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(table, f"it is not UTF-8 ({error}): save it as 'CSV UTF-8'")
    if "\0" in text:
        _refuse(table, "it is no text: save it as 'CSV UTF-8'")
    text = text.lstrip("\ufeff")  # one more, where a file was saved twice
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _header(table, body):
    """Names of the columns in lower case, and the delimiter."""
    line = body.partition("\n")[0]
    for delimiter in ",;\t":
        cells = next(csv.reader([line], delimiter=delimiter), [])
        names = [cell.strip().lower() for cell in cells]
        if {"path", "label"} <= {*names}:
            break
    else:
        _refuse(
            table,
            "its first line has no columns path and label, set apart by "
            f"commas, semicolons or tabs: {line[:80]!r}",
        )
    if "stop" not in names:
        names = ["stop" if name == "end" else name for name in names]
    for name in COLUMNS:
        if names.count(name) > 1:
            _refuse(table, f"it has {names.count(name)} columns {name}")
    others = [
        name or "(without a name)" for name in names if name not in COLUMNS
    ]
    if others:
        logger.info("%s: columns passed over: %s", table, list_some(others))
    for name in others:
        meant = _TIMES.get(name)
        is_length = name in ("duration", "dur")  # a file's, without a start
        if meant in (None, *names) or (is_length and "start" not in names):
            continue
        _refuse(
            table,
            f"its column {name} would be passed over. If it says which part "
            "of a file to take, give start and stop, both in seconds from the "
            "file's beginning; if not, remove it or rename it",
        )
    for name in (name for name in COLUMNS if name not in names):
        for near in difflib.get_close_matches(name, others, 1, 0.75):
            logger.warning(
                "%s: the column %s is passed over. If it is what is called %s "
                "here, rename it.",
                *(table, near, name),
            )
    return names, delimiter


def _row(table, folder, number, cells):
    where = f"{table}, line {number}"
    for name in {"label", "speaker"} & {*cells}:
        cells[name] = tidy_name(cells[name])
    for name in COLUMNS[:4]:  # a start or stop may be missing
        if cells.get(name) == "":
            _refuse(where, f"{name} is empty")
    if {"{", "}"} & {*cells["label"]}:
        _refuse(where, f"label is {cells['label']!r}: leave out the braces")
    if CategoricalEncoder.VALUE_SEPARATOR in cells["label"]:
        _refuse(where, f"label is {cells['label']!r}: leave out the arrow =>")
    split = cells.get("split")
    if split is not None and split.lower() not in SPLITS:
        _refuse(where, f"split is {split!r}, not train, valid or test")
    start, stop = (_seconds(where, x, cells.get(x)) for x in ("start", "stop"))
    if stop is not None and stop <= (start or 0):
        _refuse(
            where, f"stop, {stop:g} s, is not after start, {start or 0:g} s"
        )
    path = _find(cells["path"], folder)
    return Row(
        os.path.relpath(path, folder).replace(os.sep, "/"),
        path,
        cells["label"],
        cells.get("speaker"),
        split and SPLITS[split.lower()],
        start or None,  # 0 is where a file begins anyway
        stop,
    )


def _seconds(where, name, text):
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))  # as half of Europe writes it
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        _refuse(where, f"{name} is {text!r}, not a number of seconds")
    return value


def _find(path, folder):
    """Where a file is; backslashes part folders unless a name has one."""
    found = os.path.join(folder, os.path.expanduser(path))
    if "\\" in path and not os.path.exists(found):
        found = os.path.join(folder, path.replace("\\", "/"))
    return os.path.normpath(found)


def _on_disk(path):
    """A file, or the archive that it lies in."""
    return split_member(path)[0]


def _without_pandas_floats(rows):
    """1.0 is 1 where all are such: pandas makes that of whole numbers."""
    rows = list(rows)
    for key in ("label", "speaker"):
        texts = [getattr(row, key) for row in rows]
        if all(re.fullmatch(r"-?\d+\.0+", text or "") for text in texts):
            rows = [
                row._replace(**{key: text.partition(".")[0]})
                for row, text in zip(rows, texts, strict=True)
            ]
    return rows


def _refuse_spellings(table, key, names):
    """One label or speaker must not pass for two."""
    spelt = {}
    for name in sorted(names - {None}):
        plain = "".join(name.casefold().split())
        is_number = re.fullmatch(r"-?\d+(\.\d*)?", plain)
        other = spelt.setdefault(Decimal(plain) if is_number else plain, name)
        if other != name:
            _refuse(
                table,
                f"one {key} seems to be spelt in two ways, {other!r} and "
                f"{name!r}: write them alike, or, if they are two, tell them "
                "apart by more than case, blanks and zeros",
            )


def _refuse(where: str, problem: str) -> NoReturn:
    raise ValueError(f"{where}: {problem}. A table looks like this:\n{EXAMPLE}")
