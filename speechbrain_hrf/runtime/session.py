"""ONNX Runtime, set up for a small model on a small device.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime

_INSTALL = "The runner needs ONNX Runtime: pip install onnxruntime"


def open_session(
    graph: bytes, path: str, threads: int = 1
) -> onnxruntime.InferenceSession:
    """Makes a graph ready to run.

    Arguments
    ---------
    graph : bytes
        Content of an ONNX file.
    path : str
        Its name, for errors.
    threads : int
        Threads that one run may use. These models are too small for more
        than one to help.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    ImportError
        ONNX Runtime is not installed.
    ValueError
        It cannot run this graph.

    Example
    -------
    >>> open_session(b"?", "model.onnx")
    Traceback (most recent call last):
    ...
    ValueError: ONNX Runtime ... cannot run model.onnx: ...
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        if error.name != "onnxruntime":
            raise
        raise ImportError(_INSTALL) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # fatal ones: errors are raised as well
    # Waveforms of many lengths: what is set aside for one fits no other, and
    # memory would grow with the longest.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
    # Its exceptions have no base class of their own.
    except Exception as error:
        raise ValueError(
            f"ONNX Runtime {onnxruntime.__version__} cannot run {path}: "
            f"{error}. An older one than the export's may not know the "
            "graph's operators: pip install --upgrade onnxruntime"
        ) from error
