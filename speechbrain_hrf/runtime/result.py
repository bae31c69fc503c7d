"""What a classifier says about a waveform, or about windows of a stream.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

COMBINATIONS = ("mean", "majority")


@dataclass(frozen=True)
class Result:
    """The answer for one waveform.

    Arguments
    ---------
    label : str
        The most probable one.
    index : int
        Its number, from 0.
    probability : float
        Its probability.
    log_probabilities : dict
        The logarithm of each label's probability, in the model's order.
    seconds : float
        What the answer took, with resampling.

    Example
    -------
    >>> Result.of({"sad": math.log(0.25), "calm": math.log(0.75)}, 0.01)
    Result(label='calm', index=1, probability=0.75, ...)
    """

    label: str
    index: int
    probability: float
    log_probabilities: dict[str, float]
    seconds: float

    @classmethod
    def of(
        cls, log_probabilities: dict[str, float], seconds: float, **more: Any
    ) -> Self:
        """The result that log-probabilities amount to.

        Arguments
        ---------
        log_probabilities : dict
            By label.
        seconds : float
            What they took.
        **more : dict
            Further fields, of a subclass.

        Returns
        -------
        Result
            Of this class.
        """
        label = _most_probable(log_probabilities)
        return cls(
            label=label,
            index=list(log_probabilities).index(label),
            probability=math.exp(log_probabilities[label]),
            log_probabilities=log_probabilities,
            seconds=seconds,
            **more,
        )


@dataclass(frozen=True)
class Combined:
    """One label for the windows of a stream so far.

    Arguments
    ---------
    label : str
        The label.
    probability : float
        Its mean probability, or the share of the windows that voted for it.
    windows : int
        How many windows it stands for.

    Example
    -------
    >>> Combined("sad", 0.5, 10).label
    'sad'
    """

    label: str
    probability: float
    windows: int


@dataclass(frozen=True)
class WindowResult(Result):
    """The answer for one window of a stream.

    Arguments
    ---------
    label : str
        The most probable one in this window.
    index : int
        Its number, from 0.
    probability : float
        Its probability.
    log_probabilities : dict
        The logarithm of each label's probability, in the model's order.
    seconds : float
        What the answer took, without resampling.
    start : float
        Where the window starts, in seconds from the start of the stream.
    stop : float
        Where it ends.
    combined : Combined or None
        The label of all windows so far, this one included.

    Example
    -------
    >>> WindowResult.of({"sad": 0.0}, 0.01, start=1.0, stop=6.0).stop
    6.0
    """

    start: float
    stop: float
    combined: Combined | None = None


class Combination:
    """One label for all windows so far.

    The ``mean``: the label whose probability is largest on average over the
    windows. The ``majority``: the label of most windows; of equally many, the
    more probable one.

    Arguments
    ---------
    kind : str
        One of ``COMBINATIONS``.
    labels : list of str
        All labels.

    Example
    -------
    >>> for kind in COMBINATIONS:
    ...     combination = Combination(kind, ["calm", "sad"])
    ...     for p in (0.6, 0.6, 0.1):
    ...         log_probabilities = {"calm": math.log(p), "sad": math.log(1 - p)}
    ...         combined = combination.add(log_probabilities)
    ...     print(combined)
    Combined(label='sad', probability=0.56..., windows=3)
    Combined(label='calm', probability=0.66..., windows=3)
    """

    def __init__(self, kind: str, labels: list[str]):
        self._kind = kind
        self._sums = dict.fromkeys(labels, 0.0)
        self._votes = dict.fromkeys(labels, 0)
        self._windows = 0

    def add(self, log_probabilities: dict[str, float]) -> Combined:
        """Takes one window more.

        Arguments
        ---------
        log_probabilities : dict
            By label.

        Returns
        -------
        Combined
            For all windows so far.
        """
        self._windows += 1
        for name, value in log_probabilities.items():
            self._sums[name] += math.exp(value)
        self._votes[_most_probable(log_probabilities)] += 1
        if self._kind == "mean":
            label = _most_probable(self._sums)
            total = self._sums[label]
        else:
            label = max(
                self._votes, key=lambda x: (self._votes[x], self._sums[x])
            )
            total = self._votes[label]
        return Combined(label, total / self._windows, self._windows)


def _most_probable(scores: dict[str, float]) -> str:
    return max(scores, key=scores.__getitem__)
