"""A convolution that is wider in training than in what is shipped.

The first factor keeps kernel, stride, dilation and padding, those behind it are
1 x 1: with its weight as a matrix [n, m * k], the algebra is that of a linear
layer.

Not the paper's, which expands linear layers only.

Example
-------
>>> from torch import nn
>>> from speechbrain_hrf.nnet import HRFConfig
>>> plain = nn.Conv1d(16, 4, 5, stride=2, padding="valid")
>>> layer = HRFConv.from_plain(plain, HRFConfig(init="preserve"))
>>> layer
HRFConv(80 -> 32 -> 4)
>>> x = torch.rand(2, 16, 50)
>>> torch.allclose(layer(x), plain(x), atol=1e-5)
True

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional as F

from speechbrain_hrf.nnet.algebra import run_chain
from speechbrain_hrf.nnet.kinds.expanded import ExpandedLayer


class HRFConv(ExpandedLayer):
    """Conv1d, Conv2d or Conv3d by one weight, the product of the factors.

    With inner_norm, frames pass the whole chain in training: the statistics of
    a convolution's patches would cost as much as the chain does.

    Arguments
    ---------
    plain : torch.nn.Conv1d, torch.nn.Conv2d or torch.nn.Conv3d
        With groups=1; stays as it is.
    config : HRFConfig

    Example
    -------
    >>> from torch import nn
    >>> from speechbrain_hrf.nnet import HRFConfig
    >>> layer = HRFConv(nn.Conv2d(1, 16, 3, stride=2), HRFConfig(ratio=4))
    >>> layer.weight.shape, layer(torch.rand(1, 1, 9, 7)).shape
    (torch.Size([16, 1, 3, 3]), torch.Size([1, 16, 4, 3]))
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """The layer's output.

        Arguments
        ---------
        input : torch.Tensor
            [B, m, T, ...], or without B.

        Returns
        -------
        torch.Tensor
            [B, n, T', ...]
        """
        return self._run(input, self._convolved)

    def _run(
        self, x: torch.Tensor, convolved: Callable[..., torch.Tensor]
    ) -> torch.Tensor:
        normalises = self.training and len(self.norms) > 0
        if normalises:
            self.refuse_second_call()
        if self.hrf_chained or normalises:
            channel = -1 - len(self.kernel_size)

            def patches(x: Any, factor: Any, bias: Any) -> torch.Tensor:
                """The first factor, at every place: [B, T', ..., d_1]."""
                kernel = factor.view_as(self.hrf_factors[0])
                return convolved(x, kernel, bias).movedim(channel, -1)

            hidden = run_chain(
                x, self.factors, self.biases, self.norms, patches
            )
            # As a convolution's: what follows may ask for a view.
            return hidden.movedim(-1, channel).contiguous()
        return convolved(x, *self.collapsed())

    kernel_size: tuple[int, ...]

    def _convolved(
        self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        # With the stride, dilation, padding and its mode of the plain layer
        out: torch.Tensor = self.plain_class._conv_forward(
            self, x, weight, bias
        )
        return out


class HRFConvTranspose(HRFConv):
    """ConvTranspose1d, 2d or 3d by one weight, the product of the factors.

    Arguments
    ---------
    plain : torch.nn.ConvTranspose1d, ConvTranspose2d or ConvTranspose3d
        With groups=1; stays as it is.
    config : HRFConfig

    Example
    -------
    >>> from torch import nn
    >>> from speechbrain_hrf.nnet import HRFConfig
    >>> plain = nn.ConvTranspose1d(6, 4, 3, stride=2)
    >>> layer = HRFConvTranspose(plain, HRFConfig(ratio=4))
    >>> layer.weight.shape, layer(torch.rand(1, 6, 9)).shape
    (torch.Size([6, 4, 3]), torch.Size([1, 4, 19]))
    """

    is_transposed = True

    def forward(
        self, input: torch.Tensor, output_size: Sequence[int] | None = None
    ) -> torch.Tensor:
        """The layer's output.

        Arguments
        ---------
        input : torch.Tensor
            [B, m, T, ...], or without B.
        output_size : sequence of int, optional
            T', ..., where the stride leaves several possible.

        Returns
        -------
        torch.Tensor
            [B, n, T', ...]
        """
        dimensions = len(self.kernel_size)
        shape = self.stride, self.padding, self.kernel_size, dimensions
        output_padding = self.plain_class._output_padding(
            self, input, output_size, *shape, self.dilation
        )
        convolve = getattr(F, f"conv_transpose{dimensions}d")
        return self._run(
            input,
            lambda x, weight, bias: convolve(
                x,
                weight.transpose(0, 1),
                bias,
                self.stride,
                self.padding,
                output_padding,
                self.groups,
                self.dilation,
            ),
        )
