"""Runs two graphs against each other: time in turns, accuracy on recordings.

Authors
 * The speechbrain_hrf authors 2026
"""

import statistics
import time

import numpy as np
import soundfile
import torch

from speechbrain_hrf.export.onnx.verdict import SECONDS, Comparison
from speechbrain_hrf.runtime.resample import resample
from speechbrain_hrf.runtime.session import open_session
from speechbrain_hrf.runtime.waveform import mono
from speechbrain_hrf.training.scores import EmotionScores

_ROUNDS, _TURN = 11, 0.05  # a turn lasts at least 0.05 s


def compare(before, after, recordings, labels, sample_rate):
    """Runs both graphs in turns.

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
        A recording's label is none of the model's.

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
    noise = np.random.default_rng(1).standard_normal(SECONDS * sample_rate)
    noise = (0.1 * noise).astype(np.float32)
    times = _times(sessions, noise)
    audio = f"{len(recordings)} recordings"
    signals = (_read(path, sample_rate) for path, _ in recordings)
    if not recordings:
        lengths = (sample_rate // 2, sample_rate, len(noise))
        signals = [noise[:samples] for samples in lengths]
        audio = f"{len(signals)} generated signals"
    found = [
        [_answer(sessions[name], signal) for name in ("before", "after")]
        for signal in signals
    ]
    found = np.stack(found, axis=1)  # [2, n, C]
    chosen = found.argmax(-1)
    truth = [None if y is None else labels.index(y) for _, y in recordings]
    scores = [_scores(part, truth, labels) for part in found]
    return Comparison(
        bytes=(len(before), len(after)),
        milliseconds=tuple(
            1000 * statistics.median(times[name])
            for name in ("before", "after")
        ),
        time_ratio=_quartiles(times["after"], times["before"]),
        control=_quartiles(times["again"], times["before"]),
        n=found.shape[1],
        agree=int((chosen[0] == chosen[1]).sum()),
        max_difference=float(np.abs(found[0] - found[1]).max()),
        audio=audio,
        n_labelled=sum(y is not None for y in truth),
        WA=None if None in scores else tuple(s["WA"] for s in scores),
        UA=None if None in scores else tuple(s["UA"] for s in scores),
    )


def _read(path, sample_rate):
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return resample(mono(samples), rate, sample_rate)


def _answer(session, signal):
    inputs = {"wavs": signal[None], "wav_lens": np.ones(1, np.float32)}
    return session.run(None, inputs)[0][0]


def _scores(log_probabilities, truth, labels):
    known = [k for k, index in enumerate(truth) if index is not None]
    if not known:
        return None
    scores = EmotionScores(labels)
    scores.append(
        [str(k) for k in known],
        torch.from_numpy(log_probabilities[known]).unsqueeze(1),
        torch.tensor([truth[k] for k in known]).unsqueeze(1),
    )
    return scores.summarize()


def _times(sessions, signal):
    # Times of a shared machine drift: the sessions take turns, in an order
    # that rotates, and ratios are taken within a round.
    names = list(sessions)
    start = time.perf_counter()
    for name in names:
        _answer(sessions[name], signal)
    once = (time.perf_counter() - start) / len(names)
    repeats = max(1, round(_TURN / once))
    times = {name: [] for name in names}
    for k in range(_ROUNDS):
        turn = k % len(names)
        for name in names[turn:] + names[:turn]:
            start = time.perf_counter()
            for _ in range(repeats):
                _answer(sessions[name], signal)
            times[name].append((time.perf_counter() - start) / repeats)
    return times


def _quartiles(times, baseline):
    ratios = [a / b for a, b in zip(times, baseline, strict=True)]
    return tuple(statistics.quantiles(ratios, n=4, method="inclusive"))
