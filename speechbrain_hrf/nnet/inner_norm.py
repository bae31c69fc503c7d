"""Batch normalisation between the factors of a chain, without the chain.

Not the paper's; off by default. Each hidden layer is normalised over the rows
(frames of a batch) that the layer is called with,

    z_0 = x,  h_k = F_k z_{k-1},  z_k = BatchNorm(h_k),  y = F_K z_{K-1} + b_K

Every z_k is affine in x, z_k = A x + c, and so is the layer. With the mean m
and the covariance S of the rows of x, the statistics of the hidden units are

    mean h_k = P m + F_k c,    variance h_k = diag(P S P'),    P = F_k A

so that frames need not pass the wide chain in training either, and gradients,
also those through the statistics, are those of the chain. In evaluation, and
for merging, running averages take their place.

Padded frames count, as in any BatchNorm that is not told about them: segments
are filled to a fixed length, so their share is the corpus's, the same in
training and in the running averages. One row has no variance: it takes the
running averages and leaves no trace in them. Processes (DDP) share their
statistics, as PyTorch's SyncBatchNorm does, but on CPUs too: the result is that
of one process with the whole batch.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import nn

from speechbrain_hrf.distributed import sum_over_processes
from speechbrain_hrf.nnet.algebra import (
    Biases,
    Factors,
    Layer,
    Norm,
    collapse,
    fold,
)

MOMENTUM = 0.1  # that of torch.nn.BatchNorm1d


class InnerNorm(nn.Module):
    """What is learnt and kept of one normalisation.

    Its shift is the bias of the factor before it.

    Arguments
    ---------
    like : torch.Tensor
        [d]: gives the number of hidden units, dtype and device.

    Example
    -------
    >>> norm = InnerNorm(torch.empty(1))
    >>> norm(torch.tensor([[1.0], [3.0]]), shift=None).flatten()
    tensor([-1.0000,  1.0000], grad_fn=...)
    >>> norm.mean, norm.variance
    (tensor([0.2000]), tensor([1.1000]))
    """

    mean: torch.Tensor
    variance: torch.Tensor
    momentum = MOMENTUM  # what a batch counts in the running averages

    def __init__(self, like: torch.Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones_like(like))
        self.register_buffer("mean", torch.zeros_like(like))
        self.register_buffer("variance", torch.ones_like(like))

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Forgets what was learnt and kept."""
        self.scale.fill_(1)
        self.mean.zero_()
        self.variance.fill_(1)

    def forward(
        self, hidden: torch.Tensor, shift: torch.Tensor | None
    ) -> torch.Tensor:
        """Normalises hidden units: by their own statistics in training.

        Arguments
        ---------
        hidden : torch.Tensor
            [..., d]
        shift : torch.Tensor or None
            [d]

        Returns
        -------
        torch.Tensor
            [..., d]
        """
        norm = self.running()
        if self.training:
            norm = self.of_batch(*variances(hidden))
        # Statistics of half-precision units are in single precision.
        return norm(hidden, shift).to(hidden.dtype)

    def running(self) -> Norm:
        """The normalisation by running averages.

        Returns
        -------
        Norm
        """
        return Norm(self.scale, self.mean, self.variance)

    def of_batch(
        self, count: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor
    ) -> Norm:
        """The normalisation by a batch, which enters the running averages.

        Arguments
        ---------
        count : torch.Tensor
            Rows of the batch.
        mean, variance : torch.Tensor
            Of the hidden units over its rows, [d].

        Returns
        -------
        Norm
        """
        # By a mask, since an if would make a GPU wait.
        enough = count > 1
        mean = torch.where(enough, mean, self.mean)
        variance = torch.where(enough, variance, self.variance)
        with torch.no_grad():
            unbiased = variance * torch.where(enough, count / (count - 1), 1.0)
            # Not lerp_, which torch.vmap would run model by model.
            self.mean.add_(mean - self.mean, alpha=self.momentum)
            self.variance.add_(unbiased - self.variance, alpha=self.momentum)
        return Norm(self.scale, mean, variance)


def collapse_batch(
    factors: Factors,
    biases: Biases,
    norms: Sequence[InnerNorm],
    x: torch.Tensor,
) -> Layer:
    """The one layer that a normalised chain is for a batch; differentiable.

    The batch enters the running averages. Autocast is off inside.

    Arguments
    ---------
    factors : sequence of torch.Tensor
        F_1 ... F_K, F_k: [d_k, d_{k-1}].
    biases : sequence of (torch.Tensor or None)
        b_1 ... b_K; of a normalised factor it stands behind its norm.
    norms : sequence of InnerNorm
        Of all factors but the last; empty for none.
    x : torch.Tensor
        The layer's input, [..., m].

    Returns
    -------
    torch.Tensor
        W: [d_K, m]
    torch.Tensor
        b: [d_K]

    Example
    -------
    >>> factors = [torch.tensor([[2.0]]), torch.tensor([[1.0]])]
    >>> x = torch.tensor([[1.0], [3.0]])
    >>> norm = InnerNorm(torch.empty(1))
    >>> weight, bias = collapse_batch(factors, [None, None], [norm], x)
    >>> (x @ weight.T + bias).flatten()
    tensor([-1.0000,  1.0000], grad_fn=...)
    """
    with torch.autocast(x.device.type, enabled=False):
        count, mean_of_x, covariance = moments(x)
        dtype, wide = factors[0].dtype, mean_of_x.dtype
        factors = [factor.to(wide) for factor in factors]
        biases = [None if bias is None else bias.to(wide) for bias in biases]
        batch_norms: list[Norm] = []
        for k, norm in enumerate(norms):
            # Of the input to the k-th hidden layer before its normalisation
            weight, offset = collapse(
                *fold(factors[: k + 1], [*biases[:k], None], batch_norms)
            )
            mean = weight @ mean_of_x
            if offset is not None:
                mean = mean + offset
            variance = ((weight @ covariance) * weight).sum(1)
            # Rounding could make a tiny one negative.
            variance = variance.clamp(min=0)
            batch_norms.append(norm.of_batch(count, mean, variance))
        weight, bias = collapse(*fold(factors, biases, batch_norms))
        return weight.to(dtype), None if bias is None else bias.to(dtype)


