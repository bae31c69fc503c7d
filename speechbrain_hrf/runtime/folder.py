"""The exported folder: its manifest, and graphs that are what it says.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import json
import os
import reprlib
from typing import Any

_MANIFEST = "manifest.json"
_FORMAT = 1
_EXPORT = "Export the model (again): python -m speechbrain_hrf.export --onnx"
# What the runner relies on. The manifest itself has no checksum.
_CHECKED = ("labels", "sample_rate", "window", "graphs")


def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """What an exported folder says about itself.

    Arguments
    ---------
    folder : str or os.PathLike
        Written by ``python -m speechbrain_hrf.export --onnx``.

    Returns
    -------
    dict

    Raises
    ------
    FileNotFoundError
        There is no such folder, or it has no manifest.
    ValueError
        The manifest is damaged, or for another version of this package.

    Example
    -------
    >>> read_manifest(getfixture("onnx_folder"))["sample_rate"]
    16000
    """
    path = os.path.join(folder, _MANIFEST)
    if not os.path.isfile(path):
        what = "folder" if not os.path.isdir(folder) else f"{_MANIFEST} in"
        raise FileNotFoundError(
            f"There is no {what} {os.fspath(folder)}. {_EXPORT}"
        )
    try:
        with open(path, encoding="utf-8") as stream:
            manifest = json.load(stream)
    except ValueError as error:  # not JSON, or not UTF-8
        raise ValueError(f"{path} is damaged: {error}. {_EXPORT}") from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ValueError(f"{path} is no manifest of a model. {_EXPORT}")
    if manifest["format"] != _FORMAT:
        raise ValueError(
            f"{path} is of format {manifest['format']}, this version of "
            f"speechbrain-hrf reads {_FORMAT}: install the version that wrote "
            "the folder, or export it again."
        )
    missing = sorted({"model", *_CHECKED} - manifest.keys())
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}. {_EXPORT}")
    for key in _CHECKED:
        if not _is_possible(key, manifest[key]):
            raise ValueError(
                f"{path}: {key} cannot be {reprlib.repr(manifest[key])}. "
                f"{_EXPORT}"
            )
    return manifest


def _is_possible(key: str, value: Any) -> bool:
    match key, value:
        case "labels", [str(), *others]:
            strings = all(isinstance(label, str) for label in others)
            return strings and len({*value}) == len(value)
        case "sample_rate", int(rate):
            return rate > 0
        case "window", None:  # trained on whole utterances
            return True
        case "window", {"samples": int(samples), "hop_samples": int(hop)}:
            return min(samples, hop) > 0
        case "graphs", dict():
            return all(_is_possible("graph", x) for x in value.values())
        case "graph", {"bytes": int(size), "sha256": str()}:
            return size > 0
    return False


def read_graph(
    folder: str | os.PathLike[str], manifest: dict[str, Any], name: str
) -> bytes:
    """The bytes of one graph, as the export wrote them.

    Arguments
    ---------
    folder : str or os.PathLike
        The exported folder.
    manifest : dict
        What it says about itself.
    name : str
        The file, such as ``model.onnx``.

    Returns
    -------
    bytes

    Raises
    ------
    FileNotFoundError
        The file is not there.
    ValueError
        The model has no such graph, or the file is damaged.

    Example
    -------
    >>> folder = getfixture("onnx_folder")
    >>> read_graph(folder, read_manifest(folder), "model.pt")
    Traceback (most recent call last):
    ...
    ValueError: ... has no graph model.pt, but model.onnx...
    """
    graphs = manifest["graphs"]
    if name not in graphs:
        raise ValueError(
            f"{os.fspath(folder)} has no graph {name}, but {', '.join(graphs)}."
        )
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"{path} is missing, though {_MANIFEST} names it. Copy the folder "
            "again."
        )
    with open(path, "rb") as stream:
        content = stream.read()
    found = hashlib.sha256(content).hexdigest()
    if found != graphs[name]["sha256"]:
        raise ValueError(
            f"{path} is damaged or not the file that was exported: it has "
            f"{len(content)} bytes with SHA-256 {found[:12]}..., {_MANIFEST} "
            f"says {graphs[name]['bytes']} with {graphs[name]['sha256'][:12]}"
            "... Copy the folder again."
        )
    return content
