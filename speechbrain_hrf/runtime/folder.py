"""The exported folder: its manifest, and graphs that are what it says.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import os
import re
import reprlib
from collections.abc import Sequence
from typing import Any

from speechbrain_hrf.dataio.sound.audio_files import RATES
from speechbrain_hrf.strict_json import parse_json

MANIFEST = "manifest.json"
# Its key for the checksum of its own text, in which that counts as zeros.
OWN = "manifest_sha256"
_FORMAT = 1
_MOST_SAMPLES = 2**31  # of a window: 37 hours at 16 kHz; more is damage
_EXPORT = "Export the model (again): hrf export SOURCE FOLDER --onnx"
_DIGEST = re.compile("[0-9a-f]{64}")
# What each reader relies on, and what the runner relies on as well.
_COMMON = ("labels", "sample_rate")
_RUNNER = ("window", "graphs")
# What may be missing, but not wrong.
_OPTIONAL = {"window", "graphs", "files", "modules", OWN}


def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """What a folder with ONNX graphs says about itself.

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
        There is no such folder, or it has no manifest, or no graph.
    ValueError
        The manifest is damaged, or for another version of this package.

    Example
    -------
    >>> read_manifest(getfixture("onnx_folder"))["sample_rate"]
    16000
    """
    return read_description(folder, _RUNNER)


def read_description(
    folder: str | os.PathLike[str], needed: Sequence[str] = ()
) -> dict[str, Any]:
    """What any exported folder says about itself.

    Arguments
    ---------
    folder : str or os.PathLike
        Written by ``hrf export``.
    needed : sequence of str
        Keys without which it is of no use, besides labels and sample_rate.

    Returns
    -------
    dict

    Raises
    ------
    FileNotFoundError
        There is no such folder, or it has no manifest, or no graph.
    ValueError
        The manifest is damaged, or for another version of this package.

    Example
    -------
    >>> read_description(getfixture("onnx_folder"))["labels"]
    ['neutral', 'happy', 'sad', 'angry']
    """
    path = os.path.join(folder, MANIFEST)
    if not os.path.isfile(path):
        what = "folder" if not os.path.isdir(folder) else f"{MANIFEST} in"
        raise FileNotFoundError(
            f"There is no {what} {os.fspath(folder)}. {_EXPORT}"
        )
    with open(path, "rb") as stream:
        content = stream.read()
    manifest = parse_json(content, path, _EXPORT)
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ValueError(f"{path} is no manifest of a model. {_EXPORT}")
    if manifest["format"] != _FORMAT:
        raise ValueError(
            f"{path} is of format {reprlib.repr(manifest['format'])}, this "
            f"version of speechbrain-hrf reads {_FORMAT}: install the version "
            "that wrote the folder, or export it again."
        )
    if "graphs" in needed and "graphs" not in manifest and "files" in manifest:
        raise FileNotFoundError(
            f"{os.fspath(folder)} holds no ONNX graph, but what PyTorch "
            "loads: export it again with --onnx, or have PyTorch classify by "
            "it (hrf classify --safe)."
        )
    keys = (*_COMMON, *needed)
    missing = sorted({"model", *keys} - manifest.keys())
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}. {_EXPORT}")
    for key in (*keys, *manifest.keys() & _OPTIONAL):
        if not _is_possible(key, manifest[key]):
            raise ValueError(
                f"{path}: {key} cannot be {reprlib.repr(manifest[key])}. "
                f"{_EXPORT}"
            )
    # Folders of earlier versions have none.
    text = content.decode("utf-8-sig")
    if OWN in manifest and digest(text, manifest[OWN]) != manifest[OWN]:
        raise ValueError(
            f"{path} was changed since it was exported: it is not what its "
            f"own checksum ({OWN}) says. Copy the folder again."
        )
    return manifest


def digest(text: str, own: str) -> str:
    """The checksum of a manifest, which is also written in it.

    Arguments
    ---------
    text : str
        Its text. Line ends do not matter: version control may change them.
    own : str
        The checksum that is in it, or stands there in its place.

    Returns
    -------
    str
        SHA-256 of the text with zeros instead.

    Example
    -------
    >>> placeholder = "0" * 64
    >>> found = digest(f'"{placeholder}"', placeholder)
    >>> digest(f'"{found}"', found) == found
    True
    """
    text = text.replace("\r\n", "\n").replace(own, "0" * 64)
    return hashlib.sha256(text.encode()).hexdigest()


def _is_possible(key: str, value: Any) -> bool:
    match key, value:
        case "labels", [str(), *others]:
            strings = all(isinstance(label, str) for label in others)
            return strings and all(value) and len({*value}) == len(value)
        case "sample_rate", int(rate) if not isinstance(rate, bool):
            return RATES[0] <= rate <= RATES[1]
        case "window", None:  # trained on whole utterances
            return True
        case "window", {"samples": int(samples), "hop_samples": int(hop)}:
            return (
                bool not in map(type, (samples, hop))
                and 0 < min(samples, hop)
                and max(samples, hop) < _MOST_SAMPLES
            )
        case "graphs", dict():
            return all(_is_possible("graph", x) for x in value.values())
        case "graph", {"bytes": int(size), "sha256": str()}:
            return size > 0
        case "files", dict():
            return all(isinstance(x, str) for x in value.values())
        case "modules", dict():
            return True
        case "manifest_sha256", str():
            return bool(_DIGEST.fullmatch(value))
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
            f"{path} is missing, though {MANIFEST} names it. Copy the folder "
            "again."
        )
    with open(path, "rb") as stream:
        content = stream.read()
    found = hashlib.sha256(content).hexdigest()
    if found != graphs[name]["sha256"]:
        raise ValueError(
            f"{path} is damaged or not the file that was exported: it has "
            f"{len(content)} bytes with SHA-256 {found[:12]}..., {MANIFEST} "
            f"says {graphs[name]['bytes']} with {graphs[name]['sha256'][:12]}"
            "... Copy the folder again."
        )
    return content
