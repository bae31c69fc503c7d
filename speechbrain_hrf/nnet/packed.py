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

import torch
from speechbrain.nnet.attention import RelPosMHAXL, RoPEMHA
from torch import nn

from speechbrain_hrf.nnet.chain import Chain

BLOCKS = ("q", "k", "v")
PACKED_PARAMETER = "in_proj_weight"


def heads_of(module):
    """How a module's packed weight is laid out.

    Arguments
    ---------
    module : torch.nn.Module

    Returns
    -------
    int or None
        0: the blocks follow each other; n > 0: they are interleaved for each
        of n heads; None: the module has no packed weight that is known.

    Example
    -------
    >>> heads_of(nn.MultiheadAttention(8, 2)), heads_of(nn.Linear(8, 2))
    (0, None)
    """
    if getattr(module, PACKED_PARAMETER, None) is None:
        return None
    if isinstance(module, RelPosMHAXL | RoPEMHA):
        return module.num_heads
    return 0 if isinstance(module, nn.MultiheadAttention) else None


def pack(blocks, n_heads=0):
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


def unpack(weight, n_heads=0):
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


class PackedChains(nn.Module):
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
    options : dict
        Of ``Chain``.

    Example
    -------
    >>> chains = PackedChains(torch.rand(6, 2), 0, ["k"], {"init": "preserve"})
    >>> chains().shape
    torch.Size([6, 2])
    >>> [key for key in chains.state_dict() if ".k." not in key]
    ['blocked.q.weight', 'blocked.v.weight']
    """

    def __init__(self, weight, n_heads, chosen, options):
        super().__init__()
        self.n_heads = n_heads
        self.chosen = tuple(chosen)
        self.layout = f"per_head_{n_heads}" if n_heads else "blocked"
        blocks = nn.Module()
        for name, block in zip(BLOCKS, unpack(weight, n_heads), strict=True):
            if name in chosen:
                part = Chain(block.detach(), None, **options)
            else:
                part = PlainBlock(block)
            blocks.add_module(name, part)
        self.add_module(self.layout, blocks)

    @property
    def blocks(self):
        """Block name to its ``Chain`` or ``PlainBlock``, in packing order."""
        return dict(getattr(self, self.layout).named_children())

    def forward(self):
        """The packed weight.

        Returns
        -------
        torch.Tensor
            [3 * n, m]
        """
        parts = self.blocks.values()
        return pack([part.collapsed()[0] for part in parts], self.n_heads)

    def right_inverse(self, weight):
        """No original is kept: the factors stand for it.

        Arguments
        ---------
        weight : torch.Tensor
            [3 * n, m]

        Returns
        -------
        tuple
            Empty.
        """
        return ()


class PlainBlock(nn.Module):
    """A block of a packed weight that is not expanded.

    Arguments
    ---------
    weight : torch.Tensor
        [n, m]

    Example
    -------
    >>> PlainBlock(torch.rand(4, 2)).collapsed()[0].shape
    torch.Size([4, 2])
    """

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())

    def collapsed(self):
        """As ``Chain.collapsed``.

        Returns
        -------
        torch.Tensor
            [n, m]
        None
            There is no bias.
        """
        return self.weight, None
