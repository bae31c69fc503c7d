"""A study's finished trials, checked: a table of runs, and every speaker.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import json
import math
import os
import pathlib
from typing import Any

import numpy as np
import pandas
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from speechbrain_hrf.dataio.json_lines import read_lines
from speechbrain_hrf.metrics.scores import SCORES
from speechbrain_hrf.studies import paper
from speechbrain_hrf.studies.line import DIGITS
from speechbrain_hrf.studies.lines import TEST_SETS, TRIALS

KEYS = (
    *("id", "study", "dataset", "synthetic", "protocol", "scored_epoch"),
    *("model", "arm", "options", "lr", "fold", "seed", "metric", "test_set"),
    *("epoch", "test", "predicted", "test_at", "valid", "curves", "rates"),
    *("params", "ranks", "spectra", "versions"),
)
DICTS = ("options", "test", "test_at", "curves", "params", "ranks", "spectra")
# Activations as the paper calls them.
ACTIVATIONS = {"SiLU": "Swish", "SquaredReLU": "Squared ReLU"}
# What is added to an arm's name where it was run with several.
SETTINGS = {"ratio": "ratio {:g}", "layers": "{:g} extra", "activation": "{}"}
MUST_AGREE = ("number_of_epochs", "features", "class_weights")
NO_FOLD = "-"  # of a corpus with one split
AGAIN = "Take the line out of the file and run `hrf study` with --resume."


@dataclasses.dataclass(frozen=True)
class Results:
    """The finished trials of a study.

    Arguments
    ---------
    folder : pathlib.Path
    lines : list of dict
        As they were read; ``table`` refers to them by ``line``.
    table : pandas.DataFrame
        A run each: line, model, arm, row (its name in all tables), family
        (lightweight, original, paper, ours), reference (row of the lightweight
        model that it is compared with, or None), ratio, layers, activation,
        lr, fold, seed, test_set, WA, UA, WF1, MF1, valid (larger is better),
        epochs.
    counts : list of dict
        Per line: speaker to a matrix [true class, found class] of utterances.
    labels : list of str
        Of the classes.
    plan : dict
        study.yaml, or nothing.
    warnings : list of str

    Example
    -------
    >>> Results(None, [{"metric": "UA"}], None, [], [], {}, []).metric
    'UA'
    """

    folder: pathlib.Path
    lines: list[dict[str, Any]]
    table: pandas.DataFrame
    counts: list[dict[str, np.ndarray]]
    labels: list[str]
    plan: dict[str, Any]
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
    def synthetic(self) -> bool:
        """Whether any trial is of generated signals."""
        return any(line["synthetic"] for line in self.lines)

    @property
    def models(self) -> list[str]:
        """In the paper's order."""
        return list(self.table["model"].unique())

    @functools.cached_property
    def speakers(self) -> pandas.DataFrame:
        """Each run's speakers: the run's place, speaker, WA, UA, WF1, MF1."""
        places = ["line", "model", "row", "lr", "fold", "seed", "test_set"]
        scores = [
            {"line": line, "speaker": who, **scores_of(matrix)}
            for line, speakers in enumerate(self.counts)
            for who, matrix in speakers.items()
        ]
        return self.table[places].merge(pandas.DataFrame(scores), on="line")


def scores_of(counts: np.ndarray) -> dict[str, float]:
    """The scores of some utterances, of those classes that they have.

    Arguments
    ---------
    counts : numpy.ndarray
        Utterances by true and found class, [C, C].

    Returns
    -------
    dict of str: float
        WA (accuracy), UA (mean recall), WF1 and MF1 (weighted and plain mean
        of F1).

    Example
    -------
    >>> scores_of(np.array([[3, 1, 0], [2, 2, 0], [0, 0, 0]]))["UA"]
    0.625
    """
    right, true = np.diag(counts), counts.sum(axis=1)
    there = true > 0
    f1 = 2 * right[there] / (true + counts.sum(axis=0))[there]
    return {
        "WA": float(right.sum() / true.sum()),
        "UA": float((right[there] / true[there]).mean()),
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
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}: give the output folder of a study, "
            f"in which `hrf study` has left {TRIALS}."
        )
    path = folder / TRIALS
    read = read_lines(path)
    if not read:
        raise FileNotFoundError(
            f"{path} is missing or empty: no trial of this study has finished. "
            "Run `hrf study` first."
        )
    warnings = []
    if not path.read_bytes().endswith(b"\n"):
        warnings.append(
            f"{TRIALS} ends within a line: what wrote it was stopped. That "
            "line is left out."
        )
    test_sets = {
        line["id"]: line
        for number, line in enumerate(read_lines(folder / TEST_SETS), start=1)
        if _is_test_set(line, f"{folder / TEST_SETS}, line {number}")
    }
    lines: dict[str, dict] = {}
    counts = []
    for number, line in enumerate(read, start=1):
        where = f"{path}, line {number}"
        _check_format(line, where)
        if line["id"] in lines:
            continue  # two machines ran it: the first one counts
        reason = _why_unusable(line)
        if reason:
            warnings.append(f"Left out: {_label(line)}, since {reason}.")
            continue
        if line["test_set"] not in test_sets:
            raise ValueError(
                f"{where}: its test set {line['test_set']} is not in "
                f"{TEST_SETS}. Bring that file back, or: {AGAIN}"
            )
        counts.append(_count(line, test_sets[line["test_set"]], where))
        lines[line["id"]] = line
    if not lines:
        raise ValueError(f"No trial in {path} can be used. {warnings[-1]}")
    kept = list(lines.values())
    labels = _agree(kept, test_sets)
    return Results(
        folder=folder,
        lines=kept,
        table=_table(kept),
        counts=counts,
        labels=labels,
        plan=_plan(folder),
        warnings=warnings + _mixed(kept),
    )


