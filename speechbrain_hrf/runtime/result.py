"""What a classifier says about a waveform, or about a window of a stream.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
from dataclasses import dataclass


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
    log_probabilities: dict
    seconds: float

    @classmethod
    def of(cls, log_probabilities, seconds, **more):
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
        label = max(log_probabilities, key=log_probabilities.get)
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
