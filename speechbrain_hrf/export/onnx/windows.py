"""The embedding of an utterance, window by window, in ONNX.

``UtteranceEmbedding`` embeds audio that is longer than a training segment in
windows of its size. PyTorch cannot export a loop whose length depends on its
input; ONNX has one, and memory stays bounded in it as well.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import torch

from speechbrain_hrf.export.onnx.graph import Graph


class WindowAndHead(torch.nn.Module):
    """One window's hidden frames, and the classifier, in one export.

    Arguments
    ---------
    embedding_model : UtteranceEmbedding
    classifier : torch.nn.Module

    Example
    -------
    >>> from speechbrain_hrf import ClassifierHead, SpeechFormer
    >>> both = WindowAndHead(SpeechFormer(), ClassifierHead(16, 4))
    >>> outputs = both(
    ...     torch.rand(2, 50, 78), torch.tensor([50, 3]), torch.rand(2, 16)
    ... )
    >>> [list(output.shape) for output in outputs]
    [[2, 50, 16], [2], [2, 4]]
    """

    def __init__(self, embedding_model, classifier):
        super().__init__()
        self.embedding_model = embedding_model
        self.classifier = classifier

    def forward(self, feats, lengths, embedding):
        """Both at once; neither depends on the other.

        Arguments
        ---------
        feats : torch.Tensor
            [B, T, F], T at least ``fewest_frames``.
        lengths : torch.Tensor
            Valid frames, at least one each, int64 [B].
        embedding : torch.Tensor
            [B, D]

        Returns
        -------
        torch.Tensor
            Hidden frames, [B, T', D].
        torch.Tensor
            Valid ones among the T', int64 [B].
        torch.Tensor
            Log-probabilities of the embedding given, [B, C].
        """
        return (
            *self.embedding_model.encode(feats, lengths),
            self.classifier(embedding.unsqueeze(1)).squeeze(1),
        )


def add_windows(
    graph, feats, wav_lens, segment_frames, fewest_frames, width, embed
):
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
    ...     lambda g, window, lengths: g("ReduceSum", window, g.constant([1])),
    ... )
    >>> [node.op_type for node in graph.nodes].count("Loop")
    1
    """
    g = graph
    frames = g.size(feats, 1)  # [1]
    lengths = g("Round", g("Mul", wav_lens, g("Cast", frames, to=1)))
    lengths = g("Max", g("Cast", lengths, to=7), g.constant(1))
    lengths = g("Min", lengths, frames)  # [B]
    fill = g.constant([0, 0, 0, 0, fewest_frames - 1, 0])
    filled = g("Pad", feats, fill, part="f")
    if segment_frames is None:
        return embed(g, filled, lengths)
    size = g.constant([segment_frames])
    count = g("Add", frames, g.constant([segment_frames - 1]))
    count = g("Squeeze", g("Div", count, size))
    zeros = g("Concat", g.size(feats, 0), g.constant([width]), axis=0)
    zero = np.zeros(1, np.float32)
    total = g("Expand", g.constant(zero), zeros)

    body = Graph(scope=g)
    step = body.input(body.name("k"), np.int64, [])
    body.input(body.name("k"), np.bool_, [])
    so_far = body.input(body.name("k"), np.float32, ["batch", width])
    start = body("Mul", step, size)  # [1]
    stop = body("Add", start, size)
    window = body("Slice", filled, start, stop, body.constant([1]))
    inside = body("Sub", lengths, start)
    inside = body("Min", inside, size)
    # An utterance that ended before has a weight of 0; one frame of it is
    # looked at all the same, for a mean over none would be 0 / 0.
    share = body("Max", inside, body.constant(0))
    share = body("Cast", share, to=1)
    share = body("Div", share, body("Cast", lengths, to=1))
    share = body("Unsqueeze", share, body.constant([1]))
    inside = body("Max", inside, body.constant(1))
    embedding = embed(body, window, inside)
    new = body("Add", so_far, body("Mul", embedding, share))
    again = body("Identity", body.inputs[1].name)
    body.output(again, body.name("k"), np.bool_, [])
    body.output(new, body.name("k"), np.float32, ["batch", width])
    return g("Loop", count, "", total, body=body.proto())
