"""Where each KiB of an ONNX file goes.

The graphs of an export name every value by a letter of the part it belongs
to, so the file itself is enough::

    python -m speechbrain_hrf.export.onnx.sizes my_model/model.onnx

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import sys
from typing import NamedTuple

import onnx

from speechbrain_hrf.export.onnx.graph import PARTS

_REST = "inputs, outputs, versions, names of constants"


class SizeReport(NamedTuple):
    """Bytes by what they are; ``print`` shows a table.

    Arguments
    ---------
    constants : dict
        Bytes of constants by part.
    operators : dict
        Bytes of operators, with their names, by part.
    rest : int
        Everything else.

    Example
    -------
    >>> report = SizeReport({"mel filters": 2048}, {"mel filters": 512}, 100)
    >>> report.total
    2660
    >>> print(report)
    constants  mel filters                                       2,048   77.0 %
    operators  mel filters                                         512   19.2 %
    rest       inputs, outputs, versions, names of constants       100    3.8 %
    total      bytes                                             2,660
    """

    constants: dict
    operators: dict
    rest: int

    @property
    def total(self):
        """int: Bytes of the file."""
        parts = [*self.constants.values(), *self.operators.values()]
        return sum(parts) + self.rest

    def __str__(self):
        rows = [
            *(("constants", *item) for item in self.constants.items()),
            *(("operators", *item) for item in self.operators.items()),
            ("rest", _REST, self.rest),
        ]
        total = self.total
        lines = [
            f"{kind:<9}  {name:<45} {size:>9,}  {size / total:6.1%}"
            for kind, name, size in rows
        ]
        lines = [line.replace("%", " %") for line in lines]
        return "\n".join([*lines, f"{'total':<9}  {'bytes':<45} {total:>9,}"])


def size_report(model):
    """Counts the bytes of a file.

    Arguments
    ---------
    model : str or os.PathLike or bytes
        An ONNX file of an export, or its content.

    Returns
    -------
    SizeReport
        Its parts add up to the size of the file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is no ONNX model.

    Example
    -------
    >>> size_report(b"nonsense")
    Traceback (most recent call last):
    ...
    ValueError: The file is no ONNX model: ...
    """
    if not isinstance(model, bytes):
        if not os.path.isfile(model):
            raise FileNotFoundError(f"There is no file {model}.")
        with open(model, "rb") as stream:
            model = stream.read()
    try:
        graph = onnx.load_from_string(model).graph
    except Exception as error:  # protobuf's errors share no class
        raise ValueError(f"The file is no ONNX model: {error}") from error
    constants, operators = {}, {}
    names = {**PARTS, "": "of no part"}  # a file of another origin
    _count(graph, constants, operators)
    ordered = [
        {names[key]: part[key] for key in names if part.get(key)}
        for part in (constants, operators)
    ]
    known = sum(constants.values()) + sum(operators.values())
    return SizeReport(*ordered, len(model) - known)


def _count(graph, constants, operators):
    for tensor in graph.initializer:
        part = _part(tensor.name)
        size = len(onnx.numpy_helper.to_array(tensor).tobytes())
        constants[part] = constants.get(part, 0) + size
    for node in graph.node:
        size = node.ByteSize()
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                size -= attribute.g.ByteSize()
                _count(attribute.g, constants, operators)
        part = _part(node.output[0])
        operators[part] = operators.get(part, 0) + size


def _part(name):
    if name == "log_probabilities":
        return "h"
    return name[:1] if name[:1] in PARTS else ""


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m speechbrain_hrf.export.onnx.sizes FILE")
    try:
        print(size_report(sys.argv[1]))
    except (OSError, ValueError) as error:
        sys.exit(f"Error: {error}")
