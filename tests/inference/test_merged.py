"""Evaluation with merged weights leaves the training alone."""

import copy
import math

import pytest
import torch

from speechbrain_hrf import (
    ClassifierHead,
    Conformer,
    HRFLinear,
    apply_hrf,
    collapse,
)
from speechbrain_hrf.inference import MergedClassifier


def build():
    torch.manual_seed(0)
    model = torch.nn.ModuleList([Conformer(), ClassifierHead(16, 4)])
    apply_hrf(model, ["ALL"])
    return model


def test_scores_the_merged_copy():
    model = build()
    deployed = MergedClassifier(*model)
    feats, lens = torch.randn(3, 60, 78), torch.tensor([1.0, 0.5, 0.1])
    output = deployed(feats, lens)
    assert not any(isinstance(m, HRFLinear) for m in deployed.merged.modules())
    assert 0 < deployed.difference < 1e-5
    model.eval()
    with torch.no_grad():
        expected = model[1](model[0](feats, lens))
    assert (output - expected).abs().max() < 1e-5


def test_control_a_wrong_product_is_seen(monkeypatch):
    """Without the inner bias, merged and chained outputs are far apart."""
    let_wrong_products_through(monkeypatch)
    deployed = MergedClassifier(*build())
    deployed(torch.randn(3, 60, 78), torch.ones(3))
    assert deployed.difference > 1e-3


def let_wrong_products_through(monkeypatch):
    from speechbrain_hrf.nnet import algebra

    monkeypatch.setattr(algebra, "_check_equal", lambda *_: None)
    monkeypatch.setattr(algebra, "collapse_exactly", without_inner_biases)


def without_inner_biases(factors, biases, norms):
    return collapse(factors, [None] * (len(biases) - 1) + [biases[-1]])


def test_training_goes_on_and_a_second_evaluation_sees_it():
    model = build()
    before = copy.deepcopy(model.state_dict())
    feats, lens = torch.randn(3, 60, 78), torch.ones(3)
    first = MergedClassifier(*model)(feats, lens)
    assert model.training
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.1)
    second = MergedClassifier(*model)(feats, lens)
    assert (first - second).abs().max() > 1e-4


@pytest.mark.parametrize("order", [1, -1])
def test_the_largest_difference_is_kept(order, monkeypatch):
    """Whichever of the batches has it; what is no number stays for ever."""
    let_wrong_products_through(monkeypatch)
    model, lens = build(), torch.ones(2)
    batches, alone = [*torch.randn(2, 2, 60, 78)][::order], []
    for batch in batches:
        deployed = MergedClassifier(*model)
        deployed(batch, lens)
        alone.append(deployed.difference)
    assert alone[0] != alone[1]
    deployed = MergedClassifier(*model)
    for batch in batches:
        deployed(batch, lens)
    assert deployed.difference == max(alone)
    deployed(torch.full((2, 60, 78), math.nan), lens)
    assert math.isnan(deployed.difference)
    deployed(batches[0], lens)
    assert math.isnan(deployed.difference)
