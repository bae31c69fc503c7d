"""A study's finished trials, checked: a table of runs, and every speaker.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
from typing import Annotated, Any, Literal

import numpy as np
import pandas
from pydantic import BaseModel, Field, ValidationError

from speechbrain_hrf.files import read_lines
from speechbrain_hrf.studies.lines import (
    DIGITS,
    TEST_SETS,
    TRIALS,
    identify_test_set,
)
from speechbrain_hrf.studies.rows import make_table
from speechbrain_hrf.training.scores import SCORES

RUN = ["model", "row", "lr", "test_set", "fold", "seed"]  # names one
MUST_AGREE = ("protocol", "number_of_epochs", "features", "class_weights")
MOST_QUOTED = 200  # characters of a value, in a message
_ID = "^[0-9a-f]{12}$"
AGAIN = "Take the line out of the file and run `hrf study` with --resume."


class _Line(BaseModel):
    """What the report needs of a line of trials.jsonl."""

    id: Annotated[str, Field(pattern=_ID)]
    dataset: str
    synthetic: bool
    protocol: str
    scored_epoch: str | None
    model: str
    arm: str
    options: dict[str, Any]
    lr: float
    fold: int | str | None
    seed: int
    metric: Literal["WA", "UA", "WF1", "MF1"]
    test_set: str
    epoch: int
    test: dict[str, float | None]
    predicted: str
    test_at: dict[int, dict[str, float]]
    valid: dict[str, float | None] | None
    curves: dict[str, list[float | None]]
    rates: list[tuple[int, float]]
    params: dict[str, int]
    ranks: dict[str, float]
    spectra: dict[str, list[float]]
    versions: dict[str, str]
    finished: str


class _TestSet(BaseModel):
    """The same of test_sets.jsonl."""

    id: Annotated[str, Field(pattern=_ID)]
    labels: list[str]
    speakers: list[str]
    truth: str


@dataclasses.dataclass(frozen=True)
class Results:
    """The finished trials of a study.

    Arguments
    ---------
    folder : pathlib.Path
    lines : list of dict
        As they were read; ``table`` refers to them by ``line``.
    table : pandas.DataFrame
        A run each: line, model (as the paper spells it), arm, row (its name in
        all tables), family (lightweight, original, paper, control, ours),
        reference (row of the lightweight model that it is compared with, or
        not-a-number), ratio, layers, activation, lr, fold, seed, test_set, WA,
        UA, WF1, MF1, valid (larger is better), epochs.
    counts : list of dict
        Per line: speaker to a matrix [true class, found class] of utterances.
    labels : list of str
        Of the classes.
    warnings : list of str

    Example
    -------
    >>> Results(None, [{"metric": "UA"}], None, [], [], []).metric
    'UA'
    """

    folder: pathlib.Path | None
    lines: list[dict[str, Any]]
    table: pandas.DataFrame
    counts: list[dict[str, np.ndarray]]
    labels: list[str]
    warnings: list[str]

    @property
    def metric(self) -> str:
        """The score that the study is about."""
        return self.lines[0]["metric"]

    @property
    def dataset(self) -> str:
        """The corpus."""
        return self.lines[0]["dataset"]

    @property
    def models(self) -> list[str]:
        """In the paper's order."""
        return list(self.table["model"].unique())

    @property
    def speaker_names(self) -> set[str]:
        """Of all test sets."""
        return {who for counts in self.counts for who in counts}

    @functools.cached_property
    def compared(self) -> str:
        """The score by which speakers are compared: the study's, if it can be.

        Of a speaker of one class, such as one who is depressed or not, there
        is no F1: there it is UA, or WA for the weighted F1.
        """
        several = self._classes.sum(axis=1) > 1
        instead = {"MF1": "UA", "WF1": "WA"} if several.mean() < 0.5 else {}
        return instead.get(self.metric, self.metric)

    @property
    def _classes(self) -> np.ndarray:
        """Which of them each speaker has, [S, C]."""
        found = {who: x for counts in self.counts for who, x in counts.items()}
        return np.array([x.sum(axis=1) > 0 for x in found.values()])

    @functools.cached_property
    def speakers(self) -> pandas.Series:
        """Each speaker's score in each run, by the run's place and speaker.

        UA is the mean recall over classes. A speaker who has not all of them
        counts for those alone, and the more, the fewer others have them: the
        mean over speakers lets classes count alike.
        """
        have = self._classes.sum(axis=0)
        weight = len(self._classes) / np.maximum(have, 1) / (have > 0).sum()
        scores = [
            (line, who, scores_of(matrix, weight)[self.compared])
            for line, speakers in enumerate(self.counts)
            for who, matrix in speakers.items()
        ]
        table = pandas.DataFrame(scores, columns=["line", "speaker", "score"])
        table = self.table[["line", *RUN]].merge(table, on="line")
        return table.set_index([*RUN, "speaker"])["score"]


