"""Sums over time: what counts, and how little is lost.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import onnx
import pytest
import torch
from onnx_run import built, run

from speechbrain_hrf.export.onnx.sums import add_mean, add_sum


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


@pytest.mark.parametrize("frames", [1, 31, 32, 33, 500, 3001])
def test_equal_frames(frames):
    """Added up one by one, the error of 500 would be tenfold."""
    model = built(
        lambda g, frames: add_sum(g, frames, 64, "m"),
        {"frames": ["batch", "frames", 64]},
        rank=2,
    )
    torch.manual_seed(0)
    value = torch.rand(1, 1, 64)
    found = run(model, frames=value.expand(2, frames, 64).contiguous())
    expected = frames * value[0].double().numpy()
    assert np.abs(found / expected - 1).max() <= 1e-6


def test_one_by_one_is_worse():
    """The test above would see a sum in one step."""
    model = built(
        lambda g, frames: g(
            "ReduceSum", frames, g.constant([1]), keepdims=0, part="m"
        ),
        {"frames": ["batch", "frames", 64]},
        rank=2,
    )
    torch.manual_seed(0)
    value = torch.rand(1, 1, 64)
    found = run(model, frames=value.expand(1, 3001, 64).contiguous())
    expected = 3001 * value[0].double().numpy()
    assert np.abs(found / expected - 1).max() > 1e-5
