"""deHRF: the merged model is the factorised one, and the lightweight one."""

import copy
import warnings

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
from speechbrain_hrf.inference.merged import MergedClassifier
from speechbrain_hrf.nnet import algebra
from speechbrain_hrf.nnet.merge import weight_matrices

LAYER_TOLERANCE = 1e-6
MODEL_TOLERANCE = 1e-5
ROUTES = pytest.mark.parametrize(
    "route", [merge_hrf, lambda model: merged_state_dict(model.state_dict())]
)


def build(lobe):
    torch.manual_seed(0)
    return nn.ModuleDict(
        {"embedding_model": lobe(), "classifier": ClassifierHead(16, 4)}
    )


@torch.no_grad()
def predict(model):
    """Of an utterance and of padded ones."""
    torch.manual_seed(2)
    feats, lens = torch.randn(3, 90, 78), torch.tensor([1.0, 0.5, 0.02])
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
        embeddings = model["embedding_model"](feats, lens)
        output = model["classifier"](embeddings).squeeze(1)
        nn.functional.nll_loss(output, labels).backward()
        optimizer.step()
    return model.eval()


def test_control_dropping_the_inner_bias_is_seen():
    """The bug b' = b_2, instead of b_1 W_2 + b_2, is far over the tolerance."""
    torch.manual_seed(0)
    layer = HRFLinear(16, 4, chained=True)
    x = torch.randn(10, 16)
    merged = merge_hrf(layer)
    assert (merged(x) - layer(x)).abs().max() < LAYER_TOLERANCE
    with torch.no_grad():
        merged.bias.copy_(layer.biases[1])
    error = (merged(x) - layer(x)).abs().max() / layer(x).abs().max()
    assert error > 0.05


@pytest.mark.parametrize(
    "options", [{}, {"layers": 3}, {"layers": 2, "inner_norm": True}]
)
@pytest.mark.parametrize("lobe", [ConvTransformer, Conformer, SpeechFormer])
def test_trained_models(lobe, options):
    """What is validated is what is shipped, to the last bit.

    And it is what the chains compute.
    """
    model, plain = build(lobe), build(lobe)
    shapes = {k: v.shape for k, v in plain.state_dict().items()}
    apply_hrf(model, ["ALL", "FRONT"], **options)
    train(model)
    found = predict(merge_hrf(model))
    assert torch.equal(found, predict(model))

    state = merged_state_dict(model.state_dict())
    assert list(state) == list(shapes)  # names, in the same order
    assert {k: v.shape for k, v in state.items()} == shapes
    plain.load_state_dict(state, strict=True)
    assert torch.equal(found, predict(plain.eval()))

    for module in model.modules():
        if isinstance(module, HRFLinear):
            module.chained = True
    assert (found - predict(model)).abs().max() < MODEL_TOLERANCE


def test_a_layer_without_bias_stays_without():
    plain = nn.Sequential(nn.Linear(16, 4, bias=False))
    model = copy.deepcopy(plain)
    apply_hrf(model, ["0"], inner_bias=True)
    plain.load_state_dict(merged_state_dict(model.state_dict()), strict=True)
    assert merge_hrf(model)[0].bias is None


def test_a_state_dict_is_not_changed_and_merging_twice_changes_nothing():
    model = build(Conformer)
    apply_hrf(model, ["ALL"])
    state = model.state_dict()
    before = {key: tensor.clone() for key, tensor in state.items()}
    once = merged_state_dict(state)
    twice = merged_state_dict(once)
    for found, expected in ((state, before), (twice, once)):
        assert list(found) == list(expected)
        assert all(torch.equal(found[k], expected[k]) for k in expected)
    assert once._metadata is state._metadata


def test_merging_leaves_the_training_untouched():
    """Merging in the middle must not move weights, mode or random state."""
    models = [build(Conformer), build(Conformer)]
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


@ROUTES
def test_broken_factors_are_named(route):
    model = nn.Sequential(nn.ReLU(), HRFLinear(16, 4))
    with torch.no_grad():
        model[1].factors[1][0, 0] = float("nan")
    with pytest.raises(ValueError, match="Factor 1 of '1' holds NaN or Inf"):
        route(model)
    with pytest.raises(ValueError, match="of 'the (model|chain)' holds NaN"):
        route(model[1])


@ROUTES
def test_a_product_that_overflows_is_named(route):
    model = nn.Sequential(HRFLinear(16, 4))
    with torch.no_grad():
        for factor in model[0].hrf_factors:
            factor.fill_(1e25)
    with pytest.raises(ValueError, match="'0' is too large for torch.float32"):
        route(model)


