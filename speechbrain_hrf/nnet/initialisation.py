"""How the factors of an HRF layer start.

Authors
 * The speechbrain_hrf authors 2026
"""

import math

import torch
from torch import nn


@torch.no_grad()
def init_default(factors, biases, weight, bias):
    """Each factor as a plain linear layer: the paper's.

    The collapsed weight then has 0.58 (one extra layer) to 0.19 (three) of
    a plain layer's standard deviation.

    Arguments
    ---------
    factors : sequence of torch.nn.Parameter
        Changed in place.
    biases : sequence of (torch.nn.Parameter or None)
        Changed in place.
    weight : torch.Tensor
        Of the layer that is replaced; not used here.
    bias : torch.Tensor or None
        Likewise.

    Example
    -------
    >>> factor = nn.Parameter(torch.zeros(2, 4))
    >>> init_default([factor], [None], None, None)
    >>> bool((factor != 0).all() and (factor.abs() <= 0.5).all())
    True
    """
    for factor, factor_bias in zip(factors, biases, strict=True):
        nn.init.kaiming_uniform_(factor, a=math.sqrt(5))
        if factor_bias is not None:
            bound = 1 / math.sqrt(factor.shape[1])
            nn.init.uniform_(factor_bias, -bound, bound)


@torch.no_grad()
def init_scaled(factors, biases, weight, bias):
    """The collapsed layer starts with the variance of a plain one.

    The first factor is drawn as a plain layer, the others keep its variance;
    inner biases start at zero.

    Arguments
    ---------
    factors, biases, weight, bias
        See ``init_default``.

    Example
    -------
    >>> _ = torch.manual_seed(0)
    >>> first = nn.Parameter(torch.empty(800, 16))
    >>> last = nn.Parameter(torch.empty(100, 800))
    >>> init_scaled([first, last], [None, None], None, None)
    >>> round((last @ first).std().item() * math.sqrt(3 * 16), 1)
    1.0
    """
    nn.init.kaiming_uniform_(factors[0], a=math.sqrt(5))
    for factor in factors[1:]:
        # Variance 1 / fan_in: a sum of fan_in products keeps the variance.
        bound = math.sqrt(3 / factor.shape[1])
        nn.init.uniform_(factor, -bound, bound)
    for factor_bias in biases[:-1]:
        if factor_bias is not None:
            nn.init.zeros_(factor_bias)
    if biases[-1] is not None:
        bound = 1 / math.sqrt(factors[0].shape[1])
        nn.init.uniform_(biases[-1], -bound, bound)


@torch.no_grad()
def init_preserve(factors, biases, weight, bias):
    """The collapsed layer starts as the layer that is replaced.

    The singular values are shared out evenly among the factors, so that no
    factor learns faster than another; the spaces between them are random.

    Arguments
    ---------
    factors, biases
        See ``init_default``.
    weight : torch.Tensor
        [n, m]
    bias : torch.Tensor or None
        [n]

    Example
    -------
    >>> weight = torch.rand(2, 3)
    >>> first = nn.Parameter(torch.empty(4, 3))
    >>> last = nn.Parameter(torch.empty(2, 4))
    >>> init_preserve([first, last], [None, None], weight, None)
    >>> torch.allclose(last @ first, weight, atol=1e-6)
    True
    """
    U, S, Vh = torch.linalg.svd(weight.double(), full_matrices=False)
    hidden, rank = factors[0].shape[0], len(S)
    share = S.pow(1 / len(factors))
    right = Vh  # [rank, m]
    for factor in factors[:-1]:
        left = torch.linalg.qr(
            torch.randn(hidden, rank, dtype=S.dtype, device=S.device)
        ).Q
        factor.copy_((left * share) @ right)
        right = left.T
    factors[-1].copy_((U * share) @ right)
    for factor_bias in biases[:-1]:
        if factor_bias is not None:
            nn.init.zeros_(factor_bias)
    if biases[-1] is not None:
        biases[-1].copy_(bias)


INITS = {
    "default": init_default,
    "scaled": init_scaled,
    "preserve": init_preserve,
}
