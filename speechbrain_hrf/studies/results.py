"""A study's finished trials, checked: a table of runs, and every speaker.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import functools
import os
import pathlib
from typing import Annotated, Any, Literal

import numpy as np
import pandas
from pydantic import BaseModel, Field, ValidationError

from speechbrain_hrf.files import read_lines
from speechbrain_hrf.studies import lines, paper
from speechbrain_hrf.studies.keys import Metric
from speechbrain_hrf.studies.rows import make_table
from speechbrain_hrf.studies.trial import digest
from speechbrain_hrf.training.scores import SCORES

# Keys of a line of trials.jsonl whose kind does not matter.
NEEDED = ("dataset", "protocol", "scored_epoch", "finished")
RUN = ["model", "row", "lr", "test_set", "fold", "seed"]  # names one
MUST_AGREE = ["protocol", "scored_epoch", "number_of_epochs", "batch_size"]
MUST_AGREE += ["features", "class_weights"]
MOST_QUOTED = 200  # characters of a value, in a message
AGAIN = "Take the line out of the file and run `hrf study` with --resume."
_Scores = Annotated[dict[Metric, float], Field(min_length=4)]
_Size = Literal["training", "merged", "lightweight"]


class _Line(BaseModel, strict=True):
    """Those whose kind matters."""

    id: str = Field(pattern="^[0-9a-f]{12}$")
    synthetic: bool
    model: str
    arm: str
    options: dict[str, Any]
    lr: float
    fold: int | str | None
    seed: int
    metric: Metric
    test_set: str
    epoch: int
    test: dict[str, float | None]
    predicted: str
    test_at: dict[str, _Scores]
    valid: dict[str, float | None] | None
    curves: dict[str, list[float | None]]
    rates: list[list[float]]
    params: Annotated[dict[_Size, int], Field(min_length=3)]
    ranks: dict[str, float]
    spectra: dict[str, list[float]]
    versions: dict[str, str]
    seconds: float = 0


@dataclasses.dataclass(frozen=True)
class Results:
    """The finished trials of a study.

    Arguments
    ---------
    folder : pathlib.Path
    table : pandas.DataFrame
        A run each, of ``make_table``; with ``classes``, their labels, and
        ``counts``, what was found: speaker to a matrix [true class, found
        class] of utterances.
    warnings : list of str

    Example
    -------
    >>> Results(None, pandas.DataFrame({"metric": ["UA"]}), []).metric
    'UA'
    """

    folder: pathlib.Path | None
    table: pandas.DataFrame
    warnings: list[str]

    @property
    def common(self) -> pandas.Series:
        """What all runs have in common, by the table's names.

        Such as dataset, synthetic, classes and unit: "speaker", or "recording"
        or "series" where nobody said who speaks.
        """
        return self.table.iloc[0]

    @property
    def metric(self) -> str:
        """The score that the study is about."""
        return self.common["metric"]

    @property
    def models(self) -> list[str]:
        """In the paper's order."""
        return list(self.table["model"].unique())

    @functools.cached_property
    def rates(self) -> dict[str, float]:
        """By model: the rate of most runs of its lightweight arm.

        Of several, that of most runs of all arms, so that few have to go.
        """
        found = {}
        for model, runs in self.table.groupby("model", sort=False):
            light = runs["lr"][runs["family"] == "lightweight"].mode()
            if len(light):
                found[model] = usual_rate(runs["lr"][runs["lr"].isin(light)])
        return found

    @functools.cached_property
    def runs(self) -> pandas.DataFrame:
        """Those of the table at the lightweight model's learning rate.

        The original has a rate of its own. Arms stand as the paper has them.
        """
        usual = self.table.groupby(["model", "row"])["lr"].transform(usual_rate)
        at = self.table["model"].map(self.rates)
        at = at.where(self.table["family"] != "original").fillna(usual)
        return self.table[self.table["lr"] == at].sort_values(
            "arm", key=lambda arms: arms.map(paper.place), kind="stable"
        )

    @property
    def arms(self) -> pandas.DataFrame:
        """The same without the original, which is no arm."""
        return self.runs[self.runs["family"] != "original"]

    @functools.cached_property
    def classes(self) -> pandas.DataFrame:
        """Which classes each test speaker has, a line per speaker."""
        found = {who: x for of in self.table["counts"] for who, x in of.items()}
        return pandas.DataFrame({k: x.any(axis=1) for k, x in found.items()}).T

    @functools.cached_property
    def compared(self) -> str:
        """The score by which speakers are compared: the study's, if it can be.

        Of a speaker of one class, such as one who is depressed or not, there
        is no F1: there it is UA, or WA for the weighted F1.
        """
        several = self.classes.sum(axis=1) > 1
        instead = {"MF1": "UA", "WF1": "WA"} if several.mean() < 0.5 else {}
        return instead.get(self.metric, self.metric)

    @functools.cached_property
    def speakers(self) -> pandas.Series:
        """Each speaker's score in each run, by what names the run and speaker.

        UA is the mean recall over classes. A speaker who has not all of them
        counts for those alone, and the more, the fewer others have them: the
        mean over speakers lets classes count alike.
        """
        have = self.classes.sum().to_numpy()
        weight = len(self.classes) / have.clip(1) / (have > 0).sum()
        scores = {
            (*names, who): scores_of(matrix, weight)[self.compared]
            for *names, counts in self.table[[*RUN, "counts"]].to_numpy()
            for who, matrix in counts.items()
        }
        return pandas.Series(scores).rename_axis([*RUN, "speaker"])


