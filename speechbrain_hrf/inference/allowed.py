"""Builds modules from plain data, and only those whose class is known here.

HyperPyYAML builds whatever a YAML names, and calls what it says: ``!apply:
os.system`` is a line like any other. What is described as data alone, in an
exported folder's ``manifest.json``, can be built without that.

Authors
 * The speechbrain_hrf authors 2026
"""

import reprlib
from typing import Any

import speechbrain.lobes.models.hrf as upstream
from speechbrain.lobes.features import MFCC, Fbank
from speechbrain.processing.features import InputNormalization
from torch import nn

from speechbrain_hrf.lobes import models

_MODELS = ("ClassifierHead", "Conformer", "ConvTransformer", "SpeechFormer")
# SpeechBrain's own, where it has them (contrib/upstream.py); else an alias of
# ours, so that a folder exported there is read here. Ours come last: what is
# both goes by our name.
_HOMES = {
    "speechbrain.lobes.models.hrf": upstream,
    "speechbrain_hrf.lobes.models": models,
}
# What takes no more than numbers, texts and activations, and whose code is
# installed: by the name that a manifest calls it.
CLASSES: dict[str, type] = {
    "speechbrain.lobes.features.Fbank": Fbank,
    "speechbrain.lobes.features.MFCC": MFCC,
    "speechbrain.processing.features.InputNormalization": InputNormalization,
    **{
        f"{home}.{name}": getattr(module, name)
        for home, module in _HOMES.items()
        for name in _MODELS
    },
}
_ACTIVATIONS = (
    *("CELU", "ELU", "GELU", "Hardswish", "Identity", "LeakyReLU", "Mish"),
    *("ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus", "Tanh"),
)
ACTIVATIONS: dict[str, type] = {
    **{f"{home}.SquaredReLU": x.SquaredReLU for home, x in _HOMES.items()},
    **{f"torch.nn.{name}": getattr(nn, name) for name in _ACTIVATIONS},
}
NAMES = {cls: name for name, cls in (CLASSES | ACTIVATIONS).items()}


def why_refused(described: Any, what: str) -> str | None:
    """Why something is not built from its description.

    Arguments
    ---------
    described : object
        As ``export/plain.py`` describes it.
    what : str
        Its name, for the answer.

    Returns
    -------
    str or None
        None if it is built.

    Example
    -------
    >>> why_refused({"class": "os.system", "arguments": ["ls"]}, "classifier")
    'classifier is os.system, which is none of the classes that ...'
    >>> why_refused({"class": "speechbrain.lobes.features.Fbank"}, "it")
    """
    match described:
        case {"class": str(name), **others} if others.keys() <= {"arguments"}:
            if name not in CLASSES:
                return _say(what, name, "classes", CLASSES)
            arguments = others.get("arguments", {})
            if not isinstance(arguments, dict):
                return why_refused(arguments, what)
            parts = [(f"{what}.{key}", x) for key, x in arguments.items()]
        case {"name": str(name), **others} if not others:
            if name not in ACTIVATIONS:
                return _say(what, name, "activations", ACTIVATIONS)
            return None
        case list():
            parts = [(f"{what}[{n}]", x) for n, x in enumerate(described)]
        case dict():
            held = reprlib.repr(described)
            return f"{what} holds {held}, and nothing is called or looked up"
        case _:
            return None
    return next(filter(None, (why_refused(x, name) for name, x in parts)), None)


def build(described: Any) -> Any:
    """Builds what ``why_refused`` has nothing against.

    Arguments
    ---------
    described : object

    Returns
    -------
    object

    Example
    -------
    >>> build({"class": "speechbrain.lobes.features.Fbank", "arguments": {}})
    Fbank(...)
    >>> build({"name": "torch.nn.ReLU"})
    <class 'torch.nn.modules.activation.ReLU'>
    """
    match described:
        case {"class": str(name)}:
            arguments = described.get("arguments", {})
            if isinstance(arguments, list):
                return CLASSES[name](*build(arguments))
            return CLASSES[name](**{k: build(x) for k, x in arguments.items()})
        case {"name": str(name)}:
            return ACTIVATIONS[name]
        case list():
            return [build(value) for value in described]
    return described


def _say(what: str, name: str, kind: str, known: dict[str, type]) -> str:
    return (
        f"{what} is {reprlib.repr(name)[1:-1]}, which is none of the {kind} "
        f"that are built without running code that comes with a model "
        f"({', '.join(sorted({each.rpartition('.')[2] for each in known}))})"
    )
