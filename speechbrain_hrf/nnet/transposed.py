"""A linear layer whose weight lies the other way round: transformers' Conv1D.

It keeps [m, n] where ``torch.nn.Linear`` keeps [n, m], in GPT-2 for example.

Example
-------
>>> from torch import nn
>>> from speechbrain_hrf.nnet import HRFConfig
>>> class Conv1D(nn.Module):  # as transformers has it
...     def __init__(self, n, m):
...         super().__init__()
...         self.weight = nn.Parameter(torch.randn(m, n))
...         self.bias = nn.Parameter(torch.zeros(n))
>>> layer = HRFTransposed.from_plain(Conv1D(4, 16), HRFConfig())
>>> layer
HRFTransposed(16 -> 32 -> 4)
>>> layer(torch.rand(2, 16)).shape, layer.weight.shape
(torch.Size([2, 4]), torch.Size([16, 4]))

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from torch.nn import functional as F

from speechbrain_hrf.nnet.algebra import run_chain
from speechbrain_hrf.nnet.expanded import ExpandedLayer


class HRFTransposed(ExpandedLayer):
    """y = x W + b with W: [m, n], the product of the factors.

    Arguments
    ---------
    plain : torch.nn.Module
        With weight, [m, n], and bias, [n]; stays as it is.
    config : HRFConfig

    Example
    -------
    >>> from torch import nn
    >>> from speechbrain_hrf.nnet import HRFConfig
    >>> plain = nn.Linear(16, 4)
    >>> plain.weight = nn.Parameter(plain.weight.T)
    >>> list(HRFTransposed(plain, HRFConfig()).state_dict())[0]
    'hrf_transposed'
    """

    is_transposed = True

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
        if self.chained:
            return run_chain(x, self.factors, self.biases, self.norms)
        return F.linear(x, *self.layer_for(x))
