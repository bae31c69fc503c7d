"""Normalisation in ONNX gives what SpeechBrain's gives in evaluation.

Authors
 * The speechbrain_hrf authors 2026
"""

import itertools

import numpy as np
import pytest
import torch
from onnx_run import built, run
from speechbrain.nnet.normalization import LayerNorm
from speechbrain.processing.features import InputNormalization

from speechbrain_hrf.export.onnx.normalisation import (
    add_normalisation,
    check_normalisation,
)


@pytest.mark.parametrize(
    "norm_type, std_norm, avoid_padding_norm",
    itertools.product(
        ["global", "sentence", "batch"], [True, False], [True, False]
    ),
)
def test_input_normalization(norm_type, std_norm, avoid_padding_norm):
    """With padding, for any length and batch."""
    torch.manual_seed(0)
    norm = InputNormalization(
        norm_type=norm_type,
        std_norm=std_norm,
        avoid_padding_norm=avoid_padding_norm,
    )
    if norm_type == "global":
        norm(5 + 3 * torch.randn(4, 50, 6), torch.tensor([1.0, 1, 0.5, 0.2]))
    norm.eval()
    model = built(
        lambda g, feats, lens: add_normalisation(g, norm, feats, lens, 6),
        {"feats": ["batch", "frames", 6], "wav_lens": ["batch"]},
    )
    for frames, lens in [(40, [1.0, 0.51, 0.02]), (1, [1.0]), (7, [0.3, 1.0])]:
        feats = -40 + 20 * torch.randn(len(lens), frames, 6)
        wav_lens = torch.tensor(lens)
        expected = norm(feats, wav_lens).numpy()
        found = run(model, feats=feats, wav_lens=wav_lens)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
        # Not vacuous: it does something, and lengths matter where they should.
        assert np.abs(found - feats.numpy()).max() > 1
        if norm_type == "sentence" and frames > 1:
            other = run(model, feats=feats, wav_lens=torch.ones(len(lens)))
            assert np.abs(found - other).max() > 0.01


@pytest.mark.parametrize("norm_type", ["sentence", "batch"])
def test_long_audio(norm_type):
    """30 s far from 0, little of it moving: rounding must not be seen."""
    torch.manual_seed(0)
    norm = InputNormalization(norm_type=norm_type).eval()
    model = built(
        lambda g, feats, lens: add_normalisation(g, norm, feats, lens, 6),
        {"feats": ["batch", "frames", 6], "wav_lens": ["batch"]},
    )
    feats, lens = -60 + 0.5 * torch.randn(2, 3001, 6), torch.ones(2)
    axes = 1 if norm_type == "sentence" else (0, 1)
    exact = feats.double()
    exact = exact - exact.mean(axes, keepdim=True)
    exact /= exact.square().mean(axes, keepdim=True).sqrt()
    found = run(model, feats=feats, wav_lens=lens)
    assert np.abs(found - exact.numpy()).max() <= 1e-4


@pytest.mark.parametrize(
    "norm, says",
    [
        (LayerNorm(6), "mean_var_norm is LayerNorm"),
        (InputNormalization(length_dim=2), "along dimension 2"),
    ],
    ids=["other class", "other dimension"],
)
def test_refusals(norm, says):
    """What is not a normalisation over time."""
    with pytest.raises(ValueError, match=says):
        check_normalisation(norm)
