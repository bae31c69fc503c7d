"""From a PyTorch module to ONNX operators, quietly.

``torch.onnx.export`` writes warnings, log lines and progress to the terminal,
and stack traces and names of one's files into what it makes. Here it does
neither.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
import onnxscript.optimizer
import torch

from speechbrain_hrf.export.onnx.graph import OPSET

# The exporter's graph holds for one as well, but it must not see one: a size
# of one is a constant to it.
LARGEST_BATCH = 1 << 12
LONGEST = 1 << 20


def translate(
    module: torch.nn.Module,
    inputs: Mapping[str, torch.Tensor],
    sizes: Mapping[str, tuple[tuple[str, int] | None, ...]],
    what: str,
) -> onnx.ModelProto:
    """Translates a module.

    Arguments
    ---------
    module : torch.nn.Module
        Is put into evaluation mode.
    inputs : dict
        Example tensor by name.
    sizes : dict
        For each input a tuple with, for each dimension, None (always as in
        the example) or the name and the smallest value of a dynamic size.
    what : str
        What the module is, for the error.

    Returns
    -------
    onnx.ModelProto
        Optimised; its inputs have the names given.

    Raises
    ------
    ValueError
        PyTorch cannot export the module.

    Example
    -------
    >>> model = translate(
    ...     torch.nn.Linear(4, 2), {"x": torch.rand(3, 4)},
    ...     {"x": (("batch", 1), None)}, "the classifier",
    ... )
    >>> [node.op_type for node in model.graph.node]
    ['Gemm']
    """
    dims = {
        name: torch.export.Dim(
            name,
            min=smallest,
            max=LARGEST_BATCH if name == "batch" else LONGEST,
        )
        for name, smallest in filter(None, sum(sizes.values(), ()))
    }
    dynamic = tuple(
        {
            axis: dims[size[0]]
            for axis, size in enumerate(sizes[name])
            if size is not None
        }
        for name in inputs
    )
    try:
        with _quiet(), torch.random.fork_rng(devices=[]):
            program = torch.export.export(
                module.eval(),
                tuple(inputs.values()),
                dynamic_shapes=dynamic,
                # What can only be known at run time is not decided here.
                prefer_deferred_runtime_asserts_over_guards=True,
            )
            exported: Any = torch.onnx.export(
                program,
                dynamo=True,
                verbose=False,
                optimize=False,
                opset_version=OPSET,
                input_names=list(inputs),
            )
            onnxscript.optimizer.optimize(exported.model)
            model: onnx.ModelProto = exported.model_proto
            onnx.checker.check_model(model)
    except Exception as error:  # whatever a module of a user's makes it raise
        reason: BaseException = error
        while reason.__cause__ is not None:  # the first one names the operator
            reason = reason.__cause__
        lines = [line for line in str(reason).splitlines() if line.strip()]
        raise ValueError(
            f"PyTorch cannot export {what} ({type(reason).__name__}: "
            f"{' '.join(lines[:3])[:400]}). Export without --onnx, or change "
            "its code so that torch.onnx.export(..., dynamo=True) accepts it."
        ) from error
    versions = {entry.domain: entry.version for entry in model.opset_import}
    if versions.get("") != OPSET or model.functions:
        raise ValueError(
            f"PyTorch exports {what} in ONNX's opset {versions}, not in "
            f"{OPSET}: some operator of it has no older form. Export without "
            "--onnx."
        )
    for node in model.graph.node:
        if any(a.type == onnx.AttributeProto.GRAPH for a in node.attribute):
            raise ValueError(
                f"{what} branches or loops at run time (ONNX's "
                f"{node.op_type}), which is not supported: write it without, "
                "or export without --onnx."
            )
    _drop_nan_guards(model.graph)
    return model


def _drop_nan_guards(graph: onnx.GraphProto) -> None:
    # PyTorch's attention makes 0 of a row that may attend to nothing; the
    # exporter has it so for every row, at a tenth of a block's time. A mask
    # that adds the lowest float instead of -inf leaves no such row.
    makers = {node.output[0]: node for node in graph.node if node.output}
    users = collections.Counter(
        name for node in graph.node for name in node.input
    )
    lowest = {
        tensor.name
        for tensor in graph.initializer
        if not tensor.dims
        and onnx.numpy_helper.to_array(tensor) == np.finfo(np.float32).min
    }

    def is_made_by(name: str, operator: str) -> bool:
        return name in makers and makers[name].op_type == operator

    def adds_mask(name: str) -> bool:
        return is_made_by(name, "Add") and any(
            is_made_by(mask, "Where") and lowest & set(makers[mask].input[1:])
            for mask in makers[name].input
        )

    for guard in [node for node in graph.node if node.op_type == "Where"]:
        test, attention = guard.input[0], guard.input[2]
        if (
            is_made_by(test, "IsNaN")
            and is_made_by(attention, "Softmax")
            and makers[test].input[0] == attention
            and users[attention] == 2
            and adds_mask(makers[attention].input[0])
        ):
            makers[attention].output[0] = guard.output[0]
            graph.node.remove(guard)
            graph.node.remove(makers[test])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    sink = io.StringIO()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(sink),
            contextlib.redirect_stderr(sink),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
