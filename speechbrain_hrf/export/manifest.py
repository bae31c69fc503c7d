"""manifest.json: what an exported folder says about itself.

Of every export: the labels, the sample rate, how the four modules are built,
in plain data, and a checksum of each file. An export as ONNX adds its graphs.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import importlib.metadata
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from speechbrain_hrf.export.definition import Modules
from speechbrain_hrf.export.model import LEARNT
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.nnet import count_parameters
from speechbrain_hrf.runtime.folder import MANIFEST, OWN, digest

FORMAT = 1
# Seconds between two windows of a stream. Training takes one segment per
# utterance, so it has no hop of its own.
HOP_SECONDS = 1
_PACKAGES = ("speechbrain-hrf", "speechbrain", "torch")


def describe(training: Training, modules: Modules) -> dict[str, Any]:
    """The manifest of every export, without checksums.

    Arguments
    ---------
    training : Training
    modules : dict
        The four modules of ``EncoderClassifier``, plain.

    Returns
    -------
    dict

    Example
    -------
    >>> describe(None, {})
    Traceback (most recent call last):
    ...
    AttributeError: 'NoneType' object has no attribute 'definition'
    """
    definition = training.definition
    return {
        "format": FORMAT,
        "model": definition.model_name,
        "labels": training.labels,
        "parameters": sum(count_parameters(modules[key]) for key in LEARNT),
        "sample_rate": definition.sample_rate,
        "window": _describe_window(training, modules),
        "modules": definition.describe(),
        "versions": list_versions(_PACKAGES),
    }


def list_versions(packages: Sequence[str]) -> dict[str, str]:
    """What is installed here.

    Arguments
    ---------
    packages : sequence of str

    Returns
    -------
    dict
        Version by name, with underscores.

    Example
    -------
    >>> list(list_versions(["speechbrain-hrf"]))
    ['speechbrain_hrf']
    """
    return {
        name.replace("-", "_"): importlib.metadata.version(name)
        for name in packages
    }


def list_files(folder: pathlib.Path) -> dict[str, str]:
    """Checksums of the files of a folder that is being exported.

    Arguments
    ---------
    folder : pathlib.Path

    Returns
    -------
    dict
        SHA-256 by name, but of the manifest and the graphs: those have an
        entry of their own.

    Example
    -------
    >>> list_files(getfixture("onnx_folder"))
    {}
    """
    return {
        path.name: fingerprint(path.read_bytes())["sha256"]
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != MANIFEST and path.suffix != ".onnx"
    }


def write_manifest(folder: pathlib.Path, content: Mapping[str, Any]) -> None:
    """Writes ``manifest.json``, with a checksum of its own text.

    Arguments
    ---------
    folder : pathlib.Path
    content : dict
        A checksum in it is written anew.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> write_manifest(folder, {"format": 1})
    >>> print((folder / "manifest.json").read_text())
    {
      "format": 1,
      "manifest_sha256": "..."
    }
    """
    unsigned = "0" * 64
    content = {k: value for k, value in content.items() if k != OWN}
    text = json.dumps({**content, OWN: unsigned}, indent=2, ensure_ascii=False)
    text = f"{text}\n"
    text = text.replace(unsigned, digest(text, unsigned))
    (folder / MANIFEST).write_bytes(text.encode())


def fingerprint(content: bytes) -> dict[str, Any]:
    """Size and hash of a file.

    Arguments
    ---------
    content : bytes

    Returns
    -------
    dict

    Example
    -------
    >>> fingerprint(b"")["sha256"][:8], fingerprint(b"abc")["bytes"]
    ('e3b0c442', 3)
    """
    return {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _describe_window(
    training: Training, modules: Modules
) -> dict[str, int] | None:
    definition = training.definition
    stft = getattr(modules["compute_features"], "compute_STFT", None)
    frames = definition.segment_frames(modules["embedding_model"])
    if stft is None or not frames:
        return None
    return {
        "frames": frames,
        # Frames are centred: the last one is centred on the last sample.
        "samples": max((frames - 1) * stft.hop_length, 1),
        "hop_samples": HOP_SECONDS * definition.sample_rate,
    }
