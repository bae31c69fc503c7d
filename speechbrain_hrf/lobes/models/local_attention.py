"""Self-attention in a window around each frame.

Authors
 * The speechbrain_hrf authors 2026
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from speechbrain_hrf.lobes.models.attention import SelfAttention


class LocalSelfAttention(SelfAttention):
    """Self-attention in a window around each frame: linear in T.

    A frame attends to the frames at most ``window // 2`` away.

    Arguments
    ---------
    d_model : int
        D, a multiple of ``n_heads``.
    n_heads : int
        H
    window : int
        Frames of the window; an even one reaches as far as the next odd one.
    dropout : float
        Of the attention weights, in training.

    Example
    -------
    >>> attention = LocalSelfAttention(d_model=16, n_heads=4, window=5)
    >>> attention(torch.rand(2, 7, 16), torch.tensor([7, 3])).shape
    torch.Size([2, 7, 16])
    """

    def __init__(
        self, d_model: int, n_heads: int, window: int, dropout: float = 0.0
    ):
        super().__init__(d_model, n_heads, dropout)
        if window < 1:
            raise ValueError(f"window is {window}: give at least one frame.")
        self.radius = window // 2

    def attend(
        self, q: Tensor, k: Tensor, v: Tensor, lengths: Tensor
    ) -> Tensor:
        """Weighted mean of the values in each frame's window.

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
        T, radius = q.shape[1], self.radius
        # Frames last, so that every operation runs along memory: a head of the
        # small model has no more than 4 features.
        q, k, v = (x.permute(0, 2, 3, 1) for x in (q, k, v))  # [B, H, D/H, T]
        q = (q / math.sqrt(q.shape[2])).contiguous()
        k, v = (F.pad(x, (radius, radius)) for x in (k, v))
        # One elementwise product per offset is faster than unfolding: the
        # matrices of a window are far too small for a matrix product.
        offsets = range(2 * radius + 1)
        scores = torch.stack(
            [(q * k[..., o : o + T]).sum(2) for o in offsets], dim=2
        )  # [B, H, W, T]
        frame = torch.arange(T, device=q.device)
        key = (
            frame + torch.arange(-radius, radius + 1, device=q.device)[:, None]
        )
        inside = (key >= 0) & (key < lengths[:, None, None])  # [B, W, T]
        # A padded frame sees itself, else its softmax would be 0 / 0.
        inside = inside | (key == frame)
        scores = scores.masked_fill(~inside.unsqueeze(1), float("-inf"))
        weights = F.dropout(scores.softmax(2), self.dropout_p)
        out = sum(weights[:, :, o : o + 1] * v[..., o : o + T] for o in offsets)
        return out.permute(0, 3, 1, 2)
