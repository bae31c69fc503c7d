"""SpeechFormer: local attention that widens from frames to the utterance.

The model of Zhang et al., IEEE IoT Journal 2025, Section IV (Chen et al.,
Interspeech 2022), as its printed parameters and FLOPs fix it.

Example
-------
>>> import torch
>>> model = SpeechFormer(blocks_per_stage=[1], d_model=16, d_ffn=4)
>>> model(torch.rand(2, 500, 78), torch.tensor([1.0, 0.6])).shape
torch.Size([2, 1, 16])

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from speechbrain_hrf.lobes.models.attention import SelfAttention
from speechbrain_hrf.lobes.models.embedding import (
    UtteranceEmbedding,
    block_groups,
)
from speechbrain_hrf.lobes.models.feedforward import FeedForward
from speechbrain_hrf.lobes.models.lengths import valid_frames
from speechbrain_hrf.lobes.models.local_attention import LocalSelfAttention
from speechbrain_hrf.lobes.models.pooling import GroupMean

# Frames of 10 ms; a merge makes 50, 250 and 1000 ms of them. So the windows of
# 50, 400 and 2000 ms hold 5, 8 and 8 frames; None is the whole utterance.
WINDOWS = (5, 8, 8, None)
MERGES = (5, 5, 4)


class SpeechFormer(UtteranceEmbedding):
    """Linear, up to four stages of blocks, mean over time.

    The stages attend within 50, 400, 2000 ms and the whole utterance; between
    two stages 5, 5 and 4 frames are merged into one.

    Arguments
    ---------
    blocks_per_stage : list of int
        One entry per stage: [1] in the lightweight model, [2, 2, 2, 2] in the
        original ([2, 2, 1, 1] on M3ED).
    d_model : int
        D: 16, 80 (M3ED: 128).
    d_ffn : int
        Hidden width of the feed-forward networks: 4, 64 (M3ED: 256).
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
    >>> model = SpeechFormer(blocks_per_stage=[1, 1, 1, 1])
    >>> model(torch.rand(1, 1, 78)).shape
    torch.Size([1, 1, 16])
    """

    hrf_groups = block_groups("stages.*.blocks.*", FFN="feed_forward")
    hrf_groups["FRONT"] = ["front_end"]

    def __init__(
        self,
        blocks_per_stage: Sequence[int] = (1,),
        d_model: int = 16,
        d_ffn: int = 4,
        n_heads: int = 4,
        n_feats: int = 78,
        segment_frames: int | None = None,
        activation: type[nn.Module] = nn.ReLU,
        dropout: float = 0.0,
    ):
        super().__init__(segment_frames)
        if not isinstance(blocks_per_stage, list | tuple) or not 1 <= len(
            blocks_per_stage
        ) <= len(WINDOWS):
            raise ValueError(
                f"blocks_per_stage is {blocks_per_stage!r}: give a list with "
                f"the blocks of one to {len(WINDOWS)} stages, such as [1]."
            )
        self.front_end = nn.Linear(n_feats, d_model)
        self.stages = nn.ModuleList(
            Stage(
                d_model,
                (
                    SpeechFormerBlock(
                        window, d_model, d_ffn, n_heads, activation, dropout
                    )
                    for _ in range(num_blocks)
                ),
            )
            for num_blocks, window in zip(
                blocks_per_stage, WINDOWS, strict=False
            )
        )
        self.merges = nn.ModuleList(
            FrameMerge(size, d_model)
            for size in MERGES[: len(blocks_per_stage) - 1]
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
        # The projections of padding are computed, so it has to be finite.
        mask = valid_frames(lengths, feats.shape[1])  # [B, T]
        feats = feats.masked_fill(~mask.unsqueeze(-1), 0.0)
        x = self.stages[0](self.front_end(feats), lengths)  # [B, T, D]
        for merge, stage in zip(self.merges, self.stages[1:], strict=True):
            x, lengths = merge(x, lengths)
            x = stage(x, lengths)
        return x, lengths


class Stage(nn.Module):
    """A LayerNorm and blocks that attend within the same window.

    Arguments
    ---------
    d_model : int
        D
    blocks : iterable of torch.nn.Module
        Each as ``SpeechFormerBlock``.

    Example
    -------
    >>> import torch
    >>> stage = Stage(16, [SpeechFormerBlock(5, 16, 4, 4, nn.ReLU, 0.0)])
    >>> stage(torch.rand(2, 7, 16), torch.tensor([7, 3])).shape
    torch.Size([2, 7, 16])
    """

    def __init__(self, d_model: int, blocks: Iterable[nn.Module]):
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """All blocks of the stage.

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
        x = self.norm(x)
        for block in self.blocks:
            x = block(x, lengths)
        return x


class SpeechFormerBlock(nn.Module):
    """norm(x + attention(x)), then norm(x + feed_forward(x)).

    Arguments
    ---------
    window : int or None
        Frames that a frame attends to; None for all.
    d_model, d_ffn, n_heads, activation, dropout
        See ``SpeechFormer``.

    Example
    -------
    >>> import torch
    >>> block = SpeechFormerBlock(5, 16, 4, 4, nn.ReLU, 0.0)
    >>> block(torch.rand(2, 7, 16), torch.tensor([7, 3])).shape
    torch.Size([2, 7, 16])
    """

    def __init__(
        self,
        window: int | None,
        d_model: int,
        d_ffn: int,
        n_heads: int,
        activation: type[nn.Module],
        dropout: float,
    ):
        super().__init__()
        self.attention = (
            SelfAttention(d_model, n_heads, dropout)
            if window is None
            else LocalSelfAttention(d_model, n_heads, window, dropout)
        )
        self.attention_norm = nn.LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ffn, activation, dropout)
        self.feed_forward_norm = nn.LayerNorm(d_model)
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
        x = self.attention_norm(x + self.dropout(self.attention(x, lengths)))
        return self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))


class FrameMerge(nn.Module):
    """Averages neighbouring frames, then Linear and LayerNorm.

    Arguments
    ---------
    size : int
        Frames that become one; the last group may hold fewer.
    d_model : int
        D

    Example
    -------
    >>> import torch
    >>> merge = FrameMerge(5, 16)
    >>> x, lengths = merge(torch.rand(2, 7, 16), torch.tensor([7, 3]))
    >>> x.shape, lengths.tolist()
    (torch.Size([2, 2, 16]), [2, 1])
    """

    def __init__(self, size: int, d_model: int):
        super().__init__()
        self.pool = GroupMean(size)
        self.linear = nn.Linear(d_model, d_model)
        self.norm = nn.LayerNorm(d_model)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Merges the valid frames of each group.

        Arguments
        ---------
        x : torch.Tensor
            [B, T, D]
        lengths : torch.Tensor
            Valid frames, int64 [B].

        Returns
        -------
        torch.Tensor
            [B, ceil(T / size), D]
        torch.Tensor
            int64 [B]
        """
        x, lengths = self.pool(x, lengths)
        return self.norm(self.linear(x)), lengths
