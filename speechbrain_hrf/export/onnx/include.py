"""Puts a translated module into a graph.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import onnx

from speechbrain_hrf.export.definition import Modules
from speechbrain_hrf.export.onnx.graph import OPSET, Array, Graph


def include(
    graph: Graph,
    model: onnx.ModelProto,
    inputs: Sequence[str],
    part: Callable[[Array | None], str],
    outputs: Sequence[int],
) -> list[str]:
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
    outputs : list of int
        Which outputs are wanted; what only others need is left out.

    Returns
    -------
    list of str
        Values of the graph.

    Example
    -------
    >>> inner = Graph()
    >>> x = inner.input("x", np.float32, [2])
    >>> y = inner("Add", x, 1.0)
    >>> inner.output(y, "y", np.float32, [2])
    >>> graph = Graph()
    >>> a = graph.input("a", np.float32, [2])
    >>> include(graph, inner.model(), [a], lambda value: "m", [0])
    ['m1']
    """
    source = model.graph
    wanted = [source.output[index].name for index in outputs]
    names = {
        entry.name: value
        for entry, value in zip(source.input, inputs, strict=True)
    }
    names[""] = ""
    constants = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in source.initializer
    }

    def rename(name: str) -> str:
        if name not in names:
            value = constants[name]
            letter = "k" if value.dtype.kind in "iub" else part(value)
            names[name] = graph.constant(value, letter)
        return names[name]

    for node in _select_needed(source.node, wanted):
        copy = onnx.NodeProto()
        copy.op_type, copy.domain = node.op_type, node.domain
        copy.input.extend(map(rename, node.input))
        for name in node.output:
            names[name] = graph.name(part(None)) if name else ""
            copy.output.append(names[name])
        copy.attribute.extend(_without_defaults(node))
        graph.nodes.append(copy)
    return [names[name] for name in wanted]


def _select_needed(
    nodes: Sequence[onnx.NodeProto], wanted: Sequence[str]
) -> Iterator[onnx.NodeProto]:
    needed, kept = set(wanted), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    return reversed(kept)


def _without_defaults(node: onnx.NodeProto) -> Iterator[onnx.AttributeProto]:
    # Attributes that say no more than ONNX's default are left out.
    schema = onnx.defs.get_schema(node.op_type, OPSET, node.domain)
    for attribute in node.attribute:
        copy = onnx.AttributeProto()
        copy.CopyFrom(attribute)
        copy.ClearField("doc_string")
        if schema.attributes[copy.name].default_value != copy:
            yield copy


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

    def __init__(self, modules: Modules) -> None:
        self._letters: dict[bytes, str] = {}
        for key in ("embedding_model", "classifier"):
            for name, value in modules[key].state_dict().items():
                array = value.detach().cpu().numpy()
                for turned in (array, array.T):
                    letter = "h" if key == "classifier" else _letter(name)
                    self._letters[_key(turned)] = letter

    def __call__(self, value: Array | None) -> str:
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


def _key(array: Array) -> bytes:
    # What was made of several parameters is like none of them.
    return np.ascontiguousarray(array).tobytes()


def _letter(name: str) -> str:
    if name.startswith("front_end"):
        return "f" if ".conv" in name else "l"
    if name.startswith(("blocks", "stages", "merges")):
        return "b"
    return "m"