@torch.no_grad()
def update_inner_norms(
    batches: Iterable[Any],
    model: nn.Module,
    run: Callable[[Any], Any] | None = None,
) -> None:
    """Computes running averages anew, over all batches alike.

    What ``torch.optim.swa_utils.update_bn`` does for BatchNorm layers (and
    leaves undone here): call it after weights have been averaged.

    Arguments
    ---------
    batches : iterable
        Inputs of the model, or tuples that begin with one.
    model : torch.nn.Module
        After ``apply_hrf`` with inner_norm; only its normalised layers are in
        training meanwhile, all others (BatchNorm, dropout) in their own mode.
    run : callable, optional
        Takes a batch through a model of several inputs:
        ``lambda batch: model(batch.feats, batch.wav_lens)``.

    Example
    -------
    >>> from speechbrain_hrf import HRFLinear
    >>> layer = HRFLinear(1, 1, ratio=1, inner_norm=True)
    >>> update_inner_norms([torch.ones(4, 1), 3 * torch.ones(4, 1)], layer)
    >>> hidden = 2 * layer.factors[0].flatten()
    >>> torch.allclose(layer.norms[0].mean, hidden)
    True
    """
    norms = [each for each in model.modules() if isinstance(each, InnerNorm)]
    # Also the layers that hold them, which know by their mode what to do
    holders = [m for m in model.modules() if getattr(m, "hrf_norms", None)]
    modes = {each: each.training for each in [*holders, *norms]}
    for module in modes:
        module.training = True
    try:
        for number, batch in enumerate(batches, 1):
            for norm in norms:
                norm.momentum = 1 / number
            if run is not None:
                run(batch)
            else:
                model(batch[0] if isinstance(batch, list | tuple) else batch)
    finally:
        for norm in norms:
            norm.momentum = MOMENTUM
        for module, was_training in modes.items():
            module.training = was_training


def moments(
    x: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Number, mean and covariance of rows on all processes; differentiable.

    Arguments
    ---------
    x : torch.Tensor
        [..., m]

    Returns
    -------
    torch.Tensor
        Number of rows.
    torch.Tensor
        Mean, [m].
    torch.Tensor
        Covariance, divided by their number, [m, m].

    Example
    -------
    >>> moments(torch.tensor([[1.0], [3.0]]))
    (tensor(2.), tensor([2.]), tensor([[1.]]))
    """
    rows, count = _rows(x)
    total, divisor = rows.sum(0), count.clamp(min=1)
    mean = sum_over_processes(total) / divisor
    # torch leaves it untyped.
    total, scatter = _Sums.apply(rows, total, mean)  # type: ignore[no-untyped-call]
    return (
        count,
        sum_over_processes(total) / divisor,
        sum_over_processes(scatter) / divisor,
    )


def variances(
    x: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
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
    divisor = count.clamp(min=1)  # an empty batch is to leave no NaN behind
    mean = sum_over_processes(rows.sum(0)) / divisor
    squares = sum_over_processes((rows - mean).square().sum(0))
    return count, mean, squares / divisor


class _Sums(torch.autograd.Function):
    """The sum of rows, and the sum of their outer products about the mean.

    Keeps nothing but the rows, which the layer keeps anyway, and takes one
    product back where autograd would take two and add the parts.
    """

    generate_vmap_rule = True  # of torch.func, which stacks models

    @staticmethod
    def forward(
        rows: torch.Tensor, total: torch.Tensor, mean: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        centred = rows - mean
        return total.clone(), centred.T @ centred

    @staticmethod
    def setup_context(
        ctx: Any, inputs: tuple[torch.Tensor, ...], output: Any
    ) -> None:
        rows, _, mean = inputs
        ctx.save_for_backward(rows, mean)

    @staticmethod
    def backward(
        ctx: Any, of_total: torch.Tensor, of_scatter: torch.Tensor
    ) -> tuple[torch.Tensor, None, None]:
        # Not through the mean: about it, the rows sum to nothing. Only a second
        # derivative goes through it, by what is computed here.
        rows, mean = ctx.saved_tensors
        both = of_scatter + of_scatter.T
        return torch.addmm(of_total - mean @ both, rows, both), None, None


def _rows(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    # Statistics are not to be summed in half precision.
    dtype = torch.promote_types(x.dtype, torch.float32)
    rows = x.reshape(-1, x.shape[-1]).to(dtype)
    return rows, sum_over_processes(rows.new_full((), len(rows)))
