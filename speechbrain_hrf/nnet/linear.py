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

import torch
from torch import nn
from torch.nn import functional as F

from speechbrain_hrf.nnet.chain import Chain, check_options
from speechbrain_hrf.nnet.inner_norm import collapse_batch, run_chain

# An estimate: a GPU multiplies as much, three times over for the gradients, in a
# tenth of a millisecond, in which it starts the small kernels of one collapse.
FEW_MULTIPLICATIONS = 2**28


class HRFLinear(Chain):
    """y = x F_1' ... F_K' + b, computed as one layer of the collapsed weight.

    Function and gradients are those of the chain, but frames pass through the
    small layer only: the step costs about what the plain layer's does. Where a
    GPU trains a small layer, the chain itself is faster, see ``chain_pays``.

    ``weight`` and ``bias`` are readable as in ``torch.nn.Linear``, so code that
    never calls ``forward`` (``nn.MultiheadAttention``'s output projection)
    works; each access multiplies the chain out anew.

    Arguments
    ---------
    in_features : int
        m
    out_features : int
        n
    bias : bool
        Whether the layer, that is its last factor, has a bias.
    ratio : float
        Expansion ratio r >= 1: the hidden layers are r * n (or r * m) wide.
    layers : int
        Extra layers, at least 1; with inner_norm also 0: the layer is
        normalised, as by a BatchNorm behind it, and nothing is wider.
    width_of : str
        "out": hidden width r * n, the paper's; "in": r * m.
    init : str
        "default", "scaled" or "preserve", see ``initialisation``.
    inner_bias : bool
        Whether the extra layers have biases.
    inner_norm : bool
        Whether the extra layers are normalised over the batch, see
        ``inner_norm``; ``weight`` and ``bias`` can then be read in evaluation
        only.
    chained : bool, optional
        True sends frames through the whole chain, in evaluation too: the
        reference. False never does. Default: in training, where
        ``chain_pays``. It changes the speed, not the result.
    replaces : torch.nn.Linear, optional
        The layer whose place this one takes: gives type, device and dtype,
        with init "preserve" also the value.

    Example
    -------
    >>> import torch
    >>> plain = nn.Linear(16, 4)
    >>> layer = HRFLinear(16, 4, init="preserve", replaces=plain)
    >>> x = torch.rand(2, 16)
    >>> torch.allclose(layer(x), plain(x), atol=1e-5)
    True
    """

    def __init__(
        self,
        in_features,
        out_features,
        bias=True,
        ratio=8,
        layers=1,
        width_of="out",
        init="default",
        inner_bias=True,
        chained=None,
        replaces=None,
        inner_norm=False,
    ):
        check_options(ratio, layers, width_of, init, inner_norm, chained)
        if replaces is None:
            replaces = nn.Linear(in_features, out_features, bias)
        super().__init__(
            replaces.weight,
            replaces.bias,
            ratio,
            layers,
            width_of,
            init,
            inner_bias,
            inner_norm,
        )
        self.in_features = in_features
        self.out_features = out_features
        self.chained = chained
        # What merging puts back: nn.MultiheadAttention has its own subclass.
        self.plain_class = type(replaces)
        self.train(replaces.training)

    @property
    def weight(self):
        """The collapsed weight, [n, m]."""
        return self.collapsed()[0]

    @property
    def bias(self):
        """The collapsed bias, [n], or None."""
        return self.collapsed()[1]

    def forward(self, x):
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
        chain = self.factors, self.biases, self.norms
        chained = self.chained
        if chained is None:
            chained = self.training and chain_pays(self.factors, x)
        if chained:
            return run_chain(*chain, x, self.training)
        if self.norms and self.training:
            return F.linear(x, *collapse_batch(*chain, x))
        return F.linear(x, *self.collapsed())


def chain_pays(factors: Sequence[torch.Tensor], x: torch.Tensor) -> bool:
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
