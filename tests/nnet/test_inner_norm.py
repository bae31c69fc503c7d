"""Inner normalisation computes, learns, keeps and merges what BatchNorm does.

The reference is PyTorch's: Linear, BatchNorm1d, Linear, ... in float64.
"""

import copy

import pytest
import torch
from torch import distributed, multiprocessing, nn

from speechbrain_hrf import (
    HRFLinear,
    apply_hrf,
    merge_hrf,
    merged_state_dict,
)
from speechbrain_hrf.nnet import update_inner_norms

EXACT = {"rtol": 1e-10, "atol": 1e-10}  # another order of sums, float64
# With no extra layer it is a linear layer with a BatchNorm behind it.
LAYERS = pytest.mark.parametrize("layers", [0, 1, 2, 3])
CHAINED = pytest.mark.parametrize("chained", [False, True])


def twins(layers, chained=False):
    """The layer, the same of PyTorch's modules, and their parameters' pairs."""
    torch.manual_seed(0)
    layer = HRFLinear(
        6, 3, ratio=2, layers=layers, inner_norm=True, chained=chained
    ).double()
    reference, pairs = nn.Sequential(), []
    for k, factor in enumerate(layer.factors):
        normalised = k < len(layer.norms)
        linear = nn.Linear(*reversed(factor.shape), bias=not normalised)
        reference.append(linear)
        pairs.append((factor, linear.weight))
        bias = linear.bias
        if normalised:
            norm = nn.BatchNorm1d(len(factor))
            nn.init.uniform_(norm.weight, 0.5, 2)  # not ones
            nn.init.normal_(norm.bias)
            reference.append(norm)
            pairs.append((layer.norms[k].scale, norm.weight))
            bias = norm.bias
        if layer.biases[k] is not None:
            pairs.append((layer.biases[k], bias))
        else:
            # What the next normalisation takes away has only noise for a
            # gradient, which AdamW would enlarge.
            nn.init.zeros_(bias).requires_grad_(False)
    reference.double()
    with torch.no_grad():
        for ours, theirs in pairs:
            ours.copy_(theirs)
    return layer, reference, pairs


def rows(seed=1, n=40):
    """Far from white: means and correlations are not to be negligible."""
    torch.manual_seed(seed)
    mix = torch.randn(6, 6, dtype=torch.float64)
    return torch.randn(n, 6, dtype=torch.float64) @ mix + 3


def assert_same_statistics(layer, reference):
    norms = [m for m in reference if isinstance(m, nn.BatchNorm1d)]
    for ours, norm in zip(layer.norms, norms, strict=True):
        torch.testing.assert_close(ours.mean, norm.running_mean, **EXACT)
        torch.testing.assert_close(ours.variance, norm.running_var, **EXACT)


@LAYERS
@CHAINED
def test_outputs_gradients_and_statistics_are_batch_norms(layers, chained):
    layer, reference, pairs = twins(layers, chained)
    x = rows().requires_grad_()
    twin = x.detach().clone().requires_grad_()
    target = torch.randn(40, 3, dtype=torch.float64)
    out, expected = layer(x.view(4, 10, 6)).view(40, 3), reference(twin)
    torch.testing.assert_close(out, expected, **EXACT)
    (out - target).square().sum().backward()
    (expected - target).square().sum().backward()
    torch.testing.assert_close(x.grad, twin.grad, **EXACT)
    for ours, theirs in pairs:
        torch.testing.assert_close(ours.grad, theirs.grad, **EXACT)
    # Control: the statistics' own gradients are a good part of it.
    assert x.grad.sum(0).abs().max() < 1e-9 < x.grad.abs().max()
    assert_same_statistics(layer, reference)
    assert (layer.norms[0].mean != 0).all()


@LAYERS
@CHAINED
def test_trained_evaluated_and_merged_as_the_reference(layers, chained):
    layer, reference, _ = twins(layers, chained)
    target = torch.randn(40, 3, dtype=torch.float64)
    for model in (layer, reference):
        optimizer = torch.optim.AdamW(
            [p for p in model.parameters() if p.requires_grad], lr=1e-3
        )
        for step in range(20):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(rows(step)), target).backward()
            optimizer.step()
    layer.eval(), reference.eval()
    x = rows(99)
    plain = nn.Linear(6, 3).double()
    plain.load_state_dict(merged_state_dict(layer.state_dict()), strict=True)
    for model in (layer, merge_hrf(layer), plain):
        torch.testing.assert_close(model(x), reference(x), rtol=1e-8, atol=1e-8)
    # Control: without its running averages it is another layer.
    before = layer(x)
    with torch.no_grad():
        layer.norms[0].mean.zero_()
    assert (layer(x) - before).abs().max() > 1e-3


@CHAINED
def test_one_row_takes_the_running_averages_and_leaves_no_trace(chained):
    layer, reference, _ = twins(2, chained)
    for seed in range(3):
        layer(rows(seed)), reference(rows(seed))
    x = rows(7, 1).requires_grad_()
    expected = reference.eval()(x)
    torch.testing.assert_close(layer(x), expected, **EXACT)
    layer(x).sum().backward()
    assert torch.isfinite(x.grad).all()
    assert_same_statistics(layer, reference)


