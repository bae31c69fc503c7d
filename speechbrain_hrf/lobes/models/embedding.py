"""What the three models share: from frames to one embedding per utterance.

A subclass turns features into hidden frames (``encode``); this base averages
the valid ones, and cuts audio that is longer than the training segment into
windows, so that memory stays bounded.

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from torch import Tensor, nn

from speechbrain_hrf.lobes.models.lengths import frame_counts
from speechbrain_hrf.lobes.models.pooling import MaskedMean


class UtteranceEmbedding(nn.Module):
    """Base of the models: features to one embedding per utterance.

    Follows the contract of ``EncoderClassifier``'s ``embedding_model``.
    The result for an utterance does not depend on what it is batched with.

    Arguments
    ---------
    segment_frames : int or None
        Frames of a training segment. Longer audio is embedded window by
        window of this size, and the embeddings are averaged, weighted by
        the windows' valid frames. None: always as a whole.

    Example
    -------
    >>> class Identity(UtteranceEmbedding):
    ...     def encode(self, feats, lengths):
    ...         return feats, lengths
    >>> embed = Identity(segment_frames=2)
    >>> feats = torch.tensor([[[1.0], [2.0], [6.0]]])
    >>> embed(feats, torch.ones(1))
    tensor([[[3.]]])
    """

    def __init__(self, segment_frames: int | None = None):
        super().__init__()
        if segment_frames is not None and segment_frames < 1:
            raise ValueError(
                f"segment_frames is {segment_frames}: give the frames of a "
                "training segment (500 for 5 s), or None."
            )
        self.segment_frames = segment_frames
        self.pool = MaskedMean()

    def encode(self, feats: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Features to hidden frames; every model defines it.

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
        raise NotImplementedError(
            f"{type(self).__name__} does not define encode()."
        )

    def forward(self, feats: Tensor, wav_lens: Tensor | None = None) -> Tensor:
        """Embeds a batch of utterances.

        Arguments
        ---------
        feats : torch.Tensor
            [B, T, F], any T from one frame up.
        wav_lens : torch.Tensor, optional
            Lengths relative to the longest utterance, [B]; default all 1.

        Returns
        -------
        torch.Tensor
            [B, 1, D]
        """
        if feats.dim() != 3 or feats.shape[1] == 0:
            raise ValueError(
                f"Features of shape {tuple(feats.shape)} cannot be embedded: "
                "give [batch, frames, features] with at least one frame."
            )
        n_frames = feats.shape[1]
        if wav_lens is None:
            wav_lens = torch.ones(feats.shape[0], device=feats.device)
        lengths = frame_counts(wav_lens, n_frames)  # [B]
        if self.segment_frames is None or n_frames <= self.segment_frames:
            embedding = self.pool(*self.encode(feats, lengths))  # [B, D]
        else:
            embedding = self._embed_windows(feats, lengths)
        return embedding.unsqueeze(1)

    def _embed_windows(self, feats: Tensor, lengths: Tensor) -> Tensor:
        total: Tensor | float = 0.0
        for start in range(0, feats.shape[1], self.segment_frames):
            in_window = (lengths - start).clamp(0, self.segment_frames)
            # An utterance that ended before this window has no frame to
            # attend to; it is left out instead of masked.
            rows = in_window.nonzero().squeeze(1)
            if len(rows) == 0:
                break
            window = feats[rows, start : start + self.segment_frames]
            count = in_window[rows]
            embedding = self.pool(*self.encode(window, count))
            part = embedding.new_zeros(len(lengths), embedding.shape[1])
            share = (count / lengths[rows]).unsqueeze(1).to(embedding.dtype)
            total = total + part.index_add(0, rows, embedding * share)
        return total


def block_groups(blocks: str, **networks: str) -> dict[str, list[str]]:
    """The paper's groups of a Transformer block's layers, for ``apply_hrf``.

    Arguments
    ---------
    blocks : str
        Pattern of the blocks' names.
    **networks : str
        What the groups of a feed-forward network are called, and its name.

    Returns
    -------
    dict of str to list of str
        Group to patterns of layers.

    Example
    -------
    >>> groups = block_groups("blocks.*", FFN="feed_forward")
    >>> list(groups), groups["FFN1"]
    (['QKV', 'Project', 'FFN1', 'FFN2'], ['blocks.*.feed_forward.linear1'])
    """
    attention = f"{blocks}.attention"
    groups = {
        "QKV": [f"{attention}.{x}" for x in ("query", "key", "value")],
        "Project": [f"{attention}.project"],
    }
    for group, network in networks.items():
        for k in "12":
            groups[group + k] = [f"{blocks}.{network}.linear{k}"]
    return groups
