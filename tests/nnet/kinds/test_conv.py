"""Convolutions: the collapsed one, the chain and the merged one agree."""

import copy

import pytest
import torch
from torch import nn

from speechbrain_hrf import apply_hrf, merge_hrf, merged_state_dict

PLAIN = {
    "strided": lambda: nn.Conv1d(6, 4, 5, stride=2, dilation=2, padding=3),
    "same": lambda: nn.Conv1d(6, 4, 4, padding="same", padding_mode="reflect"),
    "valid": lambda: nn.Conv1d(6, 4, 3, padding="valid", bias=False),
    "one": lambda: nn.Conv1d(6, 4, 1),
    "plane": lambda: nn.Conv2d(
        6, 4, (3, 2), stride=(2, 1), padding=1, padding_mode="circular"
    ),
    "space": lambda: nn.Conv3d(6, 2, 2, padding=1),
    "back": lambda: nn.ConvTranspose1d(6, 4, 3, stride=2, output_padding=1),
    "back in a plane": lambda: nn.ConvTranspose2d(6, 4, (3, 2), padding=1),
}
OPTIONS = {
    "one": {},
    "three": {"layers": 3, "inner_bias": False},
    "preserve": {"init": "preserve"},
    "scaled": {"init": "scaled", "width_of": "in"},
    "normalised": {"inner_norm": True, "layers": 2},
    "batch_norm_only": {"inner_norm": True, "layers": 0},
}


def made(name):
    torch.manual_seed(0)
    layer = PLAIN[name]().double()
    return layer, torch.randn(3, 6, *[9] * len(layer.kernel_size)).double()


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", PLAIN)
def test_one_convolution_is_its_chain(name, options):
    plain, x = made(name)
    if plain.bias is None and "inner_norm" in OPTIONS[options]:
        plain.bias = nn.Parameter(torch.randn(4).double())
    model = nn.Sequential(copy.deepcopy(plain))
    apply_hrf(model, ["0"], ratio=2, **OPTIONS[options])
    if options == "preserve":
        torch.testing.assert_close(model(x), plain(x))
    chained = copy.deepcopy(model)
    chained[0].chained = True
    for each in model, chained:
        each(x).square().sum().backward()
    for one, other in zip(
        model.parameters(), chained.parameters(), strict=True
    ):
        torch.testing.assert_close(one.grad, other.grad)
    for each in model, chained:
        torch.optim.SGD(each.parameters(), lr=0.01).step()
        each.eval()
    torch.testing.assert_close(model(x), chained(x))
    merged = merge_hrf(model)
    assert type(merged[0]) is type(plain) and repr(merged[0]) == repr(plain)
    torch.testing.assert_close(merged(x), model(x), rtol=0, atol=1e-12)
    merged.load_state_dict(merged_state_dict(model.state_dict()), strict=True)
    torch.testing.assert_close(merged(x), model(x), rtol=0, atol=1e-12)
    assert list(merged.state_dict()) == list(nn.Sequential(plain).state_dict())


def test_normalisation_is_over_all_patches():
    """As BatchNorm2d behind the first factor would do it."""
    plain, x = made("plane")
    model = nn.Sequential(plain)
    apply_hrf(model, ["0"], ratio=2, inner_norm=True)
    layer, norm = model[0], nn.BatchNorm2d(8).double()
    first = nn.Conv2d(6, 8, (3, 2), (2, 1), 1, bias=False).double()
    first.padding_mode = "circular"
    first._reversed_padding_repeated_twice = [1, 1, 1, 1]
    first.weight = layer.hrf_factors[0]
    hidden = norm(first(x))
    last = layer.hrf_factors[1][..., None, None]
    expected = nn.functional.conv2d(hidden, last, layer.biases[1])
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(layer.norms[0].mean, norm.running_mean)
    torch.testing.assert_close(layer.norms[0].variance, norm.running_var)


def test_an_utterance_without_a_batch():
    plain, x = made("one")
    model = nn.Sequential(plain)
    apply_hrf(model, ["0"], inner_norm=True)
    assert model(x[0]).shape == (4, 9)


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("size", [[19], [20], None])
def test_a_size_of_the_output(size, chained):
    plain = nn.ConvTranspose1d(6, 4, 3, stride=2)
    model = nn.Sequential(copy.deepcopy(plain))
    apply_hrf(model, ["0"], init="preserve", chained=chained)
    x = torch.randn(3, 6, 9)
    expected = plain(input=x, output_size=size)
    found = model[0](input=x, output_size=size)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="requested an output size"):
        model[0](x, output_size=[25])


@pytest.mark.parametrize("plain", [nn.Linear(4, 4), nn.Conv1d(4, 4, 1)])
def test_the_input_has_its_name(plain):
    model = nn.Sequential(plain)
    apply_hrf(model, ["0"])
    x = torch.randn(4, 4)
    assert torch.equal(model[0](input=x), model[0](x))


def test_a_compiler_makes_one_graph():
    """``fullgraph`` refuses what it cannot follow."""
    model = nn.Sequential(PLAIN["one"](), nn.ConvTranspose1d(4, 3, 2))
    apply_hrf(model, ["*"], inner_norm=True)
    compiled = torch.compile(
        copy.deepcopy(model), backend="eager", fullgraph=True
    )
    x = torch.randn(3, 6, 9)
    torch.testing.assert_close(compiled(x), model(x))


@pytest.mark.parametrize("groups", [2, 6])
def test_groups_are_skipped_by_a_pattern_and_refused_by_name(groups):
    model = nn.Sequential(nn.Conv1d(6, 6, 3, groups=groups), nn.Conv1d(6, 2, 1))
    report = apply_hrf(copy.deepcopy(model), ["*"])
    assert [layer.name for layer in report.expansions] == ["1"]
    assert f"skipped 0: it is a convolution in {groups} groups" in str(report)
    with pytest.raises(ValueError, match=f"'0': it is .* in {groups} groups"):
        apply_hrf(model, ["0", "1"])


def test_transformers_conv1d():
    pytorch_utils = pytest.importorskip("transformers.pytorch_utils")
    torch.manual_seed(0)
    plain = pytorch_utils.Conv1D(4, 16)
    nn.init.normal_(plain.bias)
    model = nn.Sequential(copy.deepcopy(plain))
    apply_hrf(model, ["0"], ratio=2, init="preserve")
    x = torch.randn(3, 16)
    torch.testing.assert_close(model[0](x=x), plain(x=x))
    assert torch.equal(model[0].weight, model[0].collapsed()[0].T)
    chained = copy.deepcopy(model)
    chained[0].chained = True
    torch.testing.assert_close(chained(x), plain(x))
    merged = merge_hrf(model)
    assert list(merged.state_dict()) == ["0.weight", "0.bias"]
    torch.testing.assert_close(merged(x), plain(x))
    state = merged_state_dict(model.state_dict())
    nn.Sequential(plain).load_state_dict(state, strict=True)
    torch.testing.assert_close(plain(x), merged(x), rtol=0, atol=0)


@pytest.mark.parametrize(
    "options", [{"inner_norm": True}, {"chained": True}, {}]
)
def test_what_comes_out_can_be_viewed(options):
    """As a plain convolution's, by the usual x.view(len(x), -1)."""
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.MaxPool2d(2))
    apply_hrf(model, ["0"], ratio=2, **options)
    out = model(torch.randn(2, 2, 8, 8))
    assert out.view(2, -1).shape == (2, 36)
