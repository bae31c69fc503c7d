"""Writes model.onnx and model.features.onnx into an export.

And into its manifest what a runtime has to know about them.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import onnx

from speechbrain_hrf.export.definition import Modules
from speechbrain_hrf.export.examples import load_examples
from speechbrain_hrf.export.manifest import (
    fingerprint,
    list_versions,
    write_manifest,
)
from speechbrain_hrf.export.model import count_features
from speechbrain_hrf.export.onnx.check import check
from speechbrain_hrf.export.onnx.graph import OPSET
from speechbrain_hrf.export.onnx.model import make_graphs
from speechbrain_hrf.export.onnx.sizes import size_report
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.runtime.folder import read_description

_PACKAGES = ("onnx", "onnxruntime")


def write_onnx(
    folder: pathlib.Path,
    training: Training,
    modules: Modules,
    audio: Sequence[str] | None = None,
) -> str:
    """Adds both graphs to an exported folder and its manifest, verified.

    Arguments
    ---------
    folder : pathlib.Path
        Everything else is in it, but the card; also the manifest.
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
    >>> import torch
    >>> modules = {"compute_features": torch.nn.Identity()}
    >>> write_onnx(pathlib.Path("model"), None, modules)
    Traceback (most recent call last):
    ...
    ValueError: compute_features is Identity; ...
    """
    graphs = make_graphs(modules)
    manifest = read_description(folder)
    for model in graphs.values():
        _add_metadata(model, manifest)
    contents = {
        name: model.SerializeToString() for name, model in graphs.items()
    }
    classifier, recordings, examples, described = load_examples(
        folder, training, modules, audio
    )
    differences = check(contents, classifier, examples)
    made = [example.name for example in examples[len(recordings) :]]
    content = {
        **manifest,
        **_describe_graphs(modules),
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
        "versions": manifest["versions"] | list_versions(_PACKAGES),
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


def _describe_graphs(modules: Modules) -> dict[str, Any]:
    fbank = modules["compute_features"]
    stft = fbank.compute_STFT
    return {
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


def _add_metadata(model: onnx.ModelProto, manifest: Mapping[str, Any]) -> None:
    # What a runtime that knows nothing of the manifest has to know.
    model.producer_name = "speechbrain-hrf"
    model.producer_version = manifest["versions"]["speechbrain_hrf"]
    metadata = {
        "labels": json.dumps(manifest["labels"], ensure_ascii=False),
        "sample_rate": str(manifest["sample_rate"]),
    }
    onnx.helper.set_model_props(model, metadata)


def _read_shapes(values: Iterable[onnx.ValueInfoProto]) -> dict[str, Any]:
    return {
        value.name: [
            dim.dim_param or dim.dim_value
            for dim in value.type.tensor_type.shape.dim
        ]
        for value in values
    }
