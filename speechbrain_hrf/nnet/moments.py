"""Means, variances and covariances over the rows that a layer is called with.

Several processes (DDP) share them, as PyTorch's SyncBatchNorm does, but on CPUs
too: the result is that of one process with the whole batch.

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import NamedTuple

import torch

from speechbrain_hrf.distributed import sum_over_processes


class Moments(NamedTuple):
    """Of the rows that a layer is called with, on all processes.

    Arguments
    ---------
    count : torch.Tensor
        Number of rows.
    mean : torch.Tensor
        [m]
    covariance : torch.Tensor
        [m, m], divided by their number.

    Example
    -------
    >>> Moments.of(torch.tensor([[1.0], [3.0]]))
    Moments(count=tensor(2.), mean=tensor([2.]), covariance=tensor([[1.]]))
    """

    count: torch.Tensor
    mean: torch.Tensor
    covariance: torch.Tensor

    @classmethod
    def of(cls, x):
        """Computes them; differentiable.

        Arguments
        ---------
        x : torch.Tensor
            [..., m]

        Returns
        -------
        Moments
        """
        rows, count = _rows(x)
        total = rows.sum(0)
        mean = sum_over_processes(total) / count
        total, scatter = _Sums.apply(rows, total, mean)
        return cls(
            count,
            sum_over_processes(total) / count,
            sum_over_processes(scatter) / count,
        )


def variances(x):
    """Number of rows, mean and variance of each column; differentiable.

    Arguments
    ---------
    x : torch.Tensor
        [..., d]

    Returns
    -------
    torch.Tensor
        Number of rows.
    torch.Tensor
        Mean, [d].
    torch.Tensor
        Variance, divided by their number, [d].

    Example
    -------
    >>> variances(torch.tensor([[1.0], [3.0]]))
    (tensor(2.), tensor([2.]), tensor([1.]))
    """
    rows, count = _rows(x)
    mean = sum_over_processes(rows.sum(0)) / count
    squares = sum_over_processes((rows - mean).square().sum(0))
    return count, mean, squares / count


class _Sums(torch.autograd.Function):
    """The sum of rows, and the sum of their outer products about the mean.

    Keeps nothing but the rows, which the layer keeps anyway, and takes one
    product back where autograd would take two and add the parts.
    """

    generate_vmap_rule = True  # of torch.func, which stacks models

    @staticmethod
    def forward(rows, total, mean):
        centred = rows - mean
        return total.clone(), centred.T @ centred

    @staticmethod
    def setup_context(ctx, inputs, output):
        rows, _, mean = inputs
        ctx.save_for_backward(rows, mean)

    @staticmethod
    def backward(ctx, of_total, of_scatter):
        # Not through the mean: about it, the rows sum to nothing. Only a second
        # derivative goes through it, by what is computed here.
        rows, mean = ctx.saved_tensors
        both = of_scatter + of_scatter.T
        return torch.addmm(of_total - mean @ both, rows, both), None, None


def _rows(x):
    # Statistics are not to be summed in half precision.
    dtype = torch.promote_types(x.dtype, torch.float32)
    rows = x.reshape(-1, x.shape[-1]).to(dtype)
    return rows, sum_over_processes(rows.new_full((), len(rows)))
