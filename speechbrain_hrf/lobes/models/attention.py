"""Self-attention over the whole utterance.

The query, key, value and output projections are separate linear layers, so
that HRF can expand each one by itself.

Authors
 * The speechbrain_hrf authors 2026
"""

from torch import Tensor, nn
from torch.nn import functional as F

from speechbrain_hrf.lobes.models.lengths import valid_frames


class SelfAttention(nn.Module):
    """Multi-head self-attention over all valid frames.

    Arguments
    ---------
    d_model : int
        D, a multiple of ``n_heads``.
    n_heads : int
        H
    dropout : float
        Of the attention weights, in training.

    Example
    -------
    >>> import torch
    >>> attention = SelfAttention(d_model=16, n_heads=4)
    >>> attention(torch.rand(2, 7, 16), torch.tensor([7, 3])).shape
    torch.Size([2, 7, 16])
    """

    def __init__(self, d_model: int, n_heads: int, dropout: float = 0.0):
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(
                f"d_model {d_model} is not a multiple of n_heads {n_heads}."
            )
        self.n_heads = n_heads
        self.dropout = dropout
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
        self.project = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Lets every frame attend to the valid frames of its utterance.

        Arguments
        ---------
        x : torch.Tensor
            [B, T, D]
        lengths : torch.Tensor
            Valid frames, int64 [B].

        Returns
        -------
        torch.Tensor
            [B, T, D]; rows beyond an utterance's length are arbitrary.
        """
        q, k, v = (
            layer(x).unflatten(-1, (self.n_heads, -1))
            for layer in (self.query, self.key, self.value)
        )  # [B, T, H, D/H]
        return self.project(self.attend(q, k, v, lengths).flatten(2))

    def attend(
        self, q: Tensor, k: Tensor, v: Tensor, lengths: Tensor
    ) -> Tensor:
        """Weighted mean of the values.

        Arguments
        ---------
        q, k, v : torch.Tensor
            [B, T, H, D/H]
        lengths : torch.Tensor
            int64 [B]

        Returns
        -------
        torch.Tensor
            [B, T, H, D/H]
        """
        mask = valid_frames(lengths, k.shape[1])[:, None, None]  # [B, 1, 1, T]
        return fused_attention(q, k, v, mask, self.dropout_p)

    @property
    def dropout_p(self) -> float:
        """The dropout that applies now: none in evaluation."""
        return self.dropout if self.training else 0.0


def fused_attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor, dropout_p: float
) -> Tensor:
    """PyTorch's fused kernel on tensors in [B, T, H, D/H] order.

    Arguments
    ---------
    q, k, v : torch.Tensor
        [B, T, H, D/H]
    mask : torch.Tensor
        Boolean, or added to the scores; broadcasts to [B, H, T, T].
    dropout_p : float
        Of the attention weights.

    Returns
    -------
    torch.Tensor
        [B, T, H, D/H]

    Example
    -------
    >>> import torch
    >>> x = torch.rand(2, 7, 4, 4)
    >>> fused_attention(x, x, x, torch.ones(7, 7).bool(), 0.0).shape
    torch.Size([2, 7, 4, 4])
    """
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))  # [B, H, T, D/H]
    out = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, dropout_p=dropout_p
    )
    return out.transpose(1, 2)
