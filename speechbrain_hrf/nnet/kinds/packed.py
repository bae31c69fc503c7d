"""HRF for weights that hold several projections in one parameter.

``torch.nn.MultiheadAttention`` and SpeechBrain's ``RelPosMHAXL`` and ``RoPEMHA``
keep query, key and value in one ``in_proj_weight``. Each chosen block gets a
chain of its own; PyTorch's parametrization puts the blocks together on access,
so the foreign module's code stays as it is. Its bias is another parameter and is
not expanded.

SpeechBrain's two read the weight interleaved by head in self-attention, which is
how it is taken apart here, but as three blocks in cross-attention; there, the
chain named "q" holds rows of all three. Merging is exact all the same.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from speechbrain.nnet.attention import RelPosMHAXL, RoPEMHA
from torch import nn
from torch.nn.utils import parametrize

from speechbrain_hrf.nnet.chain import Chain, HRFConfig
from speechbrain_hrf.nnet.computed import readable
from speechbrain_hrf.nnet.kinds.expanded import Expanded

BLOCKS = ("q", "k", "v")
PACKED_PARAMETER = "in_proj_weight"


def pack(blocks: Sequence[torch.Tensor], n_heads: int = 0) -> torch.Tensor:
    """Puts the blocks of a packed weight together.

    Arguments
    ---------
    blocks : sequence of torch.Tensor
        One [n, m] each.
    n_heads : int
        0: one after the other; else interleaved for each head.

    Returns
    -------
    torch.Tensor
        [len(blocks) * n, m]

    Example
    -------
    >>> q, k = torch.tensor([[1], [2]]), torch.tensor([[3], [4]])
    >>> pack([q, k]).flatten(), pack([q, k], n_heads=2).flatten()
    (tensor([1, 2, 3, 4]), tensor([1, 3, 2, 4]))
    """
    if n_heads == 0:
        return torch.cat(list(blocks), dim=0)
    per_head = [block.unflatten(0, (n_heads, -1)) for block in blocks]
    return torch.stack(per_head, dim=1).flatten(0, 2)


def unpack(weight: torch.Tensor, n_heads: int = 0) -> tuple[torch.Tensor, ...]:
    """Takes a packed weight apart; the inverse of ``pack``.

    Arguments
    ---------
    weight : torch.Tensor
        [3 * n, m]
    n_heads : int
        See ``pack``.

    Returns
    -------
    tuple of torch.Tensor
        Query, key and value block, [n, m] each.

    Example
    -------
    >>> weight = torch.arange(6).unsqueeze(1)
    >>> [block.flatten().tolist() for block in unpack(weight, n_heads=2)]
    [[0, 3], [1, 4], [2, 5]]
    """
    if n_heads == 0:
        return weight.chunk(len(BLOCKS), dim=0)
    per_head = weight.unflatten(0, (n_heads, len(BLOCKS), -1))
    return tuple(block.flatten(0, 1) for block in per_head.unbind(1))


class PackedChains(Expanded):
    """The parametrization: blocks, expanded or plain, to one weight.

    The keys of its state dict carry the layout (``blocked`` or, for n heads,
    ``per_head_n``), so that merging needs nothing but the state dict.

    Arguments
    ---------
    weight : torch.Tensor
        The packed weight, [3 * n, m].
    n_heads : int
        See ``pack``.
    chosen : collection of str
        The blocks to expand, of "q", "k", "v".
    config : HRFConfig

    Example
    -------
    >>> config = HRFConfig(init="preserve")
    >>> chains = PackedChains(torch.rand(6, 2), 0, ["k"], config)
    >>> chains().shape
    torch.Size([6, 2])
    >>> [key for key in chains.state_dict() if ".k." not in key]
    ['blocked.q.weight', 'blocked.v.weight']
    """

    weight_name = PACKED_PARAMETER
    keeps_layer = True
    is_placed = False

    def __init__(
        self,
        weight: torch.Tensor,
        n_heads: int,
        chosen: Collection[str],
        config: HRFConfig,
    ) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.layout = f"per_head_{n_heads}" if n_heads else "blocked"
        blocks = unpack(weight.detach(), n_heads)
        parts = {
            name: Chain(block, None, config)
            if name in chosen
            else nn.ParameterDict({"weight": block.clone()})
            for name, block in zip(BLOCKS, blocks, strict=True)
        }
        self.add_module(self.layout, nn.ModuleDict(parts))

    @classmethod
    def parts(cls, plain: nn.Module) -> tuple[str, ...]:
        """The blocks, as "in_proj_weight.q".

        Arguments
        ---------
        plain : torch.nn.Module
            An attention.

        Returns
        -------
        tuple of str
            Empty where its projections have a weight each.
        """
        if getattr(plain, PACKED_PARAMETER, None) is None:
            return ()
        return tuple(f"{PACKED_PARAMETER}.{block}" for block in BLOCKS)

    @classmethod
    def from_plain(
        cls, plain: Any, config: HRFConfig, parts: Sequence[str] = ()
    ) -> "PackedChains":
        """Builds the chains of an attention's packed weight.

        Arguments
        ---------
        plain : torch.nn.MultiheadAttention or RelPosMHAXL or RoPEMHA
            Stays as it is.
        config : HRFConfig
        parts : sequence of str
            Of ``parts``, those to expand.

        Returns
        -------
        PackedChains
        """
        # PyTorch's own has its blocks one after the other.
        by_head = isinstance(plain, RelPosMHAXL | RoPEMHA)
        chains = cls(
            plain.in_proj_weight,
            plain.num_heads if by_head else 0,
            [part.rpartition(".")[2] for part in parts],
            config,
        )
        return chains.train(plain.training)

    @property
    def blocks(self) -> dict[str, Any]:
        """Block name to its ``Chain`` or plain weight, in packing order."""
        return dict(getattr(self, self.layout).named_children())

    @property
    def chains(self) -> Mapping[str, Chain]:
        """Those of the expanded blocks, by names as in ``parts``."""
        return {
            f"{PACKED_PARAMETER}.{name}": block
            for name, block in self.blocks.items()
            if isinstance(block, Chain)
        }

    def take_place(self, plain: nn.Module) -> nn.Module:
        """Makes the attention's weight a computed one.

        Arguments
        ---------
        plain : torch.nn.Module

        Returns
        -------
        torch.nn.Module
            The attention itself.
        """
        placed = parametrize.register_parametrization(
            plain, PACKED_PARAMETER, self
        )
        self.is_placed = True
        return placed

    def to_plain(self, name: str, place: nn.Module) -> nn.Module:
        """Gives the attention a weight of its own again.

        Arguments
        ---------
        name : str
            Of the attention, for errors.
        place : torch.nn.Module
            The attention.

        Returns
        -------
        torch.nn.Module
            The attention itself.

        Raises
        ------
        ValueError
            If another parametrization was added after this one.
        """
        where = f"{name}.{PACKED_PARAMETER}".lstrip(".")
        parametrizations: Any = place.parametrizations
        if sum(map(len, parametrizations.values())) > 1:
            raise ValueError(
                f"{where!r} cannot be merged: another parametrization was "
                "added to its module after HRF. Remove it first."
            )
        merged = [
            block.merged(f"{where}.{block_name}")["weight"]
            if isinstance(block, Chain)
            else block.weight.detach()
            for block_name, block in self.blocks.items()
        ]
        learns = any(parameter.requires_grad for parameter in self.parameters())
        # parametrize.remove_parametrizations would take the property off a
        # class that a copy shares with its original, so that the attention
        # gets its class back instead.
        place.__class__ = type(place).__mro__[1]
        del place._modules["parametrizations"]
        weight = nn.Parameter(pack(merged, self.n_heads), learns)
        # In the plain layer's order, in which some count parameters through.
        place._parameters = {PACKED_PARAMETER: weight, **place._parameters}
        return place

    def forward(self) -> torch.Tensor:
        """The packed weight; not to be written.

        Returns
        -------
        torch.Tensor
            [3 * n, m]
        """
        blocks = [
            block.collapsed()[0] if isinstance(block, Chain) else block.weight
            for block in self.blocks.values()
        ]
        return readable(pack(blocks, self.n_heads))

    def right_inverse(self, weight: torch.Tensor) -> tuple[()]:
        """No original is kept: the factors stand for it.

        Arguments
        ---------
        weight : torch.Tensor
            [3 * n, m]

        Returns
        -------
        tuple
            Empty.

        Raises
        ------
        AttributeError
            If the weight is set later on: it would be lost.
        """
        if self.is_placed:
            raise AttributeError(
                f"The {PACKED_PARAMETER} of an expanded attention is computed "
                "from its factors, and cannot be set: change the factors, or "
                "set it before apply_hrf."
            )
        return ()
