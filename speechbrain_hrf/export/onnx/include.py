"""Puts a translated module into a graph.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import onnx

from speechbrain_hrf.export.onnx.graph import OPSET


def include(graph, model, inputs, part, outputs=None):
    """Adds the operators of a model to a graph.

    Arguments
    ---------
    graph : Graph
    model : onnx.ModelProto
        As ``translate`` gives it.
    inputs : list of str
        Values of the graph, in the order of the model's inputs.
    part : callable
        Array of a constant, or None for an operator: the letter of
        ``graph.PARTS`` that it belongs to.
    outputs : list of int, optional
        Which outputs are wanted; what only others need is left out. Default
        all.

    Returns
    -------
    list of str
        Values of the graph.

    Example
    -------
    >>> from speechbrain_hrf.export.onnx.graph import Graph
    >>> inner = Graph()
    >>> x = inner.input("x", np.float32, [2])
    >>> y = inner("Add", x, inner.constant(np.float32(1)))
    >>> inner.output(y, "y", np.float32, [2])
    >>> graph = Graph()
    >>> a = graph.input("a", np.float32, [2])
    >>> include(graph, inner.model(), [a], lambda value: "m")
    ['m1']
    """
    source = model.graph
    wanted = [
        source.output[i].name for i in outputs or range(len(source.output))
    ]
    names = {
        entry.name: value
        for entry, value in zip(source.input, inputs, strict=True)
    }
    names[""] = ""
    constants = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in source.initializer
    }

    def renamed(name):
        if name not in names:
            value = constants[name]
            letter = "k" if _is_shape(value) else part(value)
            names[name] = graph.constant(value, letter)
        return names[name]

    for node in _needed(source.node, wanted):
        copy = onnx.NodeProto()
        copy.op_type, copy.domain = node.op_type, node.domain
        copy.input.extend(map(renamed, node.input))
        for name in node.output:
            names[name] = graph.name(part(None)) if name else ""
            copy.output.append(names[name])
        copy.attribute.extend(_told(node))
        graph.nodes.append(copy)
    return [names[name] for name in wanted]


def _is_shape(value):
    return value.dtype.kind in "iub"


def _needed(nodes, wanted):
    needed, kept = set(wanted), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    return reversed(kept)


def _told(node):
    # Attributes that say no more than ONNX's default are left out.
    schema = onnx.defs.get_schema(node.op_type, OPSET, node.domain)
    for attribute in node.attribute:
        told = onnx.AttributeProto()
        told.CopyFrom(attribute)
        told.ClearField("doc_string")
        if schema.attributes[told.name].default_value == told:
            continue
        yield told


class Parts:
    """Which part of a model a constant belongs to.

    PyTorch's exporter renames and transposes parameters; their values tell.

    Arguments
    ---------
    modules : dict
        embedding_model and classifier.

    Example
    -------
    >>> import torch
    >>> head = torch.nn.Linear(3, 2)
    >>> part = Parts({"embedding_model": head, "classifier": head})
    >>> part(head.weight.detach().T.numpy()), part(np.zeros(2)), part(None)
    ('h', 'p', 'm')
    """

    def __init__(self, modules):
        self._letters = {}
        for key in ("embedding_model", "classifier"):
            for name, value in modules[key].state_dict().items():
                value = value.detach().cpu().numpy()
                for array in (value, value.T):
                    letter = "h" if key == "classifier" else _letter(name)
                    self._letters[_key(array)] = letter

    def __call__(self, value):
        """The part's letter.

        Arguments
        ---------
        value : numpy.ndarray or None
            A constant, or None for an operator.

        Returns
        -------
        str
        """
        if value is None:
            return "m"
        return self._letters.get(_key(value), "p")


def _key(array):
    # What was made of several parameters is like none of them.
    return np.ascontiguousarray(array).tobytes()


def _letter(name):
    if name.startswith("front_end"):
        return "f" if ".conv" in name else "l"
    if name.startswith(("blocks", "stages", "merges")):
        return "b"
    return "m"
