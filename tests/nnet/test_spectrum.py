"""Spectra of merged weights: ranks by hand, chains merged, layers chosen.

Authors
 * The speechbrain_hrf authors 2026
"""

import math

import pytest
import torch

from speechbrain_hrf import apply_hrf, merge_hrf
from speechbrain_hrf.nnet.spectrum import effective_rank, spectra


def test_effective_rank_by_hand():
    # p = 3/4, 1/4
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    for scale in 1, 10:
        found = effective_rank([3.0 * scale, 1.0 * scale])
        assert found == pytest.approx(math.exp(entropy))
    assert effective_rank([0.7] * 16) == pytest.approx(16)


def test_a_factorised_model_has_the_spectra_of_its_merged_one():
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(6, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 3)
    )
    apply_hrf(model, ["0"], ratio=4, layers=2)
    factorised = spectra(model.state_dict())
    merged = spectra(merge_hrf(model).state_dict())
    assert list(factorised) == ["0.weight", "2.weight"]
    for name, values in merged.items():
        assert factorised[name] == pytest.approx(values, rel=1e-5)
