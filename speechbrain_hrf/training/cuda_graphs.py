"""A whole training step as one CUDA graph.

A step of these models is some hundred small kernels, and a GPU waits while
Python starts them one by one. Captured in a graph they start together: forward,
loss, backward, clipping and AdamW, as SpeechBrain does them. Each shape of a
batch (the full one, the last short one) has its own graph.

What Python does in a step is not repeated. So in training ``compute_forward``
and ``compute_objectives`` may do nothing but compute with the batch's tensors.
Steps that are known to need more (``why_not_captured``), or fail to be captured,
run one by one. https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs

Dropout draws new numbers in each replay: PyTorch advances the generator by what
a captured step has drawn. Learning rates may change at any time; a graph reads
them from a tensor, in float32. The loss is looked at after each step, not
before its backward pass: if it is not finite, SpeechBrain's patience applies.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import logging
from collections.abc import Callable

import speechbrain as sb
import torch
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.training.capture_stream import CaptureStream
from speechbrain_hrf.training.static_batch import StaticBatch, shapes
from speechbrain_hrf.training.why_not_captured import why_not_captured

logger = get_logger(__name__)

# Steps of each shape that run one by one before it is captured: libraries
# allocate and choose their kernels in the first ones. PyTorch's own number.
WARM_UP = 3
# Batches that are padded to their longest have ever new shapes, and would be
# captured more often than replayed.
MOST_SHAPES = 4


def capture_steps(brain: sb.Brain, enabled: bool = True) -> None:
    """Lets a Brain capture its training steps where that can be done.

    On a CPU nothing changes. What cannot be captured on a GPU the log tells.

    Arguments
    ---------
    brain : speechbrain.Brain
        Before ``fit``.
    enabled : bool
        The recipes' option ``cuda_graphs``.

    Raises
    ------
    ValueError
        If ``enabled`` is neither True nor False.

    Example
    -------
    >>> brain = sb.Brain({"model": torch.nn.Linear(2, 2)})
    >>> capture_steps(brain)
    """
    if not isinstance(enabled, bool):
        raise ValueError(f"cuda_graphs is {enabled!r}: give True or False.")
    if enabled:
        steps = CapturedSteps(brain)
        brain.on_fit_start = steps.on_fit_start
        brain.fit_batch = steps.fit_batch


def step(brain: sb.Brain, batch: PaddedBatch) -> torch.Tensor:
    """What is captured: ``Brain.fit_batch`` without its look at the loss.

    Arguments
    ---------
    brain : speechbrain.Brain
    batch : PaddedBatch

    Returns
    -------
    torch.Tensor
        The loss, detached.

    Example
    -------
    >>> class Regression(sb.Brain):
    ...     def compute_forward(self, batch, stage):
    ...         return self.modules.model(batch.x.data)
    ...     def compute_objectives(self, predictions, batch, stage):
    ...         return predictions.square().mean()
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> brain = Regression({"model": model}, torch.optim.AdamW)
    >>> brain.init_optimizers()
    >>> before = model.weight.item()
    >>> loss = step(brain, PaddedBatch([{"x": torch.ones(1)}]))
    >>> torch.isclose(loss, torch.tensor(before**2)).item()
    True
    >>> abs(model.weight.item()) < abs(before)
    True
    """
    with brain.training_ctx:
        outputs = brain.compute_forward(batch, sb.Stage.TRAIN)
        loss = brain.compute_objectives(outputs, batch, sb.Stage.TRAIN)
    loss.backward()
    brain.optimizers_step()
    return loss.detach()


@dataclasses.dataclass
class _Shape:
    batch: StaticBatch
    steps: int = 0  # that ran one by one
    loss: torch.Tensor | None = None
    replay: Callable[[], None] | None = None


class CapturedSteps:
    """A Brain's ``on_fit_start`` and ``fit_batch``, with captured steps.

    ``stream`` is None where steps run one by one.

    Arguments
    ---------
    brain : speechbrain.Brain

    Example
    -------
    >>> steps = CapturedSteps(sb.Brain({"model": torch.nn.Linear(2, 2)}))
    >>> steps.on_fit_start()
    >>> steps.stream is None  # so it is the Brain's own fit_batch that runs
    True
    """

    def __init__(self, brain: sb.Brain):
        self.brain = brain
        self.stream = None
        self.shapes = {}

    def on_fit_start(self) -> None:
        """Brain's, which builds the optimizer; then decides about capturing."""
        brain = self.brain
        type(brain).on_fit_start(brain)
        reason = why_not_captured(brain)
        if reason is not None:
            on_gpu = torch.device(brain.device).type == "cuda"
            self._one_by_one(reason, logging.INFO if on_gpu else logging.DEBUG)
            return
        logger.info("Steps are captured in a CUDA graph.")
        self.stream, self.shapes = CaptureStream(), {}
        groups = brain.optimizer.param_groups
        self.rates = [
            torch.zeros((), dtype=torch.float32, device=brain.device)
            for _ in groups
        ]
        self.options = _options(brain)
        # Loading puts new tensors in the place of those in the graphs.
        brain.optimizer.register_load_state_dict_post_hook(
            lambda optimizer: self.shapes.clear()
        )

    def fit_batch(self, batch: PaddedBatch) -> torch.Tensor:
        """A step, one by one or from its graph.

        Arguments
        ---------
        batch : PaddedBatch

        Returns
        -------
        torch.Tensor
            The loss, detached, on the CPU.
        """
        brain = self.brain
        if self.stream is not None and not isinstance(batch, PaddedBatch):
            self._one_by_one(f"a batch is a {type(batch).__name__}")
        if self.stream is None:
            return type(brain).fit_batch(brain, batch)
        with self.stream.aside():
            if self.options != _options(brain):
                self.options, self.shapes = _options(brain), {}
            key = shapes(batch)
            if key not in self.shapes:
                if len(self.shapes) == MOST_SHAPES:
                    return type(brain).fit_batch(brain, batch)
                self.shapes[key] = _Shape(StaticBatch(batch, brain.device))
            loss = self._step(self.shapes[key], batch).cpu()
        brain.check_loss_isfinite(loss)
        return loss

    def _step(self, shape, batch):
        shape.batch.load(batch)
        if shape.replay is None and shape.steps >= WARM_UP:
            self._capture(shape)
        if shape.replay is None:
            shape.steps += 1
            loss = step(self.brain, shape.batch)
            if shape.batch.asked_for:
                names = ", ".join(sorted(shape.batch.asked_for))
                self._one_by_one(f"it reads what is no tensor ({names})")
            return loss
        groups = self.brain.optimizer.param_groups
        for rate, group in zip(self.rates, groups, strict=True):
            rate.fill_(group["lr"])
        shape.replay()
        self.brain.optimizer_step += 1
        return shape.loss

    def _capture(self, shape):
        steps_done = self.brain.optimizer_step
        try:
            shape.loss, shape.replay = self.stream.capture(
                lambda: self._step_to_capture(shape.batch)
            )
        except RuntimeError as error:  # such as a wait for the GPU
            self.brain.zero_grad(set_to_none=True)
            reason = str(error).partition("\n")[0]
            self._one_by_one(f"capturing failed ({reason})", logging.WARNING)
        self.brain.optimizer_step = steps_done

    def _step_to_capture(self, batch):
        groups = self.brain.optimizer.param_groups
        before = [(group["lr"], group["capturable"]) for group in groups]
        for group, rate in zip(groups, self.rates, strict=True):
            group.update(lr=rate, capturable=True)
        try:
            return step(self.brain, batch)
        finally:  # schedulers and checkpoints find what they know
            for group, (lr, capturable) in zip(groups, before, strict=True):
                group.update(lr=lr, capturable=capturable)

    def _one_by_one(self, reason, level=logging.INFO):
        self.stream, self.shapes = None, {}
        logger.log(
            level,
            f"Steps are not captured in a CUDA graph: {reason}. "
            "They run one by one.",
        )


def _options(brain):
    """Numbers that a graph holds as they were when it was captured."""
    changing = ("params", "lr", "prev_lr")
    return brain.max_grad_norm, [
        {k: v for k, v in group.items() if k not in changing}
        for group in brain.optimizer.param_groups
    ]