def scores_of(counts: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """The scores of some utterances, of those classes that they have.

    Arguments
    ---------
    counts : numpy.ndarray
        Utterances by true and found class, [C, C].
    weight : numpy.ndarray
        Of each class's recall in UA, [C].

    Returns
    -------
    dict of str: float
        WA (accuracy), UA (weighted sum of recalls), WF1 and MF1 (weighted and
        plain mean of F1).

    Example
    -------
    >>> counts = np.array([[3, 1, 0], [2, 2, 0], [0, 0, 0]])
    >>> scores_of(counts, np.array([0.5, 0.5, 0]))["UA"]
    0.625
    """
    right, true = np.diag(counts), counts.sum(axis=1)
    there = true > 0
    f1 = 2 * right[there] / (true + counts.sum(axis=0))[there]
    return {
        "WA": float(right.sum() / true.sum()),
        "UA": float((weight[there] * right[there] / true[there]).sum()),
        "WF1": float((f1 * true[there]).sum() / true.sum()),
        "MF1": float(f1.mean()),
    }


def read_results(folder: str | os.PathLike) -> Results:
    """Reads and checks the trials of a study.

    Arguments
    ---------
    folder : str or os.PathLike

    Returns
    -------
    Results

    Raises
    ------
    FileNotFoundError
        If there is no folder, or no finished trial in it.
    ValueError
        If lines are damaged, of another format, or cannot be compared.

    Example
    -------
    >>> read_results(getfixture("tmpdir").strpath)
    Traceback (most recent call last):
        ...
    FileNotFoundError: .../trials.jsonl is missing or empty...
    """
    folder = pathlib.Path(folder)
    path = folder / TRIALS
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}: give the output folder of a study, "
            f"in which `hrf study` has left {TRIALS}."
        )
    given = _read_checked(_Line, path)
    if not given:
        raise FileNotFoundError(
            f"{path} is missing or empty: no trial of this study has finished. "
            "Run `hrf study` first."
        )
    test_sets = _read_test_sets(folder / TEST_SETS)
    lines, counts, warnings = {}, [], []
    if not path.read_bytes().endswith(b"\n"):
        warnings.append(
            f"{TRIALS} ends within a line: what wrote it was stopped. That "
            "line is left out."
        )
    for where, line in given.items():
        scores = pandas.Series(line["test"], SCORES, dtype=float)
        bad = scores[~np.isfinite(scores)]
        if len(bad):
            warnings.append(
                f"Left out: {_label(line)}, since its test {bad.index[0]} is "
                f"{line['test'].get(bad.index[0])}, not a number."
            )
        elif line["id"] not in lines:  # two machines may have run it
            lines[line["id"]] = line
            counts.append(_count(line, test_sets, where))
    if not lines:
        raise ValueError(f"No trial in {path} can be used. {warnings[-1]}")
    kept = list(lines.values())
    labels = [test_sets[line["test_set"]]["labels"] for line in kept]
    same = {key: [line[key] for line in kept] for key in ("dataset", "metric")}
    for key, values in {**same, "classes": labels}.items():
        if several := _several(values):
            raise ValueError(
                f"Trials of one study differ in {key}: {several}. Give each "
                "its own output folder."
            )
    table = make_table(kept)
    twice = table.duplicated(RUN)
    if twice.any():
        raise ValueError(
            f"{_label(kept[table['line'][twice].iloc[0]])} was run with two "
            "sets of options under one name. Give one of them another name "
            "(arms: in the study) or another output folder."
        )
    warnings += _unequal_terms(kept, table)
    return Results(folder, kept, table, counts, labels[0], warnings)


