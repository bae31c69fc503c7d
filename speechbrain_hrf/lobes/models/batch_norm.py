"""Batch normalisation whose statistics leave padding out.

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from speechbrain_hrf.distributed import sum_over_processes


def normalise_valid(x: Tensor, mask: Tensor, norm: _BatchNorm) -> Tensor:
    """What ``norm`` does in training, with the statistics of the valid frames.

    Several processes (DDP) share their statistics, as PyTorch's SyncBatchNorm
    does, but on CPUs too: the result is that of one process with the whole
    batch.

    Arguments
    ---------
    x : torch.Tensor
        [B, D, T]
    mask : torch.Tensor
        True where a frame is valid, bool [B, T].
    norm : torch.nn.modules.batchnorm._BatchNorm
        Gives momentum, weight and bias; its running statistics are updated.

    Returns
    -------
    torch.Tensor
        [B, D, T]; padded frames are normalised as well.

    Example
    -------
    >>> norm = torch.nn.BatchNorm1d(2)
    >>> x = torch.randn(3, 2, 5)
    >>> everything = torch.ones(3, 5, dtype=torch.bool)
    >>> y = normalise_valid(x, everything, norm)
    >>> torch.allclose(y, torch.nn.BatchNorm1d(2)(x), atol=1e-5)
    True
    """
    # Statistics are not to be summed in half precision.
    dtype = x.dtype
    x = x.to(torch.promote_types(dtype, torch.float32))
    weight = mask.unsqueeze(1).to(x.dtype)  # [B, 1, T]
    count = sum_over_processes(weight.detach().sum())
    # One frame has no variance: it takes the running statistics and leaves no
    # trace in them. By a mask, since an if would make a GPU wait.
    enough = count > 1
    divisor = count.clamp(min=1)  # no frame at all is to leave no NaN behind
    mean = sum_over_processes((x * weight).sum((0, 2))) / divisor  # [D]
    mean = torch.where(enough, mean, norm.running_mean)
    centred = x - mean.unsqueeze(1)
    squares = (centred.square() * weight).sum((0, 2))
    variance = sum_over_processes(squares) / divisor  # [D]
    variance = torch.where(enough, variance, norm.running_var)
    with torch.no_grad():
        unbiased = variance * torch.where(enough, count / (count - 1), 1.0)
        norm.num_batches_tracked += enough
        momentum = norm.momentum
        if momentum is None:  # the mean of all, as swa_utils.update_bn asks for
            momentum = 1 / max(1, int(norm.num_batches_tracked))
        # Not lerp_, which torch.vmap would run model by model.
        for kept, new in (
            (norm.running_mean, mean),
            (norm.running_var, unbiased),
        ):
            kept.add_(new - kept, alpha=momentum)
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return torch.addcmul(norm.bias[:, None], centred, scale[:, None]).to(dtype)
