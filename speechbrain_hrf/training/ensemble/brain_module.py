"""A Brain's loss as a function of its model's parameters.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
from collections.abc import Iterable

import speechbrain as sb
import torch
from speechbrain.processing.features import InputNormalization
from torch import nn
from torch.func import functional_call

# What stands before the names of the Brain's modules.
NET = "net."


class Batch:
    """What the recipe's Brain is given in place of SpeechBrain's batch.

    Arguments
    ---------
    feats : torch.Tensor or None
        [B, T, F]
    lens : torch.Tensor
        Relative lengths, [B].
    labels : torch.Tensor
        [B, 1]
    id : list of str
        Utterances; empty where the Brain does not ask.

    Example
    -------
    >>> batch = Batch(torch.zeros(1, 2, 3), torch.ones(1), torch.zeros(1, 1))
    >>> batch.to("cpu").feats[0].shape
    torch.Size([1, 2, 3])
    """

    def __init__(
        self,
        feats: torch.Tensor | None,
        lens: torch.Tensor,
        labels: torch.Tensor,
        id: Iterable[str] = (),
    ):
        self.feats = feats, lens
        self.label = labels, torch.ones_like(lens)
        self.id = list(id)

    def to(self, device: object) -> "Batch":
        """The batch, which is where it is needed.

        Arguments
        ---------
        device : object
            Not looked at.

        Returns
        -------
        Batch
        """
        return self


class BrainModule(nn.Module):
    """A Brain's own computations, as a module whose state can be replaced.

    Arguments
    ---------
    brain : speechbrain.Brain
        With ``mean_var_norm`` among its modules.

    Example
    -------
    >>> class Linear(sb.Brain):
    ...     def compute_forward(self, batch, stage):
    ...         return self.modules.model(batch.feats[0])
    >>> norm = InputNormalization()
    >>> brain = Linear({"model": nn.Linear(3, 1), "mean_var_norm": norm})
    >>> batch = Batch(torch.zeros(1, 2, 3), torch.ones(1), torch.zeros(1, 1))
    >>> BrainModule(brain)(batch, (None, None), sb.Stage.VALID).shape
    torch.Size([1, 2, 1])
    """

    def __init__(self, brain: sb.Brain):
        super().__init__()
        self.net = brain.modules
        self.brain = brain

    def forward(
        self, batch: Batch, statistics: tuple, stage: sb.Stage
    ) -> torch.Tensor:
        """Training loss, or predictions in other stages.

        Arguments
        ---------
        batch : Batch
        statistics : tuple of torch.Tensor
            Mean and deviation that features are normalised by, [F] each.
        stage : speechbrain.Stage

        Returns
        -------
        torch.Tensor
        """
        with self._normalising_by(statistics):
            predictions = self.brain.compute_forward(batch, stage)
        if stage != sb.Stage.TRAIN:
            return predictions
        return self.brain.compute_objectives(predictions, batch, stage)

    @contextlib.contextmanager
    def _normalising_by(self, statistics):
        norm: InputNormalization = self.net["mean_var_norm"]
        kept = norm.glob_mean, norm.glob_std, norm.training
        # Neither parameters nor buffers, which functional_call replaces
        norm.glob_mean, norm.glob_std = statistics
        norm.training = False  # it would go on to estimate them
        try:
            yield
        finally:
            norm.glob_mean, norm.glob_std, norm.training = kept


def trained_parameters(
    run: BrainModule, batch: Batch, statistics: tuple
) -> list[str]:
    """Names of the parameters that an optimiser steps: those with a gradient.

    PyTorch's optimisers leave the others alone, weight decay included, while
    ``torch.func`` gives them a gradient of zeros.

    Arguments
    ---------
    run : BrainModule
        Stays as it is.
    batch : Batch
    statistics : tuple of torch.Tensor

    Returns
    -------
    list of str
        As the Brain's modules name them.

    Example
    -------
    >>> class Linear(sb.Brain):
    ...     def compute_forward(self, batch, stage):
    ...         return self.modules.used(batch.feats[0])
    ...     def compute_objectives(self, predictions, batch, stage):
    ...         return predictions.mean()
    >>> brain = Linear({name: nn.Linear(3, 1) for name in ("used", "unused")})
    >>> brain.modules["mean_var_norm"] = InputNormalization()
    >>> batch = Batch(torch.zeros(1, 2, 3), torch.ones(1), torch.zeros(1, 1))
    >>> trained_parameters(BrainModule(brain), batch, (None, None))
    ['used.weight', 'used.bias']
    """
    modules = run.net.train()
    learning = {
        NET + name: parameter.detach().clone().requires_grad_()
        for name, parameter in modules.named_parameters()
        if parameter.requires_grad
    }
    buffers = {NET + k: v.clone() for k, v in modules.named_buffers()}
    with torch.random.fork_rng():
        loss = functional_call(
            run, learning | buffers, (batch, statistics, sb.Stage.TRAIN)
        )
    found = torch.autograd.grad(
        loss, list(learning.values()), allow_unused=True
    )
    return [
        name.removeprefix(NET)
        for name, gradient in zip(learning, found, strict=True)
        if gradient is not None
    ]
