"""Builds an ONNX graph, one operator a line.

Every name begins with a letter that says which part of the model it belongs
to (``PARTS``), so that a size report can be made from the file alone.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import DTypeLike

# Of ONNX's operators; that of LayerNormalization and of reductions whose axes
# are inputs. Every ONNX Runtime since 1.14 has it, in the browser as well.
OPSET = 18
# What goes with it: runtimes refuse files of a later version than they know.
IR_VERSION = 8
# First letter of a name: the part of the model.
PARTS = {
    "t": "spectrum: window, sines and cosines",
    "e": "mel filters",
    "d": "deltas and context",
    "n": "normalisation",
    "f": "front end: convolutions",
    "l": "front end: linear layer",
    "b": "blocks",
    "h": "classifier",
    "m": "model",
    "p": "positions and other constants of the model",
    "k": "shapes and indices",
}
LOG_PROBABILITIES = "log_probabilities"  # the output, of the classifier
_DIGITS = string.digits + string.ascii_letters
# Frames of the first of two steps of a sum over time. No sum is then longer
# than 32 for a segment of 500 frames, than 94 for 30 s.
_GROUP = 32

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
# The name of a value, or a constant.
Operand: TypeAlias = str | float | Sequence[int] | Array
Shape: TypeAlias = Sequence[str | int]


class Graph:
    """Operators and constants that become a model.

    Arguments
    ---------
    scope : Graph, optional
        The graph in which this one is the body of a loop.

    Example
    -------
    >>> graph = Graph()
    >>> x = graph.input("x", np.float32, ["batch"])
    >>> y = graph("Add", x, 1.0, part="m")
    >>> graph.output(y, "y", np.float32, ["batch"])
    >>> [node.op_type for node in graph.model().graph.node]
    ['Add']
    """

    def __init__(self, scope: Graph | None = None) -> None:
        self.scope = scope
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.constants: dict[str, Array] = {}
        self._known: dict[Any, str] = {}  # what a constant holds: its name
        self._counts: dict[str, int] = {} if scope is None else scope._counts

    def name(self, part: str) -> str:
        """A new name.

        Arguments
        ---------
        part : str
            A letter of ``PARTS``.

        Returns
        -------
        str
        """
        count = self._counts[part] = self._counts.get(part, -1) + 1
        digits = _DIGITS[count % len(_DIGITS)]
        while count := count // len(_DIGITS):
            digits = _DIGITS[count % len(_DIGITS)] + digits
        return part + digits

    def __call__(
        self, operator: str, *inputs: Operand, part: str = "k", **options: Any
    ) -> str:
        """Adds an operator.

        Arguments
        ---------
        operator : str
            Its name in ONNX.
        *inputs : str or float or list of int or numpy.ndarray
            Names of values; an empty one is left out. What is no name becomes
            a constant: integers of the part k, other numbers of ``part``.
        part : str
            A letter of ``PARTS``.
        **options : object
            Attributes of the operator.

        Returns
        -------
        str
            Name of its output.
        """
        names = [
            value if isinstance(value, str) else self.constant(value, part)
            for value in inputs
        ]
        name = self.name(part)
        self.nodes.append(
            onnx.helper.make_node(operator, names, [name], **options)
        )
        return name

    def constant(self, value: float | Sequence[int] | Array, part: str) -> str:
        """Adds a constant; equal ones of a part are kept once.

        Arguments
        ---------
        value : float or list of int or numpy.ndarray
            Python's integers become int64, its other numbers float32.
        part : str
            A letter of ``PARTS``; of integers it is k.

        Returns
        -------
        str
            Its name.
        """
        array = np.asarray(value)
        whole = array.dtype.kind == "i"
        if not isinstance(value, np.ndarray | np.generic):
            array = array.astype(np.int64 if whole else np.float32)
        part = "k" if whole else part
        key = (part, array.dtype.str, array.shape, array.tobytes())
        graph: Graph | None = self
        while graph is not None:  # an outer graph's names are known here
            if key in graph._known:
                return graph._known[key]
            graph = graph.scope
        name = self._known[key] = self.name(part)
        self.constants[name] = array
        return name

    def input(self, name: str, dtype: DTypeLike, shape: Shape) -> str:
        """Declares an input.

        Arguments
        ---------
        name : str
        dtype : numpy.dtype
        shape : list of str or int
            Strings are dynamic sizes.

        Returns
        -------
        str
            The name.
        """
        self.inputs.append(_declare(name, dtype, shape))
        return name

    def output(
        self, value: str, name: str, dtype: DTypeLike, shape: Shape
    ) -> None:
        """Declares that a value is an output.

        Arguments
        ---------
        value : str
            What an operator gave.
        name : str
            Its name from now on.
        dtype : numpy.dtype
        shape : list of str or int
        """
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [name if n == value else n for n in names]
        self.outputs.append(_declare(name, dtype, shape))

    def size(self, value: str, axis: int) -> str:
        """The size of a value along an axis.

        Arguments
        ---------
        value : str
        axis : int

        Returns
        -------
        str
            Name of an int64 [1].
        """
        return self("Shape", value, start=axis, end=axis + 1)

    def sum_over_time(self, frames: str, width: int, part: str) -> str:
        """Adds a sum with no more rounding than PyTorch's.

        PyTorch sums in a tree. ONNX Runtime adds up one by one: over 500
        frames its rounding error is ten times as large, which a confident
        classifier, or a division by a small deviation, turns into more than
        1e-4. So frames are summed in two steps: some first, then their sums.

        Arguments
        ---------
        frames : str
            [B, T, D]
        width : int
            D
        part : str
            A letter of ``PARTS``.

        Returns
        -------
        str
            [B, D]
        """
        fill = self("Mod", self("Neg", self.size(frames, 1)), [_GROUP])
        pads = self("Concat", [0] * 4, fill, [0], axis=0)
        frames = self("Pad", frames, pads, part=part)
        groups = self("Reshape", frames, [0, -1, _GROUP, width], part=part)
        sums = self("ReduceSum", groups, [2], keepdims=0, part=part)
        return self("ReduceSum", sums, [1], keepdims=0, part=part)

    def proto(self) -> onnx.GraphProto:
        """The graph as ONNX has it.

        Returns
        -------
        onnx.GraphProto
        """
        constants = [
            onnx.numpy_helper.from_array(value, name)
            for name, value in self.constants.items()
        ]
        return onnx.helper.make_graph(
            self.nodes, "g", self.inputs, self.outputs, constants
        )

    def model(self) -> onnx.ModelProto:
        """The whole model, checked.

        Returns
        -------
        onnx.ModelProto
        """
        model = onnx.helper.make_model(
            self.proto(),
            opset_imports=[onnx.helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="",
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def _declare(name: str, dtype: DTypeLike, shape: Shape) -> onnx.ValueInfoProto:
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return onnx.helper.make_tensor_value_info(name, kind, shape)
