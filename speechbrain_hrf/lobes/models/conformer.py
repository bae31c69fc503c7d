"""Conformer: convolution-augmented Transformer.

The model of Zhang et al., IEEE IoT Journal 2025, Section IV (Gulati et al.,
Interspeech 2020), as its printed parameters and FLOPs fix it.

Example
-------
>>> import torch
>>> model = Conformer(num_blocks=1, d_model=16, d_ffn=2, kernel_size=15)
>>> model(torch.rand(2, 500, 78), torch.tensor([1.0, 0.6])).shape
torch.Size([2, 1, 16])

Authors
 * The speechbrain_hrf authors 2026
"""

from torch import Tensor, nn

from speechbrain_hrf.lobes.models.batch_norm import normalise_valid
from speechbrain_hrf.lobes.models.embedding import (
    UtteranceEmbedding,
    block_groups,
)
from speechbrain_hrf.lobes.models.feedforward import FeedForward
from speechbrain_hrf.lobes.models.frontend import ConvFrontEnd
from speechbrain_hrf.lobes.models.lengths import valid_frames
from speechbrain_hrf.lobes.models.relative_attention import RelPosSelfAttention


class Conformer(UtteranceEmbedding):
    """Front end, N Conformer blocks, mean over time.

    Arguments
    ---------
    num_blocks : int
        N: 1 in the lightweight model, 4 in the original.
    d_model : int
        D: 16, 80.
    d_ffn : int
        Hidden width of both feed-forward networks of a block: 2, 320.
    kernel_size : int
        Frames of the depthwise convolution, odd: 15 on IEMOCAP, 31 on M3ED
        and DAIC-WOZ.
    n_heads : int
        Attention heads.
    n_feats : int
        Features per frame.
    segment_frames : int or None
        See ``UtteranceEmbedding``.
    activation : type
        Class of the feed-forward networks' activation; SiLU is Swish.
    dropout : float
        In and after every part of a block, in training.

    Example
    -------
    >>> import torch
    >>> model = Conformer(num_blocks=1, d_model=16, d_ffn=2)
    >>> model(torch.rand(1, 1, 78)).shape
    torch.Size([1, 1, 16])
    """

    hrf_groups = block_groups("blocks.*", FFN_M="macaron", FFN="feed_forward")

    def __init__(
        self,
        num_blocks: int = 1,
        d_model: int = 16,
        d_ffn: int = 2,
        kernel_size: int = 15,
        n_heads: int = 4,
        n_feats: int = 78,
        segment_frames: int | None = None,
        activation: type[nn.Module] = nn.SiLU,
        dropout: float = 0.0,
    ):
        super().__init__(segment_frames)
        self.front_end = ConvFrontEnd(n_feats, d_model)
        self.blocks = nn.ModuleList(
            ConformerBlock(
                d_model, d_ffn, kernel_size, n_heads, activation, dropout
            )
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
        for block in self.blocks:
            x = block(x, lengths)
        return x, lengths


class ConformerBlock(nn.Module):
    """Half a Macaron feed-forward network, attention, convolution, the other
    half, LayerNorm; each part with its own LayerNorm and residual.

    Arguments
    ---------
    d_model, d_ffn, kernel_size, n_heads, activation, dropout
        See ``Conformer``.

    Example
    -------
    >>> import torch
    >>> block = ConformerBlock(16, 2, 15, 4, nn.SiLU, 0.0)
    >>> block(torch.rand(2, 7, 16), torch.tensor([7, 3])).shape
    torch.Size([2, 7, 16])
    """

    def __init__(
        self,
        d_model: int,
        d_ffn: int,
        kernel_size: int,
        n_heads: int,
        activation: type[nn.Module],
        dropout: float,
    ):
        super().__init__()
        self.macaron_norm = nn.LayerNorm(d_model)
        self.macaron = FeedForward(d_model, d_ffn, activation, dropout)
        self.attention_norm = nn.LayerNorm(d_model)
        self.attention = RelPosSelfAttention(d_model, n_heads, dropout)
        self.convolution = ConvolutionModule(d_model, kernel_size)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ffn, activation, dropout)
        self.norm = nn.LayerNorm(d_model)
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
        drop = self.dropout
        x = x + 0.5 * drop(self.macaron(self.macaron_norm(x)))
        x = x + drop(self.attention(self.attention_norm(x), lengths))
        x = x + drop(self.convolution(x, lengths))
        x = x + 0.5 * drop(self.feed_forward(self.feed_forward_norm(x)))
        return self.norm(x)


class ConvolutionModule(nn.Module):
    """LayerNorm, pointwise, GLU, depthwise, BatchNorm, Swish, pointwise.

    Unlike SpeechBrain's module of that name it sees no padding: frames beyond
    an utterance's end are zero for the depthwise convolution, as beyond the
    end of the tensor, and do not count in BatchNorm's statistics.

    Arguments
    ---------
    d_model : int
        D
    kernel_size : int
        Frames of the depthwise convolution, odd.

    Example
    -------
    >>> import torch
    >>> module = ConvolutionModule(16, 15)
    >>> module(torch.rand(2, 7, 16), torch.tensor([7, 3])).shape
    torch.Size([2, 7, 16])
    """

    def __init__(self, d_model: int, kernel_size: int):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size is {kernel_size}: give an odd number of frames."
            )
        self.norm = nn.LayerNorm(d_model)
        self.pointwise1 = nn.Conv1d(d_model, 2 * d_model, 1)
        self.glu = nn.GLU(dim=1)
        self.depthwise = nn.Conv1d(
            d_model,
            d_model,
            kernel_size,
            padding=kernel_size // 2,
            groups=d_model,
            bias=False,
        )
        self.batch_norm = nn.BatchNorm1d(d_model)
        self.activation = nn.SiLU()
        self.pointwise2 = nn.Conv1d(d_model, d_model, 1)

    def add_module(self, name: str, module: nn.Module | None) -> None:
        """Keeps the plain BatchNorm where SyncBatchNorm is to replace it.

        SpeechBrain converts every model before DDP; but statistics are shared
        among processes already, and DDP refuses SyncBatchNorm on CPUs.

        Arguments
        ---------
        name : str
        module : torch.nn.Module
        """
        if not isinstance(module, nn.SyncBatchNorm):
            super().add_module(name, module)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Convolves over time.

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
        mask = valid_frames(lengths, x.shape[1])  # [B, T]
        x = self.norm(x).transpose(1, 2)  # [B, D, T]
        x = self.glu(self.pointwise1(x))
        x = self.depthwise(x.masked_fill(~mask.unsqueeze(1), 0.0))
        if self.batch_norm.training:  # which may be frozen by itself
            x = normalise_valid(x, mask, self.batch_norm)
        else:
            x = self.batch_norm(x)
        return self.pointwise2(self.activation(x)).transpose(1, 2)
