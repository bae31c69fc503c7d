"""The algebra of deHRF: a chain of linear layers is one linear layer.

Zhang et al., IEEE IoT Journal 2025, Section III. With PyTorch's orientation,
y = F x + b, the chain of F_1 ... F_K multiplies out to

    W = F_K ... F_2 F_1,    b = b_K + F_K b_{K-1} + F_K F_{K-1} b_{K-2} + ...

Authors
 * The speechbrain_hrf authors 2026
"""

import torch

from speechbrain_hrf.nnet.fold import Norm, fold


def collapse(factors, biases):
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
    _check_chain(factors, biases)
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


def collapse_exactly(factors, biases, norms=()):
    """``collapse`` in float64, rounded to the factors' own dtype.

    Arguments
    ---------
    factors, biases
        See ``collapse``.
    norms : sequence of Norm
        Behind the first factors, before their biases; see ``fold``.

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
    weight, bias = collapse(
        *fold(
            [factor.double() for factor in factors],
            [None if bias is None else bias.double() for bias in biases],
            [Norm(*(part.double() for part in norm)) for norm in norms],
        )
    )
    return weight.to(dtype), None if bias is None else bias.to(dtype)


def _check_chain(factors, biases):
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
