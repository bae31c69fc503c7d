"""The activation of the paper's ablation that PyTorch does not have.

Authors
 * The speechbrain_hrf authors 2026
"""

from torch import Tensor, nn
from torch.nn import functional as F


class SquaredReLU(nn.Module):
    """``max(x, 0) ** 2`` (So et al., Primer, NeurIPS 2021).

    Example
    -------
    >>> import torch
    >>> SquaredReLU()(torch.tensor([-2.0, 0.0, 3.0]))
    tensor([0., 0., 9.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Applies it to every element.

        Arguments
        ---------
        x : torch.Tensor
            Any shape.

        Returns
        -------
        torch.Tensor
            The same shape.
        """
        return F.relu(x).square()
