"""deHRF: the merged model is the factorised one, and the lightweight one."""

import copy

import pytest
import torch
from torch import nn

from speechbrain_hrf import (
    ClassifierHead,
    Conformer,
    ConvTransformer,
    HRFLinear,
    SpeechFormer,
    apply_hrf,
    collapse,
    merge_hrf,
    merged_state_dict,
)

LAYER_TOLERANCE = 1e-6
MODEL_TOLERANCE = 1e-5
MODELS = {
    "ConvTransformer": ConvTransformer,
    "Conformer": Conformer,
    "SpeechFormer": SpeechFormer,
}


def build(name):
    torch.manual_seed(0)
    return nn.ModuleDict(
        {
            "embedding_model": MODELS[name](),
            "classifier": ClassifierHead(16, 4),
        }
    )


def predict(model, feats, lens):
    return model["classifier"](model["embedding_model"](feats, lens))


def train(model, steps=5):
    """A few real steps, so that factors and BatchNorm have moved."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    torch.manual_seed(1)
    feats, lens = torch.randn(8, 60, 78), torch.linspace(0.3, 1, 8)
    labels = torch.randint(4, (8,))
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        output = predict(model, feats, lens).squeeze(1)
        nn.functional.nll_loss(output, labels).backward()
        optimizer.step()
    return model.eval()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("inner_bias", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_layer(layers, inner_bias, bias):
    torch.manual_seed(0)
    layer = HRFLinear(16, 4, bias, layers=layers, inner_bias=inner_bias)
    x = torch.randn(10, 16)
    merged = merge_hrf(layer)
    assert type(merged) is nn.Linear
    layer.chained = True
    assert (merged(x) - layer(x)).abs().max() < LAYER_TOLERANCE


def test_control_dropping_the_inner_bias_is_seen():
    """The bug b' = b_2, instead of b_1 W_2 + b_2, is far over the tolerance."""
    torch.manual_seed(0)
    layer = HRFLinear(16, 4)
    merged = merge_hrf(layer)
    wrong = copy.deepcopy(merged)
    with torch.no_grad():
        wrong.bias.copy_(layer.biases[1])
    x = torch.randn(10, 16)
    error = (wrong(x) - layer(x)).abs().max() / layer(x).abs().max()
    assert error > 0.05


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_trained_model(name, layers):
    model = build(name)
    apply_hrf(model, ["ALL", "FRONT"], layers=layers, chained=True)
    train(model)
    merged = merge_hrf(model)
    feats, lens = torch.randn(3, 90, 78), torch.tensor([1.0, 0.5, 0.02])
    with torch.no_grad():
        difference = predict(merged, feats, lens) - predict(model, feats, lens)
    assert difference.abs().max() < MODEL_TOLERANCE


@pytest.mark.parametrize("name", MODELS)
def test_what_is_validated_is_what_is_shipped(name):
    """In evaluation, factorised and merged are the same to the last bit."""
    model = build(name)
    apply_hrf(model, ["ALL", "FRONT"], layers=3)
    train(model)
    feats, lens = torch.randn(3, 90, 78), torch.tensor([1.0, 0.5, 0.02])
    with torch.no_grad():
        assert torch.equal(
            predict(merge_hrf(model), feats, lens), predict(model, feats, lens)
        )


@pytest.mark.parametrize("name", MODELS)
def test_loads_strictly_into_the_lightweight_model(name):
    model, plain = build(name), build(name)
    shapes = {k: v.shape for k, v in plain.state_dict().items()}
    apply_hrf(model, ["ALL", "FRONT"])
    train(model)
    merged = merged_state_dict(model.state_dict())
    assert list(merged) == list(shapes)  # names, in the same order
    assert {k: v.shape for k, v in merged.items()} == shapes
    plain.load_state_dict(merged, strict=True)
    plain.eval()
    feats, lens = torch.randn(3, 90, 78), torch.tensor([1.0, 0.5, 0.02])
    with torch.no_grad():
        assert torch.equal(
            predict(plain, feats, lens), predict(merge_hrf(model), feats, lens)
        )


def test_a_layer_without_bias_stays_without():
    plain = nn.Sequential(nn.Linear(16, 4, bias=False))
    model = copy.deepcopy(plain)
    apply_hrf(model, ["0"], inner_bias=True)
    state = merged_state_dict(model.state_dict())
    plain.load_state_dict(state, strict=True)
    assert merge_hrf(model)[0].bias is None


def test_merging_twice_changes_nothing():
    model = build("Conformer")
    apply_hrf(model, ["ALL"])
    once = merged_state_dict(model.state_dict())
    twice = merged_state_dict(once)
    assert list(once) == list(twice)
    assert all(torch.equal(once[key], twice[key]) for key in once)


