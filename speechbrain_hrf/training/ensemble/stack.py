"""Models stacked into one: a training step of all, and their outputs.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib

import speechbrain as sb
import torch
from torch.func import functional_call, grad_and_value, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from speechbrain_hrf.nnet import HRFLinear
from speechbrain_hrf.training.ensemble.adamw import (
    AdamWOptions,
    Moments,
    adamw,
    clipped,
)
from speechbrain_hrf.training.ensemble.brain_module import (
    NET,
    Batch,
    BrainModule,
    trained_parameters,
)
from speechbrain_hrf.training.ensemble.capture import Captured
from speechbrain_hrf.training.ensemble.data import Corpus
from speechbrain_hrf.training.ensemble.layout import Layout
from speechbrain_hrf.training.ensemble.options import refuse_other_training
from speechbrain_hrf.training.ensemble.variant import Variant


class Stack:
    """Several variants of one arm, trained by common steps.

    Parameters are rows of one matrix. A model that has no batch left in an
    epoch is stepped along with the others and then left as it was, bit by bit.

    Arguments
    ---------
    variants : list of Variant
        V runs; the first one's Brain serves as the template.
    corpus : Corpus

    Attributes
    ----------
    lr : torch.Tensor
        Of each model, float64 [V].

    Example
    -------
    >>> from types import SimpleNamespace
    >>> from speechbrain.processing.features import InputNormalization
    >>> from speechbrain_hrf.training.ensemble.snapshot import Snapshot
    >>> class Regression(sb.Brain):
    ...     def compute_forward(self, batch, stage):
    ...         return self.modules.model(batch.feats[0].mean(1))
    ...     def compute_objectives(self, predictions, batch, stage):
    ...         return (predictions - batch.label[0]).square().mean()
    >>> norm = InputNormalization(update_until_epoch=1)
    >>> brain = Regression(
    ...     {"model": torch.nn.Linear(3, 1), "mean_var_norm": norm},
    ...     torch.optim.AdamW, {"mean_var_norm": norm})
    >>> brain.init_optimizers()
    >>> tensors = dict.fromkeys(("parameters", "mean", "square"), torch.zeros(8))
    >>> tensors["step"] = torch.tensor(0.0).double()
    >>> variants = [
    ...     SimpleNamespace(brain=brain, hparams={"mean_var_norm": norm},
    ...         snapshot=lambda layout, lr=lr: Snapshot(0, 0, lr, {}, tensors))
    ...     for lr in (0.1, 0.2)]
    >>> corpus = SimpleNamespace(feats=torch.ones(2, 5, 3),
    ...     lens=torch.ones(2), labels=torch.ones(2, 1))
    >>> stack = Stack(variants, corpus)
    >>> stack.step(torch.zeros(2, 2).long(), torch.tensor([True, False]))
    tensor([1., 1.])
    >>> stack.layout.views(stack.parameters)["model.bias"].flatten()
    tensor([0.1000, 0.0000])
    """

    def __init__(self, variants: list[Variant], corpus: Corpus):
        brain = variants[0].brain
        refuse_other_training(brain)
        self.brain, self.corpus = brain, corpus
        self.options = AdamWOptions.of(brain.optimizer)
        self.run = BrainModule(brain)
        for module in brain.modules.modules():
            # Chains are for kernels too small for a GPU; stacked ones are not.
            if isinstance(module, HRFLinear) and module.hrf_chained is None:
                module.hrf_chained = False
        named = dict(brain.modules.named_parameters())
        norm = brain.modules.mean_var_norm
        first = torch.arange(2, device=brain.device) % len(corpus.lens)
        trained = trained_parameters(
            self.run, self._batch(first), (norm.glob_mean, norm.glob_std)
        )
        self.layout = Layout({name: named[name].shape for name in trained})
        snapshots = [variant.snapshot(self.layout) for variant in variants]
        device, dtype = brain.device, named[trained[0]].dtype

        def stacked(values) -> torch.Tensor:
            return torch.stack(list(values)).to(device)

        def column(key: str) -> torch.Tensor:
            return stacked(each.tensors[key] for each in snapshots)

        self.parameters = column("parameters")
        self.moments = Moments(column("step"), column("mean"), column("square"))
        self.buffers = {
            name: column(name) for name, _ in brain.modules.named_buffers()
        }
        every = [dict(v.brain.modules.named_parameters()) for v in variants]
        self.frozen = {
            name: stacked(parameters[name].detach() for parameters in every)
            for name in named
            if name not in trained
        }
        norms = [variant.hparams["mean_var_norm"] for variant in variants]
        self.statistics = tuple(
            stacked(getattr(norm, part).to(dtype) for norm in norms)
            for part in ("glob_mean", "glob_std")
        )
        self.lr = torch.tensor(
            [each.lr for each in snapshots], dtype=torch.float64, device=device
        )
        self.captured = Captured(self._step, device)

    def _attention(self) -> contextlib.AbstractContextManager:
        # PyTorch would run its fused kernel for processors model by model.
        if "cpu" in str(self.brain.device):
            return sdpa_kernel(SDPBackend.MATH)
        return contextlib.nullcontext()

    def _batch(self, rows: torch.Tensor) -> Batch:
        dtype = next(self.brain.modules.parameters()).dtype
        return Batch(
            self.corpus.feats[rows].to(dtype),
            self.corpus.lens[rows],
            self.corpus.labels[rows],
        )

    def _state(self) -> list[torch.Tensor]:
        return [self.parameters, *self.moments, *self.buffers.values()]

    def _call(self, parameters, buffers, frozen, statistics, batch, stage):
        state = {NET + k: v for k, v in (parameters | frozen | buffers).items()}
        arguments = Batch(*batch), statistics, stage
        return functional_call(self.run, state, arguments)

    def step(self, rows: torch.Tensor, active: torch.Tensor) -> torch.Tensor:
        """Takes a training step, in place.

        Arguments
        ---------
        rows : torch.Tensor
            Each model's batch, as rows of the corpus, [V, B].
        active : torch.Tensor
            Which models take it, bool [V]; the others' rows may be any.

        Returns
        -------
        torch.Tensor
            Losses before it, [V], until the next one; no matter where not active.
        """
        self.brain.modules.train()
        return self.captured(rows, active)

    def _step(self, rows: torch.Tensor, active: torch.Tensor) -> torch.Tensor:
        def loss(parameters, buffers, frozen, statistics, *batch):
            found = self._call(
                parameters, buffers, frozen, statistics, batch, sb.Stage.TRAIN
            )
            return found, buffers  # changed in place by the layers

        batch = self._batch(rows)
        with self._attention():
            gradients, (losses, buffers) = vmap(
                grad_and_value(loss, has_aux=True), randomness="different"
            )(
                self.layout.views(self.parameters),
                {name: each.clone() for name, each in self.buffers.items()},
                self.frozen,
                self.statistics,
                *batch.feats,
                batch.label[0],
            )
        parameters, moments = adamw(
            self.parameters,
            clipped(self.layout.packed(gradients), self.brain.max_grad_norm),
            self.moments,
            self.lr,
            self.options,
        )
        after = [parameters, *moments, *(buffers[k] for k in self.buffers)]
        for old, new in zip(self._state(), after, strict=True):
            chosen = active.view(-1, *[1] * (old.dim() - 1))
            old.copy_(torch.where(chosen, new, old))
        return losses.detach()

    @torch.no_grad()
    def predict(self, rows: torch.Tensor) -> torch.Tensor:
        """Outputs of all models in evaluation.

        Arguments
        ---------
        rows : torch.Tensor
            As of ``step``, [V, B].

        Returns
        -------
        torch.Tensor
            Log-probabilities, [V, B, 1, C].
        """
        self.brain.modules.eval()
        batch = self._batch(rows)

        def outputs(parameters, buffers, frozen, statistics, *batch):
            return self._call(
                parameters, buffers, frozen, statistics, batch, sb.Stage.VALID
            )

        with self._attention():
            return vmap(outputs)(
                self.layout.views(self.parameters),
                self.buffers,
                self.frozen,
                self.statistics,
                *batch.feats,
                batch.label[0],
            )

    def host(self) -> list[dict[str, torch.Tensor]]:
        """Each model's tensors on the CPU, as a ``Snapshot`` holds them.

        Returns
        -------
        list of dict of str: torch.Tensor
        """
        stacked = {
            "parameters": self.parameters,
            "step": self.moments.step,
            "mean": self.moments.mean,
            "square": self.moments.square,
            **self.buffers,
        }
        stacked = {name: each.cpu() for name, each in stacked.items()}
        return [
            {name: each[k].clone() for name, each in stacked.items()}
            for k in range(len(self.lr))
        ]
