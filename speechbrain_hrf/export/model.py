"""The model of a checkpoint: as it was trained, and merged for inference.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib

import torch
from speechbrain.utils.checkpoints import (
    DEFAULT_SAVE_HOOKS,
    DEFAULT_TRANSFER_HOOKS,
    get_default_hook,
    torch_parameter_transfer,
)
from torch import nn

from speechbrain_hrf.export.definition import INTERFACE, Modules
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.inference.expansion import expand_as, is_factorised
from speechbrain_hrf.inference.transfer import (
    load_merged,
    read_state_dict,
    refuse_changed_bytes,
)

LEARNT = ("embedding_model", "classifier")


def plain_model(training: Training) -> Modules:
    """Builds the model as inference has it; factors are merged.

    Arguments
    ---------
    training : Training

    Returns
    -------
    dict
        The four modules by name, on the CPU, in evaluation mode.

    Raises
    ------
    ValueError
        The checkpoint is not of the model that the YAML describes, or holds
        NaN; or that model is expanded already.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> path = getfixture("tmpdir") / "linear.ckpt"
    >>> torch.save(torch.nn.Linear(2, 1).state_dict(), path)
    >>> definition = SimpleNamespace(
    ...     build=lambda: {key: torch.nn.Linear(2, 1) for key in INTERFACE}
    ... )
    >>> training = SimpleNamespace(definition=definition, file=lambda key: path)
    >>> modules = plain_model(training)
    >>> torch.equal(modules["classifier"].weight, torch.load(path)["weight"])
    True
    """
    modules = training.definition.build()
    for key in LEARNT:
        if is_factorised(modules[key].state_dict()):
            raise ValueError(
                f"{key} ({type(modules[key]).__name__}) is expanded as soon "
                "as it is built, so that no exported folder could hold it "
                "merged: call apply_hrf after it is built, in train.py."
            )
        load_merged(modules[key], training.file(key))
        _check_finite(modules[key], training.file(key))
    return _load_others(modules, training)


def trained_model(training: Training) -> Modules:
    """Builds the model as it was trained, with its factors.

    Arguments
    ---------
    training : Training

    Returns
    -------
    dict
        The four modules by name, on the CPU, in evaluation mode.

    Raises
    ------
    ValueError
        The checkpoint is not of the model that the YAML describes.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> path = getfixture("tmpdir") / "linear.ckpt"
    >>> torch.save(torch.nn.Linear(2, 1).state_dict(), path)
    >>> definition = SimpleNamespace(
    ...     build=lambda: {key: torch.nn.Linear(2, 1) for key in INTERFACE}
    ... )
    >>> training = SimpleNamespace(definition=definition, file=lambda key: path)
    >>> modules = trained_model(training)
    >>> torch.equal(modules["classifier"].weight, torch.load(path)["weight"])
    True
    """
    modules = training.definition.build()
    learnt = learnt_part(modules)
    state = {
        f"{key}.{name}": value
        for key in LEARNT
        for name, value in read_state_dict(training.file(key)).items()
    }
    expand_as(learnt, state)
    for key in LEARNT:
        load_merged(modules[key], training.file(key))
    return _load_others(modules, training)


def learnt_part(modules: Modules) -> nn.ModuleDict:
    """Those modules that HRF may expand.

    Arguments
    ---------
    modules : dict
        The four modules by name.

    Returns
    -------
    torch.nn.ModuleDict
        embedding_model and classifier.

    Example
    -------
    >>> list(learnt_part({key: torch.nn.Linear(2, 1) for key in INTERFACE}))
    ['embedding_model', 'classifier']
    """
    return nn.ModuleDict({key: modules[key] for key in LEARNT})


def name_loadables(modules: Modules, training: Training) -> list[str]:
    """Names of the modules that inference must load something into.

    Arguments
    ---------
    modules : dict
        The four modules by name.
    training : Training

    Returns
    -------
    list of str

    Example
    -------
    >>> modules = {key: torch.nn.Linear(2, 1) for key in INTERFACE}
    >>> modules["compute_features"] = torch.nn.Identity()
    >>> from types import SimpleNamespace
    >>> name_loadables(modules, SimpleNamespace(has_file=lambda key: False))
    ['mean_var_norm', 'embedding_model', 'classifier']
    """
    return [
        key
        for key in INTERFACE
        if key in LEARNT or _is_stateful(modules[key], key, training)
    ]


def count_features(modules: Modules) -> int:
    """Number of features per frame.

    Arguments
    ---------
    modules : dict
        With compute_features.

    Returns
    -------
    int

    Example
    -------
    >>> from speechbrain.lobes.features import Fbank
    >>> count_features({"compute_features": Fbank(n_mels=26, deltas=True)})
    78
    """
    with torch.no_grad():
        return int(modules["compute_features"](torch.zeros(1, 1)).shape[-1])


def save(module: nn.Module, path: str | os.PathLike[str]) -> None:
    """Writes what a module has learnt, in float32.

    Arguments
    ---------
    module : torch.nn.Module
    path : str or os.PathLike

    Example
    -------
    >>> path = getfixture("tmpdir") / "linear.ckpt"
    >>> save(torch.nn.Linear(2, 1).double(), path)
    >>> torch.load(path)["weight"].dtype
    torch.float32
    """
    saver = get_default_hook(module, DEFAULT_SAVE_HOOKS)
    saver(module.float(), path)


def _is_stateful(module: nn.Module, key: str, training: Training) -> bool:
    # SpeechBrain's normalisation keeps its statistics outside state_dict, and
    # its deltas keep a constant inside: neither tells by its state.
    norm_type = getattr(module, "norm_type", None)
    if norm_type is not None:
        return bool(norm_type == "global")
    return any(True for _ in module.parameters()) or training.has_file(key)


def _load_others(modules: Modules, training: Training) -> Modules:
    for key in name_loadables(modules, training):
        if key in LEARNT:
            continue
        hook = get_default_hook(modules[key], DEFAULT_TRANSFER_HOOKS)
        if hook is torch_parameter_transfer:
            hook = load_merged  # as strict as the others
        path = training.file(key)
        refuse_changed_bytes(path)
        try:
            hook(modules[key], path)
        except Exception as error:  # a module's own hook may raise anything
            raise ValueError(
                f"{path} cannot be loaded into {key} "
                f"({type(modules[key]).__name__}); it is damaged, or of "
                f"another module: {error}"
            ) from error
    for module in modules.values():
        module.eval()
    return modules


def _check_finite(module: nn.Module, path: pathlib.Path) -> None:
    for name, tensor in module.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise ValueError(
                f"{path}: {name} holds NaN or Inf; the training has diverged. "
                "Export an earlier checkpoint, or train again with a lower "
                "learning rate."
            )
