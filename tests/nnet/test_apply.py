"""Layers are replaced in place, all or none, and reported."""

import pytest
import torch
from torch import nn

from speechbrain_hrf import (
    HRFLinear,
    apply_hrf,
    merge_hrf,
    merged_state_dict,
)
from speechbrain_hrf.nnet import (
    Expanded,
    ExpandedLayer,
    HRFConfig,
    register_kind,
)
from speechbrain_hrf.nnet.kinds import KINDS


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
        "not expanded: 10.1% of the parameters (Linear 13)",
    ]


def test_every_option_arrives():
    """In the order that the signature promises."""
    model = nn.Sequential(nn.Linear(8, 4))
    apply_hrf(model, ["0"], 3, 2, "in", "scaled", False, True, True)
    (layer,) = model
    assert str(layer) == "HRFLinear(8 -> 24 -> 24 -> 4, inner_norm)"
    assert layer.biases[:-1] == [None, None]
    assert layer.hrf_chained is True


class Scaled(nn.Linear):
    """A layer of one's own, with an attribute."""

    def __init__(self, inputs, outputs, scale):
        super().__init__(inputs, outputs)
        self.scale = scale

    def forward(self, x):
        return self.scale * super().forward(x)


class HRFScaled(ExpandedLayer):
    @classmethod
    def from_plain(cls, plain, config, parts=("",)):
        if plain.scale == 0:
            raise ValueError("The scale is 0.")
        return cls(plain, config)

    def forward(self, x):
        return self.scale * nn.functional.linear(x, *self.layer_for(x))


@pytest.fixture
def scaled():
    register_kind(Scaled, HRFScaled)
    yield
    del KINDS[Scaled]


def test_a_new_kind_is_one_class_and_one_line(scaled):
    torch.manual_seed(0)
    model = nn.Sequential(Scaled(3, 4, 0.5), nn.ReLU(), nn.Linear(4, 2))
    x = torch.randn(5, 3)
    expected = model(x)
    report = apply_hrf(model, ["0"], ratio=2, init="preserve")
    assert report.expansions[0][:2] == ("0", (3, 4))
    assert type(model[0]) is HRFScaled
    torch.testing.assert_close(model(x), expected)
    merged = merge_hrf(model)
    assert type(merged[0]) is Scaled and merged[0].scale == 0.5
    torch.testing.assert_close(merged(x), expected)
    with pytest.raises(ValueError, match="'0': it has been expanded already"):
        apply_hrf(model, ["0"])


