"""HRFLinear computes what its chain computes, and learns what it learns."""

import copy
import itertools
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from speechbrain_hrf import HRFLinear, apply_hrf
from speechbrain_hrf.nnet import HRFConfig, linear

# One product more or less in another order: a few units in the last place.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}
GRID = list(
    itertools.product(
        [(16, 4), (4, 16), (78, 16), (1, 1)],  # in, out
        [1, 2, 8, 1.5],  # ratio
        [1, 2, 3],  # extra layers
        [True, False],  # bias
        [True, False],  # inner bias
    )
)


def pair(dtype, shape, ratio, layers, bias, inner_bias, **options):
    """The same layer, collapsed and chained."""
    torch.manual_seed(0)
    collapsed = HRFLinear(
        *shape,
        bias=bias,
        ratio=ratio,
        layers=layers,
        inner_bias=inner_bias,
        **options,
    ).to(dtype)
    chained = copy.deepcopy(collapsed)
    chained.chained = True
    return collapsed, chained


def gradients(layer, x):
    layer(x).square().mean().backward()
    return [parameter.grad for parameter in layer.parameters()]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("shape", "ratio", "layers", "bias", "inner_bias"), GRID
)
def test_collapsed_is_the_chain(dtype, shape, ratio, layers, bias, inner_bias):
    collapsed, chained = pair(dtype, shape, ratio, layers, bias, inner_bias)
    x = torch.randn(2, 5, shape[0], dtype=dtype)
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    torch.testing.assert_close(collapsed(x), chained(x), **close)
    for ours, reference in zip(
        gradients(collapsed, x), gradients(chained, x), strict=True
    ):
        torch.testing.assert_close(ours, reference, **close)


def test_control_another_chain_differs():
    collapsed, chained = pair(torch.float64, (16, 4), 8, 1, True, True)
    with torch.no_grad():
        chained.biases[0].add_(0.01)
    x = torch.randn(3, 16, dtype=torch.float64)
    assert (collapsed(x) - chained(x)).abs().max() > 1e-5


