"""Loads an exported folder without running any code that comes with it.

SpeechBrain's ``from_hparams`` runs what ``hyperparams.yaml`` says. This loader
reads ``manifest.json`` and ``model.safetensors`` alone: plain data and plain
numbers. It knows the models of this package; a model of one's own is refused.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import os
import pathlib
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as as_bytes
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain.inference.classifiers import EncoderClassifier
from speechbrain.processing.features import InputNormalization
from torch import nn

from speechbrain_hrf.files import write_whole
from speechbrain_hrf.inference.allowed import build, why_refused
from speechbrain_hrf.runtime.checksums import refuse_run
from speechbrain_hrf.runtime.classifier import Classifier, check_threads
from speechbrain_hrf.runtime.folder import MANIFEST, read_description

WEIGHTS = "model.safetensors"
_LEARNT = ("embedding_model", "classifier")
_ADVICE = "If you trust who made it, load it with from_hparams."
_MODULES = ("compute_features", "mean_var_norm", *_LEARNT)


def load(
    folder: str | os.PathLike[str], run_opts: Mapping[str, Any] | None = None
) -> EncoderClassifier:
    """Builds SpeechBrain's classifier from plain data.

    Arguments
    ---------
    folder : str or os.PathLike
        Written by ``hrf export``, or by a run.
    run_opts : dict, optional
        Of ``EncoderClassifier``, such as the device.

    Returns
    -------
    speechbrain.inference.classifiers.EncoderClassifier
        It answers what that of ``from_hparams`` answers.

    Raises
    ------
    FileNotFoundError
        The folder, or a file in it, is missing.
    ValueError
        A file is damaged; or the model is not one of this package's.

    Example
    -------
    >>> load("results/none")
    Traceback (most recent call last):
    ...
    FileNotFoundError: There is no folder results/none. ...
    """
    manifest = _read(folder)
    path = os.path.join(folder, WEIGHTS)
    modules = _build(folder, manifest["modules"])
    _load_weights(modules, path, manifest["files"].get(WEIGHTS))
    encoder = CategoricalEncoder()
    encoder.update_from_iterable(manifest["labels"])
    encoder.expect_len(len(manifest["labels"]))
    hparams = {
        "sample_rate": manifest["sample_rate"],
        "label_encoder": encoder,
        "audio_normalizer": AudioNormalizer(manifest["sample_rate"]),
    }
    return EncoderClassifier(modules, hparams, run_opts and dict(run_opts))


class SafeClassifier(Classifier):
    """The runner, with PyTorch in the place of ONNX Runtime.

    Arguments
    ---------
    folder : str or os.PathLike
        Written by ``hrf export``, or by a run.
    threads : int
        Threads of PyTorch, in the whole process.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``load``.

    Example
    -------
    >>> SafeClassifier("results/none")
    Traceback (most recent call last):
    ...
    FileNotFoundError: There is no folder results/none. ...
    """

    def __init__(self, folder: str | os.PathLike[str], threads: int = 1):
        check_threads(threads)
        self.manifest = {"window": None, "graphs": {}, **_read(folder)}
        self.labels = self.manifest["labels"]
        self.sample_rate = self.manifest["sample_rate"]
        self._session = _Session(load(folder, {"device": "cpu"}))
        self._path = os.path.join(folder, WEIGHTS)
        self._lens = np.ones(1, np.float32)
        self._kept = (os.path.abspath(folder), threads)
        torch.set_num_threads(threads)

    def __reduce__(self) -> tuple[Any, ...]:
        return SafeClassifier, self._kept


class _Session:
    """Answers as ONNX Runtime's sessions do."""

    def __init__(self, model: EncoderClassifier) -> None:
        self.model = model

    def run(
        self, outputs: Sequence[str], inputs: Mapping[str, NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        arrays = (inputs[name] for name in ("wavs", "wav_lens"))
        with torch.no_grad():
            embedding = self.model.encode_batch(*map(torch.from_numpy, arrays))
            found = self.model.mods.classifier(embedding).squeeze(1)
        return [found.numpy()]


def write_weights(
    path: str | os.PathLike[str],
    modules: Mapping[str, nn.Module],
    names: Sequence[str],
) -> None:
    """Writes what modules have learnt as plain numbers.

    Arguments
    ---------
    path : str or os.PathLike
    modules : dict
    names : sequence of str
        Those of them that have learnt something.

    Example
    -------
    >>> path = getfixture("tmpdir") / "model.safetensors"
    >>> write_weights(path, {"classifier": nn.Linear(2, 1)}, ["classifier"])
    >>> sorted(load_tensors(path.read_binary()))
    ['classifier.bias', 'classifier.weight']
    """
    # Clones: tensors that share memory cannot be written.
    state = {
        f"{name}.{key}": torch.as_tensor(value).detach().clone().contiguous()
        for name in names
        for key, value in _state_of(modules[name]).items()
    }
    # safetensors' own writer makes a file that its owner alone can read.
    write_whole(path, as_bytes(state, {"format": "pt"}))


def find_refusal(described: Mapping[str, Any]) -> str | None:
    """Why four modules are not built from their description.

    Arguments
    ---------
    described : dict
        A manifest's ``modules``.

    Returns
    -------
    str or None
        None if they are.

    Example
    -------
    >>> find_refusal({"compute_features": {"class": "my.Features"}})
    'compute_features is my.Features, which is none of the classes ...'
    """
    reasons = (why_refused(described.get(key, {}), key) for key in _MODULES)
    return next(filter(None, reasons), None)


def _read(folder: str | os.PathLike[str]) -> dict[str, Any]:
    refuse_run(folder)
    has_none = not os.path.isfile(os.path.join(folder, MANIFEST))
    is_early = has_none and os.path.isdir(folder)
    manifest = {} if is_early else read_description(folder)
    if not {"modules", "files"} <= manifest.keys():
        raise ValueError(
            f"{os.fspath(folder)} cannot be loaded without running its YAML: "
            f"its {MANIFEST} was lost, or an earlier version exported it. "
            f"Export it again. {_ADVICE}"
        )
    return manifest


def _build(
    folder: str | os.PathLike[str], described: Mapping[str, Any]
) -> dict[str, nn.Module]:
    try:
        why = find_refusal(described)
        # Building draws random numbers; the caller's are left alone.
        with torch.random.fork_rng(devices=[]):
            modules = {
                key: build(described[key]) for key in _MODULES if not why
            }
    except Exception as error:  # a class may raise anything
        raise ValueError(
            f"{os.fspath(folder)}: its modules cannot be built as its "
            f"manifest.json describes them ({type(error).__name__}: {error})."
        ) from error
    for key, module in modules.items():
        if not isinstance(module, nn.Module):
            why = f"{key} is {reprlib.repr(module)}, which is no module"
    if why:
        raise ValueError(
            f"{os.fspath(folder)} is not loaded without running its code: "
            f"{why}. {_ADVICE}"
        )
    return modules


def _load_weights(
    modules: Mapping[str, nn.Module], path: str, sha256: str | None
) -> None:
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path} is missing: copy the folder again.")
    content = pathlib.Path(path).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(
            f"{path} is damaged or not the file that was exported: its "
            "SHA-256 is not the one in manifest.json. Copy the folder again."
        )
    try:
        found = load_tensors(content)
        for name, module in modules.items():
            own = {
                key.removeprefix(f"{name}."): found.pop(key)
                for key in list(found)
                if key.startswith(f"{name}.")
            }
            if isinstance(module, InputNormalization):
                if _state_of(module).keys() != own.keys():
                    raise ValueError(f"no statistics of {name}")
                if own:
                    module._load_statistics_dict(own)
                    module.count = int(own["count"])
            elif own or name in _LEARNT:
                module.load_state_dict(own, strict=True)
        if found:
            raise ValueError(f"{min(found)} is of no module")
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"{path} does not fit the modules that manifest.json describes: "
            f"{' '.join(str(error).split())}"
        ) from error


def _state_of(module: nn.Module) -> dict[str, Any]:
    # SpeechBrain keeps these statistics outside of state_dict.
    if not isinstance(module, InputNormalization):
        return dict(module.state_dict())
    if module.norm_type != "global":
        return {}
    return dict(module._statistics_dict())
