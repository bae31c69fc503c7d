"""Captured steps are the Brain's own, bit for bit, or it is said why not.

Where there is no GPU another class takes the place of its stream: its capture
computes nothing, and its replay runs what was to be captured.
"""

import contextlib
import copy
import logging
import runpy
from functools import partial
from types import SimpleNamespace

import pytest
import speechbrain as sb
import torch
from speechbrain.nnet.losses import nll_loss
from speechbrain.nnet.schedulers import update_learning_rate
from speechbrain.processing.features import InputNormalization
from speechbrain.utils.checkpoints import Checkpointer

from speechbrain_hrf import (
    ClassifierHead,
    Conformer,
    ConvTransformer,
    SpeechFormer,
    apply_hrf,
)
from speechbrain_hrf.dataio.segments import SegmentBatch
from speechbrain_hrf.training import cuda_graphs
from speechbrain_hrf.training.cuda_graphs import capture_steps
from speechbrain_hrf.training.effective_steps import record_steps
from speechbrain_hrf.training.factor_steps import scale_factor_steps
from speechbrain_hrf.training.why_not_captured import why_not_captured

MODELS = {
    "ConvTransformer": ConvTransformer,
    "Conformer": Conformer,
    "SpeechFormer": SpeechFormer,
}
SIZE, FRAMES, EPOCHS = 4, 30, 4
UTTERANCES = 5 * SIZE + 2  # so that every epoch ends with a short batch
# A graph reads it in float32, which holds a power of two as it is.
RATE = 2.0**-7
ON_GPU = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no CUDA device"
)


class EmotionBrain(sb.Brain):
    """What the recipes' one does in training; halves the rate every epoch."""

    def compute_forward(self, batch, stage):
        batch = batch.to(self.device)
        feats, lens = batch.feats
        feats = self.modules.mean_var_norm(feats, lens, epoch=1)
        return self.modules.classifier(self.modules.embedding(feats, lens))

    def compute_objectives(self, predictions, batch, stage):
        return nll_loss(predictions, batch.label.data)

    def on_stage_end(self, stage, stage_loss, epoch=None):
        self.losses.append(stage_loss)
        rate = self.optimizer.param_groups[0]["lr"]
        assert isinstance(rate, float)
        update_learning_rate(self.optimizer, rate / 2)
        if self.checkpointer is not None:
            self.step, self.avg_train_loss = 0, 0.0
            self.checkpointer.save_and_keep_only(meta={"epoch": epoch})


def loader():
    generator = torch.Generator().manual_seed(7)
    examples = [
        {
            "id": f"utterance {k}",
            "feats": torch.randn(10 + k % 20, 78, generator=generator),
            "label": torch.tensor([k % 4]),
        }
        for k in range(UTTERANCES)
    ]
    return sb.dataio.dataloader.make_dataloader(
        examples,
        batch_size=SIZE,
        collate_fn=partial(SegmentBatch, frames=FRAMES),
    )


def build(name="Conformer", device="cpu", kind=EmotionBrain, **options):
    """A Brain with a normalised chain, dropout, and tight clipping."""
    torch.manual_seed(0)
    embedding = MODELS[name](dropout=options.pop("dropout", 0.1))
    model = torch.nn.ModuleDict(
        {"embedding": embedding, "classifier": ClassifierHead(16, 4)}
    )
    apply_hrf(model, ["FFN2"], ratio=2, inner_norm=True)
    norm = InputNormalization(norm_type="global", update_until_epoch=1)
    generator = torch.Generator().manual_seed(3)
    norm(torch.randn(8, 50, 78, generator=generator), epoch=0)
    # What fit_normalisation does: SpeechBrain's statistics are no buffers.
    opt_class = partial(
        torch.optim.AdamW, lr=RATE, weight_decay=0.01, fused=True
    )
    recoverables = {**model, "mean_var_norm": norm}
    folder = options.pop("folder", None)
    brain = kind(
        {**model, "mean_var_norm": norm},
        options.pop("opt_class", opt_class),
        run_opts={"device": device, "max_grad_norm": 0.5, **options},
        checkpointer=Checkpointer(folder, recoverables) if folder else None,
    )
    brain.losses = []
    return brain


def fit(brain, epochs=EPOCHS):
    torch.manual_seed(5)  # of dropout
    brain.fit(range(epochs), loader(), progressbar=False)
    return brain


def state(brain):
    """All that a training has changed."""
    steps = brain.optimizer.state_dict()["state"].values()
    return [
        *brain.modules.state_dict().values(),
        *(value for group in steps for value in group.values()),
        torch.tensor(brain.losses),
        torch.tensor(brain.optimizer_step),
    ]


