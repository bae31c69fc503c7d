"""Builds an ONNX graph, one operator a line.

Every name begins with a letter that says which part of the model it belongs
to (``PARTS``), so that a size report can be made from the file alone.

Authors
 * The speechbrain_hrf authors 2026
"""

import string

import numpy as np
import onnx

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
_DIGITS = string.digits + string.ascii_letters


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
    >>> y = graph("Add", x, graph.constant(np.float32(1)), part="m")
    >>> graph.output(y, "y", np.float32, ["batch"])
    >>> [node.op_type for node in graph.model().graph.node]
    ['Add']
    """

    def __init__(self, scope=None):
        self.scope = scope
        self.nodes, self.inputs, self.outputs = [], [], []
        self.constants = {}  # name: array
        self._known = {}  # what a constant holds: its name
        self._counts = {} if scope is None else scope._counts

    def name(self, part):
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

    def __call__(self, operator, *inputs, part="k", outputs=1, **attributes):
        """Adds an operator.

        Arguments
        ---------
        operator : str
            Its name in ONNX.
        *inputs : str
            Names; empty ones are left out.
        part : str
            A letter of ``PARTS``.
        outputs : int
            How many.
        **attributes : object
            Of the operator.

        Returns
        -------
        str or list of str
            Name of its output, or their names.
        """
        names = [self.name(part) for _ in range(outputs)]
        self.nodes.append(
            onnx.helper.make_node(operator, inputs, names, **attributes)
        )
        return names[0] if outputs == 1 else names

    def constant(self, value, part="k"):
        """Adds a constant; equal ones of a part are kept once.

        Arguments
        ---------
        value : numpy.ndarray or list or int
            Integers become int64.
        part : str
            A letter of ``PARTS``.

        Returns
        -------
        str
            Its name.
        """
        value = np.asarray(value)
        key = (part, value.dtype.str, value.shape, value.tobytes())
        graph = self
        while graph is not None:  # an outer graph's names are known here
            if key in graph._known:
                return graph._known[key]
            graph = graph.scope
        name = self._known[key] = self.name(part)
        self.constants[name] = value
        return name

    def input(self, name, dtype, shape):
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
        self.inputs.append(_value(name, dtype, shape))
        return name

    def output(self, value, name, dtype, shape):
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
        self.outputs.append(_value(name, dtype, shape))

    def size(self, value, axis):
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

    def proto(self):
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

    def model(self):
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


def _value(name, dtype, shape):
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return onnx.helper.make_tensor_value_info(name, kind, shape)
