"""Checkpoints that are there as a whole or not at all, ranked by epoch and step.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import logging
import os
import pathlib
import shutil
from collections.abc import Callable, Iterable
from typing import Any

import speechbrain as sb
from speechbrain.utils.checkpoints import (
    CKPT_PREFIX,
    METAFNAME,
    Checkpoint,
    Checkpointer,
    ckpt_recency,
)
from speechbrain.utils.distributed import ddp_barrier, if_main_process
from speechbrain.utils.epoch_loop import EpochCounter
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.checkpoint_order import STEP, training_order
from speechbrain_hrf.training.output_folder import explain_lost_output

logger = get_logger(__name__)

PARTIAL = ".partial"


def remove_unfinished(save_folder: str | os.PathLike[str]) -> None:
    """Removes checkpoints without the file that makes them one, and says so.

    ``AtomicCheckpointer`` leaves none; SpeechBrain's own, or a copy of a folder,
    does if it is killed. To be called by who owns the output folder.

    Arguments
    ---------
    save_folder : str or os.PathLike
        Need not exist.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> (folder / "CKPT+1").mkdir()
    >>> remove_unfinished(folder)
    >>> list(folder.iterdir())
    []
    """
    for path in pathlib.Path(save_folder).glob(f"{CKPT_PREFIX}+*"):
        if path.is_dir() and not (path / METAFNAME).exists():
            logger.info("Removing what a killed run has left: %s", path)
            shutil.rmtree(path, ignore_errors=True)


class AtomicCheckpointer(Checkpointer):
    """SpeechBrain's Checkpointer, safe to kill, and heedless of the clock.

    SpeechBrain writes the file that makes a folder a checkpoint first; killed
    before the last parameter is written, a training cannot resume, since the
    broken folder is the newest. Here everything is written aside and moved
    into place by one rename. The newest is the one of the latest epoch and
    step, see ``training_order``.

    Arguments
    ---------
    *args, **kwargs
        See ``speechbrain.utils.checkpoints.Checkpointer``.

    Example
    -------
    >>> import torch
    >>> folder = getfixture("tmpdir")
    >>> model = torch.nn.Linear(2, 1)
    >>> checkpointer = AtomicCheckpointer(folder.strpath, {"model": model})
    >>> checkpoint = checkpointer.save_checkpoint(name="first")
    >>> checkpoint.path.name, checkpoint.paramfiles["model"].exists()
    ('CKPT+first', True)
    """

    def find_checkpoints(
        self,
        importance_key: Callable[[Checkpoint], Any] | None = None,
        max_key: str | None = None,
        min_key: str | None = None,
        ckpt_predicate: Callable[[Checkpoint], bool] | None = None,
        max_num_checkpoints: int | None = None,
    ) -> list[Checkpoint]:
        """Checkpoints by importance; of equal ones the newest comes first.

        Arguments
        ---------
        importance_key, max_key, min_key, ckpt_predicate, max_num_checkpoints
            See ``Checkpointer.find_checkpoints``.

        Returns
        -------
        list of speechbrain.utils.checkpoints.Checkpoint
        """
        if importance_key in (None, ckpt_recency) and not (max_key or min_key):
            importance_key = training_order
        found = super().find_checkpoints(
            importance_key, max_key, min_key, ckpt_predicate
        )
        if importance_key is not training_order:
            key = max_key or min_key
            sign = 1 if max_key else -1
            found.sort(key=training_order, reverse=True)
            found.sort(
                key=importance_key or (lambda c: sign * c.meta[key]),
                reverse=True,
            )
        return found[:max_num_checkpoints]

    def save_and_keep_only(
        self,
        *args: Any,
        importance_keys: Iterable[Callable[[Checkpoint], Any]] = (),
        **kwargs: Any,
    ) -> None:
        """Saves, then deletes all but the newest and the best.

        Arguments
        ---------
        *args, importance_keys, **kwargs
            See ``Checkpointer.save_and_keep_only``, whose own default of
            ``importance_keys`` is a list that grows with every call.
        """
        super().save_and_keep_only(
            *args, importance_keys=list(importance_keys), **kwargs
        )

    def save_checkpoint(
        self,
        meta: dict[str, Any] | None = None,
        end_of_epoch: bool = True,
        name: str | None = None,
        verbosity: int = logging.INFO,
    ) -> Checkpoint | None:
        """Saves all recoverables.

        Arguments
        ---------
        meta : dict, optional
            See ``Checkpointer.save_checkpoint``; epoch and step are added.
        end_of_epoch : bool
            Whether an epoch has ended.
        name : str, optional
            Of the checkpoint; default a timestamp.
        verbosity : int
            Level of the line in the log.

        Returns
        -------
        speechbrain.utils.checkpoints.Checkpoint or None
            None on processes other than the main one.
        """
        meta = {**self._position(), **(meta or {})}
        with explain_lost_output(self.checkpoints_dir):
            return self._save_whole(meta, end_of_epoch, name, verbosity)

    def _position(self) -> dict[str, int]:
        """Where training stands, by the counters that are saved."""
        position = {}
        for value in self.recoverables.values():
            if isinstance(value, EpochCounter):
                position["epoch"] = value.current
            elif isinstance(value, sb.Brain):
                position[STEP] = value.optimizer_step
        return position

    def _save_whole(
        self,
        meta: dict[str, Any],
        end_of_epoch: bool,
        name: str | None,
        verbosity: int,
    ) -> Checkpoint | None:
        folder = self.checkpoints_dir
        aside = folder / PARTIAL
        if if_main_process():
            shutil.rmtree(aside, ignore_errors=True)  # of a killed run
            aside.mkdir()  # a folder that was removed is not made anew
            if name is None:  # one that is free in the folder itself
                name = self._new_checkpoint_dirpath().name.partition("+")[2]
        # SpeechBrain's own line would name the place aside.
        with self._saving_to(aside):
            saved = super().save_checkpoint(
                meta, end_of_epoch, name, verbosity=logging.DEBUG
            )
        ddp_barrier()
        if saved is not None:
            final = folder / saved.path.name
            saved.path.rename(final)
            aside.rmdir()
            files = {
                k: final / path.name for k, path in saved.paramfiles.items()
            }
            logger.log(verbosity, f"Saved a checkpoint in {final}")
            saved = Checkpoint(final, saved.meta, files)
        ddp_barrier()
        return saved

    @contextlib.contextmanager
    def _saving_to(self, folder):
        place = self.checkpoints_dir
        self.checkpoints_dir = folder
        try:
            yield
        finally:
            self.checkpoints_dir = place
