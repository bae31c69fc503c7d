"""What a finished trial leaves: one line of JSON in trials.jsonl.

Lines are short, since there are hundreds and they are published: the class
that was found for every test utterance, a few points of the curves, no path and
no name of a machine or user. Which utterances and speakers a test set has
stands once in test_sets.jsonl.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import operator
import os
import pathlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch

from speechbrain_hrf import files
from speechbrain_hrf.results import RunResults
from speechbrain_hrf.studies.spectrum import effective_rank, shape, spectra
from speechbrain_hrf.training.history import read_history
from speechbrain_hrf.training.scores import SCORES

if TYPE_CHECKING:
    from speechbrain_hrf.studies.study import Study
    from speechbrain_hrf.studies.trial import Trial

TRIALS = "trials.jsonl"
TEST_SETS = "test_sets.jsonl"
# Classes as single characters, in the order of their indices.
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
CURVES = 24  # epochs of a curve that are kept, besides the first
# What a manifest may call the speaker and the class of an utterance. A series
# is the unit where speakers are letters within a dialogue, as in M3ED. Where
# nobody knows who speaks, it is the recording; where nothing is said, the
# utterance's name begins with the speaker's.
_SPEAKER = ("series", "speaker", "participant", "recording")
_CLASS = ("emo", "state", "label")


def add_trial(
    folder: str | os.PathLike, line: dict[str, Any], test_set: dict[str, Any]
) -> None:
    """Adds a finished trial to a study's folder.

    Arguments
    ---------
    folder : str or os.PathLike
    line, test_set : dict
        As of ``trial_line``. The test set is written first, and once.

    Example
    -------
    >>> folder = getfixture("tmpdir").strpath
    >>> add_trial(folder, {"id": "a"}, {"id": "b"})
    >>> read_lines(folder), read_test_sets(folder)
    ([{'id': 'a'}], {'b': {'id': 'b'}})
    """
    if test_set["id"] not in read_test_sets(folder):
        files.append_line(pathlib.Path(folder, TEST_SETS), test_set)
    files.append_line(pathlib.Path(folder, TRIALS), line)


def read_lines(folder: str | os.PathLike) -> list[dict[str, Any]]:
    """The finished trials of a study, in the order in which they ended.

    Where a trial stands twice (two machines ran it), the first one counts.

    Arguments
    ---------
    folder : str or os.PathLike

    Returns
    -------
    list of dict

    Example
    -------
    >>> read_lines(getfixture("tmpdir").strpath)
    []
    """
    lines: dict[str, dict] = {}
    for line in files.read_lines(pathlib.Path(folder, TRIALS), ["id"]):
        lines.setdefault(line["id"], line)
    return list(lines.values())


def read_test_sets(folder: str | os.PathLike) -> dict[str, dict[str, Any]]:
    """The test sets of a study by their ids.

    Arguments
    ---------
    folder : str or os.PathLike

    Returns
    -------
    dict of str: dict

    Example
    -------
    >>> read_test_sets(getfixture("tmpdir").strpath)
    {}
    """
    path = pathlib.Path(folder, TEST_SETS)
    return {line["id"]: line for line in files.read_lines(path, ["id"])}


def identify_test_set(content: Mapping[str, Any]) -> str:
    """The id of a test set: it tells whether that is still the same.

    Arguments
    ---------
    content : dict
        All of its line but the id itself.

    Returns
    -------
    str

    Example
    -------
    >>> identify_test_set({"fold": 1, "labels": ["sad"]})
    '...'
    """
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    return digest.hexdigest()[:12]


def trial_line(
    trial: Trial,
    study: Study,
    output_folder: pathlib.Path,
    test_at: Mapping[int, Mapping[str, float]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Collects what a recipe's run has left in its output folder.

    Arguments
    ---------
    trial : Trial
    study : Study
    output_folder : pathlib.Path
        Of the recipe.
    test_at : dict of int: dict
        Test scores after earlier epochs.

    Returns
    -------
    dict
        The line; ``run_trials`` adds how it was run.
    dict
        The test set's line.

    Raises
    ------
    FileNotFoundError
        If the run has not ended: there is no test_metrics.json.

    Example
    -------
    >>> trial_line(None, None, pathlib.Path(getfixture("tmpdir")), {})
    Traceback (most recent call last):
        ...
    FileNotFoundError: ... has no test_metrics.json...
    """
    results = RunResults.read(output_folder)
    test_set, predicted, unit = _test_set(trial, output_folder, results)
    history = read_history(output_folder)
    values = _singular_values(output_folder / results.checkpoint)
    own = {"seed", "lr", study.keys.fold_key}  # keys of the line
    line = {
        "id": trial.id,
        "study": study.keys.name,
        "recipe": trial.recipe,
        "dataset": results.dataset,
        "synthetic": results.synthetic,
        "protocol": results.protocol,
        "scored_epoch": results.scored_epoch,
        "model": trial.model,
        "arm": trial.arm,
        "options": {k: v for k, v in trial.options.items() if k not in own},
        "lr": trial.lr,
        "fold": trial.fold,
        "seed": trial.seed,
        "metric": study.keys.metric,
        "test_set": test_set["id"],
        **({"unit": unit} if unit in ("recording", "series") else {}),
        "epoch": results.epoch,
        "test": _scores(vars(results)),
        "predicted": predicted,
        "test_at": {str(epoch): _scores(x) for epoch, x in test_at.items()},
        "valid": _valid(history, results.epoch),
        "curves": _curves(history),
        "rates": _rates(history),
        "params": {
            key: getattr(results, f"params_{key}")
            for key in ("training", "merged", "lightweight")
        },
        "ranks": {k: _short(effective_rank(v), 3) for k, v in values.items()},
        "spectra": {k: shape(v) for k, v in values.items()},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "speechbrain": version("speechbrain"),
            "speechbrain_hrf": version("speechbrain-hrf"),
        },
        "finished": datetime.datetime.now(datetime.timezone.utc).isoformat(
            timespec="seconds"
        ),
    }
    return line, test_set


