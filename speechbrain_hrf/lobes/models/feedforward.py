"""The position-wise feed-forward network of a Transformer block.

Authors
 * The speechbrain_hrf authors 2026
"""

from torch import Tensor, nn


class FeedForward(nn.Module):
    """Linear(D, F), activation, Linear(F, D).

    Arguments
    ---------
    d_model : int
        D
    d_ffn : int
        F
    activation : type
        Class of the activation between the two layers.
    dropout : float
        After the activation, in training.

    Example
    -------
    >>> import torch
    >>> ffn = FeedForward(d_model=16, d_ffn=4)
    >>> ffn(torch.rand(2, 7, 16)).shape
    torch.Size([2, 7, 16])
    """

    def __init__(
        self,
        d_model: int,
        d_ffn: int,
        activation: type[nn.Module] = nn.ReLU,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.linear1 = nn.Linear(d_model, d_ffn)
        self.activation = activation()
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(d_ffn, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Applies the network to every frame.

        Arguments
        ---------
        x : torch.Tensor
            [..., D]

        Returns
        -------
        torch.Tensor
            [..., D]
        """
        return self.linear2(self.dropout(self.activation(self.linear1(x))))