def same(ours, theirs):
    return all(
        torch.equal(a, b)
        for a, b in zip(state(ours), state(theirs), strict=True)
    )


@pytest.fixture(scope="module")
def eager():
    return fit(build())


@pytest.fixture
def stand_in(monkeypatch):
    """Takes the GPU's place; counts what was captured and replayed."""

    class Stream:
        brain = None
        captured = replayed = 0

        def aside(self):
            return contextlib.nullcontext()

        def capture(self, function):
            cls = type(self)
            cls.captured += 1
            cls.brain.optimizer_step += 1  # Python runs in a capture
            loss = torch.full((), float("nan"))

            def replay():
                cls.replayed += 1
                before = cls.brain.optimizer_step
                loss.copy_(function())
                cls.brain.optimizer_step = before

            return loss, replay

    monkeypatch.setattr(cuda_graphs, "CaptureStream", Stream)
    monkeypatch.setattr(cuda_graphs, "why_not_captured", lambda brain: None)
    return Stream


def captured(stand_in, brain):
    stand_in.brain = brain
    capture_steps(brain)
    return brain


def test_captured_steps_are_the_brain_s_own(stand_in, eager):
    brain = fit(captured(stand_in, build()))
    assert brain.optimizer_step == 6 * EPOCHS == 24
    assert stand_in.captured == 2  # the full batch, the short one
    assert stand_in.replayed == 24 - 2 * cuda_graphs.WARM_UP
    assert same(brain, eager)
    assert brain.optimizer.param_groups[0]["lr"] == RATE / 2**EPOCHS
    assert not brain.optimizer.param_groups[0]["capturable"]


@pytest.mark.parametrize("name", MODELS)
def test_what_is_captured_is_the_brain_s_step(stand_in, monkeypatch, name):
    monkeypatch.setattr(cuda_graphs, "WARM_UP", 1000)
    ours = fit(captured(stand_in, build(name)))
    assert stand_in.captured == 0
    assert same(ours, fit(build(name)))


@pytest.mark.parametrize("forgotten", ["batches", "rates", "clipping"])
def test_control_a_graph_that_does_not_follow(
    stand_in, monkeypatch, eager, forgotten
):
    brain = captured(stand_in, build())
    if forgotten == "batches":
        load = cuda_graphs.StaticBatch.load
        monkeypatch.setattr(
            cuda_graphs.StaticBatch,
            "load",
            lambda self, batch: "_source" in vars(self) or load(self, batch),
        )
    elif forgotten == "rates":
        halved = EmotionBrain.on_stage_end
        monkeypatch.setattr(
            EmotionBrain,
            "on_stage_end",
            lambda self, *args: (
                halved(self, *args),
                update_learning_rate(self.optimizer, RATE),
            ),
        )
    else:
        brain.max_grad_norm = 1e9
    assert not same(fit(brain), eager)


def test_a_resumed_training_is_the_unbroken_one(stand_in, eager, tmp_path):
    first = captured(stand_in, build(folder=tmp_path))
    fit(first, 2)
    generator = torch.get_rng_state()  # dropout goes on where it was
    counter = sb.utils.epoch_loop.EpochCounter(EPOCHS)
    counter.current = 2
    second = captured(stand_in, build(folder=tmp_path))
    second.losses = list(first.losses)
    torch.set_rng_state(generator)
    second.fit(counter, loader(), progressbar=False)
    assert stand_in.captured == 2  # the full batch, by each run
    assert same(second, eager)


def test_loaded_or_changed_means_captured_again(stand_in):
    ours, theirs = captured(stand_in, build()), build()
    for brain in (ours, theirs):
        torch.manual_seed(5)
        brain.on_fit_start()
        brain.modules.train()
        brain.nonfinite_count = 0
        batches = list(loader())[:5]
        for k, batch in enumerate(4 * batches):
            brain.step = k + 1
            if k == 6:
                kept = copy.deepcopy(brain.optimizer.state_dict())
                brain.optimizer.load_state_dict(kept)
            if k == 12:
                brain.optimizer.param_groups[0]["weight_decay"] = 0.5
            if k == 16:
                brain.max_grad_norm = 0.1
            brain.fit_batch(batch)
    assert stand_in.captured == 4
    assert same(ours, theirs)


def test_many_shapes_run_one_by_one(stand_in, monkeypatch, eager):
    monkeypatch.setattr(cuda_graphs, "MOST_SHAPES", 1)
    brain = fit(captured(stand_in, build()))
    assert stand_in.captured == 1
    assert same(brain, eager)


