"""Is another version of a graph better? Size, time and accuracy say.

A claim is made only for what was measured: times against the scatter of one
and the same file, accuracy on labelled recordings.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import functools
import statistics
import timeit
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from tabulate import tabulate

from speechbrain_hrf.export.accuracy import (
    Recordings,
    read_recordings,
    score_both,
)
from speechbrain_hrf.runtime.session import open_session
from speechbrain_hrf.training.scores import score_text

# A smaller difference is not worth a second file.
LEAST = 0.05
# What WA or UA may lose, as a share. On a test set of 240 recordings, two.
LOSS = 0.01
# Among fewer labelled recordings, such a loss is less than one of them.
FEWEST = round(1 / LOSS)
SECONDS = 5  # of the signal that is timed
_ROUNDS, _TURN = 11, 0.05  # a turn lasts at least 0.05 s


class Comparison(NamedTuple):
    """A graph before and after.

    Arguments
    ---------
    bytes : tuple of int
        Before, after.
    milliseconds : tuple of float
        For 5 s of audio on one thread: medians.
    time_ratio, control : tuple of float
        Quartiles and median of the ratio of times, round by round: after to
        before, and of a second copy of before to before.
    n : int
        Recordings that were compared.
    agree : int
        On so many of them the labels are the same.
    max_difference : float
        Largest one of a log-probability.
    audio : str
        What was compared.
    n_labelled : int
        Recordings whose true label is known.
    WA, UA : tuple of float, or None
        On those, before and after; None if there are none.

    Example
    -------
    >>> graph = (getfixture("onnx_folder") / "model.onnx").read_bytes()
    >>> found = compare(graph, graph, [], ["a", "b", "c", "d"], 16000)
    >>> slow = found._replace(time_ratio=(1.2, 1.3, 1.4), control=(1, 1, 1))
    >>> slow.judge()
    (False, 'No gain: 1.30 times the time.')
    """

    bytes: tuple[int, int]
    milliseconds: tuple[float, float]
    time_ratio: tuple[float, float, float]
    control: tuple[float, float, float]
    n: int
    agree: int
    max_difference: float
    audio: str
    n_labelled: int
    WA: tuple[float, float] | None
    UA: tuple[float, float] | None

    def judge(self) -> tuple[bool, str]:
        """Whether the change is a gain: better in something, worse in nothing.

        Returns
        -------
        bool
        str
            A sentence that says why.
        """
        size = self.bytes[1] / self.bytes[0]
        low, ratio, high = self.time_ratio
        # As one file scatters against itself, two files may.
        least, _, most = self.control
        smaller, faster = size <= 1 - LEAST, ratio <= 1 - LEAST and high < least
        against = []
        if size >= 1 + LEAST:
            against.append(f"{size:.2f} times the size")
        if ratio >= 1 + LEAST and low > most:
            against.append(f"{ratio:.2f} times the time")
        for name, scores in (("WA", self.WA), ("UA", self.UA)):
            if scores and scores[0] - scores[1] > LOSS:
                loss = 100 * (scores[0] - scores[1])
                against.append(f"{name} falls by {loss:.1f} points")
        if against:
            return False, f"No gain: {', '.join(against)}."
        of_size = f"{100 * (1 - size):.0f} % smaller" if smaller else "as large"
        times = f"{ratio:.2f} times the time"
        of_time = times if faster else "the same time within noise"
        if not (smaller or faster):
            return False, f"No gain: {of_size}, and {of_time}."
        if self.n_labelled < FEWEST:
            return False, (
                f"No gain is claimed: {of_size}, and {of_time}, but how "
                "accurate it is is not known: labelled recordings of the test "
                f"set at hand: {self.n_labelled}, needed: {FEWEST}."
            )
        return True, (
            f"A gain: {of_size}, and {of_time}, at WA {_change(self.WA)}, "
            f"UA {_change(self.UA)}, {self.agree} of {self.n} labels unchanged."
        )

    def __str__(self) -> str:
        low, _, high = self.time_ratio
        least, _, most = self.control
        rows = [
            ("size", "{:,} -> {:,} bytes".format(*self.bytes)),
            (
                "time",
                "{:.2f} -> {:.2f} ms".format(*self.milliseconds)
                + f" ({SECONDS} s, one thread), {low:.2f}-{high:.2f} times; "
                f"the same file against itself {least:.2f}-{most:.2f}",
            ),
            (
                "labels",
                f"{self.agree} of {self.n} agree, log-probabilities within "
                f"{self.max_difference:.1e}",
            ),
            ("WA", _change(self.WA)),
            ("UA", _change(self.UA)),
            ("audio", f"{self.audio}, {self.n_labelled} of them labelled"),
        ]
        return tabulate(rows, tablefmt="plain", disable_numparse=True)


def compare(
    before: bytes,
    after: bytes,
    recordings: Recordings,
    labels: Sequence[str],
    sample_rate: int,
) -> Comparison:
    """Runs both graphs: time in turns, accuracy on recordings.

    Arguments
    ---------
    before, after : bytes
        ONNX graphs with inputs wavs and wav_lens.
    recordings : sequence of (path, label)
        The label is None where it is not known.
    labels : list of str
        In the order of the outputs.
    sample_rate : int
        Hz

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        A recording's label is none of the model's, or it cannot be read.

    Example
    -------
    >>> graph = (getfixture("onnx_folder") / "model.onnx").read_bytes()
    >>> found = compare(graph, graph, [], ["a", "b", "c", "d"], 16000)
    >>> found.max_difference, found.agree, found.UA
    (0.0, 3, None)
    """
    for path, label in recordings:
        if label is not None and label not in labels:
            raise ValueError(
                f"{path} is labelled {label!r}, which is none of the model's "
                f"labels, {', '.join(labels)}."
            )
    graphs = {"before": before, "again": before, "after": after}
    sessions = {
        name: open_session(graph, name) for name, graph in graphs.items()
    }
    random = np.random.default_rng(1)
    noise = random.standard_normal(SECONDS * sample_rate).astype(np.float32)
    times = _measure_times(sessions, 0.1 * noise)
    signals: Any
    if recordings:
        title = "comparing precisions"
        signals = read_recordings(recordings, sample_rate, title)
        audio = f"{len(recordings)} recordings"
    else:
        signals = (0.1 * noise[: len(noise) // part] for part in (10, 5, 1))
        audio = "3 generated signals"
    answers = [
        [_answer(sessions[name], signal) for name in ("before", "after")]
        for signal in signals
    ]
    found = np.stack(answers, axis=1)  # [2, n, C]
    chosen = found.argmax(-1)
    names = [(labels[one], labels[two]) for one, two in chosen.T]
    scores = score_both(recordings, names)
    return Comparison(
        bytes=(len(before), len(after)),
        milliseconds=(
            1000 * statistics.median(times["before"]),
            1000 * statistics.median(times["after"]),
        ),
        time_ratio=_quartiles(times["after"], times["before"]),
        control=_quartiles(times["again"], times["before"]),
        n=found.shape[1],
        agree=int((chosen[0] == chosen[1]).sum()),
        max_difference=float(np.abs(found[0] - found[1]).max()),
        audio=audio,
        n_labelled=sum(label is not None for _, label in recordings),
        WA=scores.get("WA"),
        UA=scores.get("UA"),
    )


def _change(scores: tuple[float, float] | None) -> str:
    return " -> ".join(map(score_text, scores)) if scores else "not known"


def _answer(session: Any, signal: Any) -> Any:
    inputs = {"wavs": signal[None], "wav_lens": np.ones(1, np.float32)}
    return session.run(None, inputs)[0][0]


def _measure_times(
    sessions: Mapping[str, Any], signal: Any
) -> dict[str, list[float]]:
    # Times of a shared machine drift: the sessions take turns, in an order
    # that rotates, and ratios are taken within a round.
    timers = {
        name: timeit.Timer(functools.partial(_answer, session, signal))
        for name, session in sessions.items()
    }
    once = statistics.mean(timer.timeit(1) for timer in timers.values())
    repeats = max(1, round(_TURN / once))
    times: dict[str, list[float]] = {name: [] for name in timers}
    names = collections.deque(timers)
    for _ in range(_ROUNDS):
        for name in names:
            times[name].append(timers[name].timeit(repeats) / repeats)
        names.rotate()
    return times


def _quartiles(
    times: Sequence[float], baseline: Sequence[float]
) -> tuple[float, float, float]:
    ratios = [a / b for a, b in zip(times, baseline, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return low, median, high
