"""SpeechBrain's ``InputNormalization`` in ONNX, as it is in evaluation.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
from typing import Any

from speechbrain.processing.features import InputNormalization

from speechbrain_hrf.export.onnx.graph import Graph

# SpeechBrain's make_padding_mask takes it off a length before comparing.
_MASK_EPSILON = 1e-6


def add_normalisation(
    graph: Graph,
    norm: InputNormalization,
    feats: str,
    wav_lens: str,
    n_features: int,
) -> str:
    """Adds the normalisation of a batch of features to a graph.

    Arguments
    ---------
    graph : Graph
    norm : speechbrain.processing.features.InputNormalization
        One that ``check_normalisation`` accepts.
    feats : str
        [B, T, F]
    wav_lens : str
        Relative lengths, [B].
    n_features : int
        F

    Returns
    -------
    str
        [B, T, F]

    Example
    -------
    >>> import numpy as np
    >>> graph = Graph()
    >>> feats = graph.input("feats", np.float32, ["batch", "frames", 78])
    >>> lens = graph.input("wav_lens", np.float32, ["batch"])
    >>> norm = InputNormalization(norm_type="sentence")
    >>> _ = add_normalisation(graph, norm, feats, lens, 78)
    >>> graph.nodes[-1].op_type
    'Div'
    """
    g = functools.partial(graph, part="n")
    is_global, mask = norm.norm_type == "global", ""
    if norm.avoid_padding_norm or not is_global:
        mask = _mask(graph, feats, wav_lens)  # float32 [B, T, 1]
    if is_global:
        mean, std = (
            graph.constant(value.detach().cpu().float().numpy(), "n")
            for value in (norm.glob_mean, norm.glob_std)
        )
    else:
        mean, std = _statistics(graph, feats, mask, norm, n_features)
    std = g("Max", std, float(norm.epsilon))
    if norm.avoid_padding_norm:
        # Padding has mean 0 and deviation 1.
        mean = g("Mul", mean, mask)
        std = g("Add", g("Mul", std, mask), g("Sub", 1.0, mask))
    feats = g("Sub", feats, mean)
    return g("Div", feats, std) if norm.std_norm else feats


def check_normalisation(norm: Any) -> None:
    """Refuses a normalisation that cannot be exported.

    Arguments
    ---------
    norm : torch.nn.Module

    Raises
    ------
    ValueError
        It is not SpeechBrain's ``InputNormalization`` over time.

    Example
    -------
    >>> check_normalisation(InputNormalization(length_dim=2))
    Traceback (most recent call last):
    ...
    ValueError: mean_var_norm normalises along dimension 2; ...
    """
    if getattr(type(norm), "forward", None) is not InputNormalization.forward:
        raise ValueError(
            f"mean_var_norm is {type(norm).__name__}; only SpeechBrain's "
            "InputNormalization can be exported to ONNX. Export without "
            "--onnx."
        )
    if norm.length_dim != 1:
        raise ValueError(
            f"mean_var_norm normalises along dimension {norm.length_dim}; "
            "time is dimension 1 of features: set length_dim to 1, or export "
            "without --onnx."
        )


def _mask(graph: Graph, feats: str, wav_lens: str) -> str:
    g = functools.partial(graph, part="n")
    frames = graph.size(feats, 1)  # [1]
    length = g("Mul", wav_lens, graph("Cast", frames, to=1))
    length = g("Unsqueeze", g("Sub", length, _MASK_EPSILON), [1])
    steps = graph("Range", 0, graph("Squeeze", frames), 1)
    inside = g("Less", graph("Cast", steps, to=1), length)  # [B, T]
    return g("Unsqueeze", g("Cast", inside, to=1), [2])


def _statistics(
    graph: Graph, feats: str, mask: str, norm: InputNormalization, width: int
) -> tuple[str, str]:
    # Of each utterance, or of the batch as a whole; [B or 1, 1, F].
    g = functools.partial(graph, part="n")
    batch = norm.norm_type == "batch"

    def total(value: str, width: int) -> str:
        value = graph.sum_over_time(value, width, "n")
        if batch:
            value = g("ReduceSum", value, [0])
        return g("Unsqueeze", value, [1])

    def mean_of(value: str) -> str:
        return g("Div", total(g("Mul", value, mask), width), count)

    count = total(mask, 1)
    mean = mean_of(feats)
    centred = g("Sub", feats, mean)
    variance = mean_of(g("Mul", centred, centred))
    if batch:
        # SpeechBrain clamps here what it calls the deviation, then once more.
        variance = g("Max", variance, float(norm.epsilon))
    return mean, g("Sqrt", variance)
