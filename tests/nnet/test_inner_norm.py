"""Inner normalisation computes, learns, keeps and merges what BatchNorm does.

The reference is PyTorch's: Linear, BatchNorm1d, Linear, ... in float64.
"""

import copy

import pytest
import torch
from torch import distributed, multiprocessing, nn

from speechbrain_hrf import (
    ClassifierHead,
    Conformer,
    ConvTransformer,
    HRFLinear,
    SpeechFormer,
    apply_hrf,
    merge_hrf,
    merged_state_dict,
)

EXACT = {"rtol": 1e-10, "atol": 1e-10}  # another order of sums, float64
LAYERS = pytest.mark.parametrize("layers", [1, 2, 3])
CHAINED = pytest.mark.parametrize("chained", [False, True])


def trio(layers, chained=False, shape=(6, 3), seed=0):
    """The layer, and the same as PyTorch's modules; scales are not ones."""
    torch.manual_seed(seed)
    layer = HRFLinear(
        *shape, ratio=2, layers=layers, inner_norm=True, chained=chained
    ).double()
    reference = nn.Sequential()
    for k, factor in enumerate(layer.factors):
        last = k == layers
        linear = nn.Linear(*reversed(factor.shape), bias=last).double()
        reference.append(linear)
        if last:
            continue
        norm = nn.BatchNorm1d(len(factor)).double()
        with torch.no_grad():
            norm.weight.uniform_(0.5, 2)
            layer.hrf_norms[k].scale.copy_(norm.weight)
            linear.weight.copy_(factor)
            if k == layers - 1:
                norm.bias.normal_()
                layer.biases[k].copy_(norm.bias)
        reference.append(norm)
    with torch.no_grad():
        reference[-1].weight.copy_(layer.factors[-1])
        reference[-1].bias.copy_(layer.biases[-1])
    return layer, reference


def pairs(layer, reference):
    """(ours, PyTorch's) of everything that has a gradient."""
    linears, norms = reference[::2], reference[1::2]
    found = list(zip(layer.factors, (m.weight for m in linears), strict=True))
    found += [
        (ours.scale, norm.weight)
        for ours, norm in zip(layer.hrf_norms, norms, strict=True)
    ]
    return [
        *found,
        (layer.biases[-2], norms[-1].bias),
        (layer.biases[-1], linears[-1].bias),
    ]


def rows(seed=1, n=40):
    """Far from white: means and correlations are not to be negligible."""
    torch.manual_seed(seed)
    mix = torch.randn(6, 6, dtype=torch.float64)
    return torch.randn(n, 6, dtype=torch.float64) @ mix + 3


def assert_same_statistics(layer, reference):
    for ours, norm in zip(layer.hrf_norms, reference[1::2], strict=True):
        torch.testing.assert_close(ours.mean, norm.running_mean, **EXACT)
        torch.testing.assert_close(ours.variance, norm.running_var, **EXACT)


@LAYERS
@CHAINED
def test_outputs_gradients_and_statistics_are_batch_norms(layers, chained):
    layer, reference = trio(layers, chained)
    x = rows().requires_grad_()
    twin = x.detach().clone().requires_grad_()
    target = torch.randn(40, 3, dtype=torch.float64)
    out, expected = layer(x.view(4, 10, 6)).view(40, 3), reference(twin)
    torch.testing.assert_close(out, expected, **EXACT)
    (out - target).square().sum().backward()
    (expected - target).square().sum().backward()
    torch.testing.assert_close(x.grad, twin.grad, **EXACT)
    for ours, theirs in pairs(layer, reference):
        torch.testing.assert_close(ours.grad, theirs.grad, **EXACT)
    # Control: the statistics' own gradients are a good part of it.
    assert x.grad.sum(0).abs().max() < 1e-9 < x.grad.abs().max()
    assert_same_statistics(layer, reference)
    assert (layer.hrf_norms[0].mean != 0).all()


