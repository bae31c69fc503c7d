"""One chain to one layer, held against the chain itself.

Authors
 * The speechbrain_hrf authors 2026
"""

from itertools import zip_longest

import torch
from torch import nn

from speechbrain_hrf.nnet.collapse import collapse_exactly
from speechbrain_hrf.nnet.fold import Norm


def merge_chain(layer, factors, biases, norms=None):
    """Multiplies one chain out, in float64, and checks the product.

    Arguments
    ---------
    layer : str
        Name of the layer, for errors.
    factors : dict of int: torch.Tensor
        Weights by their place in the chain, [d_k, d_{k-1}].
    biases : dict of int: torch.Tensor
        Biases, where there are any, [d_k].
    norms : dict of int: dict of str: torch.Tensor, optional
        Of all factors but the last, if the chain has them: "scale", "mean" and
        "variance", [d_k].

    Returns
    -------
    torch.Tensor
        W: [d_K, d_0], in the factors' dtype and on their device.
    torch.Tensor or None
        b: [d_K]

    Raises
    ------
    ValueError
        If a factor or a part of a norm is missing, one holds NaN or Inf, or
        the product is not equal to the chain.

    Example
    -------
    >>> factors = {0: torch.tensor([[1.0], [2.0]]), 1: torch.tensor([[3.0, 4.0]])}
    >>> merge_chain("layer", factors, {0: torch.tensor([1.0, 1.0])})
    (tensor([[11.]]), tensor([7.]))
    """
    name = layer.rstrip(".") or "the chain"
    n = max(factors, default=-1) + 1
    norms = norms or {}
    # One factor alone is a chain if it is normalised.
    if sorted(factors) != list(range(n)) or n < (1 if norms else 2):
        raise ValueError(
            f"The chain of {name!r} has the factors {sorted(factors)}: some "
            "are missing. Is the checkpoint complete, and of an HRF model?"
        )
    if norms and (
        sorted(norms) != list(range(max(n - 1, 1)))
        or any(norm.keys() != set(Norm._fields) for norm in norms.values())
    ):
        raise ValueError(
            f"The chain of {name!r} lacks some of its norms: there are "
            f"{ {k: sorted(norms[k]) for k in sorted(norms)} }. Is the "
            "checkpoint complete?"
        )
    parts_of = {
        part: {k: norms[k][part] for k in norms} for part in Norm._fields
    }
    for kind, parts in (
        ("factor", factors),
        ("bias", biases),
        *((f"norm's {part}", parts_of[part]) for part in Norm._fields),
    ):
        for k, tensor in parts.items():
            if not torch.isfinite(tensor).all():
                raise ValueError(
                    f"{kind.capitalize()} {k} of {name!r} holds NaN or Inf: "
                    "training has diverged. Merge an earlier checkpoint, or "
                    "train again with a lower learning rate."
                )
    device = factors[0].device
    # On the CPU, since not every device has float64.
    factors = [factors[k].detach().cpu() for k in range(n)]
    biases = [
        biases[k].detach().cpu() if k in biases else None for k in range(n)
    ]
    norms = [
        Norm(**{part: norms[k][part].detach().cpu() for part in Norm._fields})
        for k in sorted(norms)
    ]
    weight, bias = collapse_exactly(factors, biases, norms)
    _check_equal(name, (factors, biases, norms), weight, bias)
    return weight.to(device), None if bias is None else bias.to(device)


def _check_equal(name, chain, weight, bias):
    # The chain itself, layer after layer, not another way to multiply it out.
    x = torch.randn(
        16,
        weight.shape[1],
        dtype=torch.float64,
        generator=torch.Generator().manual_seed(0),
    )
    expected = x
    for factor, inner, norm in zip_longest(*chain):
        if norm is None:
            expected = nn.functional.linear(
                expected, _exact(factor), _exact(inner)
            )
        else:
            hidden = nn.functional.linear(expected, _exact(factor))
            norm = Norm(*map(_exact, norm))
            expected = norm.apply(hidden, _exact(inner))
    difference = (
        nn.functional.linear(x, _exact(weight), _exact(bias)) - expected
    )
    # Rounding the merged weight to its dtype is the only error there is.
    scale = (x.abs() @ _exact(weight).abs().T).max() + expected.abs().max()
    if difference.abs().max() > 4 * torch.finfo(weight.dtype).eps * scale:
        raise ValueError(
            f"Merging {name!r} changes its output by "
            f"{float(difference.abs().max()):.1e}: the merged layer is not "
            "equal to its chain."
        )


def _exact(tensor):
    return None if tensor is None else tensor.double()
