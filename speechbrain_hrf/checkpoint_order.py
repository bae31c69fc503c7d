"""Which of a training's checkpoints is the newest.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

from typing import Any

from speechbrain.utils.checkpoints import Checkpoint

STEP = "optimizer_step"


def training_order(checkpoint: Checkpoint) -> tuple[Any, ...]:
    """What ranks checkpoints: the later in training, the higher.

    The clock, SpeechBrain's rank, may be set back while a run trains, or be
    behind on the machine where it goes on. It tells only where no epoch is
    noted, as in checkpoints that SpeechBrain's own Checkpointer has written.

    Arguments
    ---------
    checkpoint : speechbrain.utils.checkpoints.Checkpoint

    Returns
    -------
    tuple
        Epoch, optimiser's step, whether the epoch had ended, time.

    Example
    -------
    >>> early = Checkpoint("a", {"epoch": 9, "unixtime": 7200.0}, {})
    >>> late = Checkpoint("b", {"epoch": 10, "unixtime": 3600.0}, {})
    >>> training_order(late) > training_order(early)
    True
    """
    meta = checkpoint.meta
    return (
        meta.get("epoch", -1),
        meta.get(STEP, -1),
        meta.get("end-of-epoch", True),
        meta["unixtime"],
    )
