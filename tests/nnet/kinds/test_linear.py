"""HRFLinear computes what its chain computes, and learns what it learns."""

import copy
import itertools
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from speechbrain_hrf import HRFLinear
from speechbrain_hrf.nnet import HRFConfig, linear

# One product more or less in another order: a few units in the last place.
CLOSE = {"rtol": 1e-12, "atol": 1e-12}


def pair(shape=(16, 4), **options):
    """The same layer, collapsed and chained."""
    torch.manual_seed(0)
    collapsed = HRFLinear(*shape, **options).double()
    chained = copy.deepcopy(collapsed)
    chained.chained = True
    return collapsed, chained


def gradients(layer, x):
    layer(x).square().mean().backward()
    return [parameter.grad for parameter in layer.parameters()]


def assert_same_outputs_and_gradients(layer, reference, x, **close):
    torch.testing.assert_close(layer(x), reference(x), **close)
    torch.testing.assert_close(
        gradients(layer, x), gradients(reference, x), **close
    )


@pytest.mark.parametrize(
    ("shape", "ratio", "layers"),
    itertools.product([(16, 4), (4, 16), (1, 1)], [1, 8], [1, 2, 3]),
)
@pytest.mark.parametrize("bias", ["all", "last", "none"])
def test_collapsed_is_the_chain(shape, ratio, layers, bias):
    collapsed, chained = pair(
        shape,
        ratio=ratio,
        layers=layers,
        bias=bias != "none",
        inner_bias=bias == "all",
    )
    x = torch.randn(2, 5, shape[0], dtype=torch.float64)
    assert_same_outputs_and_gradients(collapsed, chained, x, **CLOSE)


def test_control_another_chain_differs():
    collapsed, chained = pair()
    with torch.no_grad():
        chained.biases[0].add_(0.01)
    x = torch.randn(3, 16, dtype=torch.float64)
    assert (collapsed(x) - chained(x)).abs().max() > 1e-5


@pytest.mark.parametrize("layers", [1, 3])
def test_fifty_steps_end_equal(layers):
    models = pair(layers=layers)
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
    ours, reference = (model.collapsed() for model in models)
    torch.testing.assert_close(ours, reference, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_and_back(bias):
    """Of the same class, mode, dtype and value; the plain one stays."""

    class Named(nn.Linear):
        pass

    plain = Named(6, 3, bias=bias).double().eval()
    expanded = HRFLinear.from_plain(plain, HRFConfig(init="preserve"))
    assert not expanded.training
    again = expanded.to_plain("layer", expanded)
    assert type(again) is Named
    assert not again.training
    assert (again.in_features, again.out_features) == (6, 3)
    assert (again.bias is None) is not bias
    torch.testing.assert_close(again.state_dict(), plain.state_dict())


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


def input_of(rows, is_cuda=True):
    """What ``chain_pays`` looks at, where there is no GPU."""
    x = torch.empty(rows, 16, device="meta")
    return SimpleNamespace(is_cuda=is_cuda, numel=x.numel, shape=x.shape)


def test_a_gpu_chains_small_layers_in_full_precision(monkeypatch):
    # 2 * 128 * 16 multiplications a row: 2^28 are 2^16 rows.
    factors = [torch.empty(128, 16), torch.empty(16, 128)]
    assert linear.chain_pays(factors, input_of(2**16))
    assert not linear.chain_pays(factors, input_of(2**16 + 1))
    assert not linear.chain_pays(factors, input_of(1, is_cuda=False))
    enabled = {"cuda": False, "cpu": True}
    monkeypatch.setattr(torch, "is_autocast_enabled", enabled.get)
    assert linear.chain_pays(factors, input_of(1))
    enabled["cuda"] = True
    assert not linear.chain_pays(factors, input_of(1))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("inner_norm", [False, True])
def test_on_a_gpu_chain_and_collapse_are_equal(inner_norm):
    collapsed = HRFLinear(16, 4, inner_norm=inner_norm, chained=False)
    collapsed = collapsed.double().cuda()
    by_device = copy.deepcopy(collapsed)
    by_device.chained = None
    x = torch.randn(64, 16, dtype=torch.float64, device="cuda")
    assert linear.chain_pays(by_device.factors, x)
    assert_same_outputs_and_gradients(
        collapsed, by_device, x, rtol=1e-9, atol=1e-9
    )
