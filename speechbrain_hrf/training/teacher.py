"""A trained model that another one may learn from, or a refusal.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
from collections.abc import Sequence

import torch

from speechbrain_hrf.export import yaml_tree
from speechbrain_hrf.export.model import plain_model
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.results import METRICS_FILE
from speechbrain_hrf.training.other_data import (
    TRAINED_ON,
    differing_splits,
    read_trained_on,
)

# What makes the features that the models get.
FEATURES = ("sample_rate", "compute_features", "segment_frames")


def load_teacher(
    folder: str | os.PathLike[str],
    output_folder: str | os.PathLike[str],
    labels: Sequence[str],
) -> dict[str, torch.nn.Module]:
    """Builds the model of a finished training, merged, in evaluation mode.

    A teacher that has seen what the student will be scored on would pass it
    on: its training, validation and test sets must be the student's.

    Arguments
    ---------
    folder : str or os.PathLike
        Output folder of the teacher's training; of its checkpoints, the one
        that was scored is taken.
    output_folder : str or os.PathLike
        Of the student's run, with ``hyperparams.yaml`` and
        ``save/trained_on.json``.
    labels : list of str
        The classes in the order of their indices.

    Returns
    -------
    dict of str: torch.nn.Module
        compute_features, mean_var_norm, embedding_model and classifier, on
        the CPU. The normalisation is the teacher's own.

    Raises
    ------
    FileNotFoundError
        If there is no training in the folder, or an unfinished one.
    ValueError
        If it is the student's own, or of other splits, features or classes.

    Example
    -------
    >>> load_teacher("results/none", "results/student", ["sad"])
    Traceback (most recent call last):
    ...
    FileNotFoundError: distil_from is results/none, which has no save/trained...
    """
    folder, student = pathlib.Path(folder), pathlib.Path(output_folder)
    said = f"distil_from is {folder}, which"
    note = folder / "save" / TRAINED_ON
    if not note.is_file():
        raise FileNotFoundError(
            f"{said} has no save/{TRAINED_ON}, so that nobody can tell on "
            "which utterances it was trained (an exported folder has none): "
            "give the output folder of a training by this recipe."
        )
    if folder.resolve() == student.resolve():
        raise ValueError(
            f"{said} is the output folder of this run itself: give that of "
            "another one."
        )
    if not (folder / METRICS_FILE).is_file():
        raise FileNotFoundError(
            f"{said} has no {METRICS_FILE}: its training has not come to its "
            "end. Finish it first."
        )
    _refuse_other_splits(said, note, student / "save" / TRAINED_ON)
    _refuse_other_features(said, folder, student)
    training = Training(folder)
    if training.labels != list(labels):
        raise ValueError(
            f"{said} has the classes {training.labels}, not {list(labels)}."
        )
    # Building modules draws random numbers; the student's are left alone.
    with torch.random.fork_rng(devices=[]):
        return plain_model(training)


def _refuse_other_splits(said, theirs, ours):
    differing = differing_splits(read_trained_on(ours), read_trained_on(theirs))
    if differing:
        raise ValueError(
            f"{said} has other splits than this run ({', '.join(differing)}): "
            "it may have been trained on what this run is scored on. Train a "
            "teacher with this run's fold and protocol."
        )


def _refuse_other_features(said, folder, student):
    theirs, ours = (
        yaml_tree.read(path / "hyperparams.yaml") for path in (folder, student)
    )
    for key in FEATURES:
        nodes = [
            yaml_tree.dump(yaml_tree.strip({key: tree.get(key)})).split()
            for tree in (theirs, ours)
        ]
        if nodes[0] != nodes[1]:
            raise ValueError(
                f"{said} was trained on other features: it has "
                f"{' '.join(nodes[0])}, this run {' '.join(nodes[1])}. Train a "
                "teacher with this run's features."
            )