class Naming(EmotionBrain):
    """Its loss looks names up."""

    def compute_objectives(self, predictions, batch, stage):
        names = [int(name.split()[1]) for name in batch.id]
        labels = torch.tensor(names).unsqueeze(1) % 4
        return nll_loss(predictions, labels.to(predictions.device))


def test_a_loss_that_reads_names_is_not_captured(stand_in, eager, caplog):
    with caplog.at_level(logging.INFO):
        brain = fit(captured(stand_in, build(kind=Naming)))
    assert stand_in.captured == 0
    assert same(brain, eager)
    assert lines(caplog) == [
        "Steps are not captured in a CUDA graph: it reads what is no tensor "
        "(id). They run one by one."
    ]


def test_a_failed_capture_is_said_and_costs_nothing(
    stand_in, monkeypatch, eager, caplog
):
    def fail(self, function):
        stand_in.brain.optimizer_step += 1
        raise RuntimeError("operation not permitted\nCUDA kernel errors ...")

    monkeypatch.setattr(stand_in, "capture", fail)
    with caplog.at_level(logging.INFO):
        brain = fit(captured(stand_in, build()))
    assert same(brain, eager)
    assert lines(caplog) == [
        "Steps are not captured in a CUDA graph: capturing failed (operation "
        "not permitted). They run one by one."
    ]


def lines(caplog):
    texts = [record.getMessage() for record in caplog.records]
    # SpeechBrain's logger puts its file in front.
    return [
        text[text.index("Steps are not") :]
        for text in texts
        if "Steps are not" in text
    ]


@pytest.mark.parametrize("warm_up", [0, 1000])
def test_patience_with_losses_that_are_not_finite(
    stand_in, monkeypatch, warm_up
):
    monkeypatch.setattr(cuda_graphs, "WARM_UP", warm_up)
    brain = captured(stand_in, build(nonfinite_patience=2))
    brain.on_fit_start()
    brain.modules.train()
    brain.nonfinite_count = 0
    batch = next(iter(loader()))
    batch.feats.data[0, 0, 0] = float("nan")
    assert not torch.isfinite(brain.fit_batch(batch))
    assert not torch.isfinite(brain.fit_batch(batch))
    with pytest.raises(ValueError, match="patience is exhausted"):
        brain.fit_batch(batch)


def test_other_batches_run_one_by_one(stand_in, caplog):
    class Plain(EmotionBrain):
        def compute_forward(self, batch, stage):
            return self.modules.classifier(batch)

        def compute_objectives(self, predictions, batch, stage):
            return predictions.square().mean()

    brain = captured(stand_in, build(kind=Plain))
    brain.on_fit_start()
    with caplog.at_level(logging.INFO):
        brain.fit_batch(torch.randn(2, 1, 16))
    assert "a batch is a Tensor" in lines(caplog)[0]


def test_without_a_gpu_it_is_the_brain_s_fit_batch(eager, caplog):
    brain = build()
    capture_steps(brain)
    with caplog.at_level(logging.INFO):
        assert same(fit(brain), eager)
    assert not lines(caplog)


def test_it_can_be_turned_off():
    brain = build()
    capture_steps(brain, enabled=False)
    assert brain.fit_batch.__func__ is sb.Brain.fit_batch
    with pytest.raises(ValueError, match="cuda_graphs is 'yes': give True"):
        capture_steps(brain, "yes")


class OwnStep(EmotionBrain):
    def optimizers_step(self):
        super().optimizers_step()


class Scaler:
    def is_enabled(self):
        return True


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"device": "cpu"}, "the device is cpu"),
        ({"device": "mps"}, "the device is mps"),
        ({"distributed_launch": True}, "several processes"),
        ({"data_parallel_backend": True}, "several processes or devices"),
        ({"grad_accumulation_factor": 2}, "several batches"),
        ({"scaler": Scaler()}, "scaler of fp16"),
        ({"skip_nonfinite_grads": True}, "skip_nonfinite_grads"),
        ({"compile": True}, "compiled"),
        ({"jit_module_keys": ["classifier"]}, "compiled"),
        ({"distillation": lambda *args: None}, "distil_from"),
        ({"distillation": None}, None),
        ({"optimizers_dict": None}, "there are 0 optimisers"),
    ],
)
def test_reasons(change, reason):
    brain = build()
    brain.init_optimizers()
    brain.device = "cuda:0"
    vars(brain).update(change)
    found = why_not_captured(brain)
    assert found is None if reason is None else reason in found


