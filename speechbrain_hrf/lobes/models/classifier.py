"""The classification head of all three models.

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from torch import Tensor, nn


class ClassifierHead(nn.Module):
    """Linear, activation, Linear, log-softmax.

    Follows the contract of ``EncoderClassifier``'s ``classifier``.

    Arguments
    ---------
    d_model : int
        Features of an embedding.
    n_classes : int
        C
    d_hidden : int, optional
        Width between the two layers; default ``d_model``. The paper's original
        SpeechFormer has 40 on IEMOCAP.
    activation : type
        Class of the activation between them.

    Example
    -------
    >>> head = ClassifierHead(d_model=16, n_classes=4)
    >>> log_probabilities = head(torch.rand(2, 1, 16))
    >>> log_probabilities.shape, log_probabilities.exp().sum(-1).round()
    (torch.Size([2, 1, 4]), tensor([[1.],
            [1.]], grad_fn=<RoundBackward0>))
    """

    hrf_groups = {"CLS": ["linear1", "linear2"]}

    def __init__(
        self,
        d_model: int,
        n_classes: int,
        d_hidden: int | None = None,
        activation: type[nn.Module] = nn.ReLU,
    ):
        super().__init__()
        d_hidden = d_model if d_hidden is None else d_hidden
        self.linear1 = nn.Linear(d_model, d_hidden)
        self.activation = activation()
        self.linear2 = nn.Linear(d_hidden, n_classes)

    def forward(self, embedding: Tensor) -> Tensor:
        """Log-probabilities of the classes.

        Arguments
        ---------
        embedding : torch.Tensor
            [B, 1, D]

        Returns
        -------
        torch.Tensor
            [B, 1, C]
        """
        x = self.linear2(self.activation(self.linear1(embedding)))
        return torch.log_softmax(x, dim=-1)
