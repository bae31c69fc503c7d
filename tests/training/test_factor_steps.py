"""Scaled steps are those of a parameter group with another learning rate."""

import copy
from functools import partial

import pytest
import torch
from speechbrain import Brain
from torch import nn

from speechbrain_hrf import HRFLinear, apply_hrf
from speechbrain_hrf.training.factor_steps import scale_factor_steps


def build(inner_norm=False):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    apply_hrf(model, ["2"], ratio=2, inner_norm=inner_norm)
    return model


def step(model, optimizer, seed):
    torch.manual_seed(seed)
    loss = model(torch.randn(9, 4, dtype=torch.float64)).square().mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()


@pytest.mark.parametrize("scale", [0.2, 3])
@pytest.mark.parametrize("inner_norm", [False, True])
def test_as_a_group_with_another_rate(scale, inner_norm):
    model = build(inner_norm)
    twin, plain = copy.deepcopy(model), copy.deepcopy(model)
    options = {"lr": 1e-2, "weight_decay": 0.1}
    adamw = partial(torch.optim.AdamW, **options)
    ours = scale_factor_steps(adamw, model, scale)(model.parameters())
    assert len(ours.param_groups) == 1
    groups = [
        {"params": list(twin[0].parameters())},
        {"params": list(twin[2].parameters()), "lr": scale * options["lr"]},
    ]
    theirs, unscaled = adamw(groups), adamw(plain.parameters())
    for seed in range(20):
        if seed == 10:  # the rate is halved, by SpeechBrain in all groups
            ours.param_groups[0]["lr"] /= 2
            for group in theirs.param_groups:
                group["lr"] /= 2
        step(model, ours, seed)
        step(twin, theirs, seed)
        step(plain, unscaled, seed)
    for found, expected in zip(
        model.parameters(), twin.parameters(), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    control = model[2].factors[0] - plain[2].factors[0]
    assert control.abs().max() > 1e-3


def test_a_brain_clips_all_gradients_together():
    layer = HRFLinear(4, 2, ratio=2)
    model = nn.Sequential(nn.Linear(4, 4), layer)
    sgd = partial(torch.optim.SGD, lr=1.0)
    brain = Brain(
        {"model": model},
        scale_factor_steps(sgd, model, 0.5),
        run_opts={"max_grad_norm": 1.0},
    )
    brain.init_optimizers()
    before = copy.deepcopy(model)
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 100.0)
    count = sum(p.numel() for p in model.parameters())
    brain.optimizers_step()
    moved = [
        (old - new)
        for old, new in zip(
            before.parameters(), model.parameters(), strict=True
        )
    ]
    plain, chain = moved[:2], moved[2:]
    share = torch.tensor(count**-0.5)
    for part, expected in ((plain, share), (chain, share / 2)):
        for change in part:
            torch.testing.assert_close(
                change, expected.expand_as(change), rtol=1e-4, atol=1e-6
            )


def test_one_is_the_optimiser_itself():
    assert scale_factor_steps(torch.optim.AdamW, build(), 1.0) is (
        torch.optim.AdamW
    )


def test_a_scale_without_chains_is_told(caplog):
    plain = torch.nn.Linear(2, 2)
    assert scale_factor_steps(torch.optim.AdamW, plain, 0.5) is (
        torch.optim.AdamW
    )
    assert "no layer is a chain" in caplog.text


@pytest.mark.parametrize("scale", [0, -1, float("nan"), "1", True, None])
def test_bad_scales(scale):
    with pytest.raises(ValueError, match="hrf_lr_scale is"):
        scale_factor_steps(torch.optim.AdamW, build(), scale)
