"""A linear layer whose weight lies the other way round: transformers' Conv1D.

It keeps [m, n] where ``torch.nn.Linear`` keeps [n, m], in GPT-2 for example.

Example
-------
>>> from torch import nn
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

from typing import Any

import torch
from torch.nn import functional as F

from speechbrain_hrf.nnet.chain import HRFConfig
from speechbrain_hrf.nnet.expanded import ExpandedLayer
from speechbrain_hrf.nnet.readable import readable


class HRFTransposed(ExpandedLayer):
    """y = x W + b with W: [m, n], the product of the factors.

    An empty buffer, ``hrf_transposed``, tells merging which way round the
    weight lies.

    Arguments
    ---------
    plain : torch.nn.Module
        With weight, [m, n], and bias, [n]; stays as it is.
    config : HRFConfig

    Example
    -------
    >>> from torch import nn
    >>> plain = nn.Linear(16, 4)
    >>> plain.weight = nn.Parameter(plain.weight.T)
    >>> list(HRFTransposed(plain, HRFConfig()).state_dict())[0]
    'hrf_transposed'
    """

    def __init__(self, plain: Any, config: HRFConfig) -> None:
        super().__init__(plain, config, plain.weight.T)
        self.register_buffer("hrf_transposed", plain.weight.new_empty(0))

    @property
    def weight(self) -> torch.Tensor:
        """The collapsed weight, [m, n]; not to be written."""
        return readable(self.collapsed()[0].T)

    def merged(self, name: str) -> dict[str, torch.Tensor]:
        """The plain layer's weight and bias, held against the chain.

        Arguments
        ---------
        name : str
            Of the layer, for errors.

        Returns
        -------
        dict of str to torch.Tensor
        """
        state = super().merged(name)
        return {**state, "weight": state["weight"].T.contiguous()}

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
        return F.linear(x, *self.layer_for(x))
