"""The lines that a study's finished trials have left.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import os
import pathlib
from typing import Any

from speechbrain_hrf import files

TRIALS = "trials.jsonl"
TEST_SETS = "test_sets.jsonl"


def add_trial(
    folder: str | os.PathLike, line: dict[str, Any], test_set: dict[str, Any]
) -> None:
    """Adds a finished trial to a study's folder.

    Arguments
    ---------
    folder : str or os.PathLike
    line, test_set : dict
        As of ``trial_line``. The test set is written first, and once.

    Example
    -------
    >>> folder = getfixture("tmpdir").strpath
    >>> add_trial(folder, {"id": "a"}, {"id": "b"})
    >>> read_lines(folder), read_test_sets(folder)
    ([{'id': 'a'}], {'b': {'id': 'b'}})
    """
    if test_set["id"] not in read_test_sets(folder):
        files.append_line(pathlib.Path(folder, TEST_SETS), test_set)
    files.append_line(pathlib.Path(folder, TRIALS), line)


def read_lines(folder: str | os.PathLike) -> list[dict[str, Any]]:
    """The finished trials of a study.

    Where a trial stands twice (two machines ran it), the first one counts.

    Arguments
    ---------
    folder : str or os.PathLike

    Returns
    -------
    list of dict
        In the order in which they ended.

    Example
    -------
    >>> read_lines(getfixture("tmpdir").strpath)
    []
    """
    lines: dict[str, dict] = {}
    for line in files.read_lines(pathlib.Path(folder, TRIALS)):
        lines.setdefault(line["id"], line)
    return list(lines.values())


def read_test_sets(folder: str | os.PathLike) -> dict[str, dict[str, Any]]:
    """The test sets of a study by their ids.

    Arguments
    ---------
    folder : str or os.PathLike

    Returns
    -------
    dict of str: dict

    Example
    -------
    >>> read_test_sets(getfixture("tmpdir").strpath)
    {}
    """
    path = pathlib.Path(folder, TEST_SETS)
    return {line["id"]: line for line in files.read_lines(path)}
