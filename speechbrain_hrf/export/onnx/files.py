"""Writes model.onnx, model.features.onnx and manifest.json into an export.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import pathlib
import tempfile

import torch
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.export.onnx.audio import audio_to_compare, read
from speechbrain_hrf.export.onnx.check import check
from speechbrain_hrf.export.onnx.graphs import make_graphs
from speechbrain_hrf.export.onnx.manifest import MANIFEST, fingerprint, manifest
from speechbrain_hrf.export.onnx.sizes import size_report
from speechbrain_hrf.export.verify import audio_files

# Not listed in the manifest: itself, and what is written after it.
_UNLISTED = {MANIFEST, "README.md"}


def write_onnx(folder, training, modules, audio=None):
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
    >>> from types import SimpleNamespace
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
    rate = training.definition.sample_rate
    hop = modules["compute_features"].compute_STFT.hop_length
    recordings, described = _recordings(training, audio)
    examples = audio_to_compare(recordings, rate, hop)
    checks = check(contents, _classifier(folder), examples)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    made = [example.name for example in examples[len(recordings) :]]
    verified_on = f"{described}; {', '.join(made)}"
    content = manifest(modules, training, graphs, contents, checks, verified_on)
    content["files"] = {
        path.name: fingerprint(path.read_bytes())["sha256"]
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name not in _UNLISTED | graphs.keys()
    }
    (folder / MANIFEST).write_text(
        json.dumps(content, indent=2, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    lines = [
        f"{name}: in ONNX Runtime it differs from SpeechBrain by "
        f"{found.max_difference:.1e} on {len(found.differences)} signals and "
        "batches"
        for name, found in checks.items()
    ]
    return "\n".join([*lines, str(size_report(contents["model.onnx"]))])


def _recordings(training, audio):
    with tempfile.TemporaryDirectory() as scratch:
        files, described = audio_files(training, audio, pathlib.Path(scratch))
        found = {}
        for file in files:
            name = os.path.basename(file)
            # Two of one name, from two folders, are both compared.
            name = file if name in found else name
            found[name] = read(file, training.definition.sample_rate)
    return found, described


def _classifier(folder):
    # The folder itself, as its users load it; not the modules in memory.
    with (
        tempfile.TemporaryDirectory() as savedir,
        torch.random.fork_rng(devices=[]),
    ):
        return EncoderClassifier.from_hparams(
            source=str(folder.absolute()),
            savedir=savedir,
            run_opts={"device": "cpu"},
        )
