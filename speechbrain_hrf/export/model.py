"""The model of a checkpoint: as it was trained, and merged for inference.

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from speechbrain.utils.checkpoints import (
    DEFAULT_SAVE_HOOKS,
    DEFAULT_TRANSFER_HOOKS,
    get_default_hook,
    torch_parameter_transfer,
)

from speechbrain_hrf.export.definition import INTERFACE
from speechbrain_hrf.inference.transfer import (
    is_factorised,
    load_merged,
    read_state_dict,
)
from speechbrain_hrf.nnet import apply_hrf

LEARNT = ("embedding_model", "classifier")


def plain_model(training):
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
        NaN.

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
        load_merged(modules[key], training.file(key))
        _check_finite(modules[key], training.file(key))
    return _finished(modules, training)


def trained_model(training):
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
        The YAML does not describe the model of the checkpoint.

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
    learnt = torch.nn.ModuleDict({key: modules[key] for key in LEARNT})
    if any(is_factorised(read_state_dict(training.file(k))) for k in LEARNT):
        arguments = training.definition.hrf_arguments()
        if not arguments:
            raise ValueError(
                f"{training.checkpoint} is factorised, but "
                f"{training.definition.path} does not say how: it needs the "
                "top-level keys hrf_modules, hrf_ratio, hrf_layers, ... with "
                "what apply_hrf was given in training."
            )
        apply_hrf(learnt, **arguments)
    for key in LEARNT:
        load_merged(learnt[key], training.file(key))
    return _finished({**modules, **learnt}, training)


def loadables(modules, training):
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
    >>> loadables(modules, SimpleNamespace(has_file=lambda key: False))
    ['mean_var_norm', 'embedding_model', 'classifier']
    """
    return [
        key
        for key in INTERFACE
        if key in LEARNT or _is_stateful(modules[key], key, training)
    ]


def save(module, path):
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


def _is_stateful(module, key, training):
    # SpeechBrain's normalisation keeps its statistics outside state_dict, and
    # its deltas keep a constant inside: neither tells by its state.
    norm_type = getattr(module, "norm_type", None)
    if norm_type is not None:
        return norm_type == "global"
    return any(True for _ in module.parameters()) or training.has_file(key)


def _finished(modules, training):
    for key in loadables(modules, training):
        if key in LEARNT:
            continue
        hook = get_default_hook(modules[key], DEFAULT_TRANSFER_HOOKS)
        if hook is torch_parameter_transfer:
            hook = load_merged  # as strict as the others
        path = training.file(key)
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


def _check_finite(module, path):
    for name, tensor in module.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise ValueError(
                f"{path}: {name} holds NaN or Inf; the training has diverged. "
                "Export an earlier checkpoint, or train again with a lower "
                "learning rate."
            )