@ROUTES
def test_whatever_the_default_device(route):
    model = nn.Sequential(HRFLinear(16, 4))
    expected = route(model)
    with torch.device("meta"):
        found = route(model)
    if isinstance(found, nn.Module):
        expected, found = expected.state_dict(), found.state_dict()
    for key, value in expected.items():
        assert torch.equal(found[key], value)


@ROUTES
def test_control_a_wrong_product_is_refused(route, monkeypatch):
    """Both routes hold every product against the chain itself."""

    def drop_inner_biases(factors, biases, norms):
        return collapse(factors, [None] * (len(biases) - 1) + [biases[-1]])

    model = nn.Sequential(HRFLinear(16, 4))
    route(model)
    monkeypatch.setattr(algebra, "collapse_exactly", drop_inner_biases)
    with pytest.raises(ValueError, match="'0' changes its output"):
        route(model)


@pytest.mark.parametrize(
    ("options", "lost"),
    [
        ({}, "factors.0"),
        ({}, "factors.1"),
        ({"layers": 2}, "factors.1"),
        ({"layers": 2}, "factors.2"),
        ({"layers": 2}, "biases.2"),
        ({"layers": 2, "inner_norm": True}, "factors.2"),
        ({"layers": 2, "inner_norm": True}, "norms.0"),
        ({"layers": 2, "inner_norm": True}, "norms.1.mean"),
        ({"layers": 0, "inner_norm": True}, "factors.0"),
        ({"layers": 0, "inner_norm": True}, "norms.0.scale"),
        ({"layers": 0, "inner_norm": True}, "norms.0"),
    ],
)
def test_an_incomplete_chain_is_named(options, lost):
    state = nn.Sequential(HRFLinear(16, 4, **options)).state_dict()
    kept = {k: v for k, v in state.items() if f"hrf_{lost}" not in k}
    assert 0 < len(kept) < len(state)
    message = r"chain of '0' has \[.*\]: some parts are missing"
    with pytest.raises(ValueError, match=message):
        merged_state_dict(kept)


def test_plain_models_are_just_copied():
    model = build(SpeechFormer)
    merged = merge_hrf(model)
    assert merged is not model
    torch.testing.assert_close(
        merged.state_dict(), model.state_dict(), rtol=0, atol=0
    )


def test_a_shared_layer_stays_shared():
    layer = HRFLinear(4, 4)
    merged = merge_hrf(nn.Sequential(layer, nn.ReLU(), layer))
    assert type(merged[2]) is nn.Linear
    assert merged[0] is merged[2]


def test_forward_hooks_stay():
    for register in ("register_forward_hook", "register_forward_pre_hook"):
        model = nn.Sequential(HRFLinear(4, 4))
        called = []
        getattr(model[0], register)(lambda *_, c=called: c.append(1))
        merge_hrf(model)(torch.ones(1, 4))
        assert called


def test_frozen_layers_stay_frozen():
    model = nn.Sequential(HRFLinear(4, 4), HRFLinear(4, 4))
    model[0].requires_grad_(False)
    merged = merge_hrf(model)
    assert [p.requires_grad for p in merged.parameters()] == [False] * 2 + [
        True
    ] * 2


def test_other_state_is_left_alone():
    """Keys that only look like a chain's belong to somebody else."""
    state = {
        "a.biases.0": torch.ones(2),
        "cp.factors.0": torch.ones(2, 3),
        "hrf_factors.0.x": torch.ones(2, 3),
        "ahrf_factors.0": torch.ones(2, 3),
        "parametrizations.in_proj_weight.0.blocked.q.weight.x": torch.ones(1),
        "x.parametrizations.in_proj_weight.1.blocked.q.weight": torch.ones(1),
    }
    assert dict(merged_state_dict(state)) == state


def test_weight_matrices_are_merged():
    """Neither biases nor the kernels of convolutions."""
    model = nn.Sequential(
        HRFLinear(4, 3), nn.Conv1d(3, 3, 2), nn.MultiheadAttention(4, 2)
    )
    found = weight_matrices(model.state_dict())
    assert list(found) == ["0.weight", "2.in_proj_weight", "2.out_proj.weight"]
    torch.testing.assert_close(found["0.weight"], model[0].weight)


def test_what_modules_have_computed_is_copied_without_its_graph():
    """The old weight_norm keeps its weight, which has a graph after a step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        normed = nn.utils.weight_norm(nn.Linear(4, 4))
    model = nn.Sequential(nn.Linear(4, 4), normed)
    apply_hrf(model, ["0"])
    x = torch.randn(2, 4)
    model(x).sum().backward()
    merged = merge_hrf(model.eval())
    torch.testing.assert_close(merged(x), model(x))
    both = MergedClassifier(model, nn.Identity()).chained
    torch.testing.assert_close(both[0](x), model(x))
