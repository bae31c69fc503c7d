"""ConvTransformer: convolutional front end and Transformer encoder.

The model of Zhang et al., IEEE IoT Journal 2025, Section IV, as its printed
parameters and FLOPs fix it.

Example
-------
>>> import torch
>>> model = ConvTransformer(num_blocks=1, d_model=16, d_ffn=4)
>>> model(torch.rand(2, 500, 78), torch.tensor([1.0, 0.6])).shape
torch.Size([2, 1, 16])

Authors
 * The speechbrain_hrf authors 2026
"""

from torch import Tensor, nn

from speechbrain_hrf.lobes.models.attention import SelfAttention
from speechbrain_hrf.lobes.models.embedding import (
    UtteranceEmbedding,
    block_groups,
)
from speechbrain_hrf.lobes.models.feedforward import FeedForward
from speechbrain_hrf.lobes.models.frontend import ConvFrontEnd
from speechbrain_hrf.lobes.models.positions import sinusoids


class ConvTransformer(UtteranceEmbedding):
    """Front end, sinusoidal positions, N Transformer blocks, mean over time.

    Arguments
    ---------
    num_blocks : int
        N: 1 in the lightweight model, 8 in the original.
    d_model : int
        D: 16, 80.
    d_ffn : int
        Hidden width of the feed-forward networks: 4, 320 (M3ED: 160).
    n_heads : int
        Attention heads.
    n_feats : int
        Features per frame.
    segment_frames : int or None
        See ``UtteranceEmbedding``.
    activation : type
        Class of the feed-forward networks' activation.
    dropout : float
        In attention, feed-forward networks and after both, in training.

    Example
    -------
    >>> import torch
    >>> model = ConvTransformer(num_blocks=1, d_model=16, d_ffn=4)
    >>> model(torch.rand(1, 1, 78)).shape
    torch.Size([1, 1, 16])
    """

    hrf_groups = block_groups("blocks.*", FFN="feed_forward")
    # The printed counts of this model leave its LayerNorms out.
    paper_counts_layer_norm = False

    def __init__(
        self,
        num_blocks: int = 1,
        d_model: int = 16,
        d_ffn: int = 4,
        n_heads: int = 4,
        n_feats: int = 78,
        segment_frames: int | None = None,
        activation: type[nn.Module] = nn.ReLU,
        dropout: float = 0.0,
    ):
        super().__init__(segment_frames)
        self.front_end = ConvFrontEnd(n_feats, d_model)
        self.blocks = nn.ModuleList(
            TransformerBlock(d_model, d_ffn, n_heads, activation, dropout)
            for _ in range(num_blocks)
        )

    def encode(self, feats: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Features to hidden frames.

        Arguments
        ---------
        feats : torch.Tensor
            [B, T, F]
        lengths : torch.Tensor
            Valid frames, int64 [B].

        Returns
        -------
        torch.Tensor
            [B, T', D]
        torch.Tensor
            Valid ones among the T', int64 [B].
        """
        x, lengths = self.front_end(feats, lengths)  # [B, T', D]
        x = x + sinusoids(x.shape[1], x.shape[2], like=x)
        for block in self.blocks:
            x = block(x, lengths)
        return x, lengths


class TransformerBlock(nn.Module):
    """x + attention(norm(x)), then x + feed_forward(norm(x)).

    Arguments
    ---------
    d_model, d_ffn, n_heads, activation, dropout
        See ``ConvTransformer``.

    Example
    -------
    >>> import torch
    >>> block = TransformerBlock(16, 4, 4, nn.ReLU, 0.0)
    >>> block(torch.rand(2, 7, 16), torch.tensor([7, 3])).shape
    torch.Size([2, 7, 16])
    """

    def __init__(
        self,
        d_model: int,
        d_ffn: int,
        n_heads: int,
        activation: type[nn.Module],
        dropout: float,
    ):
        super().__init__()
        self.attention_norm = nn.LayerNorm(d_model)
        self.attention = SelfAttention(d_model, n_heads, dropout)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ffn, activation, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """One block.

        Arguments
        ---------
        x : torch.Tensor
            [B, T, D]
        lengths : torch.Tensor
            Valid frames, int64 [B].

        Returns
        -------
        torch.Tensor
            [B, T, D]
        """
        x = x + self.dropout(self.attention(self.attention_norm(x), lengths))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
