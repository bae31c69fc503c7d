"""Smaller files: parameters stored as int8 or float16, if that is a gain.

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

import os
import pathlib
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper

from speechbrain_hrf.export.accuracy import Recordings
from speechbrain_hrf.export.manifest import fingerprint, write_manifest
from speechbrain_hrf.export.onnx import check_precision
from speechbrain_hrf.export.onnx.comparison import Comparison, compare
from speechbrain_hrf.export.onnx.model import WAVEFORM
from speechbrain_hrf.runtime.folder import MANIFEST, read_manifest

# First letters of names (graph.PARTS): spectrum, mel filters, deltas,
# normalisation.
_FRONT_END = "tedn"
# An operator that converts, and its names, take about as many bytes as
# rounding so many numbers saves.
_FEWEST = 64


class PrecisionReport(NamedTuple):
    """What came of storing a model's parameters in another precision.

    Arguments
    ---------
    file : str
        Its name.
    kept : bool
        Whether the file is in the folder.
    comparison : Comparison
        With the float32 file.

    Example
    -------
    >>> import shutil
    >>> folder = getfixture("tmp_path") / "model"
    >>> _ = shutil.copytree(getfixture("onnx_folder"), folder)
    >>> print(add_precision(folder, "int8"))
    model.int8.onnx (not kept):
      size    ... -> ... bytes
      ...
      No gain ...
    """

    file: str
    kept: bool
    comparison: Comparison

    def __str__(self) -> str:
        text = f"{self.comparison}\n{self.comparison.judge()[1]}"
        name = self.file if self.kept else f"{self.file} (not kept)"
        return f"{name}:\n{textwrap.indent(text, '  ')}"


def add_precision(
    folder: str | os.PathLike[str],
    precision: str,
    recordings: Recordings = (),
    keep: bool = False,
) -> PrecisionReport:
    """Stores a folder's ``model.onnx`` in another precision, and compares.

    Arguments
    ---------
    folder : str or os.PathLike
        With ``model.onnx`` and ``manifest.json``.
    precision : str
        int8 or fp16.
    recordings : sequence of (path, label)
        Of the test set, labels of the manifest's; None where there is none.
        Nothing is fitted to them: only weights are rounded.
    keep : bool
        Whether the file stays, and is listed in the manifest, even if it is
        no gain; the manifest then says so.

    Returns
    -------
    PrecisionReport

    Raises
    ------
    FileNotFoundError
        The folder lacks one of the two files.
    ValueError
        There is no such precision, there is nothing in the graph to round, or
        the manifest is damaged.

    Example
    -------
    >>> import shutil
    >>> folder = getfixture("tmp_path") / "model"
    >>> _ = shutil.copytree(getfixture("onnx_folder"), folder)
    >>> report = add_precision(folder, "int8")
    >>> report.kept, (folder / "model.int8.onnx").exists()
    (False, False)
    >>> print(report.comparison.judge()[1])
    No gain ...
    """
    folder = pathlib.Path(folder)
    for name in (WAVEFORM, MANIFEST):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{folder} has no {name}: export with --onnx first."
            )
    manifest = read_manifest(folder)
    before = (folder / WAVEFORM).read_bytes()
    smaller = store_as(onnx.load_from_string(before), precision)
    after = smaller.SerializeToString()
    comparison = compare(
        before, after, recordings, manifest["labels"], manifest["sample_rate"]
    )
    gain, sentence = comparison.judge()
    file, kept = f"model.{precision}.onnx", gain or keep
    # What an earlier call has left must not outlive its figures.
    manifest["graphs"].pop(file, None)
    (folder / file).unlink(missing_ok=True)
    if kept:
        (folder / file).write_bytes(after)
        manifest["graphs"][file] = {
            **manifest["graphs"][WAVEFORM],
            "precision": f"float32, parameters stored as {precision}",
            **fingerprint(after),
            "max_difference": comparison.max_difference,
            "verified_on": comparison.audio,
            "gain": gain,
            "reason": sentence,
            "comparison": comparison._asdict(),
        }
    write_manifest(folder, manifest)
    return PrecisionReport(file, kept, comparison)


def store_as(model: onnx.ModelProto, precision: str) -> onnx.ModelProto:
    """A copy of a model with its parameters stored in another precision.

    int8 takes matrices and kernels, symmetric around 0; vectors stay. A scale
    belongs to a kernel's output channel or a matrix's column. Of a matrix that
    its operator transposes (Gemm's transB) that is an input. fp16 takes
    vectors, too.

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
    >>> small = store_as(model, "fp16")
    >>> small.ByteSize() < 0.6 * model.ByteSize()
    True
    """
    check_precision(precision)
    round_tensor = {"int8": _to_int8, "fp16": _to_fp16}[precision]
    found = onnx.ModelProto()
    found.CopyFrom(model)
    changed = 0
    for graph in _graphs(found.graph):
        constants: list[onnx.TensorProto] = []
        nodes: list[onnx.NodeProto] = []
        for tensor in graph.initializer:
            made = round_tensor(tensor) if _is_parameter(tensor) else None
            constants += made[0] if made else [tensor]
            nodes += made[1] if made else []
        changed += len(nodes)
        _replace(graph.initializer, constants)
        _replace(graph.node, nodes + list(graph.node))
    if not changed:
        raise ValueError(
            "The graph has no float32 parameters of "
            f"{_FEWEST} numbers or more to store as {precision}."
        )
    onnx.checker.check_model(found, full_check=True)
    return found


# The constants and operators that give a parameter.
_Rounded = tuple[list[onnx.TensorProto], list[onnx.NodeProto]]


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    # The graph, and those that are bodies of its loops.
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)


def _is_parameter(tensor: onnx.TensorProto) -> bool:
    return bool(
        tensor.data_type == onnx.TensorProto.FLOAT
        and tensor.name[:1] not in _FRONT_END
        and np.prod(tensor.dims) >= _FEWEST
    )


def _to_fp16(tensor: onnx.TensorProto) -> _Rounded:
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


def _to_int8(tensor: onnx.TensorProto) -> _Rounded | None:
    value = numpy_helper.to_array(tensor)
    if value.ndim < 2:
        return None  # a bias: its rounding would add up over all frames
    # Kernels have their output channels first, matrices last (inputs, where
    # Gemm's transB is set).
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


def _to_float32(name: str, wide: str) -> onnx.NodeProto:
    return onnx.helper.make_node(
        "Cast", [name], [wide], to=onnx.TensorProto.FLOAT
    )


def _replace(repeated: Any, values: list[Any]) -> None:
    values = list(values)
    del repeated[:]
    repeated.extend(values)
