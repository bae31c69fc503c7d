"""A model in TensorFlow Lite for Microcontrollers: arena, file, outputs.

    <python of its environment> benchmarks/microcontroller_tflite.py <folder>

The folder holds program.pt2, features to log-probabilities for one window, and
features.npy. Started by microcontroller.py; nothing of this project is imported,
for litert-torch wants another PyTorch:

    python -m venv tflite
    tflite/bin/pip install litert-torch tflite-micro

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import json
import os
import pathlib
import re
import sys
import tempfile

import litert_torch
import numpy as np
import torch
from tflite_micro.python.tflite_micro import runtime

ARENA = 64 << 20  # more than any of these models needs
_USED = re.compile(r"Arena allocation total (\d+) bytes")


def main(folder):
    """Converts, runs, and writes result.json."""
    folder = pathlib.Path(folder)
    features = np.load(folder / "features.npy")  # [N, 1, T, F]
    program = torch.export.load(folder / "program.pt2")
    example = (torch.from_numpy(features[0]),)
    model = litert_torch.convert(program.module(), example)
    model.export(str(folder / "model.tflite"))
    content = (folder / "model.tflite").read_bytes()
    result = {"bytes": len(content)}
    interpreter, said = listen(
        lambda: runtime.Interpreter.from_bytes(content, arena_size=ARENA)
    )
    if interpreter is None:
        result["error"] = said
    else:
        result["outputs"] = [run(interpreter, x) for x in features]
        _, result["allocations"] = listen(interpreter.print_allocations)
        result["arena"] = int(_USED.search(result["allocations"])[1])
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


def run(interpreter, features):
    """Log-probabilities of one window.

    Arguments
    ---------
    interpreter : tflite_micro.python.tflite_micro.runtime.Interpreter
    features : numpy.ndarray
        [1, T, F]

    Returns
    -------
    list of float
    """
    interpreter.set_input(features, 0)
    interpreter.invoke()
    return interpreter.get_output(0).ravel().tolist()


def listen(call):
    """Calls something, and hears what C++ writes meanwhile.

    Arguments
    ---------
    call : callable

    Returns
    -------
    object
        What it returns; None if it raises RuntimeError.
    str
        What was written.
    """
    result = None
    with tempfile.TemporaryFile("w+") as sink, contextlib.ExitStack() as stack:
        for number in (1, 2):
            kept = os.dup(number)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, number)
            os.dup2(sink.fileno(), number)
        with contextlib.suppress(RuntimeError):  # TFLM's only one
            result = call()
        stack.close()
        sink.seek(0)
        return result, sink.read()


if __name__ == "__main__":
    main(sys.argv[1])
