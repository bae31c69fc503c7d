"""Where each KiB of an ONNX file goes.

The graphs of an export name every value by a letter of the part it belongs
to, so the file itself is enough::

    python -m speechbrain_hrf.export.onnx.sizes my_model/model.onnx

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import sys
from collections import Counter
from typing import NamedTuple

import onnx
from tabulate import tabulate

from speechbrain_hrf.export.onnx.graph import LOG_PROBABILITIES, PARTS

_NO_PART = "of no part"  # in a file of another origin


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
    >>> print(report)
    constants  mel filters                       2,048   77.0 %
    operators  mel filters                         512   19.2 %
    rest       inputs, outputs, versions, names    100    3.8 %
    total      bytes                             2,660  100.0 %
    """

    constants: dict[str, int]
    operators: dict[str, int]
    rest: int

    @property
    def total(self) -> int:
        """int: Bytes of the file."""
        parts = [*self.constants.values(), *self.operators.values()]
        return sum(parts) + self.rest

    def __str__(self) -> str:
        rows = [
            *(("constants", *item) for item in self.constants.items()),
            *(("operators", *item) for item in self.operators.items()),
            ("rest", "inputs, outputs, versions, names", self.rest),
            ("total", "bytes", self.total),
        ]
        return tabulate(
            [
                (kind, name, f"{size:,}", f"{100 * size / self.total:.1f} %")
                for kind, name, size in rows
            ],
            tablefmt="plain",
            disable_numparse=True,
            colalign=("left", "left", "right", "right"),
        )


def size_report(model: str | os.PathLike[str] | bytes) -> SizeReport:
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
        model = pathlib.Path(model).read_bytes()
    try:
        graph = onnx.load_from_string(model).graph
    except Exception as error:  # protobuf's errors share no class
        raise ValueError(f"The file is no ONNX model: {error}") from error
    constants, operators = Counter[str](), Counter[str]()
    _count(graph, constants, operators)
    rest = len(model) - constants.total() - operators.total()
    return SizeReport(
        dict(constants.most_common()), dict(operators.most_common()), rest
    )


def _count(
    graph: onnx.GraphProto, constants: Counter[str], operators: Counter[str]
) -> None:
    for tensor in graph.initializer:
        size = len(onnx.numpy_helper.to_array(tensor).tobytes())
        constants[_part(tensor.name)] += size
    for node in graph.node:
        size = node.ByteSize()
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                size -= attribute.g.ByteSize()
                _count(attribute.g, constants, operators)
        operators[_part(node.output[0])] += size


def _part(name: str) -> str:
    if name == LOG_PROBABILITIES:
        return PARTS["h"]
    return PARTS.get(name[:1], _NO_PART)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m speechbrain_hrf.export.onnx.sizes FILE")
    try:
        print(size_report(sys.argv[1]))
    except (OSError, ValueError) as error:
        sys.exit(f"Error: {error}")
