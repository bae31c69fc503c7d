"""A linear layer that is wider in training than in what is shipped.

Zhang et al., IEEE IoT Journal 2025, Section III.

Example
-------
>>> import torch
>>> layer = HRFLinear(16, 4, ratio=8, layers=1)
>>> layer
HRFLinear(16 -> 32 -> 4)
>>> layer(torch.rand(2, 16)).shape
torch.Size([2, 4])

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from speechbrain_hrf.nnet.algebra import run_chain
from speechbrain_hrf.nnet.chain import HRFConfig
from speechbrain_hrf.nnet.kinds.expanded import ExpandedLayer

# An estimate: a GPU multiplies as much, three times over for the gradients, in a
# tenth of a millisecond, in which it starts the small kernels of one collapse.
FEW_MULTIPLICATIONS = 2**28


class LinearChain(ExpandedLayer):
    """A linear layer over the last dimension, as a chain; a base class.

    Arguments
    ---------
    plain : torch.nn.Module
    config : HRFConfig

    Example
    -------
    >>> LinearChain(nn.Linear(16, 4), HRFConfig())(torch.rand(2, 16)).shape
    torch.Size([2, 4])
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """The layer's output.

        Arguments
        ---------
        input : torch.Tensor
            [..., m]

        Returns
        -------
        torch.Tensor
            [..., n]
        """
        chained = self.hrf_chained
        if chained is None:
            chained = self.training and chain_pays(self.hrf_factors, input)
        if chained:
            if self.training and self.norms:
                self.refuse_second_call()
            return run_chain(input, self.factors, self.biases, self.norms)
        return F.linear(input, *self.layer_for(input))


class HRFLinear(LinearChain):
    """y = x F_1' to F_K' + b, computed as one layer of the collapsed weight.

    Function and gradients are those of the chain, but frames pass through the
    small layer only: the step costs about what the plain layer's does. Where a
    GPU trains a small layer, the chain itself is faster, see ``chain_pays``:
    ``chained`` (True, False, or None for what is faster) changes the speed, not
    the result.

    ``weight`` and ``bias`` are readable as in ``torch.nn.Linear``, so code that
    never calls ``forward`` (``nn.MultiheadAttention``'s output projection)
    works; the product is computed once in a forward pass of the model. With
    inner_norm, they can be read in evaluation only. Writing to them raises.

    Arguments
    ---------
    in_features : int
        m
    out_features : int
        n
    bias : bool
        Whether the layer has a bias; without one, no factor has.
    **options
        Of ``HRFConfig``.

    Example
    -------
    >>> import torch
    >>> plain = nn.Linear(16, 4)
    >>> layer = HRFLinear.from_plain(plain, HRFConfig(init="preserve"))
    >>> x = torch.rand(2, 16)
    >>> torch.allclose(layer(x), plain(x), atol=1e-5)
    True
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        **options: Any,
    ) -> None:
        config = HRFConfig(**options)
        super().__init__(nn.Linear(in_features, out_features, bias), config)

    @classmethod
    def from_plain(
        cls, plain: nn.Linear, config: HRFConfig, parts: Sequence[str] = ("",)
    ) -> "HRFLinear":
        """Builds the expanded form of a linear layer.

        Arguments
        ---------
        plain : torch.nn.Linear
            Stays as it is.
        config : HRFConfig
        parts : sequence of str
            The whole layer: there is no other part.

        Returns
        -------
        HRFLinear
        """
        layer = cls.__new__(cls)
        LinearChain.__init__(layer, plain, config)
        return layer


class HRFTransposed(LinearChain):
    """y = x W + b with W: [m, n], as transformers' Conv1D keeps it (GPT-2).

    Arguments
    ---------
    plain : torch.nn.Module
        With weight, [m, n], and bias, [n]; stays as it is.
    config : HRFConfig

    Example
    -------
    >>> plain = nn.Linear(16, 4)
    >>> plain.weight = nn.Parameter(plain.weight.T)
    >>> layer = HRFTransposed.from_plain(plain, HRFConfig())
    >>> layer(torch.rand(2, 16)).shape, layer.weight.shape
    (torch.Size([2, 4]), torch.Size([16, 4]))
    """

    is_transposed = True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``LinearChain.forward``, by the name that transformers' input has.

        Arguments
        ---------
        x : torch.Tensor
            [..., m]

        Returns
        -------
        torch.Tensor
            [..., n]
        """
        return super().forward(x)


def chain_pays(factors: Iterable[torch.Tensor], x: torch.Tensor) -> bool:
    """Whether a training step is faster through the chain than collapsed.

    On a GPU it is for small layers, which take less time than starting the
    many small kernels of a collapse. Not under autocast: in half precision the
    hidden layers would be rounded, where a collapse keeps the chain's product
    in float32. On a CPU the collapse is faster.

    Arguments
    ---------
    factors : iterable of torch.Tensor
        F_1 ... F_K, F_k: [d_k, d_{k-1}].
    x : torch.Tensor
        The layer's input, [..., m].

    Returns
    -------
    bool

    Example
    -------
    >>> chain_pays([torch.empty(32, 16), torch.empty(4, 32)], torch.rand(2, 16))
    False
    """
    if not x.is_cuda or torch.is_autocast_enabled("cuda"):
        return False
    rows = x.numel() // x.shape[-1]
    return rows * sum(f.numel() for f in factors) <= FEW_MULTIPLICATIONS