def _test_set(trial, folder, results):
    """The test set's line, the classes found in its order, and its unit."""
    path = folder / "manifests" / "test.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    labels = results.labels
    if len(labels) > len(DIGITS):
        raise ValueError(
            f"{trial.recipe} has {len(labels)} classes; lines hold at most "
            f"{len(DIGITS)}."
        )
    digit = dict(zip(labels, DIGITS, strict=False))
    utterances = sorted(manifest)
    first = manifest[utterances[0]]
    unit = next((key for key in _SPEAKER if key in first), "speaker")
    content = {
        "fold": trial.fold,
        "labels": labels,
        "utterances": utterances,
        "speakers": [
            str(manifest[k].get(unit, k.rpartition("_")[0])) for k in utterances
        ],
        "truth": "".join(digit[_class(manifest[k], digit)] for k in utterances),
    }
    predicted = "".join(digit[results.predicted[k]] for k in utterances)
    return {"id": identify_test_set(content), **content}, predicted, unit


def _class(entry, known):
    (label,) = {entry[key] for key in _CLASS if entry.get(key) in known}
    return label


def _scores(scores):
    return {key: _short(scores[key]) for key in SCORES}


def _valid(history, epoch):
    """Validation loss and scores of the epoch that was tested."""
    for line in history:
        if line["epoch"] == epoch and "valid_loss" in line:
            return {
                key.removeprefix("valid_"): value
                for key, value in line.items()
                if key.startswith("valid_")
            }
    return None


def _curves(history):
    """Loss and scores of some epochs, evenly spaced, the last one included."""
    step = -(-len(history) // CURVES)
    kept = [
        line
        for k, line in enumerate(history, start=1)
        if k == 1 or (len(history) - k) % step == 0
    ]
    names = set(kept[-1]) - {"epoch", "lr"} if kept else ()
    curves = {n: [_short(x.get(n), 3) for x in kept] for n in sorted(names)}
    return {"epoch": [line["epoch"] for line in kept], **curves}


def _rates(history):
    """Epochs from which on the learning rate was another, and which."""
    stretches = itertools.groupby(history, operator.itemgetter("lr"))
    return [[next(lines)["epoch"], lr] for lr, lines in stretches]


def _singular_values(checkpoint):
    return {
        f"{part}.{name.removesuffix('.weight')}": values
        for part in ("embedding_model", "classifier")
        for name, values in spectra(
            torch.load(checkpoint / f"{part}.ckpt", weights_only=True)
        ).items()
        if len(values) > 1 and values[0] > 0
    }


def _short(value, digits=4):
    """A few digits: enough for a figure or a score."""
    return None if value is None else float(f"{value:.{digits}g}")
