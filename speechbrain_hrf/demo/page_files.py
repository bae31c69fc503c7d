"""Which files make the page, and under which names it asks for them.

Names are relative to the page, so that it works under any path.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib

from speechbrain_hrf.demo.onnxruntime_web import BINARY, SCRIPT
from speechbrain_hrf.runtime.folder import read_graph, read_manifest

MODEL = "model.onnx"
_MODEL_FILES = (MODEL, "manifest.json")
PAGE = pathlib.Path(__file__).parent / "page"
# Some web servers know only .js as a script, and browsers insist on it.
_NAMES = {SCRIPT: "onnxruntime/ort.js", BINARY: "onnxruntime/ort.wasm"}


def page_files(
    folder: str | os.PathLike[str], runtime: dict[str, pathlib.Path]
) -> dict[str, pathlib.Path]:
    """The files of the page of one model.

    Arguments
    ---------
    folder : str or os.PathLike
        A pretrained folder with ``model.onnx`` and ``manifest.json``.
    runtime : dict of str to pathlib.Path
        The files of onnxruntime-web, from ``onnxruntime_web()``.

    Returns
    -------
    dict of str to pathlib.Path
        Name on the page, place on the disk; ``index.html`` comes first.

    Raises
    ------
    FileNotFoundError, ValueError
        The folder does not hold a model that is as its manifest says.

    Example
    -------
    >>> page_files("results/none", {})
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no folder results/none. Export...
    """
    read_graph(folder, read_manifest(folder), MODEL)
    files = {"index.html": PAGE / "index.html"}
    files |= {path.name: path for path in sorted(PAGE.iterdir())}
    files |= {name: pathlib.Path(folder, name) for name in _MODEL_FILES}
    card = pathlib.Path(folder, "README.md")
    if card.is_file():  # it also names the licence of the model
        files["model_card.txt"] = card
    return files | {_NAMES[name]: path for name, path in runtime.items()}
