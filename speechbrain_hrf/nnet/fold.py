"""A normalisation whose statistics are known is part of the factor before it.

    g (F z - mean) / sqrt(variance + eps) + b = (s F) z + (b - s mean),
    s = g / sqrt(variance + eps)

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import NamedTuple

import torch

EPS = 1e-5  # that of torch.nn.BatchNorm1d


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
    >>> norm.apply(torch.tensor([[1.0, 2.0]]))
    tensor([[1.0000, 2.0000]])
    """

    scale: torch.Tensor
    mean: torch.Tensor
    variance: torch.Tensor

    @property
    def slope(self):
        """s: [d]"""
        return self.scale * torch.rsqrt(self.variance + EPS)

    def apply(self, hidden, shift=None):
        """Normalises hidden units.

        Arguments
        ---------
        hidden : torch.Tensor
            [..., d]
        shift : torch.Tensor or None
            b: [d]

        Returns
        -------
        torch.Tensor
            [..., d]
        """
        out = (hidden - self.mean) * self.slope
        return out if shift is None else out + shift


def fold(factors, biases, norms):
    """The chain without normalisations that a chain with them is equal to.

    Arguments
    ---------
    factors : sequence of torch.Tensor
        F_1 ... F_K, F_k: [d_k, d_{k-1}].
    biases : sequence of (torch.Tensor or None)
        b_1 ... b_K; of a normalised factor it stands behind its norm.
    norms : sequence of Norm
        Of the first factors; empty for none.

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
        shift = -norm.slope * norm.mean
        factors[k] = norm.slope[:, None] * factors[k]
        biases[k] = shift if biases[k] is None else biases[k] + shift
    return factors, biases
