"""SpeechBrain's ``Fbank`` in ONNX: mel, decibels, deltas, context.

Authors
 * The speechbrain_hrf authors 2026
"""

import math

import numpy as np
from speechbrain.lobes.features import Fbank

from speechbrain_hrf.export.onnx.spectrum import Spectrum


def add_fbank(graph, fbank, wavs):
    """Adds the features of a batch of signals to a graph.

    Arguments
    ---------
    graph : Graph
    fbank : speechbrain.lobes.features.Fbank
    wavs : str
        [B, samples]

    Returns
    -------
    str
        [B, T, F], what ``fbank(wavs)`` gives.

    Raises
    ------
    ValueError
        These are other features, or settings that ``Fbank`` does not offer.

    Example
    -------
    >>> from speechbrain_hrf.export.onnx.graph import Graph
    >>> graph = Graph()
    >>> wavs = graph.input("wavs", np.float32, ["batch", "samples"])
    >>> feats = add_fbank(graph, Fbank(n_mels=26, deltas=True), wavs)
    >>> "STFT" in {node.op_type for node in graph.nodes}
    False
    >>> sum(value.nbytes for value in graph.constants.values()) < 8192
    True
    """
    check_fbank(fbank)
    g = graph
    spectrum = Spectrum(fbank.compute_STFT)
    power = spectrum.power(g, wavs)  # [B, bins, T]
    filters = _filters(g, fbank.compute_fbanks, spectrum)
    mel = g("MatMul", filters, power, part="e")  # [B, M, T]
    feats = _decibels(g, fbank.compute_fbanks, mel)
    # Bands as rows of an image, so that one kernel serves all of them.
    feats = g("Unsqueeze", feats, g.constant([1]), part="d")  # [B, 1, M, T]
    if fbank.deltas:
        first = _delta(g, fbank.compute_deltas, feats)
        second = _delta(g, fbank.compute_deltas, first)
        feats = g("Concat", feats, first, second, axis=2, part="d")
    if fbank.context:
        feats = _context(g, fbank.context_window, feats)
    feats = g("Squeeze", feats, g.constant([1]), part="d")
    return g("Transpose", feats, perm=[0, 2, 1], part="d")


def check_fbank(fbank):
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


def _filters(g, bank, spectrum):
    # The weight of each bin of the spectrum in each filter, as Filterbank
    # computes it, when a runtime loads the graph: two numbers a filter are
    # stored, not a matrix.
    frequency = bank.all_freqs_mat[0].numpy()[spectrum.bins]  # [K1, N2]
    _, first = np.unique(spectrum.bins, return_index=True)
    once = np.zeros(spectrum.bins.size, bool)
    once[first] = True
    # A bin that comes twice is far outside of every filter the second time.
    frequency = np.where(once.reshape(frequency.shape), frequency, -1e9)
    frequency = g.constant(frequency.astype(np.float32), "e")
    centre, band = (
        value.detach().numpy()[:, None, None]
        for value in (bank.f_central, bank.band)
    )  # [M, 1, 1]
    if not bank.freeze:
        scale = bank.sample_rate * bank.param_change_factor**2
        centre, band = centre * scale, band * scale
    centre = g.constant(centre.astype(np.float32), "e")
    band = g.constant(band.astype(np.float32), "e")
    away = g("Sub", frequency, centre, part="e")
    one = g.constant(np.float32(1), "e")
    zero = g.constant(np.float32(0), "e")
    if bank.filter_shape == "triangular":
        slope = g("Div", away, band, part="e")
        left = g("Add", slope, one, part="e")
        right = g("Sub", one, slope, part="e")
        weight = g("Min", left, right, part="e")
        weight = g("Max", weight, zero, part="e")
    elif bank.filter_shape == "rectangular":
        low = g("Sub", centre, band, part="e")
        high = g("Add", centre, band, part="e")
        inside = g(
            "And",
            g("GreaterOrEqual", frequency, low, part="e"),
            g("LessOrEqual", frequency, high, part="e"),
            part="e",
        )
        weight = g("Where", inside, one, zero, part="e")
    else:
        spread = g("Div", band, g.constant(np.float32(2), "e"), part="e")
        slope = g("Div", away, spread, part="e")
        square = g("Mul", slope, slope, part="e")
        half = g("Mul", square, g.constant(np.float32(-0.5), "e"), part="e")
        weight = g("Exp", half, part="e")
    return g("Reshape", weight, g.constant([bank.n_mels, -1]), part="e")


def _decibels(g, bank, mel):
    def number(value):
        return g.constant(np.float32(value), "e")

    # The smallest positive float keeps the logarithm finite; amin is applied
    # to decibels, so that silence is exactly what SpeechBrain makes of it:
    # sentence normalisation divides its rounding error by 1e-10.
    mel = g("Max", mel, number(np.finfo(np.float32).tiny), part="e")
    scale = bank.multiplier / math.log(10)
    offset = bank.multiplier * bank.db_multiplier
    db = g("Mul", g("Log", mel, part="e"), number(scale), part="e")
    if offset:
        db = g("Sub", db, number(offset), part="e")
    floor = bank.multiplier * math.log10(bank.amin) - offset
    loudest = g("ReduceMax", db, g.constant([1, 2]), part="e")
    relative = g("Sub", loudest, number(bank.top_db), part="e")
    # Of silence, amin is the loudest: SpeechBrain's floor is then below it.
    return g("Max", db, number(floor), relative, part="e")


def _delta(g, deltas, feats):
    n = deltas.n
    # Whole numbers first, so that what is constant has no slope at all.
    kernel = deltas.kernel[0].numpy().reshape(1, 1, 1, -1)
    pads = g.constant([0, 0, 0, n, 0, 0, 0, n])
    feats = g("Pad", feats, pads, mode="edge", part="d")
    slope = g("Conv", feats, g.constant(kernel, "d"), part="d")
    scale = g.constant(np.float32(deltas.denom), "d")
    return g("Div", slope, scale, part="d")


def _context(g, window, feats):
    # Neighbours of a feature lie side by side.
    widest = max(window.left_frames, window.right_frames)
    length = window.left_frames + window.right_frames + 1
    kernel = np.eye(length, 2 * widest + 1, dtype=np.float32)
    lag = max(window.right_frames - window.left_frames, 0)
    kernel = np.roll(kernel, lag, axis=1)[:, None, None]
    feats = g(
        "Conv",
        feats,
        g.constant(kernel, "d"),
        pads=[0, widest, 0, widest],
        part="d",
    )  # [B, length, F, T]
    feats = g("Transpose", feats, perm=[0, 2, 1, 3], part="d")
    frames = g.size(feats, 3)
    shape = g("Concat", g.constant([0, 1, -1]), frames, axis=0)
    return g("Reshape", feats, shape, part="d")
