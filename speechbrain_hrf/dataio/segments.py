"""From an audio file to the features of one training segment.

The paper's segments have exactly 500 (IEMOCAP), 400 (M3ED) or 1000 (DAIC-WOZ)
frames: longer utterances are cut, shorter ones zero-filled.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib

import torch
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.utils.data_utils import batch_pad_right

from speechbrain_hrf.dataio.audio import read, read_parts


class SegmentFeatures:
    """Reads the first ``frames`` frames of a file and computes its features.

    Features are computed for each utterance by itself, so that they are the
    same as in inference whatever it is batched with later, and by one thread,
    so that they are the same on any number of cores.

    Arguments
    ---------
    compute_features : torch.nn.Module
        SpeechBrain's ``Fbank`` or alike: [B, samples] -> [B, T, F], with
        centred frames. A module with other frames says by a method
        ``samples_for(frames)`` how many samples give so many of them.
    frames : int
        Frames of a segment; longer utterances are cut.
    sample_rate : int
        Hz; files at another rate are resampled.
    hop : float
        Seconds from one centred frame to the next.

    Example
    -------
    >>> import soundfile as sf
    >>> from speechbrain.lobes.features import Fbank
    >>> path = getfixture("tmpdir").join("noise.wav").strpath
    >>> sf.write(path, 0.1 * torch.randn(6 * 16000).numpy(), 16000)
    >>> segment = SegmentFeatures(Fbank(n_mels=26, deltas=True), frames=500)
    >>> segment(path).shape
    torch.Size([500, 78])
    >>> segment(path, parts=[[0, 8000], [32000, 40000]]).shape
    torch.Size([101, 78])
    """

    def __init__(self, compute_features, frames, sample_rate=16000, hop=0.01):
        self.compute_features = compute_features
        self.frames = frames
        self.sample_rate = sample_rate
        if hasattr(compute_features, "samples_for"):
            self.samples = compute_features.samples_for(frames)
        else:  # frame k is centred on k * hop
            self.samples = round((frames - 1) * hop * sample_rate)

    @torch.no_grad()
    def __call__(self, path, parts=None):
        """The features of one file, or of parts of it.

        Arguments
        ---------
        path : str
            Audio file of any rate and number of channels.
        parts : list of list of int, optional
            [start, stop] in samples of the file; what they hold is cut out and
            joined. Default: the file from its start.

        Returns
        -------
        torch.Tensor
            [T, F], T at most ``frames``.

        Raises
        ------
        speechbrain_hrf.dataio.unusable.UnusableAudio
            If the file cannot be decoded or holds NaN.
        """
        if parts is None:
            seconds = self.samples / self.sample_rate
            wave = read(path, stop=seconds, sample_rate=self.sample_rate)
        else:
            wave = read_parts(path, parts, self.sample_rate)[: self.samples]
        with _one_thread():
            return self.compute_features(wave.unsqueeze(0)).squeeze(0)


@contextlib.contextmanager
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class SegmentBatch(PaddedBatch):
    """A batch whose features are zero-filled to exactly ``frames`` frames.

    They are copied once, into their place; SpeechBrain's padding to the
    longest and a filling after it would do so three times.

    Arguments
    ---------
    examples : list of dict
        What a dataset gives, with ``feats`` [T, F], T at most ``frames``.
    frames : int
        Frames of a segment.

    Example
    -------
    >>> examples = [{"feats": torch.rand(n, 78)} for n in (400, 600)]
    >>> feats, lens = SegmentBatch(examples, frames=800).feats
    >>> feats.shape, lens
    (torch.Size([2, 800, 78]), tensor([0.5000, 0.7500]))
    """

    def __init__(self, examples, frames):
        super().__init__(
            examples,
            padding_func=_padded,
            per_key_padding_kwargs={"feats": {"frames": frames}},
        )


def _padded(values, frames=None):
    if frames is None:
        return batch_pad_right(values)
    longest = max(map(len, values))
    if longest > frames:
        raise ValueError(f"{longest} frames do not fit into {frames}.")
    filled = values[0].new_zeros(len(values), frames, values[0].shape[1])
    for row, value in zip(filled, values, strict=True):
        row[: len(value)] = value
    return filled, torch.tensor([len(value) / frames for value in values])