@pytest.mark.parametrize("layers", [1, 3])
def test_fifty_steps_end_equal(layers):
    models = pair(torch.float64, (16, 4), 8, layers, True, True)
    x = torch.randn(64, 16, dtype=torch.float64)
    y = torch.randn(64, 4, dtype=torch.float64)
    for model in models:
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=1e-3, weight_decay=1e-6
        )
        for _ in range(50):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
    torch.testing.assert_close(
        models[0].weight, models[1].weight, rtol=1e-9, atol=1e-9
    )
    torch.testing.assert_close(
        models[0].bias, models[1].bias, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize(
    ("width_of", "widths"),
    [
        ("out", [(32, 16), (32, 32), (4, 32)]),
        ("in", [(128, 16), (128, 128), (4, 128)]),
    ],
)
def test_width(width_of, widths):
    layer = HRFLinear(16, 4, ratio=8, layers=2, width_of=width_of)
    assert [tuple(factor.shape) for factor in layer.factors] == widths


def test_biases_are_switchable():
    assert HRFLinear(16, 4, bias=False, inner_bias=False).bias is None
    assert HRFLinear(16, 4, bias=False, inner_bias=True).bias.shape == (4,)
    names = [
        n for n, _ in HRFLinear(16, 4, inner_bias=False).named_parameters()
    ]
    assert names == ["hrf_factors.0", "hrf_factors.1", "hrf_biases.1"]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("width_of", ["out", "in"])
@pytest.mark.parametrize("shape", [(16, 4), (4, 16), (7, 7)])
def test_preserve_reproduces_the_layer(shape, width_of, layers):
    torch.manual_seed(0)
    plain = nn.Linear(*shape)
    config = HRFConfig(
        ratio=2, layers=layers, width_of=width_of, init="preserve"
    )
    layer = HRFLinear.from_plain(plain, config)
    assert (layer.weight - plain.weight).abs().max() < 1e-6
    assert torch.equal(layer.bias, plain.bias)


@pytest.mark.parametrize(
    ("init", "layers", "expected"),
    [
        ("default", 1, 0.577),
        ("default", 3, 0.19),
        ("scaled", 1, 1.0),
        ("scaled", 3, 1.0),
    ],
)
def test_initial_scale(init, layers, expected):
    """Standard deviation of the collapsed weight over a plain layer's."""
    torch.manual_seed(0)
    stds = [
        HRFLinear(64, 64, layers=layers, init=init).weight.std().item()
        for _ in range(5)
    ]
    plain = 1 / (3 * 64) ** 0.5
    ratio = sum(stds) / len(stds) / plain
    assert ratio == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": 0}, "ratio is 0"),
        ({"ratio": 0.5}, "at least 1"),
        ({"ratio": float("nan")}, "ratio is nan"),
        ({"ratio": "8"}, "ratio is '8'"),
        ({"ratio": True}, "ratio is True"),
        ({"layers": 0}, "extra layers is 0"),
        ({"layers": 1.5}, "extra layers is 1.5"),
        ({"width_of": "hidden"}, "width_of is 'hidden'"),
        ({"init": "zeros"}, "init is 'zeros'"),
        ({"chained": "yes"}, "chained is 'yes', but must be None"),
        ({"chained": 1}, "chained is 1"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        HRFLinear(16, 4, **options)
    plain = nn.Linear(16, 4)
    model = nn.Sequential(plain)
    with pytest.raises(ValueError, match=message):
        apply_hrf(model, ["0"], **options)
    assert model[0] is plain


@pytest.mark.parametrize("inner_norm", [False, True])
@pytest.mark.parametrize("chained", [None, False, True])
@pytest.mark.parametrize("pays", [False, True])
def test_chain_or_collapse(monkeypatch, inner_norm, chained, pays):
    """The chain runs where it was asked for, or in training where it pays."""
    calls = []
    run_chain = linear.run_chain
    monkeypatch.setattr(
        linear, "run_chain", lambda *a: calls.append(1) or run_chain(*a)
    )
    monkeypatch.setattr(linear, "chain_pays", lambda factors, x: pays)
    layer = HRFLinear(16, 4, inner_norm=inner_norm, chained=chained)
    x = torch.randn(5, 16)
    layer(x)
    assert bool(calls) is (pays if chained is None else chained)
    calls.clear()
    layer.eval()(x)
    assert bool(calls) is bool(chained)


def test_on_a_cpu_nothing_is_chained_by_itself():
    model = nn.Sequential(nn.Linear(16, 4))
    apply_hrf(model, ["0"])
    assert model[0].chained is None
    explicit = copy.deepcopy(model[0])
    explicit.chained = False
    x = torch.randn(3, 16)
    assert torch.equal(model[0](x), explicit(x))


def rows_on_a_gpu(rows):
    """What ``chain_pays`` looks at, where there is no GPU."""
    x = torch.empty(rows, 16, device="meta")
    return SimpleNamespace(is_cuda=True, numel=x.numel, shape=x.shape)


def test_a_gpu_chains_small_layers_in_full_precision(monkeypatch):
    factors = [torch.empty(128, 16), torch.empty(16, 128)]
    assert linear.chain_pays(factors, rows_on_a_gpu(4000))
    assert not linear.chain_pays(factors, rows_on_a_gpu(4000 * 50))
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda device: True)
    assert not linear.chain_pays(factors, rows_on_a_gpu(4000))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("inner_norm", [False, True])
def test_on_a_gpu_chain_and_collapse_are_equal(inner_norm):
    collapsed = HRFLinear(16, 4, inner_norm=inner_norm, chained=False)
    collapsed = collapsed.double().cuda()
    by_device = copy.deepcopy(collapsed)
    by_device.chained = None
    x = torch.randn(64, 16, dtype=torch.float64, device="cuda")
    assert linear.chain_pays(by_device.factors, x)
    close = {"rtol": 1e-9, "atol": 1e-9}
    torch.testing.assert_close(collapsed(x), by_device(x), **close)
    for ours, reference in zip(
        gradients(collapsed, x), gradients(by_device, x), strict=True
    ):
        torch.testing.assert_close(ours, reference, **close)
