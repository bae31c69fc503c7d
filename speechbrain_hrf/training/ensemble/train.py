"""Trains the runs of an arm together, as many at once as fit.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import gc
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import torch
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.training.ensemble.build import build_variant
from speechbrain_hrf.training.ensemble.data import Corpus
from speechbrain_hrf.training.ensemble.finish import (
    evaluate,
    is_evaluated,
    metrics_file,
)
from speechbrain_hrf.training.ensemble.group import Group
from speechbrain_hrf.training.ensemble.options import read_runs
from speechbrain_hrf.training.ensemble.recipe import load_recipe
from speechbrain_hrf.training.ensemble.variant import Variant
from speechbrain_hrf.training.launch import locate_hparams

logger = get_logger(__name__)


def train_ensemble(
    train_script: str | os.PathLike,
    hparams_file: str | os.PathLike,
    runs: Sequence[Mapping[str, object]],
    device: str = "cpu",
    at_once: int | None = None,
) -> list[pathlib.Path]:
    """Trains, evaluates and leaves each run as the recipe's train.py does.

    A run that was stopped goes on from the last epoch that has ended; one that
    is over is left alone; one whose number_of_epochs is now larger goes on.
    Models are not exported: ``python -m speechbrain_hrf.export`` does that.

    Arguments
    ---------
    train_script : str or os.PathLike
        The recipe's train.py.
    hparams_file : str or os.PathLike
        Its YAML, also relative to the recipe's folder.
    runs : list of dict
        Overrides of each run, as on train.py's command line. They may differ
        in seed, fold, lr and output_folder alone.
    device : str
        "cpu", "cuda" or "cuda:1".
    at_once : int, optional
        Models to train together at most; default: as many as fit, which is
        found by trying.

    Returns
    -------
    list of pathlib.Path
        The test_metrics.json of each run.

    Raises
    ------
    ValueError
        For options that an ensemble does not know, runs that differ in others,
        and runs whose loss is not finite; the other runs are finished then.
    RuntimeError
        If the device is not there, or cannot be used any more. What was
        trained is kept.

    Example
    -------
    >>> train_ensemble("recipes/NONE/train.py", "hparams/x.yaml", [{"lr": 1}])
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no recipes/NONE/train.py: give a recipe's ...
    """
    overrides = read_runs(runs)
    module = load_recipe(train_script)
    _refuse_missing(device)
    [hparams_file] = locate_hparams([str(hparams_file)], str(train_script))
    folds = {}
    with _explained(device), contextlib.ExitStack() as held:
        variants = [
            build_variant(module, hparams_file, each, folds, device, held)
            for each in overrides
        ]
        left = [each for each in variants if not is_evaluated(each)]
        logger.info(
            "%d runs, %d of them are over", len(runs), len(runs) - len(left)
        )
        to_train = [v for v in left if v.last is not None or not v.finished]
        if to_train:
            corpus = Corpus(list({v.fold: None for v in to_train}), device)
            _train(to_train, corpus, at_once)
        for variant in left:
            if variant.failed is None:
                evaluate(variant)
    failed = [each for each in variants if each.failed is not None]
    if failed:
        raise ValueError(
            f"{len(failed)} of {len(variants)} runs have ended early, the "
            "others are finished. "
            + "; ".join(f"{v.output_folder}: {v.failed}" for v in failed)
            + ". Give them a lower lr."
        )
    return [metrics_file(variant) for variant in variants]


def _train(
    variants: list[Variant], corpus: Corpus, at_once: int | None
) -> None:
    """Group after group; smaller ones where memory does not suffice."""
    # Those that stand at about the same epoch are best trained together.
    waiting = sorted(variants, key=lambda variant: variant.epoch)
    size = min(at_once or len(waiting), len(waiting))
    while waiting:
        chosen = waiting[:size]
        try:
            _train_group(chosen, corpus)
        except Exception as error:
            if not _out_of_memory(error):
                raise
            if len(chosen) == 1:
                raise RuntimeError(
                    "One model alone does not fit into the memory of "
                    f"{chosen[0].brain.device}: give a smaller batch_size or "
                    "another device. Every epoch that has ended is kept."
                ) from error
            size = (len(chosen) + 1) // 2
            logger.info(
                "%d models do not fit into the device's memory: going on with "
                "%d at once",
                len(chosen),
                size,
            )
        else:
            waiting = waiting[size:]
        # Behind the handler, which would keep the group's tensors alive
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _train_group(variants: list[Variant], corpus: Corpus) -> None:
    group = Group(variants, corpus)
    group.train()
    for variant in variants:
        if variant.failed is None:
            variant.save_checkpoints(group.stack.layout)


def _out_of_memory(error: BaseException | None) -> bool:
    # The end of a capture may raise something else on top of it.
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError):
            return True
        error = error.__context__
    return False


def _refuse_missing(device: str) -> None:
    if "cuda" not in device:
        return
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (torch.device(device).index or 0) >= count:
        last = (
            f"{count} of them, up to cuda:{count - 1}," if count else "no GPU"
        )
        raise RuntimeError(
            f"device is {device}, but PyTorch finds {last} here: give "
            f"{'one of these' if count else 'cpu'}, or run it where there is one."
        )


@contextlib.contextmanager
def _explained(device: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "CUDA error" in str(error):
            reason = str(error).partition("\n")[0]
            raise RuntimeError(
                f"The device {device} cannot be used any more ({reason}). "
                "Every epoch that has ended is kept: run the same again, and "
                "it goes on from there."
            ) from error
        raise
