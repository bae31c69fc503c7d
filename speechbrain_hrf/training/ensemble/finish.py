"""The end of a run: the recipe's evaluation, and its results on the disk.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib

from speechbrain_hrf.results import METRICS_FILE
from speechbrain_hrf.training.ensemble.snapshot import remove_state
from speechbrain_hrf.training.ensemble.variant import Variant
from speechbrain_hrf.training.results import collect_results


def metrics_file(variant: Variant) -> pathlib.Path:
    """Where the results of a run are.

    Arguments
    ---------
    variant : Variant

    Returns
    -------
    pathlib.Path

    Example
    -------
    >>> from types import SimpleNamespace
    >>> metrics_file(SimpleNamespace(output_folder="run")).as_posix()
    'run/test_metrics.json'
    """
    return pathlib.Path(variant.output_folder, METRICS_FILE)


def is_evaluated(variant: Variant) -> bool:
    """Whether a run is over and its results are those of its end.

    Arguments
    ---------
    variant : Variant

    Returns
    -------
    bool

    Example
    -------
    >>> from types import SimpleNamespace
    >>> is_evaluated(SimpleNamespace(finished=False, last=None))
    False
    """
    # The state goes when the results are there.
    over = variant.finished and variant.last is None
    return over and metrics_file(variant).is_file()


def evaluate(variant: Variant) -> None:
    """Scores the epoch that the recipe chooses, and writes the results.

    Without the picture that train.py draws of them: a hundred take minutes.

    Arguments
    ---------
    variant : Variant
        Trained, with its checkpoints.

    Raises
    ------
    ValueError
        If the recipe has validated it, but by train.py, so that it is not
        known here by which score.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> fold = SimpleNamespace(datasets={"valid": []})
    >>> evaluate(SimpleNamespace(
    ...     fold=fold, hparams={}, brain=None, last=None, output_folder="run"))
    Traceback (most recent call last):
        ...
    ValueError: run was trained to its end, but by train.py, and not evaluated:
    run train.py once more.
    """
    hparams, brain = variant.hparams, variant.brain
    validated = "valid" in variant.fold.datasets
    max_key = None
    if validated and hparams.get("scored_epoch", "best") == "best":
        if variant.last is None:
            raise ValueError(
                f"{variant.output_folder} was trained to its end, but by "
                "train.py, and not evaluated: run train.py once more."
            )
        max_key = variant.last.max_key
    brain.checkpointer = variant.checkpointer
    brain.evaluate(
        test_set=variant.fold.datasets["test"],
        max_key=max_key,
        test_loader_kwargs=dict(hparams["test_dataloader_opts"]),
    )
    notes = hparams.get("run_notes", {})
    results = collect_results(brain, hparams, variant.report, notes)
    results.write(variant.output_folder)
    remove_state(variant.save_folder)
    brain.deployed = None  # two copies of the model