@LAYERS
def test_trained_evaluated_and_merged_as_the_reference(layers):
    layer, reference = trio(layers)
    chained = copy.deepcopy(layer)
    chained.chained = True
    models = layer, chained, reference
    target = torch.randn(40, 3, dtype=torch.float64)
    for model in models:
        # What BatchNorm's next normalisation would take away has only noise
        # for a gradient, which AdamW would enlarge.
        frozen = [n.bias for n in reference[1:-2:2]]
        for parameter in frozen:
            parameter.requires_grad_(False)
        optimizer = torch.optim.AdamW(
            [p for p in model.parameters() if p.requires_grad], lr=1e-3
        )
        for step in range(30):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(rows(step)), target)
            loss.backward()
            optimizer.step()
    layer.eval(), chained.eval(), reference.eval()
    x = rows(99)
    close = {"rtol": 1e-8, "atol": 1e-8}
    torch.testing.assert_close(layer(x), reference(x), **close)
    torch.testing.assert_close(chained(x), reference(x), **close)
    for merged in (merge_hrf(layer), plain(layer)):
        torch.testing.assert_close(merged(x), reference(x), **close)
        assert torch.equal(merged(x), layer(x))
    # Control: without its running averages it is another layer.
    before = layer(x)
    with torch.no_grad():
        layer.hrf_norms[0].mean.zero_()
    assert (layer(x) - before).abs().max() > 1e-3


def plain(layer):
    """The plain layer with the merged state of a factorised one."""
    linear = nn.Linear(layer.in_features, layer.out_features).double()
    linear.load_state_dict(merged_state_dict(layer.state_dict()), strict=True)
    return linear


def test_one_row_takes_the_running_averages_and_leaves_no_trace():
    for chained in (False, True):
        layer, reference = trio(2, chained)
        for seed in range(3):
            layer(rows(seed)), reference(rows(seed))
        x = rows(7, 1).requires_grad_()
        expected = reference.eval()(x)
        torch.testing.assert_close(layer(x), expected, **EXACT)
        layer(x).sum().backward()
        assert torch.isfinite(x.grad).all()
        assert_same_statistics(layer, reference)


def test_statistics_are_not_summed_in_half_precision():
    layer, _ = trio(1)
    layer.float()
    x = (rows(n=4000) + 30).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x.bfloat16())
    assert out.dtype == torch.bfloat16
    assert layer.hrf_norms[0].mean.dtype == torch.float32
    hidden = x.bfloat16().double() @ layer.factors[0].double().T
    expected = 0.1 * hidden.mean(0)
    torch.testing.assert_close(
        layer.hrf_norms[0].mean.double(), expected, rtol=1e-4, atol=1e-4
    )


def test_keys_and_biases():
    """Of inner biases only the last is left, as its normalisation's shift."""
    layer = HRFLinear(6, 3, ratio=2, layers=2, inner_norm=True)
    assert list(layer.state_dict()) == [
        *("hrf_factors.0", "hrf_factors.1", "hrf_factors.2"),
        *("hrf_biases.1", "hrf_biases.2"),
        *("hrf_norms.0.scale", "hrf_norms.0.mean", "hrf_norms.0.variance"),
        *("hrf_norms.1.scale", "hrf_norms.1.mean", "hrf_norms.1.variance"),
    ]
    assert not layer.biases[1].any()
    assert "inner_norm" in str(layer)
    without = HRFLinear(6, 3, layers=2, inner_norm=True, inner_bias=False)
    assert "hrf_biases.1" not in without.state_dict()
    without(torch.randn(5, 6)).sum().backward()
    assert not any("norms" in key for key in HRFLinear(6, 3).state_dict())


@pytest.mark.parametrize("lobe", [ConvTransformer, Conformer, SpeechFormer])
def test_models_train_resume_and_merge(lobe):
    def build():
        torch.manual_seed(0)
        return nn.ModuleDict({"lobe": lobe(), "head": ClassifierHead(16, 4)})

    def step(model, optimizer, seed):
        torch.manual_seed(seed)
        feats, lens = torch.randn(4, 60, 78), torch.linspace(0.4, 1, 4)
        out = model["head"](model["lobe"](feats, lens)).squeeze(1)
        nn.functional.nll_loss(out, torch.tensor([0, 1, 2, 3])).backward()
        optimizer.step()
        optimizer.zero_grad()
        return feats, lens

    model, resumed = build(), build()
    for each in (model, resumed):
        apply_hrf(each, ["ALL", "FRONT"], ratio=2, layers=2, inner_norm=True)
    optimizers = [
        torch.optim.AdamW(each.parameters()) for each in (model, resumed)
    ]
    for seed in range(3):
        step(model, optimizers[0], seed)
    resumed.load_state_dict(model.state_dict())
    optimizers[1].load_state_dict(copy.deepcopy(optimizers[0].state_dict()))
    for each, optimizer in zip((model, resumed), optimizers, strict=True):
        feats, lens = step(each, optimizer, 3)
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[key]), key
    merged = merge_hrf(model.eval()).eval()
    small = build().eval()
    small.load_state_dict(merged_state_dict(model.state_dict()), strict=True)
    outputs = [
        each["head"](each["lobe"](feats, lens))
        for each in (model, merged, small)
    ]
    assert torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[0], outputs[2])