@pytest.mark.parametrize(
    ("opt_class", "reason"),
    [
        (partial(torch.optim.Adam, fused=True), None),
        (torch.optim.AdamW, "no Adam or AdamW with fused: True"),
        (partial(torch.optim.SGD, lr=1.0, fused=True), "no Adam or AdamW"),
    ],
)
def test_reasons_of_optimisers(opt_class, reason):
    brain = build(opt_class=opt_class)
    brain.init_optimizers()
    brain.device = "cuda"
    found = why_not_captured(brain)
    assert found is None if reason is None else reason in found


def test_reasons_in_the_brain_and_its_modules(tmp_path):
    brain = build(kind=OwnStep)
    brain.init_optimizers()
    brain.device = "cuda"
    assert why_not_captured(brain) == "OwnStep has its own optimizers_step"
    brain = build()
    brain.opt_class = scale_factor_steps(brain.opt_class, brain.modules, 0.5)
    brain.init_optimizers()
    brain.device = "cuda"
    assert "hrf_lr_scale" in why_not_captured(brain)
    brain = build()
    brain.init_optimizers()
    brain.device = "cuda"
    handles = record_steps(brain.modules.embedding, tmp_path, every=1)
    try:
        assert "record_steps" in why_not_captured(brain)
    finally:
        for handle in handles:
            handle.remove()
    assert why_not_captured(brain) is None
    brain.modules.mean_var_norm.update_until_epoch = 2
    assert "mean_var_norm is estimated in training" in why_not_captured(brain)


@pytest.mark.parametrize(
    "recipe", ["RAVDESS", "nEMO", "IEMOCAP", "M3ED", "DAIC-WOZ"]
)
def test_the_recipes_steps_can_be_captured(
    stand_in, monkeypatch, repository, recipe
):
    folder = repository / "recipes" / recipe
    monkeypatch.syspath_prepend(folder)
    script = runpy.run_path(folder / "train.py", run_name="train")
    [kind] = (
        value
        for value in script.values()
        if isinstance(value, type) and issubclass(value, sb.Brain)
    )
    kind = type(kind.__name__, (kind,), {"on_stage_end": lambda *args: None})
    brain = captured(stand_in, build(kind=kind))
    brain.modules["embedding_model"] = brain.modules["embedding"]
    brain.hparams = SimpleNamespace(
        epoch_counter=SimpleNamespace(current=1), compute_cost=nll_loss
    )
    brain.distillation = None
    brain.class_weights = torch.ones(4)
    fit(brain)
    assert stand_in.captured == 2
    brain.device = "cuda"
    assert why_not_captured(brain) is None


@ON_GPU
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_on_a_gpu_captured_steps_are_the_brain_s(name, precision):
    def train(enabled):
        brain = build(name, "cuda", dropout=0.0, precision=precision)
        capture_steps(brain, enabled)
        return fit(brain)

    ours, theirs = train(True), train(False)
    assert ours.optimizer_step == theirs.optimizer_step
    # Sums of a GPU have no fixed order; bfloat16 keeps 8 bits.
    close = (
        {"rtol": 1e-3, "atol": 1e-4}
        if precision == "fp32"
        else {"rtol": 0.1, "atol": 0.02}
    )
    for a, b in zip(state(ours), state(theirs), strict=True):
        torch.testing.assert_close(a, b, **close)
    assert len(ours.fit_batch.__self__.shapes) == 2
    assert all(s.replay for s in ours.fit_batch.__self__.shapes.values())


@ON_GPU
def test_on_a_gpu_each_replay_draws_its_own_dropout():
    brain = build(device="cuda", dropout=0.5)
    brain.optimizer_step_limit = None
    capture_steps(brain)
    brain.on_fit_start()
    brain.modules.train()
    brain.nonfinite_count = 0
    update_learning_rate(brain.optimizer, 0.0)
    batch = next(iter(loader()))
    losses = [brain.fit_batch(batch).item() for _ in range(10)]
    assert len(set(losses[cuda_graphs.WARM_UP :])) > 1


@ON_GPU
def test_on_a_gpu_a_step_that_waits_runs_one_by_one(caplog):
    class Waiting(EmotionBrain):
        def compute_objectives(self, predictions, batch, stage):
            loss = super().compute_objectives(predictions, batch, stage)
            return loss * (1.0 if loss.item() else 2.0)

    def train(enabled):
        brain = build(device="cuda", kind=Waiting, dropout=0.0)
        capture_steps(brain, enabled)
        return fit(brain)

    with caplog.at_level(logging.INFO):
        ours = train(True)
    assert "capturing failed" in lines(caplog)[0]
    for a, b in zip(state(ours), state(train(False)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
