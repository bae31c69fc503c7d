"""One chain to one layer, held against the chain itself.

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from torch import nn

from speechbrain_hrf.nnet.collapse import collapse_exactly


def merge_chain(layer, factors, biases):
    """Multiplies one chain out, in float64, and checks the product.

    Arguments
    ---------
    layer : str
        Name of the layer, for errors.
    factors : dict of int: torch.Tensor
        Weights by their place in the chain, [d_k, d_{k-1}].
    biases : dict of int: torch.Tensor
        Biases, where there are any, [d_k].

    Returns
    -------
    torch.Tensor
        W: [d_K, d_0], in the factors' dtype and on their device.
    torch.Tensor or None
        b: [d_K]

    Raises
    ------
    ValueError
        If a factor is missing, one holds NaN or Inf, or the product is not
        equal to the chain.

    Example
    -------
    >>> factors = {0: torch.tensor([[1.0], [2.0]]), 1: torch.tensor([[3.0, 4.0]])}
    >>> merge_chain("layer", factors, {0: torch.tensor([1.0, 1.0])})
    (tensor([[11.]]), tensor([7.]))
    """
    name = layer.rstrip(".") or "the chain"
    n = max(factors, default=-1) + 1
    if sorted(factors) != list(range(n)) or n < 2:
        raise ValueError(
            f"The chain of {name!r} has the factors {sorted(factors)}: some "
            "are missing. Is the checkpoint complete, and of an HRF model?"
        )
    for kind, parts in (("factor", factors), ("bias", biases)):
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
    weight, bias = collapse_exactly(factors, biases)
    _check_equal(name, factors, biases, weight, bias)
    return weight.to(device), None if bias is None else bias.to(device)


def _check_equal(name, factors, biases, weight, bias):
    # The chain itself, layer after layer, not another way to multiply it out.
    x = torch.randn(
        16,
        weight.shape[1],
        dtype=torch.float64,
        generator=torch.Generator().manual_seed(0),
    )
    expected = x
    for factor, inner in zip(factors, biases, strict=True):
        expected = nn.functional.linear(expected, _exact(factor), _exact(inner))
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
