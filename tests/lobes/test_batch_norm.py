"""Batch normalisation of the valid frames, as PyTorch would do it.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import warnings

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.optim.swa_utils import AveragedModel, update_bn

from speechbrain_hrf.lobes.models.batch_norm import normalise_valid
from speechbrain_hrf.lobes.models.conformer import Conformer, ConvolutionModule


def some_frames():
    generator = torch.Generator().manual_seed(1)
    x = 3 + 2 * torch.randn(4, 5, 7, generator=generator, dtype=torch.float32)
    mask = torch.arange(7) < torch.tensor([7, 3, 1, 5]).unsqueeze(1)
    return x, mask


def test_as_batch_norm_on_the_valid_frames_alone():
    """Values, gradients and running statistics; padding holds anything."""
    x, mask = some_frames()
    ours, theirs = nn.BatchNorm1d(5), nn.BatchNorm1d(5)
    outputs = []
    for norm, padding in (ours, 99.0), (theirs, 0.0):
        whole = x.masked_fill(~mask.unsqueeze(1), padding).requires_grad_()
        if norm is ours:
            valid = normalise_valid(whole, mask, norm).transpose(1, 2)[mask]
        else:
            valid = norm(whole.transpose(1, 2)[mask])
        valid.pow(3).sum().backward()
        gradient = whole.grad.transpose(1, 2)
        assert not gradient[~mask].any()
        outputs.append((valid, gradient[mask], norm.weight.grad))
    for mine, reference in zip(*outputs, strict=True):
        assert torch.allclose(mine, reference, rtol=1e-4, atol=1e-4)
    for key, value in theirs.state_dict().items():
        assert torch.allclose(ours.state_dict()[key], value, atol=1e-6), key


def test_one_frame_leaves_no_trace():
    norm = nn.BatchNorm1d(5)
    before = {k: v.clone() for k, v in norm.state_dict().items()}
    x = torch.randn(1, 5, 3)
    mask = torch.tensor([[True, False, False]])
    out = normalise_valid(x, mask, norm)
    assert torch.allclose(out, norm.eval()(x), atol=1e-6)
    for key, value in norm.state_dict().items():
        assert torch.equal(value, before[key])


class Valid(nn.Module):
    """``normalise_valid`` as a module, to be stacked."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(5)

    def forward(self, x, mask):
        return normalise_valid(x, mask, self.norm)


def test_stacked_models_do_as_each_by_itself():
    """Gradients and running statistics; no operation falls back to a loop."""
    x, mask = some_frames()
    x = torch.stack([x, 2 * x, x - 1]).double()
    mask = torch.stack([mask, mask.flip(0), mask])
    mask[2] = False
    mask[2, 0, 0] = True  # one frame leaves no trace, but in its own model
    single = [Valid().double() for _ in x]
    base = copy.deepcopy(single[0]).to("meta")
    parameters, buffers = stack_module_state(single)

    def loss(x, parameters, buffers, mask):
        out = functional_call(base, (parameters, buffers), (x, mask))
        return (out * mask.unsqueeze(1)).pow(3).sum(), buffers

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (of_x, of_parameters), (_, kept) = vmap(
            grad_and_value(loss, (0, 1), has_aux=True)
        )(x, parameters, buffers, mask)
    for k, module in enumerate(single):
        leaf = x[k].clone().requires_grad_()
        out = module(leaf, mask[k]) * mask[k].unsqueeze(1)
        out.pow(3).sum().backward()
        assert torch.allclose(of_x[k], leaf.grad, atol=1e-10)
        for name, parameter in module.named_parameters():
            assert torch.allclose(of_parameters[name][k], parameter.grad)
        for name, buffer in module.named_buffers():
            assert torch.allclose(kept[name][k], buffer), name
        assert module.norm.num_batches_tracked == (k < 2)


def test_second_derivatives():
    x, mask = some_frames()
    norm = nn.BatchNorm1d(5).double()
    x = x[:2].double().requires_grad_()
    assert torch.autograd.gradgradcheck(
        lambda x: normalise_valid(x, mask[:2], norm), x, atol=1e-4
    )


def test_speechbrain_s_conversion_leaves_it_alone():
    """DDP on CPUs refuses SyncBatchNorm, which is not needed here."""
    module = nn.ModuleList([ConvolutionModule(4, 3), nn.BatchNorm1d(4)])
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(module)
    assert type(converted[0].batch_norm) is nn.BatchNorm1d
    assert type(converted[1]) is nn.SyncBatchNorm  # control


def test_a_frozen_normalisation_of_a_conformer_stays():
    """In training of all else, by what it has kept."""
    torch.manual_seed(0)
    model = Conformer().train()
    norm = model.blocks[0].convolution.batch_norm.eval()
    model(torch.randn(2, 50, 78))
    assert not norm.num_batches_tracked and not norm.running_mean.any()
    norm.train()
    model(torch.randn(2, 50, 78))
    assert norm.num_batches_tracked and norm.running_mean.any()


def test_update_bn_of_an_averaged_conformer():
    """It takes the plain mean over all batches, with momentum None."""
    torch.manual_seed(0)
    batches = [torch.randn(2, 50, 78), 2 + torch.randn(2, 50, 78)]
    model = Conformer()
    norm = model.blocks[0].convolution.batch_norm
    means = []
    for batch in batches:
        norm.reset_running_stats()
        norm.momentum = 1.0
        model.train()(batch)
        means.append(norm.running_mean.clone())
    averaged = AveragedModel(model)
    update_bn(batches, averaged)
    found = averaged.module.blocks[0].convolution.batch_norm
    torch.testing.assert_close(found.running_mean, sum(means) / 2)


def test_no_frame_leaves_no_trace():
    norm = nn.BatchNorm1d(2)
    x = torch.randn(1, 2, 3, requires_grad=True)
    normalise_valid(
        x, torch.zeros(1, 3, dtype=torch.bool), norm
    ).sum().backward()
    assert x.grad.isfinite().all() and norm.weight.grad.isfinite().all()
    assert not norm.running_mean.any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_conformer_in_half_precision(dtype):
    out = Conformer().to(dtype).train()(torch.randn(2, 50, 78, dtype=dtype))
    assert out.dtype == dtype and out.isfinite().all()
