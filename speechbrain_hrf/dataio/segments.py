"""From an audio file to the features of one training segment.

The paper's segments have exactly 500 (IEMOCAP), 400 (M3ED) or 1000 (DAIC-WOZ)
frames: longer utterances are cut, shorter ones zero-filled.

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from torch.nn import functional as F

from speechbrain_hrf.dataio.audio import read


class SegmentFeatures:
    """Reads the first ``frames`` frames of a file and computes its features.

    Features are computed for each utterance by itself, so that they are the
    same as in inference whatever it is batched with later; they are kept in
    memory, so that only the first epoch has to compute them.

    Arguments
    ---------
    compute_features : torch.nn.Module
        SpeechBrain's ``Fbank`` or alike: [B, samples] -> [B, T, F], with
        centred frames.
    frames : int
        Frames of a segment; longer utterances are cut.
    sample_rate : int
        Hz; files at another rate are resampled.
    hop : float
        Seconds from one frame to the next.
    keep : bool
        Whether to keep the features in memory (156 kB per 5 s).

    Example
    -------
    >>> import soundfile as sf
    >>> from speechbrain.lobes.features import Fbank
    >>> path = getfixture("tmpdir").join("noise.wav").strpath
    >>> sf.write(path, 0.1 * torch.randn(6 * 16000).numpy(), 16000)
    >>> segment = SegmentFeatures(Fbank(n_mels=26, deltas=True), frames=500)
    >>> segment(path).shape
    torch.Size([500, 78])
    """

    def __init__(
        self, compute_features, frames, sample_rate=16000, hop=0.01, keep=True
    ):
        self.compute_features = compute_features
        self.sample_rate = sample_rate
        # Frame k is centred on k * hop: this many seconds give `frames` frames.
        self.seconds = (frames - 1) * hop
        self.kept = {} if keep else None

    @torch.no_grad()
    def __call__(self, path):
        """The features of one file.

        Arguments
        ---------
        path : str
            Audio file of any rate and number of channels.

        Returns
        -------
        torch.Tensor
            [T, F], T at most ``frames``.

        Raises
        ------
        speechbrain_hrf.dataio.unusable.UnusableAudio
            If the file cannot be decoded or holds NaN.
        """
        if self.kept is not None and path in self.kept:
            return self.kept[path]
        wave = read(path, stop=self.seconds, sample_rate=self.sample_rate)
        feats = self.compute_features(wave.unsqueeze(0)).squeeze(0)
        if self.kept is not None:
            self.kept[path] = feats
        return feats


def fill_segment(feats, lens, frames):
    """Zero-fills a batch to exactly ``frames`` frames.

    Arguments
    ---------
    feats : torch.Tensor
        [B, T, F], T at most ``frames``.
    lens : torch.Tensor
        Lengths relative to T, [B].
    frames : int
        Frames of a segment.

    Returns
    -------
    torch.Tensor
        [B, frames, F]
    torch.Tensor
        Lengths relative to ``frames``, [B].

    Example
    -------
    >>> feats, lens = fill_segment(torch.rand(2, 8, 3), torch.ones(2), 10)
    >>> feats.shape, lens
    (torch.Size([2, 10, 3]), tensor([0.8000, 0.8000]))
    """
    missing = frames - feats.shape[1]
    return F.pad(feats, (0, 0, 0, missing)), lens * (feats.shape[1] / frames)
