"""Manifests: written whole or not at all, and never reused when out of date.

A set of manifests is current when it was made with the same options from the
same data. ``fingerprint.json``, written last and removed first, says what it
was made from: without it the set counts as absent, so that a preparation
killed at any moment is simply done again.

Example
-------
>>> folder = getfixture("tmpdir").strpath
>>> made_from = fingerprint({"fold": 1}, folder, files=[])
>>> stale_reason(folder, ["train"], made_from)
'there are none yet'
>>> entry = {"wav": "{data_root}/a.wav", "duration": 1.0, "emo": "sad"}
>>> write_manifests(folder, {"train": {"a": entry}}, made_from)
>>> stale_reason(folder, ["train"], made_from) is None
True
>>> stale_reason(folder, ["train"], fingerprint({"fold": 2}, folder, []))
'the options changed (fold: 1 -> 2)'

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterable
from typing import Any

from tabulate import tabulate

from speechbrain_hrf.dataio.text_file import quote
from speechbrain_hrf.files import write_whole

# Name -> {utterance -> entry}
Manifests = dict[str, dict[str, dict[str, Any]]]

# Raise it when what preparers write changes: older manifests are then redone.
FORMAT = 1
# Splits that a preparation may have; those it has not are removed, so that no
# valid.json of earlier options stays behind.
SPLITS = ("train", "valid", "test")
_FINGERPRINT = "fingerprint.json"


def fingerprint(
    options: dict[str, Any],
    root: str | os.PathLike[str],
    files: Iterable[str | os.PathLike[str]],
    label_files: Iterable[str | os.PathLike[str]] = (),
) -> dict[str, Any]:
    """What a set of manifests is made from: the options and the data.

    Arguments
    ---------
    options : dict
        The preparer's options; values that JSON can hold.
    root : str or os.PathLike
        The data folder; names count relative to it, so that a corpus may
        move without being prepared again.
    files : iterable of str or os.PathLike
        Audio files: name, size and time of change count. A missing one counts
        as missing.
    label_files : iterable of str or os.PathLike
        Small files whose whole content counts.

    Returns
    -------
    dict
        For `stale_reason` and `write_manifests`.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> labels = folder.join("labels.txt")
    >>> labels.write("a sad")
    >>> before = fingerprint({}, folder.strpath, [], [labels.strpath])
    >>> labels.write("a ang")
    >>> before == fingerprint({}, folder.strpath, [], [labels.strpath])
    False
    """
    digest = hashlib.sha256()
    for path in sorted(os.fspath(file) for file in files):
        try:
            stat = os.stat(path)
            state = f"{stat.st_size} {stat.st_mtime_ns}"
        except (OSError, ValueError):  # or no name that can be on a disk
            state = "missing"
        digest.update(_line(_relative(path, root), state))
    for path in sorted(os.fspath(file) for file in label_files):
        content = _digest(path) or "missing"
        digest.update(_line(_relative(path, root), content))
    # Through JSON and back: tuples become lists, as they will when read.
    options = json.loads(json.dumps(options))
    return {"format": FORMAT, "options": options, "data": digest.hexdigest()}


def stale_reason(
    folder: str | os.PathLike[str],
    names: Iterable[str],
    made_from: dict[str, Any],
) -> str | None:
    """Why the manifests of a folder cannot be used as they are.

    Arguments
    ---------
    folder : str or os.PathLike
        Where the manifests are.
    names : iterable of str
        The manifests needed, without `.json`.
    made_from : dict
        What they must be made from, see `fingerprint`.

    Returns
    -------
    str or None
        The reason to prepare again, None when they are current.

    Example
    -------
    >>> stale_reason(getfixture("tmpdir").strpath, ["train"], {})
    'there are none yet'
    """
    try:
        found = json.loads(_read(os.path.join(folder, _FINGERPRINT)))
        old, digests = dict(found["made_from"]), dict(found["manifests"])
        old_options = dict(old["options"])
    except FileNotFoundError:
        started = any(
            os.path.exists(os.path.join(folder, f"{split}.json"))
            for split in SPLITS
        )
        if started:
            return "the last preparation did not finish"
        return "there are none yet"
    # Recursion: it is nested too deep.
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return f"{_FINGERPRINT} cannot be read"
    if old != made_from:
        options = made_from.get("options", {})
        changes = [
            f"{key}: {quote(old_options.get(key))} -> {quote(options.get(key))}"
            for key in sorted({*old_options, *options})
            if old_options.get(key) != options.get(key)
        ]
        if changes:
            return f"the options changed ({', '.join(changes)})"
        if old.get("format") != made_from.get("format"):
            return "they are of an older version"
        return "the data changed"
    for name in names:
        if name not in digests or digests[name] != _digest(
            os.path.join(folder, f"{name}.json")
        ):
            return f"{name}.json is missing or was changed"
    return None


def write_manifests(
    folder: str | os.PathLike[str],
    manifests: Manifests,
    made_from: dict[str, Any],
) -> None:
    """Writes a set of manifests so that no half of it is ever taken for whole.

    Arguments
    ---------
    folder : str or os.PathLike
        Where to write; made if absent.
    manifests : dict
        Name -> {utterance -> entry}; written as `<name>.json`, keys sorted.
    made_from : dict
        What they are made from, see `fingerprint`.

    Raises
    ------
    OSError
        When the folder cannot be written.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> write_manifests(folder.strpath, {"test": {}}, {"options": {}})
    >>> sorted(path.basename for path in folder.listdir())
    ['fingerprint.json', 'test.json']
    """
    try:
        os.makedirs(folder, exist_ok=True)
        gone = [split for split in SPLITS if split not in manifests]
        for name in _FINGERPRINT, *(f"{split}.json" for split in gone):
            with contextlib.suppress(FileNotFoundError):
                os.remove(os.path.join(folder, name))
        digests = {
            name: _write(os.path.join(folder, f"{name}.json"), entries)
            for name, entries in manifests.items()
        }
        _write(
            os.path.join(folder, _FINGERPRINT),
            {"made_from": made_from, "manifests": digests},
        )
    except OSError as error:
        raise type(error)(
            error.errno,
            f"Cannot write the manifests to {os.fspath(folder)} "
            f"({error.strerror}): give a folder that can be written",
        ) from error


def count_table(
    manifests: Manifests, labels: Iterable[str], key: str = "emo"
) -> str:
    """Counts per split and label, as text for the log.

    Arguments
    ---------
    manifests : dict
        Name -> {utterance -> entry}.
    labels : iterable of str
        The columns, in order.
    key : str
        The entries' key that holds the label.

    Returns
    -------
    str
        One line per split, aligned.

    Example
    -------
    >>> manifests = {"train": {"a": {"emo": "sad"}, "b": {"emo": "ang"}}}
    >>> print(count_table(manifests, ["sad", "ang"]))
           sad  ang  total
    train    1    1      2
    """
    labels = list(labels)
    rows = []
    for name, entries in manifests.items():
        found = [entry[key] for entry in entries.values()]
        counts = [found.count(label) for label in labels]
        rows.append([name, *counts, len(found)])
    return tabulate(
        rows,
        headers=["", *labels, "total"],
        tablefmt="plain",
        disable_numparse=True,
        colalign=["left"] + ["right"] * (len(labels) + 1),
    )


def _write(path: str, content: object) -> str:
    """Writes JSON in one step and returns its digest."""
    # ASCII: a file's name may hold bytes that are no UTF-8.
    text = json.dumps(content, indent=1, sort_keys=True)
    write_whole(path, f"{text}\n")
    return hashlib.sha256(f"{text}\n".encode()).hexdigest()


def _read(path: str) -> bytes:
    # A named pipe, for one, would be waited for.
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(errno.EINVAL, "it is no regular file", path)
    with open(path, "rb") as file:
        return file.read()


def _digest(path: str) -> str | None:
    try:
        return hashlib.sha256(_read(path)).hexdigest()
    except OSError:
        return None


def _line(name: str, state: str) -> bytes:
    # A name on a disk may hold bytes that are no UTF-8.
    return f"{name}\0{state}\n".encode(errors="surrogatepass")


def _relative(path: str, root: str | os.PathLike[str]) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")
