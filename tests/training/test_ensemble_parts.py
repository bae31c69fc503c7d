"""AdamW of stacked models, masked steps, captured steps, orders.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib

import pytest
import torch
from ensemble_runs import ARMS, SCRIPT, hparams_file, runs_of
from torch import nn

from speechbrain_hrf.training.ensemble import capture, train_ensemble
from speechbrain_hrf.training.ensemble.__main__ import main
from speechbrain_hrf.training.ensemble.adamw import (
    AdamWOptions,
    Moments,
    adamw,
    clipped,
)
from speechbrain_hrf.training.ensemble.build import build_variant
from speechbrain_hrf.training.ensemble.capture import WARM_UP, Captured
from speechbrain_hrf.training.ensemble.data import Corpus
from speechbrain_hrf.training.ensemble.orders import steps_of
from speechbrain_hrf.training.ensemble.stack import Stack
from speechbrain_hrf.training.overrides import as_overrides

RATES = (0.1, 0.003, 1.0)


def test_adamw_and_clipping_are_pytorch_s():
    """20 steps in float64, each model with its own rate and step count."""
    torch.manual_seed(0)
    start = torch.randn(3, 5, dtype=torch.float64)
    gradients = torch.randn(25, 3, 5, dtype=torch.float64)
    gradients[:, 1] *= 100
    parameters = [nn.Parameter(row.clone()) for row in start]
    optimizers = [
        torch.optim.AdamW([p], lr=lr, weight_decay=0.1)
        for p, lr in zip(parameters, RATES, strict=True)
    ]

    def alone(k, gradient):
        parameters[k].grad = gradient.clone()
        nn.utils.clip_grad_norm_([parameters[k]], 5.0)
        optimizers[k].step()

    options = AdamWOptions.of(optimizers[0])
    for gradient in gradients[:5]:  # the last model begins later
        for k in range(2):
            alone(k, gradient[k])
    state = [o.state[p] for o, p in zip(optimizers, parameters, strict=True)]
    nothing = torch.zeros(5, dtype=torch.float64)
    together = torch.stack([p.detach() for p in parameters])
    moments = Moments(
        torch.tensor([5.0, 5.0, 0.0], dtype=torch.float64),
        torch.stack([s.get("exp_avg", nothing) for s in state]),
        torch.stack([s.get("exp_avg_sq", nothing) for s in state]),
    )
    lr = torch.tensor(RATES, dtype=torch.float64)
    for gradient in gradients[5:]:
        together, moments = adamw(
            together, clipped(gradient, 5.0), moments, lr, options
        )
        for k in range(3):
            alone(k, gradient[k])
    for mine, theirs in zip(together, parameters, strict=True):
        assert (mine - theirs).abs().max() < 1e-9
    assert moments.step.tolist() == [25, 25, 20]


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (lambda p: torch.optim.SGD(p), "makes a SGD"),
        (lambda p: torch.optim.AdamW(p, amsgrad=True), "amsgrad"),
        (lambda p: torch.optim.AdamW([{"params": [q]} for q in p]), "several"),
    ],
)
def test_other_optimisers_are_refused(optimizer, message):
    with pytest.raises(ValueError, match=f"opt_class.*{message}.*one by one"):
        AdamWOptions.of(optimizer(nn.Linear(1, 1).parameters()))


@pytest.mark.parametrize("model", ["conformer", "speechformer"])
def test_who_takes_no_step_stays_as_it_was(corpus, recipe, tmp_path, model):
    """Parameters, AdamW's averages and buffers, bit by bit."""
    folds = {}
    arm = ARMS["ALL + FRONT normalised"]
    variants = [
        build_variant(
            recipe, hparams_file(model), as_overrides(run), folds, "cpu"
        )
        for run in runs_of(corpus, tmp_path, [{"seed": 1}, {"seed": 2}], **arm)
    ]
    stack = Stack(variants, Corpus(list(folds.values()), "cpu"))
    rows = torch.arange(8).view(2, 4)
    stack.step(rows, torch.tensor([True, True]))
    before = stack.host()
    stack.step(rows, torch.tensor([False, True]))
    after = stack.host()
    for name in before[0]:
        assert torch.equal(before[0][name], after[0][name]), name
        assert not torch.equal(before[1][name], after[1][name]), name


def test_dropout_differs_between_models(corpus, recipe, tmp_path):
    """Two twins get the same losses without it, and others with it."""
    for dropout in (0.0, 0.5):
        folds = {}
        variants = [
            build_variant(
                recipe,
                hparams_file("speechformer"),
                as_overrides(run),
                folds,
                "cpu",
            )
            for run in runs_of(
                corpus,
                tmp_path / str(dropout),
                [{"seed": 1}] * 2,
                dropout=dropout,
            )
        ]
        stack = Stack(variants, Corpus(list(folds.values()), "cpu"))
        rows = torch.arange(4).expand(2, 4)
        first, second = stack.step(rows, torch.tensor([True, True]))
        assert (first == second) == (dropout == 0)


class Stream:
    """What a GPU's does, with a capture that computes nothing."""

    def __init__(self):
        self.captures = 0

    def aside(self):
        return contextlib.nullcontext()

    def capture(self, function):
        self.captures += 1
        place = torch.zeros(2)
        return place, lambda: place.copy_(function())


def test_a_gpu_beyond_those_there_are_is_refused(tmp_path, monkeypatch):
    """As on a machine with one."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    runs = [{"output_folder": str(tmp_path / "a")}]
    with pytest.raises(RuntimeError, match="cuda:1, .* up to cuda:0, here"):
        train_ensemble(SCRIPT, hparams_file("conformer"), runs, "cuda:1")


def test_a_damaged_list_of_runs_is_named(tmp_path, capsys):
    path = tmp_path / "runs.json"
    for text, message in (
        ("[{]", "runs.json is not valid JSON"),
        ('{"seed": 1}', "no list of objects, one a run"),
    ):
        path.write_text(text)
        assert main([str(SCRIPT), "hparams/x.yaml", str(path)]) == 1
        assert message in capsys.readouterr().err


def test_a_shape_is_captured_once_and_replayed(monkeypatch):
    monkeypatch.setattr(capture, "CaptureStream", Stream)
    total, taken = torch.zeros(2), []

    def step(rows, active):
        taken.append(active.tolist())
        total.add_(torch.where(active, rows.sum(1), 0.0))
        return total.clone()

    captured = Captured(step, "cuda:0")
    for _ in range(3):
        captured(torch.ones(2, 4), torch.tensor([True, False]))
    assert total.tolist() == [12, 0] and captured.stream.captures == 1
    assert taken[:WARM_UP] == [[False, False]] * WARM_UP
    losses = captured(2 * torch.ones(2, 1), torch.tensor([True, True]))
    assert losses.tolist() == [14, 2] and captured.stream.captures == 2


def test_every_model_sees_its_own_order_in_its_own_batches():
    orders = [list(range(k, k + n)) for k, n in ((0, 11), (20, 8), (40, 3))]
    orders.append([])
    seen = [[] for _ in orders]
    sizes = [[] for _ in orders]
    for rows, active in steps_of(orders, 4):
        assert len(rows) == 4
        for k in active.nonzero().flatten().tolist():
            seen[k] += rows[k].tolist()
            sizes[k].append(rows.shape[1])
    assert seen == orders
    assert sizes == [[4, 4, 3], [4, 4], [3], []]
    without = steps_of(orders, 4, drop_last=True)
    assert {rows.shape[1] for rows, _ in without} == {4}
