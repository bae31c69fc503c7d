"""``manifest.json``: what a runtime has to know about an exported folder.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import importlib.metadata

from speechbrain_hrf.export.onnx.graph import OPSET
from speechbrain_hrf.export.onnx.graphs import FEATURES
from speechbrain_hrf.nnet import count_parameters

MANIFEST = "manifest.json"
FORMAT = 1
# Seconds between two windows of a stream. Training takes one segment per
# utterance, so it has no hop of its own.
HOP_SECONDS = 1
_PACKAGES = ("speechbrain", "torch", "onnx", "onnxruntime")


def manifest(modules, training, graphs, contents, checks, verified_on):
    """Describes a model and its graphs; the files are still missing.

    Arguments
    ---------
    modules : dict
        The four modules of ``EncoderClassifier``.
    training : speechbrain_hrf.export.training.Training
    graphs : dict
        onnx.ModelProto by file name.
    contents : dict
        The same as the bytes that are written.
    checks : dict
        Check by file name.
    verified_on : str

    Returns
    -------
    dict
        For JSON.

    Example
    -------
    >>> manifest({}, None, {}, {}, {}, "nothing")
    Traceback (most recent call last):
    ...
    KeyError: 'compute_features'
    """
    fbank, norm = modules["compute_features"], modules["mean_var_norm"]
    stft = fbank.compute_STFT
    features = graphs[FEATURES].graph.input[0]
    return {
        "format": FORMAT,
        "model": training.definition.model_name,
        "labels": training.labels,
        "parameters": sum(
            count_parameters(modules[key])
            for key in ("embedding_model", "classifier")
        ),
        "sample_rate": training.definition.sample_rate,
        "window": window(
            training.definition,
            getattr(modules["embedding_model"], "segment_frames", None),
            stft.hop_length,
        ),
        "frames": {
            "window_samples": stft.win_length,
            "hop_samples": stft.hop_length,
            "n_fft": stft.n_fft,
            "centred": True,
            "n_mels": fbank.compute_fbanks.n_mels,
            "deltas": bool(fbank.deltas),
            "context": bool(fbank.context),
            "n_features": _shapes([features])["feats"][-1],
        },
        "normalisation": {
            "type": norm.norm_type,
            "where": "inside the graphs",
        },
        "graphs": {
            name: {
                "precision": "float32",
                "opset": OPSET,
                "inputs": _shapes(model.graph.input),
                "outputs": _shapes(model.graph.output),
                **fingerprint(contents[name]),
                "max_difference": checks[name].max_difference,
                "verified_on": verified_on,
            }
            for name, model in graphs.items()
        },
        "files": {},
        "versions": {
            "speechbrain_hrf": importlib.metadata.version("speechbrain-hrf"),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
    }


def fingerprint(content):
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


def window(definition, model_frames, hop):
    """The segment that the model was trained on.

    Arguments
    ---------
    definition : speechbrain_hrf.export.definition.Definition
    model_frames : int or None
        Frames of the windows in which the model embeds long audio: what is
        taken if the training's YAML has no segment_frames.
    hop : int
        Samples from frame to frame.

    Returns
    -------
    dict or None
        None if neither says.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> values = {"segment_frames": "500", "sample_rate": "16000"}
    >>> definition = SimpleNamespace(value=values.get, sample_rate=16000)
    >>> window(definition, None, 160)
    {'frames': 500, 'samples': 79840, 'hop_samples': 16000}
    """
    frames = definition.value("segment_frames", "")
    frames = int(frames) if (frames or "").isdigit() else model_frames
    if not frames:
        return None
    # Frames are centred: the last one is centred on the last sample.
    samples = max((frames - 1) * hop, 1)
    return {
        "frames": frames,
        "samples": samples,
        "hop_samples": HOP_SECONDS * definition.sample_rate,
    }


def _shapes(values):
    return {
        value.name: [
            dim.dim_param or dim.dim_value
            for dim in value.type.tensor_type.shape.dim
        ]
        for value in values
    }
