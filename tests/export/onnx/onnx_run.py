"""Runs what one part of the front end adds to a graph.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np

from speechbrain_hrf.export.onnx.graph import Graph
from speechbrain_hrf.runtime.session import open_session


def built(add, inputs, rank=3):
    """A model of one part.

    Arguments
    ---------
    add : callable
        (graph, *names of the inputs) to the name of the output.
    inputs : dict
        Shape by name; float32.
    rank : int
        Of the output.

    Returns
    -------
    onnx.ModelProto
    """
    graph = Graph()
    names = [
        graph.input(name, np.float32, shape) for name, shape in inputs.items()
    ]
    graph.output(add(graph, *names), "out", np.float32, list("abcd"[:rank]))
    return graph.model()


def run(model, **inputs):
    """Output of a model for tensors.

    Arguments
    ---------
    model : onnx.ModelProto
    **inputs : torch.Tensor

    Returns
    -------
    numpy.ndarray
    """
    arrays = {name: value.numpy() for name, value in inputs.items()}
    session = open_session(model.SerializeToString(), "the graph")
    (output,) = session.run(None, arrays)
    return output
