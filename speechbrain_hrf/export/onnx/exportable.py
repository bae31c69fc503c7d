"""Modules in a form that PyTorch's exporter can follow, with the same result.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import math
from typing import Any

import torch
from torch import nn

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

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
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


def make_exportable(module: nn.Module) -> nn.Module:
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
    >>> make_exportable(model).merges[0].pool
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


def fewest_frames(model: nn.Module) -> int:
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
    sizes: list[int] = [
        module.size
        for module in model.modules()
        if isinstance(module, GroupMean)
    ]
    return max(_FRONT_END_FRAMES, math.prod(sizes) + 1)


class Whole(nn.Module):
    """A user's model and the classifier in one export.

    Arguments
    ---------
    embedding_model : torch.nn.Module
        (feats, wav_lens) -> [B, 1, D]
    classifier : torch.nn.Module
        [B, 1, D] -> [B, 1, C]

    Example
    -------
    >>> from speechbrain_hrf import ClassifierHead, SpeechFormer
    >>> whole = Whole(SpeechFormer(), ClassifierHead(16, 4))
    >>> whole(torch.rand(2, 50, 78), torch.ones(2)).shape
    torch.Size([2, 4])
    """

    def __init__(self, embedding_model: Any, classifier: nn.Module):
        super().__init__()
        self.embedding_model: Any = embedding_model
        self.classifier = classifier

    def forward(
        self, feats: torch.Tensor, wav_lens: torch.Tensor
    ) -> torch.Tensor:
        """Both, one after the other.

        Arguments
        ---------
        feats : torch.Tensor
            [B, T, F]
        wav_lens : torch.Tensor
            Relative lengths, [B].

        Returns
        -------
        torch.Tensor
            Log-probabilities, [B, C].
        """
        embedding = self.embedding_model(feats, wav_lens)
        output: torch.Tensor = self.classifier(embedding).squeeze(1)
        return output


class WindowAndHead(Whole):
    """One window's hidden frames, and the classifier, in one export.

    Arguments
    ---------
    embedding_model : UtteranceEmbedding
    classifier : torch.nn.Module

    Example
    -------
    >>> from speechbrain_hrf import ClassifierHead, SpeechFormer
    >>> both = WindowAndHead(SpeechFormer(), ClassifierHead(16, 4))
    >>> outputs = both(
    ...     torch.rand(2, 50, 78), torch.tensor([50, 3]), torch.rand(2, 16)
    ... )
    >>> [list(output.shape) for output in outputs]
    [[2, 50, 16], [2], [2, 4]]
    """

    def forward(  # type: ignore[override]
        self,
        feats: torch.Tensor,
        lengths: torch.Tensor,
        embedding: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Both at once; neither depends on the other.

        Arguments
        ---------
        feats : torch.Tensor
            [B, T, F], T at least ``fewest_frames``.
        lengths : torch.Tensor
            Valid frames, at least one each, int64 [B].
        embedding : torch.Tensor
            [B, D]

        Returns
        -------
        torch.Tensor
            Hidden frames, [B, T', D].
        torch.Tensor
            Valid ones among the T', int64 [B].
        torch.Tensor
            Log-probabilities of the embedding given, [B, C].
        """
        return (
            *self.embedding_model.encode(feats, lengths),
            self.classifier(embedding.unsqueeze(1)).squeeze(1),
        )