def test_state_dict_is_not_changed():
    model = build("Conformer")
    apply_hrf(model, ["ALL"])
    state = model.state_dict()
    before = {key: tensor.clone() for key, tensor in state.items()}
    merged_state_dict(state)
    assert list(state) == list(before)
    assert all(torch.equal(state[key], before[key]) for key in before)


def test_merging_leaves_the_training_untouched():
    """Merging in the middle must not move weights, mode or random state."""
    models = [build("Conformer"), build("Conformer")]
    for model in models:
        torch.manual_seed(2)
        apply_hrf(model, ["ALL"])
        train(model)
    models[0].train()
    torch.manual_seed(3)
    merge_hrf(models[0])
    state = torch.random.get_rng_state()
    torch.manual_seed(3)
    assert torch.equal(state, torch.random.get_rng_state())
    assert models[0].training
    for model in models:
        train(model)
    for ours, reference in zip(
        models[0].parameters(), models[1].parameters(), strict=True
    ):
        assert torch.equal(ours, reference)


def test_autocast_gives_float32():
    torch.manual_seed(0)
    model = nn.Sequential(HRFLinear(16, 4))
    expected = merge_hrf(model)[0].weight
    with torch.autocast("cpu", dtype=torch.bfloat16):
        merged = merge_hrf(model)[0]
        from_state = merged_state_dict(model.state_dict())
    assert merged.weight.dtype == merged.bias.dtype == torch.float32
    assert torch.equal(merged.weight, expected)
    assert torch.equal(from_state["0.weight"], expected)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["hrf_factors.1", "hrf_biases.0"])
def test_broken_factors_are_named(name, value):
    model = nn.Sequential(nn.ReLU(), HRFLinear(16, 4))
    with torch.no_grad():
        model[1].get_parameter(name).view(-1)[0] = value
    with pytest.raises(ValueError, match="of '1' holds NaN or Inf"):
        merge_hrf(model)
    with pytest.raises(ValueError, match="of '1' holds NaN or Inf"):
        merged_state_dict(model.state_dict())


def test_missing_factor_is_named():
    state = nn.Sequential(HRFLinear(16, 4)).state_dict()
    del state["0.hrf_factors.0"]
    with pytest.raises(ValueError, match="'0' has the factors \\[1\\]"):
        merged_state_dict(state)


def test_plain_model_is_just_copied():
    model = build("SpeechFormer")
    merged = merge_hrf(model)
    assert merged is not model
    for ours, reference in zip(
        merged.parameters(), model.parameters(), strict=True
    ):
        assert torch.equal(ours, reference)


def drop_inner_biases(factors, biases, norms):
    return collapse(factors, [None] * (len(biases) - 1) + [biases[-1]])


@pytest.mark.parametrize(
    "route", [merge_hrf, lambda m: merged_state_dict(m.state_dict())]
)
def test_control_a_wrong_product_is_refused(route, monkeypatch):
    """Both routes hold every product against the chain itself."""
    from speechbrain_hrf.nnet import algebra

    model = nn.Sequential(HRFLinear(16, 4))
    route(model)
    monkeypatch.setattr(algebra, "collapse_exactly", drop_inner_biases)
    with pytest.raises(ValueError, match="'0' changes its output"):
        route(model)


def test_a_shared_layer_stays_shared():
    layer = HRFLinear(4, 4)
    merged = merge_hrf(nn.Sequential(layer, nn.ReLU(), layer))
    assert type(merged[2]) is nn.Linear
    assert merged[0] is merged[2]


def test_forward_hooks_stay():
    model = nn.Sequential(HRFLinear(4, 4))
    model[0].register_forward_hook(lambda module, inputs, output: output * 0)
    assert not merge_hrf(model)(torch.ones(1, 4)).any()


def test_frozen_layers_stay_frozen():
    model = nn.Sequential(HRFLinear(4, 4), HRFLinear(4, 4))
    model[0].requires_grad_(False)
    merged = merge_hrf(model)
    assert not merged[0].weight.requires_grad
    assert merged[1].weight.requires_grad


def test_other_state_is_left_alone():
    """Keys that only look like factors belong to somebody else."""
    state = {
        "a.biases.0": torch.ones(2),
        "cp.factors.0": torch.ones(2, 3),
        "cp.factors.1": torch.ones(3, 2),
    }
    assert dict(merged_state_dict(state)) == state


def test_metadata_stay():
    state = nn.Sequential(HRFLinear(4, 4)).state_dict()
    assert merged_state_dict(state)._metadata is state._metadata
