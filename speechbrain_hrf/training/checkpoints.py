"""Checkpoints that are there as a whole or not at all.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import logging
import shutil
from typing import Any

from speechbrain.utils.checkpoints import Checkpoint, Checkpointer
from speechbrain.utils.distributed import ddp_barrier, if_main_process
from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)

PARTIAL = ".partial"


class AtomicCheckpointer(Checkpointer):
    """SpeechBrain's Checkpointer, safe to kill while it saves.

    SpeechBrain writes the file that makes a folder a checkpoint first; killed
    before the last parameter is written, a training cannot resume, since the
    broken folder is the newest. Here everything is written aside and moved
    into place by one rename.

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

    def save_checkpoint(
        self, *args: Any, name: str | None = None, **kwargs: Any
    ) -> Checkpoint | None:
        """Saves all recoverables.

        Arguments
        ---------
        *args, **kwargs
            See ``Checkpointer.save_checkpoint``.
        name : str, optional
            Of the checkpoint; default a timestamp.

        Returns
        -------
        speechbrain.utils.checkpoints.Checkpoint or None
            None on processes other than the main one.
        """
        folder = self.checkpoints_dir
        aside = folder / PARTIAL
        if if_main_process():
            shutil.rmtree(aside, ignore_errors=True)  # of a killed run
            aside.mkdir(parents=True)
            if name is None:  # one that is free in the folder itself
                name = self._new_checkpoint_dirpath().name.partition("+")[2]
        # SpeechBrain's own line would name the place aside.
        level = kwargs.pop("verbosity", logging.INFO)
        with self._saving_to(aside):
            saved = super().save_checkpoint(
                *args, name=name, verbosity=logging.DEBUG, **kwargs
            )
        ddp_barrier()
        if saved is not None:
            final = folder / saved.path.name
            saved.path.rename(final)
            aside.rmdir()
            files = {
                k: final / path.name for k, path in saved.paramfiles.items()
            }
            logger.log(level, f"Saved a checkpoint in {final}")
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
