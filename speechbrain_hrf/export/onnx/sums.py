"""Sums over time in ONNX, with no more rounding than PyTorch's.

PyTorch sums in a tree. ONNX Runtime adds up one by one: over 500 frames its
rounding error is ten times as large, which a confident classifier, or a
division by a small deviation, turns into more than 1e-4. So frames are summed
in two steps: some first, then their sums.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np

# Frames of the first step. No sum is then longer than 32 for a segment of
# 500 frames, than 94 for 30 s.
_GROUP = 32


def add_sum(graph, frames, width, part):
    """Adds the sum over time to a graph.

    Arguments
    ---------
    graph : Graph
    frames : str
        [B, T, D]
    width : int
        D
    part : str
        A letter of ``graph.PARTS``.

    Returns
    -------
    str
        [B, D]

    Example
    -------
    >>> from speechbrain_hrf.export.onnx.graph import Graph
    >>> graph = Graph()
    >>> frames = graph.input("frames", np.float32, ["batch", "frames", 16])
    >>> _ = add_sum(graph, frames, 16, "m")
    >>> [node.op_type for node in graph.nodes].count("ReduceSum")
    2
    """
    g = graph
    fill = g("Mod", g("Neg", g.size(frames, 1)), g.constant([_GROUP]))
    pads = g("Concat", g.constant([0] * 4), fill, g.constant([0]), axis=0)
    frames = g("Pad", frames, pads, part=part)
    shape = g.constant([0, -1, _GROUP, width])
    groups = g("Reshape", frames, shape, part=part)
    total = g("ReduceSum", groups, g.constant([2]), keepdims=0, part=part)
    return g("ReduceSum", total, g.constant([1]), keepdims=0, part=part)


def add_mean(graph, frames, lengths, width):
    """Adds ``MaskedMean`` to a graph.

    Arguments
    ---------
    graph : Graph
    frames : str
        [B, T, D]
    lengths : str
        Valid frames, int64 [B].
    width : int
        D

    Returns
    -------
    str
        [B, D]

    Example
    -------
    >>> from speechbrain_hrf.export.onnx.graph import Graph
    >>> graph = Graph()
    >>> frames = graph.input("frames", np.float32, ["batch", "frames", 16])
    >>> lengths = graph.input("lengths", np.int64, ["batch"])
    >>> _ = add_mean(graph, frames, lengths, 16)
    >>> graph.nodes[-1].op_type
    'Div'
    """
    g = graph
    count = g("Squeeze", g.size(frames, 1))
    steps = g("Range", g.constant(0), count, g.constant(1))
    lengths = g("Unsqueeze", lengths, g.constant([1]))
    valid = g("Unsqueeze", g("Less", steps, lengths), g.constant([2]))
    zero = g.constant(np.float32(0))
    frames = g("Where", valid, frames, zero, part="m")
    total = add_sum(g, frames, width, "m")
    return g("Div", total, g("Cast", lengths, to=1), part="m")
