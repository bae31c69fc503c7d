"""Weights of the classes in the loss, for corpora where some are rare.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
from collections.abc import Sequence

import numpy as np
import torch
from sklearn.utils.class_weight import compute_class_weight


def class_weights(
    annotation: str | os.PathLike[str],
    labels: Sequence[str],
    option: str | Sequence[float] | None = None,
    key: str = "emo",
) -> torch.Tensor | None:
    """What each class's utterances weigh in the loss.

    Arguments
    ---------
    annotation : str or os.PathLike
        The training set's manifest.
    labels : sequence of str
        The classes in the order of their indices.
    option : None, "balanced" or list of float
        None: all alike. "balanced": inversely to their number in the
        training set, with a mean of 1 over its utterances. Else one weight
        per class, in the order of the labels.
    key : str
        The entries' key that holds the label.

    Returns
    -------
    torch.Tensor or None
        [C], for the loss's ``weight``.

    Raises
    ------
    ValueError
        For another option, a weight that is not positive, or a class that
        "balanced" finds no utterance of.

    Example
    -------
    >>> path = getfixture("tmpdir").join("train.json")
    >>> path.write('{"a": {"emo": "x"}, "b": {"emo": "x"}, "c": {"emo": "y"}}')
    >>> class_weights(path.strpath, ["x", "y"], "balanced")
    tensor([0.7500, 1.5000])
    >>> class_weights(path.strpath, ["x", "y"], [1, 2])
    tensor([1., 2.])
    """
    if option is None:
        return None
    if option == "balanced":
        with open(annotation, encoding="utf-8") as file:
            found = [entry[key] for entry in json.load(file).values()]
        absent = [label for label in labels if label not in found]
        if absent:
            raise ValueError(
                f"class_weights is 'balanced', but {annotation} has no "
                f"{' and no '.join(absent)}: give a list of weights, or null."
            )
        option = compute_class_weight(
            "balanced", classes=np.array(labels), y=found
        ).tolist()
    is_list = isinstance(option, list | tuple) and len(option) == len(labels)
    if not is_list or not all(
        isinstance(weight, int | float) and 0 < weight < float("inf")
        for weight in option
    ):
        raise ValueError(
            f"class_weights is {option!r}: give null, balanced, or a list of "
            f"{len(labels)} positive weights ({', '.join(labels)})."
        )
    return torch.tensor(option, dtype=torch.float32)
