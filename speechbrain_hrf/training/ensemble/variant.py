"""One run of an ensemble: the recipe's own objects, up to its training loop.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy

import speechbrain as sb
from speechbrain.dataio.sampler import ReproducibleRandomSampler

from speechbrain_hrf.nnet import HRFReport
from speechbrain_hrf.training.ensemble.brain_tensors import (
    put_tensors,
    tensors_of,
)
from speechbrain_hrf.training.ensemble.data import Fold
from speechbrain_hrf.training.ensemble.layout import Layout
from speechbrain_hrf.training.ensemble.snapshot import Snapshot, load_state


class Variant:
    """A run: the recipe's own objects, and where it stands.

    Arguments
    ---------
    hparams : dict
        With output_folder, save_folder, checkpointer, epoch_counter and
        lr_annealing.
    brain : speechbrain.Brain
        With its optimiser.
    fold : Fold or None
        What it is trained and scored on.
    report : speechbrain_hrf.nnet.HRFReport or None

    Attributes
    ----------
    last, best : Snapshot or None
        Of the last epoch that has ended here; of the one with the best score,
        if its checkpoint has not been written.
    failed : str or None
        Why the run has ended early.

    Example
    -------
    >>> from speechbrain.utils.epoch_loop import EpochCounter
    >>> folder = getfixture("tmpdir").strpath
    >>> hparams = {"output_folder": folder, "save_folder": folder,
    ...     "checkpointer": None, "epoch_counter": EpochCounter(3)}
    >>> variant = Variant(hparams, None, None, None)
    >>> variant.take(Snapshot(3, 9, 0.1, {}, {}))
    >>> variant.epoch, variant.finished
    (3, True)
    """

    def __init__(
        self,
        hparams: dict,
        brain: sb.Brain,
        fold: Fold | None,
        report: HRFReport | None,
    ):
        self.hparams, self.brain = hparams, brain
        self.fold, self.report = fold, report
        self.checkpointer = hparams["checkpointer"]
        self.last, self.best = load_state(self.save_folder)
        self.best_score = None
        self.failed = None
        # Of the checkpoint; the counter itself runs ahead within an epoch.
        self._recovered = hparams["epoch_counter"].current
        self._start = None

    @property
    def output_folder(self) -> str:
        """str: Of the run."""
        return str(self.hparams["output_folder"])

    @property
    def save_folder(self) -> str:
        """str: Of its checkpoints."""
        return str(self.hparams["save_folder"])

    @property
    def epoch(self) -> int:
        """int: The last one that has ended."""
        ended = 0 if self.last is None else self.last.epoch
        return max(self._recovered, ended)

    @property
    def finished(self) -> bool:
        """bool: Whether no epoch is left."""
        return self.epoch >= self.hparams["epoch_counter"].limit

    def sampler(self) -> ReproducibleRandomSampler:
        """The recipe's: an order by seed and epoch alone.

        Returns
        -------
        ReproducibleRandomSampler
        """
        return ReproducibleRandomSampler(
            self.fold.datasets["train"], seed=self.hparams["seed"]
        )

    def snapshot(self, layout: Layout) -> Snapshot:
        """Where the run stands: as it stood when it was stopped, or began.

        Arguments
        ---------
        layout : Layout
            Of the trained parameters.

        Returns
        -------
        Snapshot
        """
        if self.last is not None and self.last.epoch >= self._recovered:
            return self.last
        if self._start is None:
            self._start = Snapshot(
                self._recovered,
                self.brain.optimizer_step,
                self.brain.optimizer.param_groups[0]["lr"],
                copy.deepcopy(vars(self.hparams["lr_annealing"])),
                tensors_of(self.brain, layout),
            )
        return self._start

    def settle(self, snapshot: Snapshot) -> None:
        """Takes over what is no tensor: counts, rate and scheduler.

        Arguments
        ---------
        snapshot : Snapshot
        """
        self.hparams["epoch_counter"].current = snapshot.epoch
        self.brain.optimizer_step = snapshot.optimizer_step
        self.brain.step, self.brain.avg_train_loss = 0, 0.0
        vars(self.hparams["lr_annealing"]).update(
            copy.deepcopy(snapshot.annealing)
        )
        for group in self.brain.optimizer.param_groups:
            group["lr"] = snapshot.lr

    def restore(self, snapshot: Snapshot, layout: Layout) -> None:
        """Puts everything into the recipe's own objects.

        Arguments
        ---------
        snapshot : Snapshot
        layout : Layout
        """
        self.settle(snapshot)
        put_tensors(self.brain, layout, snapshot.tensors)

    def take(self, snapshot: Snapshot) -> None:
        """Notes the end of an epoch, and whether it is the best one.

        Arguments
        ---------
        snapshot : Snapshot
        """
        self.last = snapshot
        if snapshot.max_key is None:
            return
        if self.best_score is None:
            self.best_score = self._best_so_far(snapshot.max_key)
        # Of equal ones SpeechBrain keeps the newest.
        if snapshot.score >= self.best_score:
            self.best, self.best_score = snapshot, snapshot.score

    def _best_so_far(self, key: str) -> float:
        if self.best is not None:
            return self.best.score
        found = self.checkpointer.find_checkpoint(max_key=key)
        return -float("inf") if found is None else found.meta[key]

    def save_checkpoints(self, layout: Layout) -> None:
        """Writes the recipe's own: of the best epoch and of the last one.

        Arguments
        ---------
        layout : Layout
        """
        self.brain.checkpointer = self.checkpointer
        newest = self.checkpointer.find_checkpoint()
        if newest is not None and newest.meta["epoch"] >= self.last.epoch:
            return
        # As train.py's do, they hold the data loader's place: the epoch's end.
        self.brain.make_dataloader(
            self.fold.datasets["train"],
            stage=sb.Stage.TRAIN,
            sampler=self.sampler(),
            **self.hparams["train_dataloader_opts"],
        )
        kept = [self.last]
        if self.best is not None and self.best.epoch < self.last.epoch:
            kept.insert(0, self.best)
        for snapshot in kept:
            self.restore(snapshot, layout)
            key = snapshot.max_key
            self.checkpointer.save_and_keep_only(
                meta=snapshot.meta,
                max_keys=[] if key is None else [key],
            )
