"""What follows every epoch of training.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
from collections.abc import Mapping

import speechbrain as sb
import torch
from speechbrain.nnet.schedulers import update_learning_rate
from speechbrain.utils.distributed import (
    if_main_process,
    is_distributed_initialized,
)

from speechbrain_hrf.training.history import append_epoch
from speechbrain_hrf.training.output_folder import explain_lost_output


def end_epoch(
    brain: sb.Brain,
    epoch: int,
    valid: Mapping[str, float] | None = None,
    max_key: str | None = None,
) -> None:
    """Sets the learning rate, logs, and saves a checkpoint.

    Besides the logger's line one goes to ``history.jsonl`` beside its file.

    The paper halves the rate when "the loss" does not decrease and has no
    validation set, so it is the training loss that counts.

    Arguments
    ---------
    brain : speechbrain.Brain
        With ``train_loss`` (mean over the epoch, of this process), optimizer
        and checkpointer; and in its hparams lr_annealing, train_logger.
    epoch : int
    valid : dict of str: float, optional
        Loss and scores of the validation set.
    max_key : str, optional
        The score whose best checkpoint is kept besides the newest; only with
        a validation set.

    Example
    -------
    >>> import torch
    >>> from speechbrain.nnet.schedulers import ReduceLROnPlateau
    >>> from speechbrain.utils.checkpoints import Checkpointer
    >>> from speechbrain.utils.train_logger import FileTrainLogger
    >>> folder = getfixture("tmpdir")
    >>> log = folder.join("train_log.txt")
    >>> brain = sb.Brain(
    ...     {"model": torch.nn.Linear(2, 2)},
    ...     lambda parameters: torch.optim.AdamW(parameters, lr=0.1),
    ...     {"lr_annealing": ReduceLROnPlateau(dont_halve_until_epoch=0),
    ...      "train_logger": FileTrainLogger(log.strpath)},
    ...     checkpointer=Checkpointer(folder.join("save").strpath),
    ... )
    >>> brain.init_optimizers()
    >>> brain.train_loss = 2.0
    >>> end_epoch(brain, 1)
    >>> print(log.read().strip())
    epoch: 1, lr: 1.00e-01 - train loss: 2.00
    """
    train_loss = mean_over_processes(brain.train_loss)
    logger = brain.hparams.train_logger
    folder = pathlib.Path(logger.save_file).parent
    lr, next_lr = brain.hparams.lr_annealing(
        [brain.optimizer], epoch, train_loss
    )
    update_learning_rate(brain.optimizer, next_lr)
    with explain_lost_output(folder):
        logger.log_stats(
            {"epoch": epoch, "lr": lr},
            train_stats={"loss": train_loss},
            valid_stats=valid,
        )
        if if_main_process():
            append_epoch(folder, epoch, lr, train_loss, valid)
    # Brain resets these only after the training stage has ended; a checkpoint
    # that is saved before would resume with the finished epoch's step count.
    brain.step, brain.avg_train_loss = 0, 0.0
    brain.checkpointer.save_and_keep_only(
        meta={"epoch": epoch, **(valid or {})},
        max_keys=[max_key] if valid else [],
    )


def mean_over_processes(value: float) -> float:
    """A number's mean over the processes of a distributed run.

    Each process has seen another part of the data; if each annealed its
    learning rate by its own loss, their weights would part.

    Arguments
    ---------
    value : float

    Returns
    -------
    float

    Example
    -------
    >>> mean_over_processes(2.0)
    2.0
    """
    if not is_distributed_initialized():
        return value
    device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
    total = torch.tensor(value, dtype=torch.float64, device=device)
    torch.distributed.all_reduce(total)
    return float(total) / torch.distributed.get_world_size()
