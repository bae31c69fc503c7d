"""Self-attention: global, in a local window, and with relative positions.

The query, key, value and output projections are separate linear layers, so
that HRF can expand each one by itself.

Authors
 * The speechbrain_hrf authors 2026
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from speechbrain_hrf.lobes.models.lengths import valid_frames
from speechbrain_hrf.lobes.models.positions import sinusoids


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
    >>> attention = SelfAttention(d_model=16, n_heads=4)
    >>> attention(torch.rand(2, 7, 16), torch.tensor([7, 3])).shape
    torch.Size([2, 7, 16])
    """

    def __init__(self, d_model, n_heads, dropout=0.0):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(
                f"d_model {d_model} is not a multiple of n_heads {n_heads}."
            )
        self.n_heads = n_heads
        self.dropout = dropout
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
        self.project = nn.Linear(d_model, d_model)

    def forward(self, x, lengths):
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

    def attend(self, q, k, v, lengths):
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
    def dropout_p(self):
        """The dropout that applies now: none in evaluation."""
        return self.dropout if self.training else 0.0


def fused_attention(q, k, v, mask, dropout_p):
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
    >>> x = torch.rand(2, 7, 4, 4)
    >>> fused_attention(x, x, x, torch.ones(7, 7).bool(), 0.0).shape
    torch.Size([2, 7, 4, 4])
    """
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))  # [B, H, T, D/H]
    out = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, dropout_p=dropout_p
    )
    return out.transpose(1, 2)


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

    def __init__(self, d_model, n_heads, window, dropout=0.0):
        super().__init__(d_model, n_heads, dropout)
        if window < 1:
            raise ValueError(f"window is {window}: give at least one frame.")
        self.radius = window // 2

    def attend(self, q, k, v, lengths):
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
        q = q / math.sqrt(q.shape[-1])
        sides = (0, 0, 0, 0, radius, radius)
        k, v = F.pad(k, sides), F.pad(v, sides)  # [B, T + 2 radius, H, D/H]
        # One elementwise product per offset is faster than unfolding: the
        # matrices of a window are far too small for a matrix product.
        offsets = range(2 * radius + 1)
        scores = torch.stack(
            [(q * k[:, o : o + T]).sum(-1) for o in offsets], dim=-1
        )  # [B, T, H, W]
        frame = torch.arange(T, device=q.device).unsqueeze(1)
        key = frame + torch.arange(-radius, radius + 1, device=q.device)
        inside = (key >= 0) & (key < lengths[:, None, None])  # [B, T, W]
        # A padded frame sees itself, else its softmax would be 0 / 0.
        inside = inside | (key == frame)
        scores = scores.masked_fill(~inside.unsqueeze(2), float("-inf"))
        weights = F.dropout(scores.softmax(-1), self.dropout_p)
        return sum(weights[..., o : o + 1] * v[:, o : o + T] for o in offsets)