class Gained(nn.Linear):
    """A layer that has more than weight and bias."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.gain = nn.Parameter(torch.tensor(3.0))
        self.register_buffer("mask", torch.tensor([1.0, 0.0, 1.0]))
        self.register_buffer("note", torch.ones(1), persistent=False)
        self.after = nn.Sequential(nn.Linear(outputs, outputs), nn.Dropout())
        self.after[1].eval()

    def forward(self, x):
        return self.gain * self.mask * self.after(super().forward(x))


class HRFGained(ExpandedLayer):
    def forward(self, x):
        y = nn.functional.linear(x, *self.layer_for(x))
        return self.gain * self.mask * self.after(y)


def test_what_a_layer_has_beside_its_weight_stays(monkeypatch):
    """The same objects, in the same order; also expanded ones within it."""
    monkeypatch.setitem(KINDS, Gained, HRFGained)
    torch.manual_seed(0)
    model = nn.Sequential(Gained(4, 3))
    keys, parameters = (
        list(model.state_dict()),
        [name for name, _ in model.named_parameters()],
    )
    model[0].path, model[0].chained = "words.txt", [1]
    gain, mask, x = model[0].gain, model[0].mask, torch.randn(5, 4)
    expected = model(x)
    optimizer = torch.optim.SGD([gain], lr=0.1)
    plain = nn.Sequential(Gained(4, 3))
    report = apply_hrf(model, ["*"], ratio=2, init="preserve")
    assert [each[3:] for each in report.expansions] == [(15, 51), (12, 45)]
    assert report.left == (("Gained", 1, 1),)
    assert model[0].gain is gain and model[0].mask is mask
    assert not model[0].after[1].training
    torch.testing.assert_close(model(x), expected)
    model(x).sum().backward()
    optimizer.step()
    assert gain.item() != 3
    merged = merge_hrf(model)
    assert [name for name, _ in merged.named_parameters()] == parameters
    state = merged_state_dict(model.state_dict())
    assert list(state) == list(merged.state_dict()) == keys
    plain.load_state_dict(state, strict=True)
    plain[0].after[1].eval()
    for each in merged, plain:
        torch.testing.assert_close(each(x), model(x))
    for each in model, merged:
        assert (each[0].path, each[0].chained) == ("words.txt", [1])
    assert not [name for name in vars(merged[0]) if name.startswith("hrf_")]


def test_a_frozen_gain_does_not_freeze_what_is_merged(monkeypatch):
    monkeypatch.setitem(KINDS, Gained, HRFGained)
    model = nn.Sequential(Gained(4, 3))
    apply_hrf(model, ["0"])
    for parameter in model[0].own_parameters():
        parameter.requires_grad_(False)
    merged = merge_hrf(model)[0]
    assert not merged.weight.requires_grad and merged.gain.requires_grad


def test_hooks_of_backward_stay():
    model, calls = nn.Sequential(nn.Linear(2, 2)), []
    model[0].register_full_backward_hook(lambda *_: calls.append("after"))
    model[0].register_full_backward_pre_hook(lambda *_: calls.append("before"))
    x = torch.ones(1, 2, requires_grad=True)
    apply_hrf(model, ["0"])
    for number, each in enumerate([model, merge_hrf(model)], 1):
        each(x).sum().backward()
        assert calls == ["before", "after"] * number


def test_a_kind_whose_parameter_has_another_name(monkeypatch):
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.kernel = nn.Parameter(torch.ones(3, 3))

    class HRFOwn(Expanded):
        """Says nothing of the name."""

    monkeypatch.setitem(KINDS, Own, HRFOwn)
    message = "'0': it has no parameter 'weight'.*HRFOwn.weight_name"
    with pytest.raises(ValueError, match=message):
        apply_hrf(nn.Sequential(Own()), ["0"])
    HRFOwn.weight_name = "kernel"
    with pytest.raises(NotImplementedError):  # asked for: it is suitable
        apply_hrf(nn.Sequential(Own()), ["0"])
    layer = nn.utils.weight_norm(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="another parametrization computes"):
        apply_hrf(nn.Sequential(layer), ["0"])


def test_a_layer_that_cannot_be_built_leaves_all_plain(scaled):
    model = nn.Sequential(
        nn.Linear(3, 3), nn.MultiheadAttention(4, 2), Scaled(3, 4, 0)
    )
    before = list(model.state_dict())
    with pytest.raises(ValueError, match="scale is 0"):
        apply_hrf(model, ["*"])
    assert list(model.state_dict()) == before
    assert type(model[1]) is nn.MultiheadAttention


def test_whoever_holds_a_layer_holds_the_expanded_one():
    """A list, a second place in the model, hooks, and the layer by itself."""
    layer, calls = nn.Linear(4, 4), []
    # Of those with keywords PyTorch keeps the names apart.
    layer.register_forward_hook(
        lambda module, args, kwargs, output: calls.append("hook"),
        with_kwargs=True,
    )
    attributes = vars(layer).keys() | {"note"}
    layer.note = "mine"
    model = nn.Sequential(layer, nn.ReLU(), layer)
    held = [layer]
    apply_hrf(model, ["0"], ratio=2, init="preserve")
    assert type(held[0]) is HRFLinear and model[2] is model[0] is layer
    model(torch.ones(1, 4))
    assert calls == ["hook", "hook"] and layer.note == "mine"
    merged = merge_hrf(model)
    assert type(merged[0]) is nn.Linear and merged[0] is merged[2]
    assert merged[0].note == "mine" and type(layer) is HRFLinear
    assert vars(merged[0]).keys() == attributes
    merged(torch.ones(1, 4))
    assert calls == ["hook"] * 4
    alone = nn.Linear(4, 2)
    apply_hrf(alone, ["*"])
    assert type(alone) is HRFLinear and type(merge_hrf(alone)) is nn.Linear


def test_an_optimizer_that_was_built_before_raises():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    optimizer = torch.optim.AdamW(model.parameters())
    untouched = torch.optim.SGD(model[1].parameters())
    apply_hrf(model, ["0"])
    model(torch.ones(1, 2)).sum().backward()
    with pytest.raises(RuntimeError, match="AdamW was built before apply_hrf"):
        optimizer.step()
    untouched.step()
    torch.optim.AdamW(model.parameters()).step()


def test_a_module_outside_that_was_tied_is_named():
    inside, outside = nn.Linear(2, 2), nn.Linear(2, 2)
    outside.weight = inside.weight
    apply_hrf(nn.Sequential(inside), ["0"])
    optimizer = torch.optim.SGD([*inside.parameters(), *outside.parameters()])
    with pytest.raises(RuntimeError, match="outside of that model was tied"):
        optimizer.step()


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
