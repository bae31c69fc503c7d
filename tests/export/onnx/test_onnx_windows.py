"""The loop over windows gives what ``UtteranceEmbedding`` gives.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import onnx
import pytest
import torch
from onnx_run import built, run

from speechbrain_hrf.export.onnx.windows import add_mean, add_windows
from speechbrain_hrf.lobes.models.embedding import UtteranceEmbedding


class Squares(UtteranceEmbedding):
    """A model whose embedding is the mean of the squares of a window."""

    def encode(self, feats, lengths):
        return feats.square(), lengths


def windows(segment_frames):
    """The same in ONNX."""

    def embed(g, window, lengths):
        return add_mean(g, g("Mul", window, window), lengths, 5)

    return built(
        lambda g, feats, lens: add_windows(
            g, feats, lens, segment_frames, 11, 5, embed
        ),
        {"feats": ["batch", "frames", 5], "wav_lens": ["batch"]},
        rank=2,
    )


@pytest.mark.parametrize("segment_frames", [None, 1, 7, 50])
def test_windows(segment_frames):
    """Any length and batch; an utterance may end windows before another."""
    torch.manual_seed(0)
    model, squares = windows(segment_frames), Squares(segment_frames)
    for frames, lens in [
        (1, [1.0]),
        (50, [1.0]),
        (51, [1.0]),
        (101, [0.004, 1.0, 0.49, 0.5]),
        (350, [0.1, 1.0]),
    ]:
        feats, lens = torch.randn(len(lens), frames, 5), torch.tensor(lens)
        expected = squares(feats, lens).squeeze(1).numpy()
        found = run(model, feats=feats, wav_lens=lens)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_one_window_is_not_the_whole():
    """The test above would see a loop that is left out."""
    feats, lens = torch.randn(1, 101, 5).cumsum(1), torch.ones(1)

    class Last(UtteranceEmbedding):
        def encode(self, feats, lengths):
            return feats[:, -1:], torch.ones_like(lengths)

    assert not torch.allclose(Last(50)(feats, lens), Last()(feats, lens))


def test_padding_may_hold_anything():
    """What lies beyond an utterance's end has no part in its mean."""
    model = built(
        lambda g, frames, lens: add_mean(
            g, frames, g("Cast", lens, to=onnx.TensorProto.INT64), 2
        ),
        {"frames": ["batch", "frames", 2], "lens": ["batch"]},
        rank=2,
    )
    frames = torch.full((1, 40, 2), float("nan"))
    frames[:, :3] = torch.tensor([1.0, 2.0, 6.0]).unsqueeze(1)
    assert run(model, frames=frames, lens=torch.tensor([3.0])).tolist() == [
        [3.0, 3.0]
    ]
