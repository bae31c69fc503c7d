"""Writes model.onnx, model.features.onnx and manifest.json into an export.

The manifest is what a runtime has to know about the folder.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import importlib.metadata
import json
import os
import pathlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import onnx
import torch
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.export.definition import Modules
from speechbrain_hrf.export.model import LEARNT, count_features
from speechbrain_hrf.export.onnx.check import check, make_examples
from speechbrain_hrf.export.onnx.graph import OPSET
from speechbrain_hrf.export.onnx.model import make_graphs
from speechbrain_hrf.export.onnx.sizes import size_report
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.export.verify import audio_files
from speechbrain_hrf.nnet import count_parameters

MANIFEST = "manifest.json"
FORMAT = 1
# Seconds between two windows of a stream. Training takes one segment per
# utterance, so it has no hop of its own.
HOP_SECONDS = 1
# Not listed in the manifest: itself, and what is written after it.
_UNLISTED = {MANIFEST, "README.md"}
_PACKAGES = ("speechbrain-hrf", "speechbrain", "torch", "onnx", "onnxruntime")


def write_onnx(
    folder: pathlib.Path,
    training: Training,
    modules: Modules,
    audio: Sequence[str] | None = None,
) -> str:
    """Adds both graphs and the manifest to an exported folder, verified.

    Arguments
    ---------
    folder : pathlib.Path
        Everything else is in it, but the card.
    training : speechbrain_hrf.export.training.Training
    modules : dict
        The four modules of ``EncoderClassifier``, plain.
    audio : list of str, optional
        Files to verify on; default some of the training's test set.

    Returns
    -------
    str
        What was found: agreement with SpeechBrain, and where each KiB goes.

    Raises
    ------
    ValueError
        The model cannot be exported.
    speechbrain_hrf.export.VerificationError
        A graph differs from SpeechBrain.

    Example
    -------
    >>> modules = {"compute_features": torch.nn.Identity()}
    >>> write_onnx(pathlib.Path("model"), None, modules)
    Traceback (most recent call last):
    ...
    ValueError: compute_features is Identity; ...
    """
    graphs = make_graphs(modules)
    contents = {
        name: model.SerializeToString() for name, model in graphs.items()
    }
    classifier = _load_classifier(folder)
    recordings, described = _read_recordings(training, classifier, audio)
    hop = modules["compute_features"].compute_STFT.hop_length
    examples = make_examples(recordings, training.definition.sample_rate, hop)
    differences = check(contents, classifier, examples)
    made = [example.name for example in examples[len(recordings) :]]
    content = {
        **_describe_model(training, modules),
        "graphs": {
            name: {
                "precision": "float32",
                "opset": OPSET,
                "inputs": _read_shapes(model.graph.input),
                "outputs": _read_shapes(model.graph.output),
                **fingerprint(contents[name]),
                "max_difference": max(differences[name].values()),
                "verified_on": f"{described}; {', '.join(made)}",
            }
            for name, model in graphs.items()
        },
        "files": {
            path.name: fingerprint(path.read_bytes())["sha256"]
            for path in sorted(folder.iterdir())
            if path.is_file() and path.name not in _UNLISTED
        },
        "versions": {
            name.replace("-", "_"): importlib.metadata.version(name)
            for name in _PACKAGES
        },
    }
    for name, graph in contents.items():
        (folder / name).write_bytes(graph)
    write_manifest(folder, content)
    agreement = [
        f"{name}: in ONNX Runtime it differs from SpeechBrain by "
        f"{max(found.values()):.1e} on {len(found)} signals and batches"
        for name, found in differences.items()
    ]
    return "\n".join([*agreement, str(size_report(contents["model.onnx"]))])


def write_manifest(folder: pathlib.Path, content: Mapping[str, Any]) -> None:
    """Writes ``manifest.json``.

    Arguments
    ---------
    folder : pathlib.Path
    content : dict

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> write_manifest(folder, {"format": 1})
    >>> (folder / "manifest.json").read_text()
    '{\\n  "format": 1\\n}\\n'
    """
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")


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


def _load_classifier(folder: pathlib.Path) -> EncoderClassifier:
    # The folder itself, as its users load it; not the modules in memory.
    with torch.random.fork_rng(devices=[]):
        return EncoderClassifier.from_hparams(
            source=str(folder.absolute()), run_opts={"device": "cpu"}
        )


def _read_recordings(
    training: Training,
    classifier: EncoderClassifier,
    audio: Sequence[str] | None,
) -> tuple[dict[str, torch.Tensor], str]:
    with tempfile.TemporaryDirectory() as scratch:
        files, described = audio_files(training, audio, pathlib.Path(scratch))
        found: dict[str, torch.Tensor] = {}
        for file in files:
            name = os.path.basename(file)
            # Two of one name, from two folders, are both compared.
            name = file if name in found else name
            found[name] = classifier.load_audio(file)
    return found, described


def _describe_model(training: Training, modules: Modules) -> dict[str, Any]:
    definition, fbank = training.definition, modules["compute_features"]
    stft = fbank.compute_STFT
    frames = definition.segment_frames(modules["embedding_model"])
    window = frames and {
        "frames": frames,
        # Frames are centred: the last one is centred on the last sample.
        "samples": max((frames - 1) * stft.hop_length, 1),
        "hop_samples": HOP_SECONDS * definition.sample_rate,
    }
    return {
        "format": FORMAT,
        "model": definition.model_name,
        "labels": training.labels,
        "parameters": sum(count_parameters(modules[key]) for key in LEARNT),
        "sample_rate": definition.sample_rate,
        "window": window,
        "frames": {
            "window_samples": stft.win_length,
            "hop_samples": stft.hop_length,
            "n_fft": stft.n_fft,
            "centred": True,
            "n_mels": fbank.compute_fbanks.n_mels,
            "deltas": bool(fbank.deltas),
            "context": bool(fbank.context),
            "n_features": count_features(modules),
        },
        "normalisation": {
            "type": modules["mean_var_norm"].norm_type,
            "where": "inside the graphs",
        },
    }


def _read_shapes(values: Iterable[onnx.ValueInfoProto]) -> dict[str, Any]:
    return {
        value.name: [
            dim.dim_param or dim.dim_value
            for dim in value.type.tensor_type.shape.dim
        ]
        for value in values
    }
