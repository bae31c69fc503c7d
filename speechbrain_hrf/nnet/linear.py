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

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from speechbrain_hrf.nnet.algebra import Factors, run_chain
from speechbrain_hrf.nnet.chain import Chain, Expanded, HRFConfig
from speechbrain_hrf.nnet.inner_norm import collapse_batch

# An estimate: a GPU multiplies as much, three times over for the gradients, in a
# tenth of a millisecond, in which it starts the small kernels of one collapse.
FEW_MULTIPLICATIONS = 2**28


class HRFLinear(Chain, Expanded):
    """y = x F_1' ... F_K' + b, computed as one layer of the collapsed weight.

    Function and gradients are those of the chain, but frames pass through the
    small layer only: the step costs about what the plain layer's does. Where a
    GPU trains a small layer, the chain itself is faster, see ``chain_pays``:
    ``chained`` (True, False, or None for what is faster) changes the speed, not
    the result.

    ``weight`` and ``bias`` are readable as in ``torch.nn.Linear``, so code that
    never calls ``forward`` (``nn.MultiheadAttention``'s output projection)
    works; each access multiplies the chain out anew. With inner_norm, they can
    be read in evaluation only.

    Arguments
    ---------
    in_features : int
        m
    out_features : int
        n
    bias : bool
        Whether the layer has a bias; without one, no factor has.
    replaces : torch.nn.Linear, optional
        The layer whose place this one takes: gives type, device and dtype,
        with init "preserve" also the value.
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
        replaces: nn.Linear | None = None,
        **options: Any,
    ) -> None:
        config = HRFConfig(**options)
        if replaces is None:
            replaces = nn.Linear(in_features, out_features, bias)
        super().__init__(replaces.weight, replaces.bias, config)
        self.in_features = in_features
        self.out_features = out_features
        self.chained = config.chained
        # What merging puts back: nn.MultiheadAttention has its own subclass.
        self.plain_class = type(replaces)
        self.train(replaces.training)

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
        return cls(
            plain.in_features,
            plain.out_features,
            replaces=plain,
            **asdict(config),
        )

    def to_plain(self, name: str, place: nn.Module) -> nn.Module:
        """The plain layer, held against the chain.

        Arguments
        ---------
        name : str
            Of the layer, for errors.
        place : torch.nn.Module
            This one.

        Returns
        -------
        torch.nn.Module
            Of the class that was replaced; forward hooks stay.
        """
        state = self.merged(name)
        # On no device: drawing weights to throw away would move the random
        # state of the training that goes on afterwards.
        plain: nn.Linear = self.plain_class(
            self.in_features,
            self.out_features,
            bias="bias" in state,
            device="meta",
        )
        plain.load_state_dict(state, assign=True)
        plain._forward_hooks = self._forward_hooks
        plain._forward_pre_hooks = self._forward_pre_hooks
        learns = any(parameter.requires_grad for parameter in self.parameters())
        return plain.requires_grad_(learns).train(self.training)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's output.

        Arguments
        ---------
        x : torch.Tensor
            [..., m]

        Returns
        -------
        torch.Tensor
            [..., n]
        """
        factors, norms = self.factors, self.norms
        chained = self.chained
        if chained is None:
            chained = self.training and chain_pays(factors, x)
        if chained:
            return run_chain(x, factors, self.biases, norms)
        if norms and self.training:
            layer = collapse_batch(factors, self.biases, norms, x)
        else:
            layer = self.collapsed()
        return F.linear(x, *layer)


def chain_pays(factors: Factors, x: torch.Tensor) -> bool:
    """Whether a training step is faster through the chain than collapsed.

    On a GPU it is for small layers, which take less time than starting the
    many small kernels of a collapse. Not under autocast: in half precision the
    hidden layers would be rounded, where a collapse keeps the chain's product
    in float32. On a CPU the collapse is faster.

    Arguments
    ---------
    factors : sequence of torch.Tensor
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
