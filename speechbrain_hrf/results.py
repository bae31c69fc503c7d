"""What a run found: ``test_metrics.json`` in its output folder.

Written when a run has been scored; read by exports, summaries, studies and
teachers.

Example
-------
>>> folder = getfixture("tmpdir").strpath
>>> RunResults(dataset="demo", seed=1, UA=0.5).write(folder)
>>> RunResults.read(folder).UA
0.5

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import builtins
import dataclasses
import json
import os
import pathlib
import reprlib
import types
import typing
from collections.abc import Mapping
from typing import Any

from speechbrain_hrf.files import write_whole
from speechbrain_hrf.strict_json import parse_json

METRICS_FILE = "test_metrics.json"
_TOO_LARGE = 2**53  # no number of a run is; JSON's readers differ on such
_SCORES = ("WA", "UA", "WF1", "MF1")
_AGAIN = (
    "Remove the file and run the recipe once more, which scores its last "
    "checkpoint again."
)


@dataclasses.dataclass(kw_only=True)
class RunResults:
    """Scores and sizes of a run, and what tells it from other runs.

    What is None is not known, or does not apply, and is not written.

    Arguments
    ---------
    dataset, protocol, split, licence, task, caution : str, optional
        For people: of the corpus, and of what was scored.
    synthetic : bool
        Whether the corpus was the generated stand-in.
    corrections : list of str, optional
        Of the corpus, by the names of the recipe's options.
    seed, hrf_modules, ..., held_out_part : optional
        The recipe's options of these names.
    checkpoint : str, optional
        What was scored, relative to the output folder.
    epoch : int, optional
        Of that checkpoint.
    labels : list of str
        The classes in the order of their indices.
    WA, UA, WF1, MF1, confusion, per_class, predicted
        See ``EmotionScores.summarize``.
    n_test : int, optional
        Utterances that were scored.
    per_participant : dict, optional
        The same scores of pooled utterances.
    params_training, params_merged, params_lightweight : int, optional
        Parameters with HRF, after merging, and of the model without HRF.
    max_merge_difference : float, optional
        Between merged and chained log-probabilities on the test set.
    other : dict
        What else a recipe of one's own notes.

    Example
    -------
    >>> RunResults(seed=1, other={"room": "quiet"}).to_dict()
    {'synthetic': False, 'seed': 1, 'labels': [], 'room': 'quiet'}
    """

    dataset: str | None = None
    synthetic: bool = False
    protocol: str | None = None
    split: str | None = None
    seed: int | None = None
    hrf_modules: list[str] | None = None
    hrf_ratio: float | None = None
    hrf_layers: int | None = None
    hrf_init: str | None = None
    hrf_inner_bias: bool | None = None
    hrf_inner_norm: bool | None = None
    hrf_lr_scale: float | None = None
    activation: str | None = None
    class_weights: str | list[float] | None = None
    distil_from: str | None = None
    distil_weight: float | None = None
    distil_temperature: float | None = None
    scored_epoch: str | None = None
    valid_session: int | None = None
    held_out_part: int | None = None
    checkpoint: str | None = None
    epoch: int | None = None
    labels: list[str] = dataclasses.field(default_factory=list)
    WA: float | None = None
    UA: float | None = None
    WF1: float | None = None
    MF1: float | None = None
    confusion: list[list[int]] | None = None
    per_class: dict[str, dict[str, float]] | None = None
    n_test: int | None = None
    predicted: dict[str, str] | None = None
    per_participant: dict[str, Any] | None = None
    params_training: int | None = None
    params_merged: int | None = None
    params_lightweight: int | None = None
    max_merge_difference: float | None = None
    licence: str | None = None
    features: str | None = None
    hubert_source: str | None = None
    task: str | None = None
    caution: str | None = None
    corrections: list[str] | None = None
    other: dict[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunResults:
        """The inverse of ``to_dict``.

        Arguments
        ---------
        values : dict
            Keys that are no attribute go to ``other``.

        Returns
        -------
        RunResults

        Example
        -------
        >>> RunResults.from_dict({"UA": 0.5, "room": "quiet"}).other
        {'room': 'quiet'}
        """
        names = {field.name for field in dataclasses.fields(cls)} - {"other"}
        known = {key: values[key] for key in values if key in names}
        other = {key: values[key] for key in values if key not in names}
        return cls(**known, other=other)

    def to_dict(self) -> dict[str, Any]:
        """What fits into JSON, without what is None.

        Returns
        -------
        dict
        """
        values = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
        }
        values |= values.pop("other")
        return {k: value for k, value in values.items() if value is not None}

    @classmethod
    def read(cls, output_folder: str | os.PathLike[str]) -> RunResults:
        """Of a run that has come to its end.

        Arguments
        ---------
        output_folder : str or os.PathLike

        Returns
        -------
        RunResults

        Raises
        ------
        FileNotFoundError
            If the run has not been scored.
        ValueError
            If the file is damaged.

        Example
        -------
        >>> RunResults.read("no/such/run")
        Traceback (most recent call last):
            ...
        FileNotFoundError: no/such/run has no test_metrics.json: its training
        has not come to its end. Finish it first.
        """
        path = pathlib.Path(output_folder, METRICS_FILE)
        if not path.is_file():
            raise FileNotFoundError(
                f"{output_folder} has no {METRICS_FILE}: its training has not "
                "come to its end. Finish it first."
            )
        values = parse_json(path.read_bytes(), path, _AGAIN)
        if not isinstance(values, dict):
            raise ValueError(f"{path} is no JSON object. {_AGAIN}")
        kinds = typing.get_type_hints(cls)
        for key, value in values.items():
            if not _is_a(value, kinds.get(key, Any)):
                raise ValueError(
                    f"{path}: {key} cannot be {reprlib.repr(value)}. {_AGAIN}"
                )
        found = cls.from_dict(values)
        wrong = found._disagreement()
        if wrong:
            raise ValueError(f"{path} is damaged: {wrong}. {_AGAIN}")
        return found

    def _disagreement(self) -> str | None:
        """What cannot be true of one run at once."""
        size = len(self.labels)
        if len({*self.labels}) < size:
            return f"labels hold one twice: {reprlib.repr(self.labels)}"
        for name in _SCORES:
            score = getattr(self, name)
            if score is not None and not 0 <= score <= 1:
                return f"{name} is {score}, and scores are between 0 and 1"
        rows = self.confusion
        if rows is None:
            return None
        if any(len(row) != size for row in [rows, *rows]):
            return f"confusion is no table of {size} by {size} classes"
        if any(count < 0 for row in rows for count in row):
            return "confusion counts fewer than 0 utterances"
        return None

    def write(self, output_folder: str | os.PathLike[str]) -> None:
        """Writes ``test_metrics.json``, whole or not at all.

        Arguments
        ---------
        output_folder : str or os.PathLike
            An existing folder.
        """
        text = json.dumps(self.to_dict(), indent=2) + "\n"
        write_whole(pathlib.Path(output_folder, METRICS_FILE), text)


def _is_a(value: object, kind: Any) -> bool:
    """Whether what JSON holds is of the type of an attribute."""
    inner = typing.get_args(kind)
    match typing.get_origin(kind) or kind:
        case types.UnionType:
            return any(_is_a(value, one) for one in inner)
        case builtins.list:
            return isinstance(value, list) and all(
                _is_a(one, inner[0]) for one in value
            )
        case builtins.dict:
            return isinstance(value, dict) and all(
                _is_a(one, inner[1]) for one in value.values()
            )
        case builtins.int | builtins.float as number:
            allowed = int if number is int else (int, float)
            if isinstance(value, bool) or not isinstance(value, allowed):
                return False
            return abs(value) < _TOO_LARGE
    return kind is Any or isinstance(value, kind)
