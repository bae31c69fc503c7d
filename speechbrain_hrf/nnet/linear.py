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

from torch import nn
from torch.nn import functional as F

from speechbrain_hrf.nnet.chain import Chain
from speechbrain_hrf.nnet.inner_norm import collapse_batch, run_chain


class HRFLinear(Chain):
    """y = x F_1' ... F_K' + b, computed as one layer of the collapsed weight.

    Function and gradients are those of the chain, but frames pass through the
    small layer only: the step costs about what the plain layer's does.

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
    chained : bool
        Send frames through the whole chain instead: the reference.
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
        chained=False,
        replaces=None,
        inner_norm=False,
    ):
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
        if self.chained:
            return run_chain(*chain, x, self.training)
        if self.norms and self.training:
            return F.linear(x, *collapse_batch(*chain, x))
        return F.linear(x, *self.collapsed())
