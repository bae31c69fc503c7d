"""Statistics have derivatives of every order, also where models are stacked.

The custom backward pass of ``inner_norm`` is held against autograd's.
"""

import copy
import warnings

import pytest
import torch
from torch.func import (
    functional_call,
    grad_and_value,
    stack_module_state,
    vmap,
)

from speechbrain_hrf import HRFLinear
from speechbrain_hrf.nnet.inner_norm import moments, variances

EXACT = {"rtol": 1e-10, "atol": 1e-10}  # another order of sums, float64


def rows(*shape):
    torch.manual_seed(1)
    return 3 + torch.randn(*shape, dtype=torch.float64)


def plain(x):
    """The same as ``of`` by autograd alone."""
    x = x.reshape(-1, x.shape[-1])
    mean = x.mean(0)
    return mean, (x - mean).T @ (x - mean) / len(x)


def of(x):
    return moments(x)[1:]


def test_first_and_second_derivatives():
    x = rows(7, 3).requires_grad_()
    assert torch.autograd.gradcheck(of, x)
    assert torch.autograd.gradgradcheck(of, x)
    assert torch.autograd.gradgradcheck(lambda x: variances(x)[1:], x)


def test_stacked_values_gradients_and_second_derivatives():
    x, weight = rows(4, 2, 5, 3), rows(3, 3)

    def score(x, moments_of):
        mean, covariance = moments_of(x)
        return (covariance * weight).square().sum() + mean.pow(3).sum()

    def slope(x, moments_of):
        gradient, value = grad_and_value(score)(x, moments_of)
        return gradient.pow(3).sum() + value

    for function in score, slope:
        stacked = vmap(grad_and_value(lambda x, f=function: f(x, of)))(x)
        for k, each in enumerate(x):
            leaf = each.clone().requires_grad_()
            value = function(leaf, plain)
            value.backward()
            torch.testing.assert_close(stacked[0][k], leaf.grad, **EXACT)
            torch.testing.assert_close(stacked[1][k], value.detach(), **EXACT)


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("layers", [0, 2])
def test_stacked_layers_train_as_each_by_itself(layers, chained):
    """Gradients and running averages; no operation falls back to a loop."""
    torch.manual_seed(0)
    options = {"layers": layers, "inner_norm": True, "chained": chained}
    single = [HRFLinear(3, 2, ratio=2, **options).double() for _ in range(3)]
    x = rows(3, 8, 3)
    base = copy.deepcopy(single[0]).to("meta")
    parameters, buffers = stack_module_state(single)

    def loss(parameters, buffers, x):
        out = functional_call(base, (parameters, buffers), (x,))
        return out.pow(3).sum(), buffers

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradients, (_, kept) = vmap(grad_and_value(loss, has_aux=True))(
            parameters, buffers, x
        )
    for k, layer in enumerate(single):
        layer(x[k]).pow(3).sum().backward()
        for name, parameter in layer.named_parameters():
            mine = gradients[name][k]
            torch.testing.assert_close(mine, parameter.grad, **EXACT)
        assert (layer.norms[0].mean != 0).all()  # control
        for name, buffer in layer.named_buffers():
            torch.testing.assert_close(kept[name][k], buffer, **EXACT)


def test_a_layer_has_second_derivatives():
    torch.manual_seed(0)
    layer = HRFLinear(3, 2, ratio=2, layers=2, inner_norm=True).double()
    names = [name for name, _ in layer.named_parameters()]
    # Running averages stay as they are: the check calls it again and again.
    buffers = dict(layer.named_buffers())

    def call(x, *parameters):
        state = dict(zip(names, parameters, strict=True))
        fresh = {name: value.clone() for name, value in buffers.items()}
        return functional_call(layer, (state, fresh), (x,))

    inputs = (rows(6, 3).requires_grad_(), *layer.parameters())
    assert torch.autograd.gradgradcheck(call, inputs, atol=1e-4)
