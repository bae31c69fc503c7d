"""The lines that a study's finished trials have left.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib

from speechbrain_hrf.dataio import json_lines

TRIALS = "trials.jsonl"


def append_line(folder, line):
    """Adds a finished trial to a study's folder.

    Arguments
    ---------
    folder : str or os.PathLike
    line : dict
        As of ``trial_line``.

    Example
    -------
    >>> folder = getfixture("tmpdir").strpath
    >>> append_line(folder, {"id": "a"})
    >>> read_lines(folder)
    [{'id': 'a'}]
    """
    json_lines.append_line(pathlib.Path(folder, TRIALS), line)


def read_lines(folder):
    """The finished trials of a study.

    Where a trial stands twice (two drivers ran at once), the first one counts.

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
    lines = {}
    for line in json_lines.read_lines(pathlib.Path(folder, TRIALS)):
        lines.setdefault(line["id"], line)
    return list(lines.values())