def _check_format(line, where):
    if not isinstance(line, dict):
        raise ValueError(
            f"{where} is no trial but {json.dumps(line)[:40]}. {AGAIN}"
        )
    if "overrides" in line and "predicted" not in line:
        raise ValueError(
            f"{where} is of the old format, which did not keep the class that "
            "was found for each utterance. Move the file away and run the "
            "study again with `hrf study`."
        )
    missing = [key for key in KEYS if key not in line]
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}. {AGAIN}")
    wrong = [key for key in DICTS if not isinstance(line[key], dict)]
    wrong += [k for k in ("model", "arm") if not isinstance(line[k], str)]
    wrong += [k for k in ("lr", "seed") if not _is_number(line[k])]
    if wrong:
        raise ValueError(
            f"{where} is damaged: its {wrong[0]} is "
            f"{json.dumps(line[wrong[0]])[:40]}. {AGAIN}"
        )


def _is_test_set(line, where):
    try:
        sizes = {len(line[k]) for k in ("utterances", "speakers", "truth")}
        if len(sizes) == 1 and isinstance(line["labels"], list) and line["id"]:
            return True
    except (KeyError, TypeError):
        pass
    raise ValueError(
        f"{where} is no test set: it needs id, labels, and one speaker and one "
        "true class for each utterance."
    )


def _is_number(value):
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _why_unusable(line):
    for name in dict.fromkeys([line["metric"], *SCORES]):
        if not _is_number(line["test"].get(name)):
            return f"its test {name} is {line['test'].get(name)}, not a number"
    return None


def _label(line):
    place = f"lr {line['lr']:g}, fold {line['fold']}, seed {line['seed']}"
    return f"{line['model']} {line['arm']}, {place}"


def _count(line, test_set, where):
    """Speaker to utterances by true and found class."""
    found, size = str(line["predicted"]), len(test_set["labels"])
    known = set(DIGITS[:size])
    if len(found) != len(test_set["truth"]) or not known >= {
        *found,
        *test_set["truth"],
    }:
        raise ValueError(
            f"{where} is damaged: its predicted classes do not belong to the "
            f"{len(test_set['truth'])} utterances and {size} classes of test "
            f"set {test_set['id']}. {AGAIN}"
        )
    counts: dict[str, np.ndarray] = {}
    for who, true, given in zip(
        test_set["speakers"], test_set["truth"], found, strict=True
    ):
        matrix = counts.setdefault(str(who), np.zeros((size, size), int))
        matrix[DIGITS.index(true), DIGITS.index(given)] += 1
    return counts


def _agree(lines, test_sets):
    """The labels, if trials can be compared at all."""
    for key in ("dataset", "metric", "synthetic"):
        values = list(dict.fromkeys(str(line[key]) for line in lines))
        if len(values) > 1:
            raise ValueError(
                f"Trials of one study differ in {key}: {values[0]} and "
                f"{values[1]}. Give each its own output folder."
            )
    labels = {tuple(test_sets[line["test_set"]]["labels"]) for line in lines}
    if len(labels) > 1:
        raise ValueError(
            "The test sets of this study have different classes: "
            f"{' and '.join(map(str, list(labels)[:2]))}. Give each its own "
            "output folder."
        )
    return list(labels.pop())