def test_rounding_gives_no_negative_variance():
    """Of units that do not see the one direction in which rows differ."""
    layer, *_ = twins(1)
    layer.float()
    direction = torch.tensor([1.0, -3.0, 0.7, 2.1, 1.3, 0.9])
    direction /= direction.norm()
    with torch.no_grad():
        seen = layer.factors[0] @ direction
        layer.factors[0].sub_(seen[:, None] * direction)
    out = layer(3e4 * torch.randn(50, 1) * direction)
    assert torch.isfinite(out).all()
    assert (layer.norms[0].variance > 0).all()


@CHAINED
def test_statistics_are_not_summed_in_half_precision(chained):
    layer, *_ = twins(1, chained)
    layer.float()
    x = (rows(n=4000) + 30).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x.bfloat16())
    assert out.dtype == torch.bfloat16
    assert layer.norms[0].mean.dtype == torch.float32
    hidden = x.bfloat16().double() @ layer.factors[0].double().T
    expected = 0.1 * hidden.mean(0)
    # The chain's hidden units are in half precision themselves.
    close = 5e-3 if chained else 1e-4
    torch.testing.assert_close(
        layer.norms[0].mean.double(), expected, rtol=close, atol=close
    )


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
    return model.state_dict()


def ddp_work(rank, folder):
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/d", rank=rank, world_size=2
    )
    torch.save(ddp_weights(rank, 2), folder / f"{rank}.pt")
    distributed.barrier()
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_normalise_as_one(tmp_path):
    multiprocessing.spawn(ddp_work, args=(tmp_path,), nprocs=2)
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    for key, value in ddp_weights().items():
        for state in found:
            torch.testing.assert_close(state[key], value, rtol=0, atol=1e-9)


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_trains_as_batch_norm_does(dtype, chained):
    torch.manual_seed(0)
    layer = HRFLinear(8, 4, inner_norm=True, chained=chained)
    x = torch.randn(64, 8)
    expected = layer(x)
    half = copy.deepcopy(layer).to(dtype)
    found = half(x.to(dtype))
    assert found.dtype == dtype
    assert (found.float() - expected).abs().max() < 0.1
    found.float().square().sum().backward()
    assert all(p.grad.isfinite().all() for p in half.parameters())
    assert half.eval()(x.to(dtype)).dtype == dtype


def test_averages_are_computed_anew_after_weights_were_averaged():
    """As update_bn does it for BatchNorm behind the first factor."""
    torch.manual_seed(0)
    layer = HRFLinear(6, 3, ratio=2, inner_norm=True).eval()
    batches = [torch.randn(8, 6) + k for k in range(4)]
    norm = nn.BatchNorm1d(6)
    reference = nn.Sequential(nn.Linear(6, 6, bias=False), norm)
    reference[0].weight = layer.hrf_factors[0]
    layer(batches[0])
    torch.optim.swa_utils.update_bn(batches, reference)
    update_inner_norms([(batch, "label") for batch in batches], layer)
    torch.testing.assert_close(layer.norms[0].mean, norm.running_mean)
    torch.testing.assert_close(layer.norms[0].variance, norm.running_var)
    assert not layer.training and layer.norms[0].momentum == 0.1


@pytest.mark.parametrize("training", [True, False])
def test_other_layers_stay_in_their_mode_meanwhile(training):
    """A frozen BatchNorm, or a whole model that is not in training."""
    torch.manual_seed(0)
    model = nn.ModuleList([nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout()])
    apply_hrf(model, ["0"], inner_norm=True)
    model.train(training)
    model[1].eval()
    modes = [module.training for module in model.modules()]
    before = {k: v.clone() for k, v in model[1].state_dict().items()}
    mean = model[0].norms[0].mean.clone()
    seen = []

    def run(batch):
        x, lengths = batch
        seen.append((model[2].training, model[1](model[0](x)), lengths))

    batches = [(torch.randn(8, 4), "lengths"), (torch.randn(8, 4), "lengths")]
    update_inner_norms(batches, model, run)
    assert [module.training for module in model.modules()] == modes
    torch.testing.assert_close(model[1].state_dict(), before, rtol=0, atol=0)
    assert not torch.equal(model[0].norms[0].mean, mean)
    assert [(each[0], each[2]) for each in seen] == [(training, "lengths")] * 2


def test_a_layer_that_is_read_is_named():
    """As WavLM's, whose weights torch.nn.functional gets."""

    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.q_proj = nn.Linear(4, 4)

        def forward(self, x):
            return nn.functional.linear(x, self.q_proj.weight)

    model = nn.ModuleDict({"attention": Reads()})
    apply_hrf(model, ["*"], inner_norm=True)
    x = torch.randn(3, 4)
    with pytest.raises(RuntimeError, match="of 'attention.q_proj', HRFLinear"):
        model["attention"](x)
    merged = merge_hrf(model.eval())
    torch.testing.assert_close(merged["attention"](x), model["attention"](x))
    left = [key for key in vars(merged["attention"].q_proj) if "hrf" in key]
    assert not left


@pytest.mark.parametrize("plain", [nn.Linear(4, 4), nn.Conv1d(4, 4, 1)])
def test_an_empty_batch_leaves_no_nan(plain):
    """As a mixture of experts has them."""
    shape = (4,) if isinstance(plain, nn.Linear) else (4, 3)
    model = nn.Sequential(plain)
    apply_hrf(model, ["0"], ratio=2, inner_norm=True)
    full = model(torch.randn(8, *shape)).sum()
    # Two passes: within one, a normalised layer is called once.
    (full + model(torch.randn(0, *shape)).sum()).backward()
    for parameter in model.parameters():
        assert parameter.grad.isfinite().all()
    for buffer in model.buffers():
        assert buffer.isfinite().all()