def test_a_stack_of_foreign_layers_trains_and_merges():
    """PyTorch reads the weights of its own layers in evaluation only."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
    model = nn.TransformerEncoder(layer, 2)
    apply_hrf(model, ["*.linear1", "*.linear2"], ratio=2, inner_norm=True)
    x = torch.randn(3, 5, 8)
    model(x).square().sum().backward()
    with torch.no_grad():
        model.eval()
        torch.testing.assert_close(
            model(x), merge_hrf(model)(x), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize(
    ("model", "names", "message"),
    [
        (nn.MultiheadAttention(8, 2), ["*.out_proj"], "'0.out_proj': .* read"),
        (nn.MultiheadAttention(8, 2), ["*.q"], "'0.in_proj_weight.q': .* read"),
        (nn.Linear(4, 4, bias=False), ["0"], "'0': it has no bias"),
    ],
)
def test_refusals_name_the_layer_and_change_nothing(model, names, message):
    model = nn.Sequential(model)
    keys = list(model.state_dict())
    with pytest.raises(ValueError, match=f"extra layers of {message}"):
        apply_hrf(model, names, inner_norm=True)
    assert list(model.state_dict()) == keys


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"init": "preserve"}, "'preserve', and inner_norm"),
        ({"bias": False}, "layer has no bias"),
        ({"inner_norm": "yes"}, "inner_norm is 'yes'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        HRFLinear(6, 3, **{"inner_norm": True, **options})


def test_a_weight_that_is_read_in_training_is_refused():
    layer = HRFLinear(6, 3, inner_norm=True)
    with pytest.raises(RuntimeError, match="HRFLinear.* read in training"):
        _ = layer.weight
    assert layer.eval().weight.shape == (3, 6)


@pytest.mark.parametrize("part", ["scale", "mean", "variance"])
def test_broken_norms_are_named(part):
    model = nn.Sequential(HRFLinear(6, 3, inner_norm=True))
    state = model.state_dict()
    state[f"0.hrf_norms.0.{part}"][1] = float("nan")
    for route in (merged_state_dict, lambda _: merge_hrf(model)):
        with pytest.raises(ValueError, match=f"{part} 0 of '0' holds NaN"):
            route(state)
    del state[f"0.hrf_norms.0.{part}"]
    with pytest.raises(ValueError, match="'0' lacks some of its norms"):
        merged_state_dict(state)


def ddp_weights(rank=0, processes=1):
    """State after some steps, a share of each batch in each process."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    apply_hrf(model, ["0"], ratio=2, layers=2, inner_norm=True)
    apply_hrf(model, ["2"], ratio=2, inner_norm=True, chained=True)
    wrapped = model
    if processes > 1:
        wrapped = nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.AdamW(model.parameters())
    for seed in range(5):
        x = rows(seed, 12)
        mine = slice(rank, None, processes)
        wrapped(x[mine]).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    return {key: value.numpy() for key, value in model.state_dict().items()}


def ddp_work(rank, path, results):
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{path}", rank=rank, world_size=2
    )
    results.put(ddp_weights(rank, 2))
    distributed.barrier()
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_normalise_as_one(tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [
        context.Process(target=ddp_work, args=(k, tmp_path / "d", results))
        for k in range(2)
    ]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=300) for _ in workers]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    for key, value in ddp_weights().items():
        for state in found:
            assert abs(state[key] - value).max() < 1e-9, key
