"""A study's trials as one table, checked.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import json
import math
import numbers
import pathlib

import pandas
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.json_lines import read_lines
from speechbrain_hrf.metrics.scores import SCORES
from speechbrain_hrf.report.consistency import check_consistency
from speechbrain_hrf.report.paper import family
from speechbrain_hrf.report.rows import name_rows
from speechbrain_hrf.sweep.lines import TRIALS

logger = get_logger(__name__)

REQUIRED = (
    *("id", "study", "dataset", "synthetic", "protocol", "model", "arm"),
    *("ratio", "layers", "activation", "lr", "fold", "seed", "overrides"),
    *("metric", "split", "labels", "test", "valid", "curves", "params"),
    *("steps_per_epoch", "effective_steps", "spectra", "versions", "commit"),
)
# Of those whose kind the report relies on
KINDS = {
    **dict.fromkeys(("id", "model", "arm", "metric"), (str, "a text")),
    **dict.fromkeys(("lr",), (numbers.Real, "a number")),
    **dict.fromkeys(("seed", "steps_per_epoch"), (int, "an integer")),
    **dict.fromkeys(("labels",), (list, "a list")),
    **dict.fromkeys(
        ("overrides", "split", "test", "curves", "params", "versions"),
        (dict, "an object"),
    ),
}
# Of trials without folds: all are of the one split.
NO_FOLD = "-"


@dataclasses.dataclass
class Trials:
    """The finished trials of a study.

    Arguments
    ---------
    folder : pathlib.Path
    lines : list of dict
        As they were read; ``table`` refers to them by ``line``.
    table : pandas.DataFrame
        One trial each: line, id, model, arm, row (name in all tables, unique
        within the model together with lr), family, reference (row of the
        lightweight model to compare with, or None), ratio, layers, activation,
        lr, fold, seed, WA, UA, WF1, MF1, valid (the study's metric on the
        validation set), trained, shipped (parameters).
    warnings : list of str
        What a reader has to know before reading on.
    unusable : list of str
        Trials that are left out, and why.

    Example
    -------
    >>> Trials(pathlib.Path("x"), [{"metric": "UA"}], None, [], []).metric
    'UA'
    """

    folder: pathlib.Path
    lines: list
    table: pandas.DataFrame
    warnings: list
    unusable: list

    @property
    def metric(self):
        """The score that the study is about."""
        return self.lines[0]["metric"]

    @property
    def dataset(self):
        """The corpus."""
        return self.lines[0]["dataset"]

    @property
    def synthetic(self):
        """Whether any trial is of generated signals."""
        return any(line["synthetic"] for line in self.lines)

    @property
    def models(self):
        """In the order in which they finished first."""
        return list(self.table["model"].unique())


def load_trials(folder):
    """Reads and checks the trials of a study.

    Arguments
    ---------
    folder : str or os.PathLike

    Returns
    -------
    Trials

    Raises
    ------
    FileNotFoundError
        If there is no folder, or no finished trial in it.
    ValueError
        If lines are of another format or cannot be compared.

    Example
    -------
    >>> load_trials(getfixture("tmpdir").strpath)
    Traceback (most recent call last):
        ...
    FileNotFoundError: .../trials.jsonl is missing or empty...
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}: give the output folder of a study, "
            "in which python -m speechbrain_hrf.sweep has left trials.jsonl."
        )
    path = folder / TRIALS
    lines = read_lines(path)
    if not lines:
        raise FileNotFoundError(
            f"{path} is missing or empty: no trial of this study has finished. "
            "Run python -m speechbrain_hrf.sweep on the study first."
        )
    warnings = []
    if not path.read_bytes().endswith(b"\n"):
        warnings.append(
            f"{TRIALS} ends within a line: what wrote it was stopped. The "
            "torn line is left out."
        )
    for number, line in enumerate(lines, start=1):
        _check_format(line, f"{path}, line {number}")
    lines, repeated = _first_of_each(lines)
    if repeated:
        warnings.append(
            f"{repeated} trials stand in {TRIALS} twice; the first one counts."
        )
    usable, unusable = [], []
    for line in lines:
        reason = _why_unusable(line)
        if reason:
            unusable.append(f"{_label(line)}: {reason}")
        else:
            usable.append(line)
    if not usable:
        raise ValueError(
            f"No trial in {path} can be used. The first: {unusable[0]}."
        )
    warnings += check_consistency(usable)
    for warning in warnings:
        logger.warning("%s", warning)
    return Trials(folder, usable, _table(usable), warnings, unusable)


def _check_format(line, where):
    if not isinstance(line, dict):
        raise ValueError(
            f"{where} is no trial but {json.dumps(line)[:40]}: the file has to "
            "be one that python -m speechbrain_hrf.sweep wrote."
        )
    missing = [key for key in REQUIRED if key not in line]
    if missing:
        raise ValueError(
            f"{where} has another format: it lacks {', '.join(missing)}. Was "
            "it written by another version? Run that trial again with this "
            "one, or read the file with the version that wrote it."
        )
    for key, (kinds, said) in KINDS.items():
        if not isinstance(line[key], kinds) or isinstance(line[key], bool):
            raise ValueError(
                f"{where} is damaged: its {key} is "
                f"{json.dumps(line[key])[:40]}, but has to be {said}. Take the "
                "line out of the file and run the study with --resume."
            )


def _first_of_each(lines):
    """As ``sweep.lines.read_lines`` counts, and how many stand twice."""
    first = {}
    for line in lines:
        first.setdefault(line["id"], line)
    return list(first.values()), len(lines) - len(first)


def _why_unusable(line):
    for name in dict.fromkeys([line["metric"], *SCORES]):
        value = line["test"].get(name)
        if not isinstance(value, int | float) or not math.isfinite(value):
            return f"its {name} is {value}, not a number"
    return None


def _label(line):
    """A trial for a reader."""
    settings = f"lr {line['lr']:g}, fold {line['fold']}, seed {line['seed']}"
    return f"{line['model']} {line['arm']}, {settings} ({line['id']})"


def _table(lines):
    table = pandas.DataFrame(
        [
            {
                "line": number,
                **{key: line[key] for key in ("id", "model", "arm")},
                "family": family(
                    *(line[key] for key in ("model", "arm", "ratio", "layers")),
                    line["overrides"],
                ),
                **{key: line[key] for key in ("ratio", "layers")},
                **{key: line[key] for key in ("activation", "lr", "seed")},
                "fold": NO_FOLD if line["fold"] is None else str(line["fold"]),
                **{key: float(line["test"][key]) for key in SCORES},
                "valid": _valid(line),
                "valid_split": line["split"].get("valid"),
                "test_split": line["split"].get("test"),
                "trained": line["params"]["training"],
                "shipped": line["params"]["merged"],
            }
            for number, line in enumerate(lines)
        ]
    )
    table = name_rows(table)
    twice = table[table.duplicated(["model", "row", "lr", "fold", "seed"])]
    for _, trial in twice.iterrows():
        raise ValueError(
            f"{_label(lines[trial['line']])} was run with two sets of options "
            "under one name, so that it has two results. Give one of them "
            "another name (arms: in the study) or another output folder."
        )
    return table


def _valid(line):
    """The study's metric on the validation set, as far as there is one."""
    value = (line["valid"] or {}).get(line["metric"])
    if not isinstance(value, int | float) or not math.isfinite(value):
        return math.nan
    return float(value)
