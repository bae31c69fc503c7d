"""The convolutional front end of ConvTransformer and Conformer.

Two unpadded 3 x 3 convolutions with stride 2 over the time-frequency plane
and one linear layer, as fixed by the printed parameters and FLOPs of Zhang et
al., IEEE IoT Journal 2025, Tables III-V.

Example
-------
>>> import torch
>>> front_end = ConvFrontEnd(n_feats=78, d_model=16)
>>> frames, lengths = front_end(torch.rand(2, 500, 78), torch.tensor([500, 9]))
>>> frames.shape, lengths.tolist()
(torch.Size([2, 124, 16]), [124, 1])

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import TypeVar

import torch
from torch import Tensor, nn

from speechbrain_hrf.lobes.models.lengths import valid_frames

# Two convolutions of 3 frames, the second one on every other frame, see 7
# frames of the input.
RECEPTIVE_FIELD = 7

_Size = TypeVar("_Size", int, Tensor)


class ConvFrontEnd(nn.Module):
    """Conv2d, ReLU, Conv2d, ReLU, Linear: [B, T, F] -> [B, T', D].

    T' = ((T - 3) // 2 + 1 - 3) // 2 + 1, so 500 frames become 124.
    Inputs of fewer than 7 frames are zero-filled to 7 and give one frame.

    Arguments
    ---------
    n_feats : int
        Features per input frame, at least 7.
    d_model : int
        Channels of both convolutions and features per output frame.

    Example
    -------
    >>> front_end = ConvFrontEnd(n_feats=78, d_model=16)
    >>> sum(p.numel() for p in front_end.parameters())
    7104
    """

    # Not part of the paper's "ALL": see FRONT in the README.
    hrf_groups = {"FRONT": ["linear"]}

    def __init__(self, n_feats: int, d_model: int):
        super().__init__()
        if n_feats < RECEPTIVE_FIELD:
            raise ValueError(
                f"n_feats is {n_feats}, but the two convolutions need at "
                f"least {RECEPTIVE_FIELD} features per frame."
            )
        self.conv1 = nn.Conv2d(1, d_model, 3, stride=2)
        self.conv2 = nn.Conv2d(d_model, d_model, 3, stride=2)
        bands = count_positions(count_positions(n_feats))
        self.linear = nn.Linear(bands * d_model, d_model)
        # Channels last in memory: a training step of the front end takes 0.6
        # of the time on a CPU, and flattening in that order copies nothing.
        self.to(memory_format=torch.channels_last)

    def forward(self, feats: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the subsampled frames and how many of them are valid.

        Arguments
        ---------
        feats : torch.Tensor
            [B, T, F]
        lengths : torch.Tensor
            Valid frames of each utterance, int64 [B].

        Returns
        -------
        torch.Tensor
            [B, T', D]
        torch.Tensor
            int64 [B], at least 1 each.
        """
        # What lies beyond an utterance's end must not reach its last frame.
        mask = valid_frames(lengths, feats.shape[1])  # [B, T]
        feats = feats.masked_fill(~mask.unsqueeze(-1), 0.0)
        missing = RECEPTIVE_FIELD - feats.shape[1]
        if missing > 0:
            feats = nn.functional.pad(feats, (0, 0, 0, missing))
        x = torch.relu(self.conv1(feats.unsqueeze(1)))  # [B, D, T/2, F/2]
        x = torch.relu(self.conv2(x))  # [B, D, T', F/4]
        x = x.permute(0, 2, 3, 1).flatten(2)  # [B, T', F/4 * D]
        lengths = count_positions(count_positions(lengths)).clamp(min=1)
        return self.linear(x), lengths


def count_positions(size: _Size) -> _Size:
    """Positions that an unpadded kernel of 3 with stride 2 leaves of ``size``.

    Arguments
    ---------
    size : int or torch.Tensor

    Returns
    -------
    int or torch.Tensor

    Example
    -------
    >>> count_positions(500), count_positions(count_positions(500))
    (249, 124)
    """
    return (size - 3) // 2 + 1
