"""Self-attention that knows how far apart two frames are.

Authors
 * The speechbrain_hrf authors 2026
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speechbrain_hrf.lobes.models.attention import SelfAttention
from speechbrain_hrf.lobes.models.lengths import valid_frames
from speechbrain_hrf.lobes.models.positions import sinusoids

# Added to the score of a frame beyond the end: its weight, exp(-30000), is 0 in
# every precision, and the sum stays finite even in float16.
NEVER = -3e4


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

    def __init__(self, d_model: int, n_heads: int, dropout: float = 0.0):
        super().__init__(d_model, n_heads, dropout)
        self.position = nn.Linear(d_model, d_model, bias=False)
        self.u = nn.Parameter(torch.empty(n_heads, d_model // n_heads))
        self.v = nn.Parameter(torch.empty(n_heads, d_model // n_heads))
        nn.init.xavier_uniform_(self.u)
        nn.init.xavier_uniform_(self.v)

    def attend(
        self, q: Tensor, k: Tensor, v: Tensor, lengths: Tensor
    ) -> Tensor:
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
        B, T, H, d_head = q.shape
        q = q / math.sqrt(d_head)
        u, v_position = (x / math.sqrt(d_head) for x in (self.u, self.v))
        offset = self.position_scores(q + v_position)  # [H * B, T, T]
        # What no frame may attend to is a further product, 1 times a bias, so
        # that all of a score comes out of one pass over the largest tensor.
        valid = valid_frames(lengths, T)  # [B, T]
        bias = torch.zeros_like(valid, dtype=k.dtype).masked_fill(~valid, NEVER)
        q = F.pad(q + u, (0, 1), value=1.0)
        k = torch.cat((k, bias[:, :, None, None].expand(B, T, H, 1)), dim=-1)
        q, k, v = (heads_first(x) for x in (q, k, v))  # [H * B, T, .]
        scores = torch.baddbmm(offset, q, k.transpose(1, 2))
        weights = F.dropout(scores.softmax(-1), self.dropout_p)
        return (weights @ v).view(H, B, T, d_head).permute(1, 2, 0, 3)

    def position_scores(self, q: Tensor) -> Tensor:
        """What the distance to each key adds to its score.

        Arguments
        ---------
        q : torch.Tensor
            Scaled queries with v added, [B, T, H, D/H].

        Returns
        -------
        torch.Tensor
            [H * B, T, T]
        """
        B, T, H, _ = q.shape
        table = sinusoids(T, self.position.in_features, like=q)  # [T, D]
        p = self.position(table).unflatten(-1, (H, -1))  # [T, H, D/H]
        # A row for each offset from 1 - T to T - 1, and one more.
        offset = torch.arange(1 - T, T + 1, device=q.device)
        p = p[offset.abs().clamp(max=T - 1)]  # [2 T, H, D/H]
        by_offset = heads_first(q).view(H, B * T, -1) @ p.permute(1, 2, 0)
        return align_offsets(by_offset.view(H * B, T, 2 * T))


def heads_first(x: Tensor) -> Tensor:
    """[B, T, H, D/H] -> [H * B, T, D/H], for products of matrices.

    Arguments
    ---------
    x : torch.Tensor

    Returns
    -------
    torch.Tensor

    Example
    -------
    >>> heads_first(torch.rand(2, 7, 4, 3)).shape
    torch.Size([8, 7, 3])
    """
    return x.permute(2, 0, 1, 3).flatten(0, 1)


def align_offsets(by_offset: Tensor) -> Tensor:
    """From scores by offset to scores by key: out[i, j] = in[i, T - 1 + j - i].

    Reads the rows with a width that is smaller by one, so that each begins one
    place earlier, as Transformer-XL does: nothing is copied, where a gather
    would need an index as large as the scores.

    Arguments
    ---------
    by_offset : torch.Tensor
        [N, T, 2 T], columns for the offsets 1 - T to T; contiguous.

    Returns
    -------
    torch.Tensor
        [N, T, T], a view.

    Example
    -------
    >>> align_offsets(torch.tensor([-2, -1, 0, 1, 2, 3]).repeat(1, 3, 1))
    tensor([[[ 0,  1,  2],
             [-1,  0,  1],
             [-2, -1,  0]]])
    """
    N, T, _ = by_offset.shape
    rows = by_offset.flatten(1)[:, : T * (2 * T - 1)].view(N, T, 2 * T - 1)
    return rows[..., T - 1 :]
