"""Models of others: expanded, trained, merged, loaded strictly."""

import copy

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from speechbrain.lobes.models.conv_tasnet import MaskNet
from speechbrain.lobes.models.CRDNN import CRDNN
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
from speechbrain.lobes.models.Xvector import Xvector
from speechbrain.nnet.RNN import AttentionalRNNDecoder, LiGRU
from torch import nn

from speechbrain_hrf import apply_hrf, merge_hrf, merged_state_dict


def spectra(*shape):
    return lambda: (torch.randn(shape),)


@pytest.fixture(autouse=True)
def double(request):
    """So that the algebra is tested, and not the rounding."""
    # SpeechBrain's attention makes tensors of single precision.
    if "attention decoder" not in request.node.name:
        torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


# Builder, inputs, and the least share of parameters that "*" expands.
STOCK = {
    "ECAPA-TDNN": (
        lambda: ECAPA_TDNN(
            20, channels=[32, 32, 32, 32, 96], lin_neurons=24, se_channels=16
        ),
        spectra(3, 40, 20),
        0.95,
    ),
    "Xvector": (
        lambda: Xvector(in_channels=20, tdnn_channels=[64] * 5),
        spectra(3, 40, 20),
        0.95,
    ),
    "Conv-TasNet": (
        lambda: MaskNet(96, 96, 192, 3, 2, 1, 2),
        spectra(2, 96, 50),
        0.95,
    ),
    "CRDNN": (
        lambda: CRDNN(
            input_shape=[None, None, 20], cnn_channels=(8, 8), rnn_neurons=16
        ),
        spectra(3, 40, 20),
        0.1,
    ),
    "LiGRU": (
        lambda: LiGRU(16, input_shape=[None, None, 20], num_layers=2),
        spectra(3, 12, 20),
        0.9,
    ),
    "attention decoder": (
        lambda: AttentionalRNNDecoder(
            "gru", "location", 16, 16, 1, 20, 20, channels=4, kernel_size=3
        ),
        lambda: (
            torch.randn(3, 6, 20),
            torch.randn(3, 10, 20),
            torch.ones(3),
        ),
        0.3,
    ),
    "Transformer": (
        lambda: nn.Transformer(16, 2, 1, 1, 32, dropout=0, batch_first=True),
        lambda: (torch.randn(3, 7, 16), torch.randn(3, 5, 16)),
        0.9,
    ),
}


def first(output):
    return output[0] if isinstance(output, tuple) else output


@torch.no_grad()
def heard(model, inputs):
    """What it gives; some models keep tensors, which want no graph."""
    torch.manual_seed(0)  # Xvector adds noise to its statistics
    return first(model(*inputs)).clone()


def train(model, inputs):
    """A few steps, so that factors and normalisations have moved."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(3):
        optimizer.zero_grad()
        first(model(*inputs)).square().mean().backward()
        optimizer.step()
    model.eval()
    return heard(model, inputs)


@pytest.mark.parametrize("name", STOCK)
def test_everything_that_can_be_is_expanded_trained_and_merged(name):
    build, make_inputs, share = STOCK[name]
    torch.manual_seed(0)
    inputs, plain, model = make_inputs(), build(), build()
    expected = train(plain, inputs)
    model.load_state_dict(plain.state_dict())
    report = apply_hrf(model.eval(), ["*"], ratio=2, init="preserve")
    left = sum(each.parameters for each in report.left)
    assert 1 - left / report.before >= share
    torch.testing.assert_close(heard(model, inputs), expected)
    trained = train(model, inputs)
    assert not torch.allclose(trained, expected)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    merged = merge_hrf(model)
    torch.testing.assert_close(heard(merged, inputs), trained)
    # To the letter the plain one: names, order, shapes, types, classes
    for found in merged.state_dict(), merged_state_dict(state):
        assert [(k, v.shape, v.dtype) for k, v in found.items()] == [
            (k, v.shape, v.dtype) for k, v in plain.state_dict().items()
        ]
    for read in (
        lambda model: [name for name, _ in model.named_parameters()],
        lambda model: [type(module) for module in model.modules()],
        lambda model: [len(m._forward_hooks) for m in model.modules()],
    ):
        assert read(merged) == read(plain)
    # The factorised one is as it was
    for key, value in model.state_dict().items():
        assert torch.equal(value, state[key])
    plain.load_state_dict(merged_state_dict(state), strict=True)
    torch.testing.assert_close(heard(plain, inputs), trained)


@pytest.mark.parametrize("name", ["ECAPA-TDNN", "Xvector"])
def test_normalised_convolutions_train_and_merge(name):
    build, make_inputs, _ = STOCK[name]
    torch.manual_seed(0)
    inputs, model = make_inputs(), build()
    apply_hrf(model, ["*"], ratio=2, inner_norm=True)
    trained = train(model, inputs)
    torch.testing.assert_close(heard(merge_hrf(model), inputs), trained)


LAYERS = {
    "linear": lambda bias: nn.Linear(6, 6, bias=bias),
    "conv": lambda bias: nn.Conv1d(6, 6, 1, bias=bias),
    "attention": lambda bias: nn.TransformerEncoderLayer(
        6, 2, 8, dropout=0, batch_first=True, bias=bias
    ),
}


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    kinds=st.lists(st.sampled_from(sorted(LAYERS)), min_size=1, max_size=3),
    bias=st.booleans(),
    ratio=st.floats(1, 4),
    layers=st.integers(1, 3),
    width_of=st.sampled_from(["out", "in"]),
    inner_bias=st.booleans(),
    chained=st.sampled_from([None, False, True]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 2**32),
)
def test_any_stack_keeps_its_promises(
    kinds, bias, ratio, layers, width_of, inner_bias, chained, dtype, seed
):
    torch.manual_seed(seed)
    plain = nn.Sequential(*(LAYERS[kind](bias) for kind in kinds)).to(dtype)
    x = torch.randn(6, 6, dtype=dtype)  # frames are as many as channels
    if "attention" in kinds:
        x = x.unsqueeze(0) if "conv" not in kinds else x
    plain.eval()
    model = copy.deepcopy(plain)
    before = copy.deepcopy(plain.state_dict())
    apply_hrf(
        model,
        ["*"],
        ratio=ratio,
        layers=layers,
        width_of=width_of,
        init="preserve",
        inner_bias=inner_bias,
        chained=chained,
    )
    close = {"rtol": 1e-3, "atol": 1e-4} if dtype == torch.float32 else {}
    torch.testing.assert_close(model(x), plain(x), **close)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    merged = merge_hrf(model)
    torch.testing.assert_close(merged(x), model(x), **close)
    state = merged_state_dict(model.state_dict())
    assert [(k, v.shape, v.dtype) for k, v in state.items()] == [
        (k, v.shape, v.dtype) for k, v in before.items()
    ]
    for key, value in merged.state_dict().items():
        assert torch.equal(value, state[key])
    for key, value in plain.state_dict().items():
        assert torch.equal(value, before[key])
