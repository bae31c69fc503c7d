"""What a finished trial leaves: one line of JSON.

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
import json
import os
import pathlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import torch

from speechbrain_hrf.studies.spectrum import effective_rank, spectra
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.trial import Trial
from speechbrain_hrf.training.history import read_history
from speechbrain_hrf.training.scores import SCORES

# Classes as single characters, in the order of their indices.
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
CURVES = 24  # epochs of a curve that are kept, besides the first
SPECTRUM = 9  # singular values of a layer that are kept
_SPEAKER = ("speaker", "participant")


def trial_line(
    trial: Trial,
    study: Study,
    output_folder: str | os.PathLike,
    test_at: Mapping[int, Mapping[str, float]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Collects what a recipe's run has left in its output folder.

    Arguments
    ---------
    trial : Trial
    study : Study
    output_folder : str or os.PathLike
        Of the recipe.
    test_at : dict of int: dict
        Test scores after earlier epochs.

    Returns
    -------
    dict
        The line; ``run_trial`` adds how it was run.
    dict
        The test set's line.

    Raises
    ------
    FileNotFoundError
        If the run has not ended: there is no test_metrics.json.

    Example
    -------
    >>> trial_line(None, None, getfixture("tmpdir").strpath, {})
    Traceback (most recent call last):
        ...
    FileNotFoundError: ...test_metrics.json...
    """
    folder = pathlib.Path(output_folder)
    results = _read_json(folder / "test_metrics.json")
    test_set, predicted = _test_set(trial, folder, results)
    history = read_history(folder)
    modules = trial.options.get("hrf_modules")
    values = _singular_values(folder / results["checkpoint"])
    line = {
        "id": trial.id,
        "study": study.keys.name,
        "recipe": trial.recipe,
        "dataset": results["dataset"],
        "synthetic": results["synthetic"],
        "protocol": results["protocol"],
        "scored_epoch": results.get("scored_epoch"),
        "model": trial.model,
        "arm": trial.arm,
        "row": trial.arm if modules == [trial.arm] else None,
        "options": {
            key: value
            for key, value in trial.options.items()
            if key not in ("seed", "lr", study.keys.fold_key)
        },
        "lr": trial.lr,
        "fold": trial.fold,
        "seed": trial.seed,
        "metric": trial.metric,
        "test_set": test_set["id"],
        "epoch": results["epoch"],
        "test": _scores(results),
        "predicted": predicted,
        "test_at": {
            str(epoch): _scores(scores) for epoch, scores in test_at.items()
        },
        "valid": _valid(history, results["epoch"]),
        "curves": _curves(history),
        "rates": _rates(history),
        "params": {
            "training": results["params_training"],
            "merged": results["params_merged"],
            "lightweight": results["params_lightweight"],
        },
        "ranks": {k: _short(effective_rank(v), 3) for k, v in values.items()},
        "spectra": {k: _shape(v) for k, v in values.items()},
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
    """The test set's line, and the classes found, in its order."""
    manifest = _read_json(folder / "manifests" / "test.json")
    labels = results["labels"]
    if len(labels) > len(DIGITS):
        raise ValueError(
            f"{trial.recipe} has {len(labels)} classes; lines hold at most "
            f"{len(DIGITS)}."
        )
    digit = dict(zip(labels, DIGITS, strict=False))
    utterances = sorted(manifest)
    content = {
        "fold": trial.fold,
        "labels": labels,
        "utterances": utterances,
        "speakers": [_speaker(name, manifest[name]) for name in utterances],
        "truth": "".join(digit[_label(manifest[k], digit)] for k in utterances),
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    predicted = results["predicted"]
    return {"id": digest.hexdigest()[:12], **content}, "".join(
        digit[predicted[name]] for name in utterances
    )


def _speaker(utterance, entry):
    for key in _SPEAKER:
        if key in entry:
            return str(entry[key])
    return utterance.rpartition("_")[0]


def _label(entry, digit):
    (label,) = {
        value
        for key, value in entry.items()
        if key in ("emo", "state", "label") and value in digit
    }
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
    names = [n for n in (kept[-1] if kept else ()) if n not in ("epoch", "lr")]
    return {
        "epoch": [line["epoch"] for line in kept],
        **{
            name: [_short(line.get(name), 3) for line in kept] for name in names
        },
    }


def _rates(history):
    """Epochs from which on the learning rate was another, and which."""
    changes: list[list[float]] = []
    for line in history:
        if not changes or changes[-1][1] != line["lr"]:
            changes.append([line["epoch"], line["lr"]])
    return changes


def _singular_values(checkpoint):
    return {
        f"{part}.{name.removesuffix('.weight')}": values
        for part in ("embedding_model", "classifier")
        for name, values in spectra(
            torch.load(checkpoint / f"{part}.ckpt", weights_only=True)
        ).items()
        if len(values) > 1 and values[0] > 0
    }


def _shape(values: Sequence[float]) -> list[float]:
    """Singular values relative to the largest, at evenly spaced places."""
    last = len(values) - 1
    places = dict.fromkeys(
        round(k * last / (SPECTRUM - 1)) for k in range(SPECTRUM)
    )
    return [_short(values[k] / values[0], 2) for k in places]


def _short(value, digits=4):
    """A few digits: enough for a figure or a score."""
    return None if value is None else float(f"{value:.{digits}g}")


def _read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))
