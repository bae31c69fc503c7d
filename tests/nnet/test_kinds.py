"""A kind of expanded layer is one class and one line of the registry."""

import dataclasses

import pytest
import torch
from torch import nn

from speechbrain_hrf import HRFLinear, apply_hrf, merge_hrf
from speechbrain_hrf.nnet import HRFConfig
from speechbrain_hrf.nnet.chain import Chain, Expanded
from speechbrain_hrf.nnet.packed import PackedChains
from speechbrain_hrf.nnet.targets import KINDS


class Pointwise(Chain, Expanded):
    """A convolution of kernel 1 is a linear layer over channels."""

    @classmethod
    def from_plain(cls, plain, config, parts=("",)):
        if plain.kernel_size != (1,):
            raise ValueError("The kernel is not 1.")
        return cls(plain.weight.squeeze(2), plain.bias, config)

    @property
    def chains(self):
        return {"": self}

    def to_plain(self, name, place):
        weight, bias = self.merged(name)
        plain = nn.Conv1d(*reversed(weight.shape), 1)
        plain.load_state_dict({"weight": weight.unsqueeze(2), "bias": bias})
        return plain

    def forward(self, x):
        weight, bias = self.collapsed()
        return nn.functional.conv1d(x, weight.unsqueeze(2), bias)


@pytest.fixture
def pointwise(monkeypatch):
    monkeypatch.setitem(KINDS, nn.Conv1d, Pointwise)


def test_a_new_kind_is_expanded_and_merged(pointwise):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(3, 4, 1), nn.ReLU(), nn.Conv1d(4, 2, 1))
    x = torch.randn(2, 3, 5)
    expected = model(x)
    report = apply_hrf(model, ["0"], ratio=2, init="preserve")
    assert [layer.name for layer in report.expansions] == ["0"]
    assert report.expansions[0].before == 3 * 4 + 4
    assert isinstance(model[0], Pointwise)
    assert isinstance(model[2], nn.Conv1d)
    torch.testing.assert_close(model(x), expected)
    merged = merge_hrf(model)
    assert type(merged[0]) is nn.Conv1d
    torch.testing.assert_close(merged(x), expected)
    with pytest.raises(ValueError, match="expanded already"):
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


def test_a_subclass_is_expanded_only_if_its_forward_stays():
    class Louder(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    class Attention(nn.MultiheadAttention):
        pass

    model = nn.Sequential(Louder(4, 4), Attention(4, 2))
    apply_hrf(model, ["*"])
    assert type(model[0]) is Louder
    assert PackedChains.within(model[1]) is not None


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_and_back(bias):
    plain = nn.Linear(6, 3, bias=bias).double().eval()
    expanded = HRFLinear.from_plain(plain, HRFConfig(init="preserve"))
    assert not expanded.training
    again = expanded.to_plain("layer", expanded)
    assert type(again) is nn.Linear and not again.training
    assert (again.bias is None) is not bias
    torch.testing.assert_close(again.weight, plain.weight)


def test_options_are_checked_once_and_stay():
    config = HRFConfig(ratio=2, layers=2)
    assert config.widths(16, 4) == [16, 8, 8, 4]
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.ratio = 4
    with pytest.raises(ValueError, match="ratio is 0.5"):
        dataclasses.replace(config, ratio=0.5)
