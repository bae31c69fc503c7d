"""What a finished trial leaves: one line of JSON in trials.jsonl.

Lines are short, since there are hundreds and they are published: the class
that was found for every test utterance, a few points of the curves, no path and
no name of a machine or user. Which utterances and speakers a test set has
stands once in test_sets.jsonl.

Authors
 * The speechbrain_hrf authors 2026
"""

import itertools
import json
import operator
import os
import pathlib
import platform
from datetime import datetime, timezone
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch

from speechbrain_hrf import files
from speechbrain_hrf.nnet.spectrum import effective_rank, spectra
from speechbrain_hrf.results import RunResults
from speechbrain_hrf.studies.trial import Trial, digest
from speechbrain_hrf.training.history import read_history
from speechbrain_hrf.training.scores import SCORES

if TYPE_CHECKING:
    from speechbrain_hrf.studies.study import Study

TRIALS = "trials.jsonl"
TEST_SETS = "test_sets.jsonl"
STAGES = "stages.jsonl"  # of a run: test scores after earlier epochs
# Classes as single characters, in the order of their indices: any number.
DIGITS = "".join(map(chr, range(ord("0"), 0xD800)))
CURVES = 24  # epochs of a curve that are kept, besides the first
PLACES = 9  # singular values of a layer that are kept, at most
# What a manifest may call the speaker and the class of an utterance. A series
# is the unit where speakers are letters within a dialogue, as in M3ED. Where
# nobody knows who speaks, it is the recording; where nothing is said, the
# utterance's name begins with the speaker's.
_SPEAKER = ("series", "speaker", "participant", "recording")
_CLASS = ("emo", "state", "label")
# Keys that are copied from the trial, and from its results.
_OF_TRIAL = ("id", "recipe", "model", "arm", "fold", "seed")
_OF_RESULTS = ("dataset", "synthetic", "protocol", "scored_epoch", "epoch")


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


def note_stage(output_folder: pathlib.Path, epochs: int) -> None:
    """Keeps the test scores of a run that will be trained further.

    Arguments
    ---------
    output_folder : pathlib.Path
        Of the recipe.
    epochs : int
        How far it has been trained.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> getfixture("run_results").write(folder)
    >>> note_stage(folder, 30)
    >>> files.read_lines(folder / STAGES)
    [{'epoch': 30, 'WA': 0.5, 'UA': 0.5, 'WF1': 0.5, 'MF1': 0.5}]
    """
    scores = _scores(vars(RunResults.read(output_folder)))
    files.append_line(output_folder / STAGES, {"epoch": epochs, **scores})


def trial_line(
    trial: Trial, study: "Study"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Collects what a recipe's run has left in its output folder.

    Arguments
    ---------
    trial : Trial
    study : Study

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
    >>> study = getfixture("demo_study")
    >>> trial_line(study.trials[0], study)
    Traceback (most recent call last):
        ...
    FileNotFoundError: ... has no test_metrics.json...
    """
    folder = study.run_folder(trial.id)
    results = RunResults.read(folder)
    test_set, predicted, unit = _test_set(trial, folder, results)
    history = read_history(folder)
    early = files.read_lines(folder / STAGES, ["epoch", *SCORES])
    values = _singular_values(folder / results.checkpoint)
    own = {"seed", "lr", study.keys.fold_key}  # keys of the line
    line = {
        **{key: getattr(trial, key) for key in _OF_TRIAL},
        "lr": trial.options.get("lr"),
        **{key: getattr(results, key) for key in _OF_RESULTS},
        "study": study.keys.name,
        "options": {k: v for k, v in trial.options.items() if k not in own},
        "metric": study.keys.metric,
        "test_set": test_set["id"],
        **({"unit": unit} if unit in ("recording", "series") else {}),
        "test": _scores(vars(results)),
        "predicted": predicted,
        "test_at": {str(x["epoch"]): _scores(x) for x in early},
        "valid": _valid(history, results.epoch),
        "curves": _curves(history),
        "rates": _rates(history),
        "params": {
            key: getattr(results, f"params_{key}")
            for key in ("training", "merged", "lightweight")
        },
        "ranks": {k: _short(effective_rank(v), 3) for k, v in values.items()},
        "spectra": {
            k: [_short(x, 2) for x in _shape(v)] for k, v in values.items()
        },
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "speechbrain": version("speechbrain"),
            "speechbrain_hrf": version("speechbrain-hrf"),
        },
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    return line, test_set


def _test_set(trial, folder, results):
    """The test set's line, the classes found in its order, and its unit."""
    path = folder / "manifests" / "test.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    labels = results.labels
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
    return {"id": digest(content), **content}, predicted, unit


def _class(entry, known):
    (label,) = {entry[key] for key in _CLASS if entry.get(key) in known}
    return label


def _scores(scores):
    return {key: _short(scores[key]) for key in SCORES}


def _valid(history, epoch):
    """Validation loss and scores of the epoch that was tested."""
    tested = {line["epoch"]: line for line in history}.get(epoch, {})
    valid = [key for key in tested if key.startswith("valid_")]
    return {key.removeprefix("valid_"): tested[key] for key in valid} or None


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


def _shape(singular_values):
    """Relative to the largest, at evenly spaced places."""
    last = len(singular_values) - 1
    places = {round(k * last / (PLACES - 1)) for k in range(PLACES)}
    return [singular_values[k] / singular_values[0] for k in sorted(places)]


def _short(value, digits=4):
    """A few digits: enough for a figure or a score."""
    return None if value is None else float(f"{value:.{digits}g}")
