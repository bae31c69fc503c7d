"""Smaller files: parameters stored as int8 or float16.

What is stored is rounded; a runtime turns it back into float32 when it loads
the file, and computes as before. The features and their normalisation (a
spectrum in decibels) keep their float32 constants.

Computing in int8 or float16 as well was measured on the light models, against
this: onnxruntime.quantization's dynamic int8 gave files 1.5 to 1.8 times as
large, and with convolutions took twice the time; operators in float16 (by
onnxruntime.transformers.float16) took up to 2.5 times the time, for a CPU has
no kernels for them.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import onnx
from onnx import numpy_helper

PRECISIONS = ("int8", "fp16")
# First letters of names (graph.PARTS): spectrum, mel filters, deltas,
# normalisation.
_FRONT_END = "tedn"
# An operator that converts, and its names, take about as many bytes as
# rounding so many numbers saves.
_FEWEST = 64


def check_precision(name):
    """Refuses what is no precision.

    Arguments
    ---------
    name : str

    Raises
    ------
    ValueError
        It is not one of ``PRECISIONS``.

    Example
    -------
    >>> check_precision("int4")
    Traceback (most recent call last):
    ...
    ValueError: There is no precision 'int4': give int8 or fp16.
    """
    if name not in PRECISIONS:
        raise ValueError(
            f"There is no precision {name!r}: give {' or '.join(PRECISIONS)}."
        )


def stored_as(model, precision):
    """A copy of a model with its parameters stored in another precision.

    int8 takes matrices and kernels, symmetric around 0, with one scale per
    output channel; vectors stay. fp16 takes both.

    Arguments
    ---------
    model : onnx.ModelProto
    precision : str
        int8 or fp16.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    ValueError
        There is no such precision, nothing to round, or a parameter that
        float16 cannot hold.

    Example
    -------
    >>> model = onnx.load(getfixture("onnx_folder") / "model.onnx")
    >>> small = stored_as(model, "fp16")
    >>> small.ByteSize() < 0.6 * model.ByteSize()
    True
    """
    check_precision(precision)
    rounded = {"int8": _as_int8, "fp16": _as_fp16}[precision]
    found = onnx.ModelProto()
    found.CopyFrom(model)
    changed = 0
    for graph in _graphs(found.graph):
        stays, constants, nodes = [], [], []
        for tensor in graph.initializer:
            made = _is_parameter(tensor) and rounded(tensor)
            if made:
                constants += made[0]
                nodes += made[1]
            else:
                stays.append(tensor)
        changed += len(nodes)
        _replace(graph.initializer, stays + constants)
        _replace(graph.node, nodes + list(graph.node))
    if not changed:
        raise ValueError(
            "The graph has no float32 parameters of "
            f"{_FEWEST} numbers or more to store as {precision}."
        )
    onnx.checker.check_model(found, full_check=True)
    return found


def _graphs(graph):
    # The graph, and those that are bodies of its loops.
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)


def _is_parameter(tensor):
    return (
        tensor.data_type == onnx.TensorProto.FLOAT
        and tensor.name[:1] not in _FRONT_END
        and np.prod(tensor.dims) >= _FEWEST
    )


def _as_fp16(tensor):
    value, name = numpy_helper.to_array(tensor), tensor.name + "h"
    with np.errstate(over="ignore"):
        half = value.astype(np.float16)
    if not np.isfinite(half).all():
        raise ValueError(
            f"{tensor.name} holds {np.abs(value).max():.3g}, which float16 "
            "cannot: its largest number is 65504. Use --int8."
        )
    constants = [numpy_helper.from_array(half, name)]
    return constants, [_to_float32(name, tensor.name)]


def _as_int8(tensor):
    value = numpy_helper.to_array(tensor)
    if value.ndim < 2:
        return None  # a bias: its rounding would add up over all frames
    # Kernels have their output channels first, matrices last.
    axis = 0 if value.ndim > 2 else 1
    others = tuple(a for a in range(value.ndim) if a != axis)
    scale = np.abs(value).max(axis=others, keepdims=True) / 127
    scale = np.maximum(scale, np.finfo(np.float32).tiny).astype(np.float32)
    number, wide, size = (tensor.name + letter for letter in "qws")
    # Not DequantizeLinear: ONNX Runtime would compute that in every run, and
    # these two once, when it loads the file.
    nodes = [
        _to_float32(number, wide),
        onnx.helper.make_node("Mul", [wide, size], [tensor.name]),
    ]
    constants = [
        numpy_helper.from_array(np.rint(value / scale).astype(np.int8), number),
        numpy_helper.from_array(scale, size),
    ]
    return constants, nodes


def _to_float32(name, wide):
    return onnx.helper.make_node(
        "Cast", [name], [wide], to=onnx.TensorProto.FLOAT
    )


def _replace(repeated, values):
    values = list(values)
    del repeated[:]
    repeated.extend(values)
