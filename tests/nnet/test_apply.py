"""Layers are replaced in place, all or none, and reported."""

import pytest
import torch
from torch import nn

from speechbrain_hrf import HRFLinear, apply_hrf, merge_hrf
from speechbrain_hrf.nnet import targets
from speechbrain_hrf.nnet.chain import Chain, Expanded, HRFConfig


def test_the_report():
    model = nn.Sequential(nn.Linear(16, 4), nn.Linear(4, 12, bias=False))
    model.append(nn.Linear(12, 1))
    report = apply_hrf(model, ["0", "1"], ratio=2, layers=2)
    assert (report.before, report.after) == (68 + 48 + 13, 244 + 960 + 13)
    assert report.expansions == (
        ("0", (16, 4), ((8, 16), (8, 8), (4, 8)), 68, 244),
        ("1", (4, 12), ((24, 4), (24, 24), (12, 24)), 48, 960),
    )
    assert str(report).splitlines() == [
        "HRF layer       shape    chain                parameters",
        "0               16 -> 4  16 -> 8 -> 8 -> 4    68 -> 244",
        "1               4 -> 12  4 -> 24 -> 24 -> 12  48 -> 960",
        "all parameters                                129 -> 1217",
    ]


def test_every_option_arrives():
    """In the order that the signature promises."""
    model = nn.Sequential(nn.Linear(8, 4))
    apply_hrf(model, ["0"], 3, 2, "in", "scaled", False, True, True)
    (layer,) = model
    assert str(layer) == "HRFLinear(8 -> 24 -> 24 -> 4, inner_norm)"
    assert layer.biases[:-1] == [None, None]
    assert layer.chained is True


class Pointwise(Chain, Expanded):
    """A convolution of kernel 1 is a linear layer over channels."""

    @classmethod
    def from_plain(cls, plain, config, parts=("",)):
        if plain.kernel_size != (1,):
            raise ValueError("The kernel is not 1.")
        return cls(plain.weight.squeeze(2), plain.bias, config)

    def to_plain(self, name, place):
        state = self.merged(name)
        plain = nn.Conv1d(*reversed(state["weight"].shape), 1)
        state["weight"] = state["weight"].unsqueeze(2)
        plain.load_state_dict(state)
        return plain

    def forward(self, x):
        weight, bias = self.collapsed()
        return nn.functional.conv1d(x, weight.unsqueeze(2), bias)


@pytest.fixture
def pointwise(monkeypatch):
    monkeypatch.setitem(targets.KINDS, nn.Conv1d, Pointwise)


def test_a_new_kind_is_one_class_and_one_line(pointwise):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(3, 4, 1), nn.ReLU(), nn.Conv1d(4, 2, 1))
    x = torch.randn(2, 3, 5)
    expected = model(x)
    report = apply_hrf(model, ["0"], ratio=2, init="preserve")
    assert report.expansions[0][:2] == ("0", (3, 4))
    assert isinstance(model[0], Pointwise)
    assert isinstance(model[2], nn.Conv1d)
    torch.testing.assert_close(model(x), expected)
    merged = merge_hrf(model)
    assert type(merged[0]) is nn.Conv1d
    torch.testing.assert_close(merged(x), expected)
    with pytest.raises(ValueError, match="'0': it has been expanded already"):
        apply_hrf(model, ["0"])


def test_a_layer_that_cannot_be_built_leaves_all_plain(pointwise):
    model = nn.Sequential(
        nn.Linear(3, 3), nn.MultiheadAttention(4, 2), nn.Conv1d(3, 4, 2)
    )
    before = list(model.state_dict())
    with pytest.raises(ValueError, match="kernel is not 1"):
        apply_hrf(model, ["*"])
    assert list(model.state_dict()) == before
    assert type(model[1]) is nn.MultiheadAttention


def test_a_seed_gives_what_it_always_gave():
    """Whole layers draw first, packed ones after them."""
    model = nn.Sequential(nn.MultiheadAttention(4, 2), nn.Linear(4, 3))
    plain = [nn.Linear(4, 4), nn.Linear(4, 3)]
    torch.manual_seed(0)
    apply_hrf(model, ["*"])
    torch.manual_seed(0)
    for layer, each in zip((model[0].out_proj, model[1]), plain, strict=True):
        expected = HRFLinear.from_plain(each, HRFConfig())
        assert torch.equal(layer.weight, expected.weight)
