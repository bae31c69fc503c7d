"""SpeechBrain's ``InputNormalization`` in ONNX, as it is in evaluation.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
from speechbrain.processing.features import InputNormalization

from speechbrain_hrf.export.onnx.sums import add_sum

# SpeechBrain's make_padding_mask takes it off a length before comparing.
_MASK_EPSILON = 1e-6


def add_normalisation(graph, norm, feats, wav_lens, n_features):
    """Adds the normalisation of a batch of features to a graph.

    Arguments
    ---------
    graph : Graph
    norm : speechbrain.processing.features.InputNormalization
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

    Raises
    ------
    ValueError
        This is another module.

    Example
    -------
    >>> from speechbrain_hrf.export.onnx.graph import Graph
    >>> graph = Graph()
    >>> feats = graph.input("feats", np.float32, ["batch", "frames", 78])
    >>> lens = graph.input("wav_lens", np.float32, ["batch"])
    >>> norm = InputNormalization(norm_type="sentence")
    >>> _ = add_normalisation(graph, norm, feats, lens, 78)
    >>> graph.nodes[-1].op_type
    'Div'
    """
    check_normalisation(norm)
    g = graph
    kind, epsilon = norm.norm_type, np.float32(norm.epsilon)
    mask = None
    if kind != "global" or norm.avoid_padding_norm:
        mask = _mask(g, feats, wav_lens)  # float32 [B, T, 1]
    if kind == "global":
        mean, std = (
            value.detach().cpu().numpy().astype(np.float32)
            for value in (norm.glob_mean, norm.glob_std)
        )
        mean = g.constant(mean, "n")
        std = g.constant(np.maximum(std, epsilon), "n")
    else:
        mean, std = _statistics(g, feats, mask, kind, epsilon, n_features)
    if norm.avoid_padding_norm:
        # Padding has mean 0 and deviation 1.
        mean = g("Mul", mean, mask, part="n")
        off = g("Sub", g.constant(np.float32(1), "n"), mask, part="n")
        std = g("Add", g("Mul", std, mask, part="n"), off, part="n")
    feats = g("Sub", feats, mean, part="n")
    if not norm.std_norm:
        return feats
    return g("Div", feats, std, part="n")


def check_normalisation(norm):
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


def _mask(g, feats, wav_lens):
    frames = g.size(feats, 1)  # [1]
    length = g("Mul", wav_lens, g("Cast", frames, to=1), part="n")
    length = g(
        "Sub", length, g.constant(np.float32(_MASK_EPSILON), "n"), part="n"
    )
    zero, one = g.constant(0), g.constant(1)
    steps = g("Range", zero, g("Squeeze", frames), one)
    inside = g(
        "Less",
        g("Cast", steps, to=1),
        g("Unsqueeze", length, g.constant([1]), part="n"),
        part="n",
    )  # [B, T]
    mask = g("Cast", inside, to=1, part="n")
    return g("Unsqueeze", mask, g.constant([2]), part="n")


def _statistics(g, feats, mask, kind, epsilon, n_features):
    # Of each utterance, or of the batch as a whole; [B or 1, 1, F].
    def total(value, width):
        value = add_sum(g, value, width, "n")
        if kind == "batch":
            value = g("ReduceSum", value, g.constant([0]), part="n")
        return g("Unsqueeze", value, g.constant([1]), part="n")

    def mean_of(value):
        value = g("Mul", value, mask, part="n")
        return g("Div", total(value, n_features), count, part="n")

    count = total(mask, 1)
    mean = mean_of(feats)
    centred = g("Sub", feats, mean, part="n")
    variance = mean_of(g("Mul", centred, centred, part="n"))
    floor = g.constant(epsilon, "n")
    if kind == "sentence":
        std = g("Sqrt", variance, part="n")
        return mean, g("Max", std, floor, part="n")
    # SpeechBrain clamps here what it calls the deviation, then once more.
    std = g("Sqrt", g("Max", variance, floor, part="n"), part="n")
    return mean, g("Max", std, floor, part="n")