def _read_test_sets(path):
    """Those of a study by their ids, which tell whether they are the same."""
    test_sets = {}
    for where, line in _read_checked(_TestSet, path).items():
        content = {key: line[key] for key in line if key != "id"}
        if identify_test_set(content) != line["id"]:
            raise ValueError(
                f"{where} was changed: it is not the test set that has the id "
                f"{line['id']}. Bring that file back, or take the line and "
                f"its trials in {TRIALS} out and run `hrf study` with --resume."
            )
        test_sets[line["id"]] = line
    return test_sets


def _several(values):
    """Unequal values in words; nothing where all are the same."""
    found = sorted(set(map(str, values)))
    return " and ".join(x[:MOST_QUOTED] for x in found) if found[1:] else ""


def _read_checked(kind, path):
    """Lines by where they stand."""
    lines = {}
    for number, line in enumerate(read_lines(path), start=1):
        where = f"{path}, line {number}"
        try:
            kind.model_validate(line)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"])) or "the line"
            raise ValueError(
                f"{where} is damaged: {name}: {first['msg'].lower()}. {AGAIN}"
            ) from None
        lines[where] = line
    return lines


def _label(line):
    place = f"lr {line['lr']:g}, fold {line['fold']}, seed {line['seed']}"
    return f"{line['model']} {line['arm']}"[:MOST_QUOTED] + f", {place}"


def _count(line, test_sets, where):
    """Speaker to utterances by true and found class."""
    if line["test_set"] not in test_sets:
        raise ValueError(
            f"{where}: its test set {line['test_set'][:12]} is not in {TEST_SETS}. "
            f"Bring that file back, or: {AGAIN}"
        )
    test_set = test_sets[line["test_set"]]
    size = len(test_set["labels"])
    texts = line["predicted"], test_set["truth"]
    found, true = (np.array([DIGITS.find(x) for x in text]) for text in texts)
    if len(found) != len(true) or not ((0 <= found) & (found < size)).all():
        raise ValueError(
            f"{where} is damaged: its predicted classes do not belong to the "
            f"{len(true)} utterances and {size} classes of test set "
            f"{test_set['id']}. {AGAIN}"
        )
    names, which = np.unique(test_set["speakers"], return_inverse=True)
    counts = np.zeros((len(names), size, size), int)
    np.add.at(counts, (which, true, found), 1)
    return dict(zip(names.tolist(), counts, strict=True))


def _unequal_terms(lines, table):
    """What differs between runs that are compared."""
    found = []
    dirty = sum(bool(line.get("dirty")) for line in lines)
    if dirty:
        found.append(
            f"{dirty} of {len(lines)} runs were made with changes of the code "
            "that are in no commit."
        )
    # What is trained otherwise on purpose is no arm of the comparison.
    small = table[~table["family"].isin(["original", "control"])]
    if (small.groupby(["fold", "seed"])["test_set"].nunique() > 1).any():
        found.append(
            "Runs of one fold and seed have different test sets: the corpus "
            "changed in between. Only runs with the same one are compared."
        )
    for model, runs in small.groupby("model", sort=False):
        terms = [{**lines[k], **lines[k]["options"]} for k in runs["line"]]
        for key in MUST_AGREE:
            if several := _several(run.get(key) for run in terms):
                found.append(f"Runs of {model} differ in {key}: {several}.")
    return found
