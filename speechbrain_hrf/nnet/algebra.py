"""The algebra of deHRF: a chain of linear layers is one linear layer.

Zhang et al., IEEE IoT Journal 2025, Section III. With PyTorch's orientation,
y = F x + b, the chain of F_1 ... F_K multiplies out to

    W = F_K ... F_2 F_1,    b = b_K + F_K b_{K-1} + F_K F_{K-1} b_{K-2} + ...

A normalisation whose statistics are known is part of the factor before it:

    g (F z - mean) / sqrt(variance + eps) + b = (s F) z + (b - s mean),
    s = g / sqrt(variance + eps)

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import torch
from torch.nn import functional as F

EPS = 1e-5  # that of torch.nn.BatchNorm1d
Factors = Sequence[torch.Tensor]  # F_1 ... F_K in the order in which they apply
Biases = Sequence[torch.Tensor | None]  # b_1 ... b_K
Layer = tuple[torch.Tensor, torch.Tensor | None]  # W and b


class Norm(NamedTuple):
    """A normalisation of d hidden units; its shift is the factor's bias.

    Arguments
    ---------
    scale : torch.Tensor
        g: [d]
    mean : torch.Tensor
        [d]
    variance : torch.Tensor
        [d]

    Example
    -------
    >>> norm = Norm(torch.ones(2), torch.zeros(2), torch.ones(2))
    >>> norm(torch.tensor([[1.0, 2.0]]), None)
    tensor([[1.0000, 2.0000]])
    """

    scale: torch.Tensor
    mean: torch.Tensor
    variance: torch.Tensor

    @property
    def slope(self) -> torch.Tensor:
        """s: [d]"""
        return self.scale * torch.rsqrt(self.variance + EPS)

    def __call__(
        self, hidden: torch.Tensor, shift: torch.Tensor | None
    ) -> torch.Tensor:
        """Normalises hidden units: [..., d] to [..., d]."""
        out = (hidden - self.mean) * self.slope
        return out if shift is None else out + shift


def run_chain(
    x: torch.Tensor,
    factors: Factors,
    biases: Biases,
    norms: Sequence[Any],
    first: Callable[..., torch.Tensor] = F.linear,
) -> torch.Tensor:
    """Sends rows through the chain itself, layer after layer: the reference.

    Arguments
    ---------
    x : torch.Tensor
        [..., d_0]
    factors : sequence of torch.Tensor
        F_1 ... F_K, F_k: [d_k, d_{k-1}].
    biases : sequence of (torch.Tensor or None)
        b_1 ... b_K; of a normalised factor it stands behind its norm.
    norms : sequence of (Norm or InnerNorm)
        Of the first factors; empty for none.
    first : callable
        (x, F_1, b_1 or None) to [..., d_1]; a convolution's patches, say.

    Returns
    -------
    torch.Tensor
        [..., d_K]

    Example
    -------
    >>> norm = Norm(torch.ones(1), torch.tensor([3.0]), torch.tensor([0.25]))
    >>> run_chain(torch.ones(1), [torch.ones(1, 1)], [None], [norm])
    tensor([-3.9999])
    """
    layer = first
    for factor, bias, norm in zip_longest(factors, biases, norms):
        if norm is None:
            x = layer(x, factor, bias)
        else:
            x = norm(layer(x, factor, None), bias)
        layer = F.linear
    return x


def collapse(factors: Factors, biases: Biases) -> Layer:
    """Multiplies a chain of linear layers into one; differentiable.

    Autocast is off inside: the product of a chain in bfloat16 would lose what
    the wide layers have learnt.

    Arguments
    ---------
    factors : sequence of torch.Tensor
        F_1 ... F_K in the order in which they apply, F_k: [d_k, d_{k-1}].
    biases : sequence of (torch.Tensor or None)
        b_1 ... b_K, b_k: [d_k].

    Returns
    -------
    torch.Tensor
        W: [d_K, d_0]
    torch.Tensor or None
        b: [d_K]; None if there is no bias at all.

    Raises
    ------
    ValueError
        If the factors do not fit each other.

    Example
    -------
    >>> first, last = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0, 4.0]])
    >>> collapse([first, last], [torch.tensor([1.0, 1.0]), None])
    (tensor([[11.]]), tensor([7.]))
    """
    _check_fit(factors, biases)
    with torch.autocast(factors[0].device.type, enabled=False):
        weight, bias = factors[-1], biases[-1]
        # From the output side, so that every product stays as narrow as the
        # layer that comes out.
        for factor, inner in zip(
            reversed(factors[:-1]), reversed(biases[:-1]), strict=True
        ):
            if inner is not None:
                bias = (
                    weight @ inner
                    if bias is None
                    else torch.addmv(bias, weight, inner)
                )
            weight = weight @ factor
    return weight, bias


def fold(
    factors: Factors, biases: Biases, norms: Sequence[Norm]
) -> tuple[list[torch.Tensor], list[torch.Tensor | None]]:
    """The chain without normalisations that a chain with them is equal to.

    Arguments
    ---------
    factors, biases, norms
        See ``run_chain``.

    Returns
    -------
    list of torch.Tensor
        F_1 ... F_K
    list of (torch.Tensor or None)
        b_1 ... b_K

    Example
    -------
    >>> norm = Norm(torch.ones(1), torch.tensor([3.0]), torch.tensor([0.25]))
    >>> factors, biases = fold([torch.ones(1, 1)], [None], [norm])
    >>> round(factors[0].item(), 3), round(biases[0].item(), 3)
    (2.0, -6.0)
    """
    factors, biases = list(factors), list(biases)
    for k, norm in enumerate(norms):
        inner, shift = biases[k], -norm.slope * norm.mean
        factors[k] = norm.slope[:, None] * factors[k]
        biases[k] = shift if inner is None else inner + shift
    return factors, biases


def collapse_exactly(
    factors: Factors, biases: Biases, norms: Sequence[Norm] = ()
) -> Layer:
    """``fold`` and ``collapse`` in float64, rounded to the factors' dtype.

    Arguments
    ---------
    factors, biases, norms
        See ``run_chain``.

    Returns
    -------
    torch.Tensor
        W: [d_K, d_0]
    torch.Tensor or None
        b: [d_K]

    Example
    -------
    >>> tenths = torch.full((2, 2), 0.1)
    >>> collapse_exactly([tenths, tenths], [None, None])[0].dtype
    torch.float32
    """
    dtype = factors[0].dtype
    chain = _each(torch.Tensor.double, factors, biases, norms)
    weight, bias = collapse(*fold(*chain))
    return weight.to(dtype), None if bias is None else bias.to(dtype)


def merge_chain(
    name: str, factors: Factors, biases: Biases, norms: Sequence[Norm]
) -> dict[str, torch.Tensor]:
    """Multiplies a chain out exactly and holds the product against the chain.

    Arguments
    ---------
    name : str
        Of the layer, for errors.
    factors, biases, norms
        See ``run_chain``. The first factor may have a convolution's kernel,
        [d_1, m, k, ...].

    Returns
    -------
    dict of str to torch.Tensor
        The plain layer's "weight", [d_K, d_0] or [d_K, m, k, ...], and its
        "bias", [d_K], if it has one; in the factors' dtype and on their device.

    Raises
    ------
    ValueError
        If a tensor, or the product, holds NaN or Inf, or the product is not
        equal to the chain.

    Example
    -------
    >>> factors = [torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0, 4.0]])]
    >>> merge_chain("layer", factors, [torch.tensor([1.0, 1.0]), None], [])
    {'weight': tensor([[11.]]), 'bias': tensor([7.])}
    """
    _check_finite(name, factors, biases, norms)
    device, kernel = factors[0].device, factors[0].shape[1:]
    factors = [factor.flatten(1) for factor in factors]
    # On the CPU, since not every device has float64.
    chain = _each(lambda part: part.detach().cpu(), factors, biases, norms)
    weight, bias = collapse_exactly(*chain)
    _check_equal(name, *chain, weight, bias)
    merged = {"weight": weight.view(-1, *kernel), "bias": bias}
    return {k: v.to(device) for k, v in merged.items() if v is not None}


def _each(
    change: Callable[[torch.Tensor], torch.Tensor],
    factors: Factors,
    biases: Biases,
    norms: Sequence[Norm],
) -> tuple[Factors, Biases, Sequence[Norm]]:
    return (
        [change(factor) for factor in factors],
        [None if bias is None else change(bias) for bias in biases],
        [Norm(*map(change, norm)) for norm in norms],
    )


def _check_fit(factors: Factors, biases: Biases) -> None:
    if len(factors) == 0 or len(factors) != len(biases):
        raise ValueError(
            f"A chain needs one bias (or None) per factor and at least one "
            f"factor, not {len(factors)} factors and {len(biases)} biases."
        )
    for k in range(1, len(factors)):
        if factors[k].shape[1] != factors[k - 1].shape[0]:
            raise ValueError(
                f"Factor {k} takes {factors[k].shape[1]} inputs, but factor "
                f"{k - 1} gives {factors[k - 1].shape[0]} outputs."
            )


def _check_finite(
    name: str, factors: Factors, biases: Biases, norms: Sequence[Norm]
) -> None:
    kinds: dict[str, Biases] = {"Factor": factors, "Bias": biases}
    for part in Norm._fields:
        kinds[f"Norm's {part}"] = [getattr(norm, part) for norm in norms]
    for kind, tensors in kinds.items():
        for k, tensor in enumerate(tensors):
            if tensor is not None and not torch.isfinite(tensor).all():
                raise ValueError(
                    f"{kind} {k} of {name!r} holds NaN or Inf: training has "
                    "diverged. Merge an earlier checkpoint, or train again "
                    "with a lower learning rate."
                )


def _check_equal(
    name: str,
    factors: Factors,
    biases: Biases,
    norms: Sequence[Norm],
    weight: torch.Tensor,
    bias: torch.Tensor | None,
) -> None:
    if not torch.isfinite(weight).all():
        raise ValueError(
            f"The product of the chain of {name!r} is too large for "
            f"{weight.dtype}: training has diverged. Merge an earlier "
            "checkpoint, or train again with a lower learning rate."
        )
    x = torch.randn(
        16,
        weight.shape[1],
        dtype=torch.float64,
        device="cpu",  # whatever torch.set_default_device says
        generator=torch.Generator("cpu").manual_seed(0),
    )
    # Against the chain itself, not another way to multiply it out.
    expected, found = (
        run_chain(x, *_each(torch.Tensor.double, *chain))
        for chain in ((factors, biases, norms), ([weight], [bias], []))
    )
    difference = (found - expected).abs().max()
    # The merged weight is rounded to its dtype, near zero to fewer digits.
    dtype = torch.finfo(weight.dtype)
    sizes = weight.double().abs() + dtype.tiny
    scale = (x.abs() @ sizes.T).max() + expected.abs().max()
    # And float64 rounds what is large on the way and cancels in the end.
    folded = fold(*_each(torch.Tensor.double, factors, biases, norms))
    within = run_chain(x.abs(), *_each(torch.Tensor.abs, *folded, [])).max()
    bound = 4 * (dtype.eps * scale + torch.finfo(x.dtype).eps * within)
    # Not ">", which NaN never is.
    if not difference <= bound:
        raise ValueError(
            f"Merging {name!r} changes its output by {float(difference):.1e}: "
            "the merged layer is not equal to its chain."
        )
