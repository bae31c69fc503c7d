"""SpeechBrain's ``Fbank`` in ONNX: mel, decibels, deltas, context.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import math
from typing import Any

import numpy as np
from speechbrain.lobes.features import Fbank
from speechbrain.processing.features import ContextWindow, Deltas, Filterbank

from speechbrain_hrf.export.onnx.graph import Array, Graph
from speechbrain_hrf.export.onnx.spectrum import Spectrum


def add_fbank(graph: Graph, fbank: Fbank, wavs: str) -> str:
    """Adds the features of a batch of signals to a graph.

    Arguments
    ---------
    graph : Graph
    fbank : speechbrain.lobes.features.Fbank
        One that ``check_fbank`` accepts.
    wavs : str
        [B, samples]

    Returns
    -------
    str
        [B, T, F], what ``fbank(wavs)`` gives.

    Raises
    ------
    ValueError
        Settings of its STFT that ``Fbank`` does not offer.

    Example
    -------
    >>> graph = Graph()
    >>> wavs = graph.input("wavs", np.float32, ["batch", "samples"])
    >>> feats = add_fbank(graph, Fbank(n_mels=26, deltas=True), wavs)
    >>> "STFT" in {node.op_type for node in graph.nodes}
    False
    >>> sum(value.nbytes for value in graph.constants.values()) < 8192
    True
    """
    g = functools.partial(graph, part="d")
    spectrum = Spectrum(fbank.compute_STFT)
    power = spectrum.power(graph, wavs)  # [B, bins, T]
    filters = _filters(graph, fbank.compute_fbanks, spectrum.bins)
    mel = graph("MatMul", filters, power, part="e")  # [B, M, T]
    feats = _decibels(graph, fbank.compute_fbanks, mel)
    # Bands as rows of an image, so that one kernel serves all of them.
    feats = g("Unsqueeze", feats, [1])  # [B, 1, M, T]
    if fbank.deltas:
        first = _delta(graph, fbank.compute_deltas, feats)
        second = _delta(graph, fbank.compute_deltas, first)
        feats = g("Concat", feats, first, second, axis=2)
    if fbank.context:
        feats = _context(graph, fbank.context_window, feats)
    return g("Transpose", g("Squeeze", feats, [1]), perm=[0, 2, 1])


def check_fbank(fbank: Any) -> None:
    """Refuses features that cannot be exported.

    Arguments
    ---------
    fbank : torch.nn.Module

    Raises
    ------
    ValueError
        They are not SpeechBrain's ``Fbank``.

    Example
    -------
    >>> import torch
    >>> check_fbank(torch.nn.Identity())
    Traceback (most recent call last):
    ...
    ValueError: compute_features is Identity; only SpeechBrain's Fbank ...
    """
    if getattr(type(fbank), "forward", None) is not Fbank.forward:
        raise ValueError(
            f"compute_features is {type(fbank).__name__}; only SpeechBrain's "
            "Fbank can be exported to ONNX, whose front end is written for it. "
            "Export without --onnx, or train on Fbank."
        )
    filters = fbank.compute_fbanks
    if not filters.log_mel or filters.multiplier != 10:
        raise ValueError(
            "compute_features has other filter banks than Fbank's own (log_mel "
            "True, power_spectrogram 2): they cannot be exported to ONNX."
        )


def _filters(graph: Graph, bank: Filterbank, bins: Array) -> str:
    # The weight of each bin of the spectrum in each filter, as Filterbank
    # computes it, when a runtime loads the graph: two numbers a filter are
    # stored, not a matrix.
    g = functools.partial(graph, part="e")
    _, first = np.unique(bins, return_index=True)
    once = np.isin(np.arange(bins.size), first).reshape(bins.shape)
    # A bin that comes twice is far outside of every filter the second time.
    frequency = np.where(once, bank.all_freqs_mat[0].numpy()[bins], -1e9)
    frequency = frequency.astype(np.float32)
    scale = bank.sample_rate * bank.param_change_factor**2
    centre, band = (
        (value.detach().numpy() * (1 if bank.freeze else scale))
        .astype(np.float32)
        .reshape(-1, 1, 1)  # [M, 1, 1]
        for value in (bank.f_central, bank.band)
    )
    away = g("Sub", frequency, centre)  # [M, K1, N2]
    if bank.filter_shape == "triangular":
        slope = g("Div", away, band)
        weight = g("Min", g("Add", slope, 1.0), g("Sub", 1.0, slope))
        weight = g("Max", weight, 0.0)
    elif bank.filter_shape == "rectangular":
        above = g("GreaterOrEqual", frequency, g("Sub", centre, band))
        below = g("LessOrEqual", frequency, g("Add", centre, band))
        weight = g("Where", g("And", above, below), 1.0, 0.0)
    else:
        slope = g("Div", away, g("Div", band, 2.0))
        weight = g("Exp", g("Mul", g("Mul", slope, slope), -0.5))
    return g("Reshape", weight, [bank.n_mels, -1])


def _decibels(graph: Graph, bank: Filterbank, mel: str) -> str:
    # The smallest positive float keeps the logarithm finite; amin is applied
    # to decibels, so that silence is exactly what SpeechBrain makes of it:
    # sentence normalisation divides its rounding error by 1e-10.
    g = functools.partial(graph, part="e")
    mel = g("Max", mel, float(np.finfo(np.float32).tiny))
    db = g("Mul", g("Log", mel), bank.multiplier / math.log(10))
    offset = bank.multiplier * bank.db_multiplier
    if offset:
        db = g("Sub", db, float(offset))
    floor = bank.multiplier * math.log10(bank.amin) - offset
    relative = g("Sub", g("ReduceMax", db, [1, 2]), float(bank.top_db))
    # Of silence, amin is the loudest: SpeechBrain's floor is then below it.
    return g("Max", db, float(floor), relative)


def _delta(graph: Graph, deltas: Deltas, feats: str) -> str:
    g, n = functools.partial(graph, part="d"), deltas.n
    # Whole numbers first, so that what is constant has no slope at all.
    kernel = deltas.kernel[0].numpy().reshape(1, 1, 1, -1)
    feats = g("Pad", feats, [0, 0, 0, n, 0, 0, 0, n], mode="edge")
    return g("Div", g("Conv", feats, kernel), float(deltas.denom))


def _context(graph: Graph, window: ContextWindow, feats: str) -> str:
    # Neighbours of a feature lie side by side.
    g = functools.partial(graph, part="d")
    widest = max(window.left_frames, window.right_frames)
    length = window.left_frames + window.right_frames + 1
    kernel = np.eye(length, 2 * widest + 1, dtype=np.float32)
    lag = max(window.right_frames - window.left_frames, 0)
    kernel = np.roll(kernel, lag, axis=1)[:, None, None]
    # [B, length, F, T]
    feats = g("Conv", feats, kernel, pads=[0, widest, 0, widest])
    feats = g("Transpose", feats, perm=[0, 2, 1, 3])
    shape = graph("Concat", [0, 1, -1], graph.size(feats, 3), axis=0)
    return g("Reshape", feats, shape)
