"""Means over time that leave padding out.

Authors
 * The speechbrain_hrf authors 2026
"""

from torch import Tensor, nn
from torch.nn import functional as F

from speechbrain_hrf.lobes.models.lengths import valid_frames


class MaskedMean(nn.Module):
    """Mean over the valid frames: [B, T, D] -> [B, D].

    SpeechBrain's StatisticsPooling adds noise even in evaluation, which would
    hide differences of the size that merging is checked for.

    Example
    -------
    >>> import torch
    >>> pool = MaskedMean()
    >>> x = torch.tensor([[[1.0], [3.0], [99.0]]])
    >>> pool(x, torch.tensor([2]))
    tensor([[2.]])
    """

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Averages the first ``lengths`` frames of each row.

        Arguments
        ---------
        x : torch.Tensor
            [B, T, D]
        lengths : torch.Tensor
            int64 [B]

        Returns
        -------
        torch.Tensor
            [B, D]
        """
        mask = valid_frames(lengths, x.shape[1]).unsqueeze(-1)  # [B, T, 1]
        return x.masked_fill(~mask, 0.0).sum(1) / lengths.unsqueeze(1)

    def macs(self, x: Tensor) -> int:
        """What ``profile`` counts: T + 1 per output, as thop does.

        Arguments
        ---------
        x : torch.Tensor
            The input, [B, T, D].

        Returns
        -------
        int
        """
        return x.shape[0] * (x.shape[1] + 1) * x.shape[2]


class GroupMean(nn.Module):
    """Mean over groups of neighbouring frames: [B, T, D] -> [B, T / size, D].

    Arguments
    ---------
    size : int
        Frames of a group; the last one may hold fewer.

    Example
    -------
    >>> import torch
    >>> pool = GroupMean(2)
    >>> x = torch.tensor([[[1.0], [3.0], [5.0]]])
    >>> means, lengths = pool(x, torch.tensor([3]))
    >>> means.flatten().tolist(), lengths.tolist()
    ([2.0, 5.0], [2])
    """

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Averages the valid frames of each group.

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
            Valid groups, int64 [B].
        """
        mask = valid_frames(lengths, x.shape[1]).unsqueeze(-1)  # [B, T, 1]
        fill = (0, 0, 0, -x.shape[1] % self.size)
        groups = (-1, self.size)
        x = F.pad(x.masked_fill(~mask, 0.0), fill).unflatten(1, groups)
        count = F.pad(mask.to(x.dtype), fill).unflatten(1, groups)
        mean = x.sum(2) / count.sum(2).clamp(min=1)  # [B, T / size, D]
        valid = (lengths + self.size - 1).div(self.size, rounding_mode="floor")
        return mean, valid

    def macs(self, x: Tensor) -> int:
        """What ``profile`` counts: size + 1 per output, as thop does.

        Arguments
        ---------
        x : torch.Tensor
            The input, [B, T, D].

        Returns
        -------
        int
        """
        groups = -(-x.shape[1] // self.size)
        return x.shape[0] * groups * x.shape[2] * (self.size + 1)
