"""What each epoch of a run has left: ``history.jsonl``, a line an epoch.

Example
-------
>>> folder = getfixture("tmpdir").strpath
>>> append_epoch(folder, 1, 0.001, 2.1, {"loss": 2.0, "UA": 0.3})
>>> append_epoch(folder, 2, 0.001, float("nan"))
>>> for line in read_history(folder):
...     print(line)
{'epoch': 1, 'lr': 0.001, 'train_loss': 2.1, 'valid_loss': 2.0, 'valid_UA': 0.3}
{'epoch': 2, 'lr': 0.001, 'train_loss': None}

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import math
import os
import pathlib
import reprlib
from collections.abc import Mapping

from speechbrain_hrf.files import append_line, read_lines

HISTORY = "history.jsonl"
_MOST_EPOCHS = 10**9  # more are a damaged number


def append_epoch(
    output_folder: str | os.PathLike,
    epoch: int,
    lr: float,
    train_loss: float,
    valid: Mapping[str, float] | None = None,
) -> None:
    """Adds an epoch's line.

    Arguments
    ---------
    output_folder : str or os.PathLike
        Of the run.
    epoch : int
        From 1.
    lr : float
        The learning rate that the epoch had.
    train_loss : float
        Mean over the epoch; not-a-number and infinity become null.
    valid : dict of str: float, optional
        Loss and scores of the validation set.

    Example
    -------
    >>> append_epoch(getfixture("tmpdir").strpath, 1, 0.001, 2.1)
    """
    values = {"lr": lr, "train_loss": train_loss}
    values |= {f"valid_{name}": value for name, value in (valid or {}).items()}
    line = {"epoch": epoch} | {
        name: float(value) if math.isfinite(value) else None
        for name, value in values.items()
    }
    append_line(pathlib.Path(output_folder, HISTORY), line)


def read_history(output_folder: str | os.PathLike) -> list[dict]:
    """The epochs of a run in their order.

    An epoch that stands twice, since the run was stopped between its line and
    its checkpoint, counts as it was trained last.

    Arguments
    ---------
    output_folder : str or os.PathLike

    Returns
    -------
    list of dict
        As ``append_epoch`` has written them.

    Raises
    ------
    ValueError
        For a line that it cannot have written.

    Example
    -------
    >>> read_history(getfixture("tmpdir").strpath)
    []
    """
    path = pathlib.Path(output_folder, HISTORY)
    epochs = {}
    needs = ("epoch", "lr", "train_loss")
    for number, line in enumerate(read_lines(path, needs), start=1):
        for key, value in line.items():
            if not _is_possible(key, value):
                raise ValueError(
                    f"{path}, line {number}: {key} cannot be "
                    f"{reprlib.repr(value)}. Remove that line; curves are "
                    "then drawn without its epoch."
                )
        epochs[line["epoch"]] = line
    return [epochs[epoch] for epoch in sorted(epochs)]


def _is_possible(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return False
    if key == "epoch":
        return isinstance(value, int) and 0 < value < _MOST_EPOCHS
    return value is None or (
        isinstance(value, int | float) and math.isfinite(float(value))
    )