def usual_rate(rates: pandas.Series) -> float:
    """The most frequent learning rate; the smallest of several.

    Arguments
    ---------
    rates : pandas.Series

    Returns
    -------
    float

    Example
    -------
    >>> usual_rate(pandas.Series([0.2, 0.1, 0.2, 0.1]))
    0.1
    """
    return float(rates.mode().min())


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
    ValueError
        If there is no finished trial, or lines are damaged, of another format,
        or cannot be compared.

    Example
    -------
    >>> read_results(getfixture("tmpdir").strpath)
    Traceback (most recent call last):
        ...
    ValueError: .../trials.jsonl has no trial that can be used...
    """
    folder = pathlib.Path(folder)
    path = folder / lines.TRIALS
    test_sets = {}
    for content in read_lines(folder / lines.TEST_SETS, ["id"]):
        # One that was changed has another id than its trials know.
        del content["id"]
        test_sets[digest(content)] = content
    found, warnings = {}, []
    for number, line in enumerate(read_lines(path, NEEDED), start=1):
        counted = _count(line, f"{path}, line {number}", test_sets)
        scores = pandas.Series(line["test"], SCORES, dtype=float)
        if not np.isfinite(scores).all():
            warnings.append(
                f"Left out: {_label(line)}, whose scores are {scores.to_dict()}."
            )
        else:  # two machines may have run it: the first counts
            found.setdefault(line["id"], {**line, **counted})
    if not found:
        reason = warnings[0] if warnings else "It is missing or empty."
        raise ValueError(
            f"{path} has no trial that can be used. {reason} Give a folder in "
            "which `hrf study` has finished a trial."
        )
    table = make_table(list(found.values()))
    for key in ("dataset", "metric", "classes"):
        if several := _several(table[key]):
            raise ValueError(
                f"Trials of a study differ in {key}: {several}. Give each a "
                "folder of its own."
            )
    twice = table[table.duplicated(RUN)]
    if len(twice):
        raise ValueError(
            f"{_label(twice.iloc[0])} was run with two sets of options under "
            "one name. Give one of them another name (arms: in the study)."
        )
    results = Results(folder, table, warnings)
    warnings.extend(_unequal_terms(results))
    return results


def _several(values):
    """Unequal values in words; nothing where all are the same."""
    found = sorted(set(map(str, values)))
    return " and ".join(x[:MOST_QUOTED] for x in found) if found[1:] else ""


def _label(line):
    place = f"lr {line['lr']:g}, fold {line['fold']}, seed {line['seed']}"
    return f"{line['model']} {line['arm']}"[:MOST_QUOTED] + f", {place}"


def _count(line, where, test_sets):
    """The classes, and speaker to utterances by true and found class."""
    try:
        _Line.model_validate(line)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise ValueError(
            f"{where} is damaged: {name}: {first['msg'].lower()}. {AGAIN}"
        ) from None
    if line["test_set"] not in test_sets:
        raise ValueError(
            f"{where}: its test set {line['test_set'][:12]} is not in "
            f"{lines.TEST_SETS}, or was changed there. Bring it back, or take it "
            f"out there, too. {AGAIN}"
        )
    test_set = test_sets[line["test_set"]]
    predicted, truth = line["predicted"], test_set["truth"]
    digits = lines.DIGITS[: len(test_set["labels"])]
    if len(predicted) != len(truth) or not set(predicted) <= set(digits):
        raise ValueError(
            f"{where} is damaged: its predicted classes are not those of "
            f"{len(truth)} utterances in {len(digits)} classes. {AGAIN}"
        )
    true, found = ([*map(digits.index, text)] for text in (truth, predicted))
    names, which = np.unique(test_set["speakers"], return_inverse=True)
    counts = np.zeros((len(names), len(digits), len(digits)), int)
    np.add.at(counts, (which, true, found), 1)
    counts = dict(zip(names.tolist(), counts, strict=True))
    return {"classes": test_set["labels"], "counts": counts}


def _unequal_terms(results):
    """What differs between runs that are compared, or cannot be compared."""
    table, runs = results.table, results.runs
    if dirty := table["dirty"].eq(True).sum():
        yield f"{dirty} of {len(table)} runs are of code that is in no commit."
    # What is trained otherwise on purpose is no arm of the comparison.
    small = table[~table["family"].isin(["original", "control"])]
    if (small.groupby(["fold", "seed"])["test_set"].nunique() > 1).any():
        yield "Corpus changed: runs with different test sets are not compared."
    for model, of_model in small.groupby("model", sort=False):
        terms = [{**x, **x["options"]} for x in of_model.to_dict("records")]
        for key in MUST_AGREE:
            if several := _several(run.get(key) for run in terms):
                yield f"Runs of {model} differ in {key}: {several}."
    light = runs.loc[runs["family"] == "lightweight", RUN].drop(columns="lr")
    pairs = runs.merge(light.rename(columns={"row": "reference"}))
    arms, compared = (x["model"] + " " + x["row"] for x in (table, pairs))
    # Of a model without any lightweight run the answer says so.
    left = arms[~arms.isin(compared) & table["model"].isin(results.rates)]
    if len(left):
        yield (
            f"{len(left)} of {len(table)} runs are not compared, all those of "
            f"{'; '.join(x[:MOST_QUOTED] for x in left.unique())}: no run of "
            "the lightweight model has their rate, fold, seed, test set and "
            "activation. Run it with these."
        )
