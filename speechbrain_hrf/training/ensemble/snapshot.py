"""Where a run stands at the end of an epoch, and the file that keeps it.

The file is there as a whole or not at all. It is written after every epoch,
since the recipe's checkpoints of a hundred models take longer than their
epoch; those are made at the end.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import os
import pathlib

import torch

from speechbrain_hrf.training.other_run import STATE
from speechbrain_hrf.training.output_folder import explain_lost_output


@dataclasses.dataclass
class Snapshot:
    """A model in training, at the end of an epoch.

    Arguments
    ---------
    epoch : int
        That has ended; 0 before the first.
    optimizer_step : int
        SpeechBrain's count of steps.
    lr : float
        Of the next epoch.
    annealing : dict
        Attributes of the scheduler.
    tensors : dict of str: torch.Tensor
        ``parameters``, ``mean`` and ``square`` of AdamW: [P]; ``step``; and the
        model's buffers by their names. On the CPU.
    meta : dict
        Of the recipe's checkpoint.
    max_key : str or None
        The score by which the recipe chooses an epoch.

    Example
    -------
    >>> Snapshot(0, 0, 0.1, {}, {}).score is None
    True
    """

    epoch: int
    optimizer_step: int
    lr: float
    annealing: dict
    tensors: dict[str, torch.Tensor]
    meta: dict = dataclasses.field(default_factory=dict)
    max_key: str | None = None

    @property
    def score(self) -> float | None:
        """float: That by which an epoch is chosen; None without one."""
        return None if self.max_key is None else self.meta[self.max_key]


def save_state(save_folder: str, last: Snapshot, best: Snapshot | None) -> None:
    """Writes where a run stands.

    Arguments
    ---------
    save_folder : str
    last : Snapshot
        Of the last epoch.
    best : Snapshot or None
        Of the one with the best score, if its checkpoint is not written yet.

    Example
    -------
    >>> folder = getfixture("tmpdir").strpath
    >>> save_state(folder, Snapshot(3, 9, 0.1, {}, {}), None)
    >>> last, best = load_state(folder)
    >>> last.epoch, best
    (3, None)
    """
    content = {
        "last": vars(last),
        "best": None if best is None else vars(best),
    }
    place = pathlib.Path(save_folder, STATE)
    partial = place.with_name(f".{STATE}")
    # Not forced onto the disk, as the epoch's short line in history.jsonl is: a
    # power cut costs the run, a killed process nothing.
    with explain_lost_output(save_folder):
        torch.save(content, partial)
        os.replace(partial, place)


def load_state(
    save_folder: str,
) -> tuple[Snapshot | None, Snapshot | None]:
    """Reads where a run stands.

    Whether it is the same run: see ``refuse_other_options`` and
    ``refuse_other_data``.

    Arguments
    ---------
    save_folder : str

    Returns
    -------
    Snapshot or None
        Of the last epoch; None without a file.
    Snapshot or None
        Of the best one.

    Example
    -------
    >>> load_state(getfixture("tmpdir").strpath)
    (None, None)
    """
    place = pathlib.Path(save_folder, STATE)
    if not place.is_file():
        return None, None
    content = torch.load(place, map_location="cpu", weights_only=True)
    return tuple(
        None if content[name] is None else Snapshot(**content[name])
        for name in ("last", "best")
    )


def remove_state(save_folder: str) -> None:
    """Removes the file, if there is one.

    Arguments
    ---------
    save_folder : str

    Example
    -------
    >>> remove_state(getfixture("tmpdir").strpath)
    """
    pathlib.Path(save_folder, STATE).unlink(missing_ok=True)
