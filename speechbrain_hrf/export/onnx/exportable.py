"""Modules in a form that PyTorch's exporter can follow, with the same result.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import math

import torch

from speechbrain_hrf.lobes.models.pooling import GroupMean

# Those that become two behind a front end that makes one of 7.
_FRONT_END_FRAMES = 11


class GatheredGroupMean(GroupMean):
    """``GroupMean`` by an index; the exporter cannot follow its filling up.

    Arguments
    ---------
    size : int
        Frames of a group; the last one may hold fewer.

    Example
    -------
    >>> x, lengths = torch.rand(3, 17, 4), torch.tensor([17, 9, 1])
    >>> (mean, valid), (same, n) = (
    ...     module(x, lengths) for module in (GatheredGroupMean(5), GroupMean(5))
    ... )
    >>> torch.allclose(mean, same), valid.tolist() == n.tolist()
    (True, True)
    """

    def forward(self, x, lengths):
        """Averages the valid frames of each group, as ``GroupMean`` does.

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
        n_frames = x.shape[1]
        first = torch.arange((n_frames + self.size - 1) // self.size)
        frame = first.unsqueeze(1) * self.size + torch.arange(self.size)
        valid = frame < lengths[:, None, None]  # [B, T / size, size]
        groups = x[:, frame.clamp(max=n_frames - 1)]  # [B, T / size, size, D]
        total = groups.masked_fill(~valid.unsqueeze(-1), 0.0).sum(2)
        count = valid.sum(2).clamp(min=1).unsqueeze(-1)
        # Lengths are at least 1, so that rounding towards 0 is rounding down.
        groups = (lengths + (self.size - 1)).div(
            self.size, rounding_mode="trunc"
        )
        return total / count, groups


def exportable(module):
    """A copy of a module with such parts of it replaced.

    Arguments
    ---------
    module : torch.nn.Module
        Stays as it is.

    Returns
    -------
    torch.nn.Module
        In evaluation mode.

    Example
    -------
    >>> from speechbrain_hrf import SpeechFormer
    >>> model = SpeechFormer(blocks_per_stage=[1, 1])
    >>> exportable(model).merges[0].pool
    GatheredGroupMean()
    >>> model.merges[0].pool
    GroupMean()
    """
    module = copy.deepcopy(module).eval()
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if type(child) is GroupMean:
                setattr(parent, name, GatheredGroupMean(child.size))
    return module


def fewest_frames(model):
    """Frames that must go in so that no layer sees less than two.

    A size of one is a constant to PyTorch's exporter.

    Arguments
    ---------
    model : torch.nn.Module

    Returns
    -------
    int

    Example
    -------
    >>> from speechbrain_hrf import SpeechFormer
    >>> fewest_frames(SpeechFormer(blocks_per_stage=[1, 1, 1, 1]))
    101
    """
    sizes = [
        module.size
        for module in model.modules()
        if isinstance(module, GroupMean)
    ]
    return max(_FRONT_END_FRAMES, math.prod(sizes) + 1)
