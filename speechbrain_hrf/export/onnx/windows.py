"""The embedding of an utterance, window by window, in ONNX.

``UtteranceEmbedding`` embeds audio that is longer than a training segment in
windows of its size. PyTorch cannot export a loop whose length depends on its
input; ONNX has one, and memory stays bounded in it as well.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Callable

import numpy as np

from speechbrain_hrf.export.onnx.graph import Graph


def add_windows(
    graph: Graph,
    feats: str,
    wav_lens: str,
    segment_frames: int | None,
    fewest_frames: int,
    width: int,
    embed: Callable[[Graph, str, str], str],
) -> str:
    """Adds the mean embedding of an utterance's windows to a graph.

    Arguments
    ---------
    graph : Graph
    feats : str
        Normalised, [B, T, F].
    wav_lens : str
        Relative lengths, [B].
    segment_frames : int or None
        Frames of a window; None: one window holds everything.
    fewest_frames : int
        Shorter windows are filled with zeros, which the models leave out.
    width : int
        D
    embed : callable
        (graph, window, lengths) to the name of the embedding, [B, D].

    Returns
    -------
    str
        [B, D]

    Example
    -------
    >>> graph = Graph()
    >>> feats = graph.input("feats", np.float32, ["batch", "frames", 78])
    >>> lens = graph.input("wav_lens", np.float32, ["batch"])
    >>> _ = add_windows(
    ...     graph, feats, lens, 500, 11, 78,
    ...     lambda g, window, lengths: g("ReduceSum", window, [1]),
    ... )
    >>> [node.op_type for node in graph.nodes].count("Loop")
    1
    """
    g = graph
    frames = g.size(feats, 1)  # [1]
    lengths = g("Round", g("Mul", wav_lens, g("Cast", frames, to=1)))
    lengths = g("Min", g("Max", g("Cast", lengths, to=7), 1), frames)  # [B]
    filled = g("Pad", feats, [0, 0, 0, 0, fewest_frames - 1, 0], part="f")
    if segment_frames is None:
        return embed(g, filled, lengths)
    size = [segment_frames]
    count = g("Div", g("Add", frames, [segment_frames - 1]), size)
    zeros = g("Concat", g.size(feats, 0), [width], axis=0)
    total = g("Expand", np.zeros(1, np.float32), zeros)

    body = Graph(scope=g)
    step = body.input(body.name("k"), np.int64, [])
    goes_on = body.input(body.name("k"), np.bool_, [])
    so_far = body.input(body.name("k"), np.float32, ["batch", width])
    start = body("Mul", step, size)  # [1]
    window = body("Slice", filled, start, body("Add", start, size), [1])
    inside = body("Min", body("Sub", lengths, start), size)
    # An utterance that ended before has a weight of 0; one frame of it is
    # looked at all the same, for a mean over none would be 0 / 0.
    share = body("Cast", body("Max", inside, 0), to=1)
    share = body("Div", share, body("Cast", lengths, to=1))
    share = body("Unsqueeze", share, [1])
    embedding = embed(body, window, body("Max", inside, 1))
    new = body("Add", so_far, body("Mul", embedding, share))
    again = body("Identity", goes_on)
    body.output(again, body.name("k"), np.bool_, [])
    body.output(new, body.name("k"), np.float32, ["batch", width])
    return g("Loop", g("Squeeze", count), "", total, body=body.proto())


def add_mean(graph: Graph, frames: str, lengths: str, width: int) -> str:
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
    >>> graph = Graph()
    >>> frames = graph.input("frames", np.float32, ["batch", "frames", 16])
    >>> lengths = graph.input("lengths", np.int64, ["batch"])
    >>> _ = add_mean(graph, frames, lengths, 16)
    >>> graph.nodes[-1].op_type
    'Div'
    """
    g = graph
    steps = g("Range", 0, g("Squeeze", g.size(frames, 1)), 1)
    lengths = g("Unsqueeze", lengths, [1])
    valid = g("Unsqueeze", g("Less", steps, lengths), [2])
    frames = g("Where", valid, frames, 0.0, part="m")
    total = g.sum_over_time(frames, width, "m")
    return g("Div", total, g("Cast", lengths, to=1), part="m")
