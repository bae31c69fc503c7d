"""Frame counts and masks out of SpeechBrain's relative lengths.

Example
-------
>>> import torch
>>> lengths = frame_counts(torch.tensor([1.0, 0.5]), 4)
>>> lengths.tolist()
[4, 2]
>>> valid_frames(lengths, 4).int().tolist()
[[1, 1, 1, 1], [1, 1, 0, 0]]

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from torch import Tensor


def frame_counts(wav_lens: Tensor, n_frames: int) -> Tensor:
    """Valid frames of each utterance, at least one.

    Arguments
    ---------
    wav_lens : torch.Tensor
        Lengths relative to the longest utterance of the batch, [B].
    n_frames : int
        Frames of that longest utterance.

    Returns
    -------
    torch.Tensor
        int64 [B]

    Example
    -------
    >>> frame_counts(torch.tensor([1.0, 0.001]), 100).tolist()
    [100, 1]
    """
    return (wav_lens * n_frames).round().long().clamp(1, n_frames)


def valid_frames(lengths: Tensor, n_frames: int) -> Tensor:
    """Boolean mask [B, T], True where a frame belongs to the utterance.

    Arguments
    ---------
    lengths : torch.Tensor
        int64 [B]
    n_frames : int
        T

    Returns
    -------
    torch.Tensor
        bool [B, T]

    Example
    -------
    >>> valid_frames(torch.tensor([1, 3]), 3).int().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    return torch.arange(n_frames, device=lengths.device) < lengths.unsqueeze(1)
