"""The recipe's optimiser, with what HRF adds to its steps.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
from collections.abc import Callable

import torch

from speechbrain_hrf.training.effective_steps import record_steps
from speechbrain_hrf.training.factor_steps import scale_factor_steps


def hrf_optimizer(
    model: torch.nn.Module,
    opt_class: Callable[..., torch.optim.Optimizer],
    output_folder: str | os.PathLike[str],
    lr_scale: float = 1.0,
    record_every: int = 0,
) -> Callable[..., torch.optim.Optimizer]:
    """Scales the chains' steps, and records how long steps are, if asked.

    Arguments
    ---------
    model : torch.nn.Module
        After ``apply_hrf``, before training.
    opt_class : callable
        Parameters to an optimiser.
    output_folder : str or os.PathLike
        Where ``steps.jsonl`` goes.
    lr_scale : float
        See ``scale_factor_steps``; 1 changes nothing.
    record_every : int
        See ``record_steps``; 0 records nothing.

    Returns
    -------
    callable
        Parameters to an optimiser.

    Raises
    ------
    ValueError
        If the scale is not positive, or ``record_every`` negative.

    Example
    -------
    >>> sgd = torch.optim.SGD
    >>> hrf_optimizer(torch.nn.Linear(2, 2), sgd, "results") is sgd
    True
    """
    record_steps(model, output_folder, record_every)
    return scale_factor_steps(opt_class, model, lr_scale)
