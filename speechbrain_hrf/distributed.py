"""Sums over the processes of a distributed run (DDP).

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from torch import distributed
from torch.distributed.nn.functional import all_reduce


def sum_over_processes(total: torch.Tensor) -> torch.Tensor:
    """The sum of a tensor over all processes; differentiable.

    Arguments
    ---------
    total : torch.Tensor
        Of this process, any shape.

    Returns
    -------
    torch.Tensor
        The same shape; ``total`` itself where there is one process.

    Example
    -------
    >>> sum_over_processes(torch.tensor(2.0))
    tensor(2.)
    """
    if not distributed.is_available() or not distributed.is_initialized():
        return total
    return all_reduce(total)
