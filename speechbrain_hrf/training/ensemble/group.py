"""Variants that are trained together, epoch by epoch.

What an epoch is to a run, its end, its log lines, the halving of its rate and
the choice of its best epoch, is the recipe's Brain's own doing; only the steps
are common.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import itertools
import time

import speechbrain as sb
import torch
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.training.ensemble.brain_module import Batch
from speechbrain_hrf.training.ensemble.data import Corpus
from speechbrain_hrf.training.ensemble.orders import steps_of
from speechbrain_hrf.training.ensemble.snapshot import Snapshot, save_state
from speechbrain_hrf.training.ensemble.stack import Stack
from speechbrain_hrf.training.ensemble.variant import Variant

logger = get_logger(__name__)


class _Noted:
    """Stands for the checkpointer while epochs end: keeps what it is told."""

    def save_and_keep_only(self, meta, max_keys=(), **kwargs):
        self.meta = dict(meta)
        self.max_key = next(iter(max_keys), None)


class Group:
    """Trains a list of variants to their last epoch.

    After each epoch every run's state is on the disk.

    Arguments
    ---------
    variants : list of Variant
    corpus : Corpus

    Example
    -------
    >>> Group([], Corpus([], "cpu")).train()
    """

    def __init__(self, variants: list[Variant], corpus: Corpus):
        self.variants, self.corpus = variants, corpus
        self.stack = Stack(variants, corpus) if variants else None
        for variant in variants:
            variant.settle(variant.snapshot(self.stack.layout))
            variant.brain.checkpointer = _Noted()
        self.rows = {
            (fold, split): corpus.rows(fold, split)
            for fold in {variant.fold for variant in variants}
            for split in ("train", "valid")
            if split in fold.datasets
        }

    @property
    def in_training(self) -> list[int]:
        """list of int: Variants with epochs left."""
        return [
            k
            for k, variant in enumerate(self.variants)
            if not variant.finished and variant.failed is None
        ]

    def train(self) -> None:
        """Trains until no variant has an epoch left."""
        while self.in_training:
            self.epoch()

    def epoch(self) -> None:
        """The next epoch of each variant that has one left."""
        start = time.time()
        chosen = self.in_training
        for k in chosen:
            next(self.variants[k].hparams["epoch_counter"])
        for k, losses in self._train(chosen).items():
            self._end_training(self.variants[k], losses)
        chosen = [k for k in chosen if self.variants[k].failed is None]
        self._validate(chosen)
        self._keep(chosen)
        if chosen:
            first = self.variants[chosen[0]]
            logger.info(
                "Epoch %d of %d: %d models in %.1f s",
                first.epoch,
                first.hparams["epoch_counter"].limit,
                len(chosen),
                time.time() - start,
            )

    def _train(self, chosen: list[int]) -> dict[int, list[float]]:
        """Takes the steps of an epoch; gives each model's losses."""
        orders = [[] for _ in self.variants]
        for k in chosen:
            variant = self.variants[k]
            sampler = variant.sampler()
            sampler.set_epoch(variant.hparams["epoch_counter"].current)
            rows = self.rows[variant.fold, "train"]
            orders[k] = rows[list(sampler)].tolist()
        options = self.variants[0].hparams["train_dataloader_opts"]
        steps = steps_of(
            orders,
            options.get("batch_size", 1),
            options.get("drop_last", False),
        )
        device = self.stack.lr.device
        losses = torch.empty(len(steps), len(orders), device=device)
        losses = losses.to(self.stack.parameters.dtype)
        for found, (rows, active) in zip(losses, steps, strict=True):
            found.copy_(self.stack.step(rows.to(device), active.to(device)))
        losses = losses.cpu()
        takes = torch.stack([active for _, active in steps])
        return {k: losses[takes[:, k], k] for k in chosen}

    def _end_training(self, variant: Variant, losses: torch.Tensor) -> None:
        brain = variant.brain
        epoch = variant.hparams["epoch_counter"].current
        brain.optimizer_step += len(losses)
        bad = int((~losses.isfinite()).sum())
        if bad > brain.nonfinite_patience:
            variant.failed = (
                f"the loss of {bad} steps of epoch {epoch} is not finite"
            )
            return
        brain.on_stage_start(sb.Stage.TRAIN, epoch)
        for loss in losses:
            brain.step += 1
            average = brain.update_average(loss, brain.avg_train_loss)
            brain.avg_train_loss = average
        brain.on_stage_end(sb.Stage.TRAIN, brain.avg_train_loss, epoch)
        brain.step, brain.avg_train_loss = 0, 0.0

    def _validate(self, chosen: list[int]) -> None:
        """Each model's own validation set, by its own Brain."""
        sets = {
            k: self.rows[self.variants[k].fold, "valid"]
            for k in chosen
            if "valid" in self.variants[k].fold.datasets
        }
        if not sets:
            return
        hparams = self.variants[0].hparams
        size = hparams["valid_dataloader_opts"]["batch_size"]
        outputs = []
        for start in range(0, max(map(len, sets.values())), size):
            longest = max(
                len(rows[start : start + size]) for rows in sets.values()
            )
            rows = torch.zeros(len(self.variants), longest, dtype=torch.int64)
            for k, own in sets.items():
                part = own[start : start + size]
                rows[k, : len(part)] = part
            outputs.append(
                self.stack.predict(rows.to(self.stack.lr.device)).cpu()
            )
        labels = self.corpus.labels.cpu()
        for k, rows in sets.items():
            batches = zip(rows.split(size), outputs, strict=False)
            self._end_validation(
                self.variants[k],
                [(out[k, : len(r)], labels[r]) for r, out in batches],
            )

    def _end_validation(self, variant: Variant, batches: list[tuple]) -> None:
        brain = variant.brain
        epoch = variant.hparams["epoch_counter"].current
        names = iter(variant.fold.datasets["valid"].data_ids)
        average = 0.0
        brain.on_stage_start(sb.Stage.VALID, epoch)
        for predictions, labels in batches:
            brain.step += 1
            ids = itertools.islice(names, len(labels))
            batch = Batch(None, torch.ones(len(labels)), labels, ids)
            loss = brain.compute_objectives(predictions, batch, sb.Stage.VALID)
            average = brain.update_average(loss, average)
        brain.step = 0
        brain.on_stage_end(sb.Stage.VALID, average, epoch)

    def _keep(self, chosen: list[int]) -> None:
        """Notes where each run stands, in memory and on the disk."""
        tensors, rates = self.stack.host(), self.stack.lr.cpu()
        for k in chosen:
            variant = self.variants[k]
            snapshot = Snapshot(
                variant.hparams["epoch_counter"].current,
                variant.brain.optimizer_step,
                variant.brain.optimizer.param_groups[0]["lr"],
                copy.deepcopy(vars(variant.hparams["lr_annealing"])),
                tensors[k],
                variant.brain.checkpointer.meta,
                variant.brain.checkpointer.max_key,
            )
            variant.take(snapshot)
            save_state(variant.save_folder, variant.last, variant.best)
            rates[k] = snapshot.lr
        self.stack.lr.copy_(rates)
