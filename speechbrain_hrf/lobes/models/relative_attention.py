"""Self-attention that knows how far apart two frames are.

Authors
 * The speechbrain_hrf authors 2026
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from speechbrain_hrf.lobes.models.attention import (
    SelfAttention,
    fused_attention,
)
from speechbrain_hrf.lobes.models.lengths import valid_frames
from speechbrain_hrf.lobes.models.positions import sinusoids


class RelPosSelfAttention(SelfAttention):
    """Self-attention with the relative positions of Transformer-XL.

    score(i, j) = ((q_i + u) k_j + (q_i + v) p_|i-j|) / sqrt(D/H), with u, v
    learnt and p a projection without bias of sinusoids on T rows. The paper's
    FLOPs fix T rows, not 2 T - 1: only the distance between frames counts.

    Arguments
    ---------
    d_model : int
        D, even, a multiple of ``n_heads``.
    n_heads : int
        H
    dropout : float
        Of the attention weights, in training.

    Example
    -------
    >>> attention = RelPosSelfAttention(d_model=16, n_heads=4)
    >>> attention(torch.rand(2, 7, 16), torch.tensor([7, 3])).shape
    torch.Size([2, 7, 16])
    """

    def __init__(self, d_model, n_heads, dropout=0.0):
        super().__init__(d_model, n_heads, dropout)
        self.position = nn.Linear(d_model, d_model, bias=False)
        self.u = nn.Parameter(torch.empty(n_heads, d_model // n_heads))
        self.v = nn.Parameter(torch.empty(n_heads, d_model // n_heads))
        nn.init.xavier_uniform_(self.u)
        nn.init.xavier_uniform_(self.v)

    def attend(self, q, k, v, lengths):
        """As in ``SelfAttention``, with u added to the queries.

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
        offset = self.position_scores(q + self.v)  # [B, H, T, T]
        offset = offset.masked_fill(~mask, float("-inf"))
        return fused_attention(q + self.u, k, v, offset, self.dropout_p)

    def position_scores(self, q):
        """What the distance to each key adds to its score.

        Arguments
        ---------
        q : torch.Tensor
            Queries with v added, [B, T, H, D/H].

        Returns
        -------
        torch.Tensor
            [B, H, T, T]
        """
        T, d_head = q.shape[1], q.shape[3]
        table = sinusoids(T, self.position.in_features, like=q)  # [T, D]
        p = self.position(table).unflatten(-1, (self.n_heads, -1))
        by_distance = torch.einsum("bthd,shd->bhts", q, p)  # [B, H, T, T]
        return spread_distances(by_distance / math.sqrt(d_head))


def spread_distances(by_distance):
    """From scores by distance to scores by key: out[i, j] = in[i, |i - j|].

    Shifts rows by a change of shape, as Transformer-XL does: a gather would
    need an index as large as the scores, and its gradient scatters.

    Arguments
    ---------
    by_distance : torch.Tensor
        [..., T, T], column d holds the score at distance d.

    Returns
    -------
    torch.Tensor
        [..., T, T]

    Example
    -------
    >>> spread_distances(torch.tensor([[0, 1, 2]]).expand(3, 3))
    tensor([[0, 1, 2],
            [1, 0, 1],
            [2, 1, 0]])
    """
    T = by_distance.shape[-1]
    both = torch.cat((by_distance[..., 1:].flip(-1), by_distance), dim=-1)
    # One more column makes each row start one place later when the rows are
    # read with the old width.
    flat = F.pad(both, (0, 1)).flatten(-2)  # [..., T * 2T]
    rows = flat[..., : T * (2 * T - 1)].unflatten(-1, (T, 2 * T - 1))
    return rows[..., T - 1 :]
