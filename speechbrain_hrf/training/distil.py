"""A small model learns from a trained large one as well as from the labels.

Not the paper's; off by default. Costs nothing in inference, and in training
one pass of the teacher over the training set before the first epoch: segments
are the same in every epoch, so its answers are kept.

Source: Hinton et al., Distilling the Knowledge in a Neural Network, 2015.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
import numbers
import os
import pathlib
from collections.abc import Callable, Sequence

import torch
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.utils.distributed import run_on_main
from torch.nn import functional as F
from tqdm import tqdm

from speechbrain_hrf.files import whole_file
from speechbrain_hrf.training.teacher import load_teacher

# The teacher's answers, beside the checkpoints: a run that goes on needs no
# teacher, and learns from the same one.
ANSWERS = "teacher.pt"
_BATCH = 32


class Distillation:
    """(1 - w) loss + w T^2 KL(teacher || student), both softened by T.

    T^2 keeps the gradient's size whatever T is.

    Arguments
    ---------
    ids : list of str
        Utterances.
    log_probabilities : torch.Tensor
        The teacher's, [N, C].
    weight : float
        w, from 0 to 1.
    temperature : float
        T > 0.

    Example
    -------
    >>> teacher = torch.tensor([[0.5, 0.5], [0.9, 0.1]]).log()
    >>> distillation = Distillation(["a", "b"], teacher, 1.0, 2.0)
    >>> student = torch.tensor([[[0.9, 0.1]]]).log()
    >>> distillation(torch.tensor(7.0), student, ["b"]).abs() < 1e-6
    tensor(True)
    """

    def __init__(self, ids, log_probabilities, weight, temperature):
        self.rows = {name: row for row, name in enumerate(ids)}
        # A log-softmax is itself a logit, up to a constant.
        self.targets = torch.log_softmax(log_probabilities / temperature, -1)
        self.weight = weight
        self.temperature = temperature

    def __call__(self, loss, predictions, ids):
        """The loss of a batch.

        Arguments
        ---------
        loss : torch.Tensor
            What the labels ask for.
        predictions : torch.Tensor
            The student's log-probabilities, [B, 1, C].
        ids : list of str
            Of the batch.

        Returns
        -------
        torch.Tensor
        """
        rows = [self.rows[name] for name in ids]
        targets = self.targets[rows].to(predictions.device)  # [B, C]
        found = torch.log_softmax(
            predictions.squeeze(1) / self.temperature, dim=-1
        )
        divergence = F.kl_div(
            found, targets, reduction="batchmean", log_target=True
        )
        taught = self.temperature**2 * divergence
        return (1 - self.weight) * loss + self.weight * taught


def make_distillation(
    dataset: DynamicItemDataset,
    labels: Sequence[str],
    collate_fn: Callable[[list], PaddedBatch],
    output_folder: str | os.PathLike[str],
    teacher: str | None,
    weight: float,
    temperature: float,
) -> Distillation | None:
    """Asks the teacher about the training set, once for all epochs.

    Arguments
    ---------
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        The training set, giving ``id`` and ``feats`` as they are before
        normalisation.
    labels : list of str
        The classes in the order of their indices.
    collate_fn : callable
        Examples to a batch.
    output_folder : str
        Of the student, with ``hyperparams.yaml`` and
        ``save/trained_on.json``. The answers are kept in its ``save``.
    teacher : str or None
        Output folder of a finished training of the same recipe on the same
        splits; None for no teacher.
    weight, temperature : float
        See ``Distillation``.

    Returns
    -------
    Distillation or None

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such training, or ``load_teacher`` refuses it; if the
        weight or the temperature is out of range.

    Example
    -------
    >>> make_distillation([], ["a"], None, "results/x", None, 0.5, 2.0)
    >>> make_distillation([], ["a"], None, "results/x", None, 1.5, 2.0)
    Traceback (most recent call last):
    ...
    ValueError: distil_weight is 1.5: give a number from 0 (labels alone) to 1
    (the teacher alone).
    """
    if not _is_number(weight) or not 0 <= weight <= 1:
        raise ValueError(
            f"distil_weight is {weight!r}: give a number from 0 (labels alone) "
            "to 1 (the teacher alone)."
        )
    if not _is_number(temperature) or not 0 < temperature < math.inf:
        raise ValueError(
            f"distil_temperature is {temperature!r}: give a positive number; "
            "1 leaves the teacher's probabilities as they are."
        )
    if teacher is None:
        return None
    save_folder = pathlib.Path(output_folder, "save")
    note = save_folder / ANSWERS
    run_on_main(
        _keep_answers,
        args=[note, teacher, output_folder, labels, dataset, collate_fn],
    )
    kept = torch.load(note, weights_only=True)
    return Distillation(
        kept["ids"], kept["log_probabilities"], weight, temperature
    )


def _keep_answers(note, teacher, output_folder, labels, dataset, collate_fn):
    if note.is_file() and any(note.parent.glob("CKPT*")):
        return  # of the run that goes on
    modules = load_teacher(teacher, output_folder, labels)
    ids, answers = [], []
    for start in tqdm(
        range(0, len(dataset), _BATCH), desc="teacher", disable=None
    ):
        stop = min(start + _BATCH, len(dataset))
        batch = collate_fn([dataset[k] for k in range(start, stop)])
        ids += batch.id
        answers.append(_answer(modules, *batch.feats))
    kept = {"ids": ids, "log_probabilities": torch.cat(answers)}
    with whole_file(note) as partial:
        torch.save(kept, partial)


@torch.no_grad()
def _answer(modules, feats, lens):
    feats = modules["mean_var_norm"](feats, lens)
    embedding = modules["embedding_model"](feats, lens)
    return modules["classifier"](embedding).squeeze(1)  # [B, C]


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
