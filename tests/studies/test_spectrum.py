"""Spectra of merged weights."""

import math

import pytest
import torch

from speechbrain_hrf import apply_hrf, merge_hrf
from speechbrain_hrf.studies.spectrum import effective_rank, spectra


@pytest.mark.parametrize("n", [1, 3, 16])
def test_equal_singular_values_give_full_rank(n):
    assert effective_rank([0.7] * n) == pytest.approx(n)


def test_effective_rank_by_hand():
    # p = 3/4, 1/4
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert effective_rank([3.0, 1.0]) == pytest.approx(math.exp(entropy))


def test_scale_does_not_matter_but_shape_does():
    assert effective_rank([3.0, 1.0]) == pytest.approx(
        effective_rank([30.0, 10.0])
    )
    assert effective_rank([9.0, 1.0]) < effective_rank([3.0, 1.0])


def test_a_factorised_model_has_the_spectra_of_its_merged_one():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.Linear(4, 3))
    apply_hrf(model, ["0"], ratio=4, layers=2)
    factorised = spectra(model.state_dict())
    merged = spectra(merge_hrf(model).state_dict())
    assert list(factorised) == ["0.weight", "1.weight"]
    for name, values in merged.items():
        assert factorised[name] == pytest.approx(values, rel=1e-5)


def test_biases_norms_and_convolutions_are_left_out():
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2)
    )
    assert list(spectra(model.state_dict())) == ["2.weight"]