def _mixed(lines):
    """What differs between runs that are compared."""
    found = []
    dirty = sum(bool(line.get("dirty")) for line in lines)
    if dirty:
        found.append(
            f"{dirty} of {len(lines)} runs were made with changes of the code "
            "that are in no commit."
        )
    small = [line for line in lines if line["arm"] != paper.ORIGINAL]
    sets = collections.defaultdict(set)
    for line in small:
        sets[line["fold"], line["seed"]].add(line["test_set"])
    if any(len(ids) > 1 for ids in sets.values()):
        found.append(
            "Runs of one fold and seed have different test sets: the corpus "
            "changed in between. Only runs with the same one are compared."
        )
    for model in dict.fromkeys(line["model"] for line in small):
        of_model = [line for line in small if line["model"] == model]
        options = [
            {**x["options"], "protocol": x["protocol"]} for x in of_model
        ]
        for key in (*MUST_AGREE, "protocol"):
            values = {json.dumps(given.get(key)) for given in options}
            if len(values) > 1:
                found.append(
                    f"Runs of {paper.model_name(model)} differ in {key}: "
                    f"{' and '.join(sorted(values))}."
                )
    return found


def _plan(folder):
    try:
        text = (folder / "study.yaml").read_text(encoding="utf-8")
        plan = YAML(typ="safe").load(text)
    except (OSError, YAMLError):
        return {}  # lines may be reported on without their study
    return plan if isinstance(plan, dict) else {}


def _table(lines):
    # Without scores on all validation sets the loss takes their place.
    has_score = all(
        _is_number((line["valid"] or {}).get(line["metric"])) for line in lines
    )
    table = pandas.DataFrame(
        [
            {
                "line": number,
                "model": line["model"],
                "arm": line["arm"],
                "family": paper.family(
                    line["model"], line["arm"], line["options"]
                ),
                **_settings(line),
                "lr": float(line["lr"]),
                "fold": NO_FOLD if line["fold"] is None else str(line["fold"]),
                "seed": line["seed"],
                "test_set": line["test_set"],
                **{key: float(line["test"][key]) for key in SCORES},
                "valid": _valid(line, has_score),
                "epochs": line["options"].get(
                    "number_of_epochs", line["epoch"]
                ),
            }
            for number, line in enumerate(lines)
        ]
    )
    table = _named(table)
    place = ["model", "row", "lr", "fold", "seed", "test_set"]
    twice = table[table.duplicated(place)]
    for _, run in twice.iterrows():
        raise ValueError(
            f"{_label(lines[run['line']])} was run with two sets of options "
            "under one name. Give one of them another name (arms: in the "
            "study) or another output folder."
        )
    return table


def _settings(line):
    options = line["options"]
    activation = str(options.get("activation", "")).rpartition(".")[2]
    default = "Swish" if line["model"] == "conformer" else "ReLU"
    widens = bool(options.get("hrf_modules", line.get("row")))
    return {
        "ratio": float(options.get("hrf_ratio", 8)) if widens else np.nan,
        "layers": float(options.get("hrf_layers", 1)) if widens else np.nan,
        "activation": ACTIVATIONS.get(activation, activation) or default,
    }


def _valid(line, has_score):
    valid = line["valid"] or {}
    if has_score:
        return float(valid[line["metric"]])
    return -float(valid["loss"]) if _is_number(valid.get("loss")) else np.nan


def _named(table):
    """Adds row and reference, and sorts as the paper does."""
    table["row"] = table["arm"]
    for key, form in SETTINGS.items():
        # Within a model: activations differ between models by default.
        tried = table.groupby(["model", "arm"])[key].nunique()
        arms = tried[tried > 1].index.get_level_values("arm")
        some = table.loc[table["arm"].isin(arms), key].dropna()
        if len(some):
            table.loc[some.index, "row"] += ", " + some.map(form.format)
    light = table[table["family"] == "lightweight"]
    references = light.groupby(["model", "activation"])["row"].first()
    table["reference"] = [
        references.get((run["model"], run["activation"]))
        for _, run in table.iterrows()
    ]
    models, rows = list(paper.MODELS), paper.rows()
    order = {
        "model": lambda x: models.index(x) if x in models else len(models),
        "arm": lambda x: (rows.index(x), "") if x in rows else (len(rows), x),
        "fold": lambda x: (len(x), x),
    }
    keys = ["model", "arm", "activation", "layers", "ratio", "lr", "fold"]
    return table.sort_values(
        [*keys, "seed"],
        key=lambda column: column.map(order.get(column.name, lambda x: x)),
        kind="stable",
    ).reset_index(drop=True)
