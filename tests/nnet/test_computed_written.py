"""What is written to a computed weight raises instead of being lost."""

import copy
import io

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from speechbrain_hrf import apply_hrf, merge_hrf


@pytest.fixture
def layer():
    model = nn.Sequential(nn.Linear(3, 2))
    apply_hrf(model, ["0"])
    return model[0]


@pytest.mark.parametrize(
    "write",
    [
        lambda layer: nn.init.zeros_(layer.weight),
        lambda layer: nn.init.xavier_uniform_(layer.weight),
        lambda layer: nn.init.constant_(layer.bias, 0.0),
        lambda layer: layer.weight.data.copy_(torch.ones(2, 3)),
        lambda layer: layer.weight.detach().zero_(),
        lambda layer: layer.weight[:1].zero_(),
        lambda layer: layer.weight.T.fill_(1.0),
        lambda layer: layer.weight.view(-1)[2:].copy_(torch.ones(4)),
        lambda layer: layer.weight.chunk(2)[1].zero_(),
        lambda layer: layer.weight.data.flatten().mul_(2),
        lambda layer: layer.weight.__setitem__(0, 1.0),
        lambda layer: layer.weight.__imul__(2),
        lambda layer: layer.weight.requires_grad_(False),
        lambda layer: setattr(layer.weight, "requires_grad", False),
        lambda layer: torch.add(1, torch.ones(2, 3), out=layer.weight),
    ],
)
def test_writing_raises(layer, write):
    with torch.no_grad(), pytest.raises(RuntimeError, match="be lost: change"):
        write(layer)


@pytest.mark.parametrize("kind", [nn.Parameter, torch.Tensor])
@pytest.mark.parametrize("name", ["weight", "bias"])
def test_a_new_parameter_is_refused(layer, name, kind):
    with pytest.raises(AttributeError, match=f"The {name} of '0', .* be set"):
        setattr(layer, name, kind(torch.ones(2, 3)))


def test_scripting_says_to_merge_first():
    model = nn.Sequential(nn.Linear(3, 2))
    apply_hrf(model, ["0"])
    with pytest.raises(NotImplementedError, match="'0', .* merge first"):
        torch.jit.script(model)
    x = torch.rand(4, 3)
    merged = merge_hrf(model)
    torch.testing.assert_close(torch.jit.script(merged)(x), merged(x))


def test_packed_weights_too():
    model = nn.MultiheadAttention(4, 2)
    apply_hrf(model, ["in_proj_weight"])
    with pytest.raises(RuntimeError, match="be lost"):
        model._reset_parameters()


def test_a_file_holds_plain_tensors(layer):
    file, weight = io.BytesIO(), layer.weight.detach()
    torch.save([weight, weight.T], file)
    file.seek(0)
    for found in torch.load(file, weights_only=True):
        assert type(found) is torch.Tensor
        assert torch.equal(
            found.reshape(-1).sort()[0], weight.view(-1).sort()[0]
        )


def test_reading_gives_plain_tensors_and_gradients(layer):
    x = torch.randn(4, 3)
    out = F.linear(x, layer.weight, layer.bias)
    assert type(out) is torch.Tensor
    torch.testing.assert_close(out, layer(x))
    out.sum().backward()
    assert all(p.grad is not None for p in layer.parameters())
    copied = torch.zeros(2, 3).copy_(layer.weight.data)
    assert type(copied) is torch.Tensor
    assert layer.weight.shape == (2, 3) and layer.weight.is_cpu
    assert type(layer.weight.clone()) is torch.Tensor
    assert type(layer.weight.T @ torch.ones(2)) is torch.Tensor
    largest = layer.weight.max(0)
    assert type(largest.values) is torch.Tensor
    assert torch.equal(copy.deepcopy(layer).weight, layer.weight)
