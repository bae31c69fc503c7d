"""Loading a checkpoint's parameters into a model that is used, not trained.

Checkpoints stay factorised, so that training resumes. Whoever only uses the
model builds it plain: ``load_merged`` merges the factors on the way. It is a
hook for SpeechBrain's ``Pretrainer``; recovery of a training goes by another
hook (``torch_recovery``) and never merges.

Unlike SpeechBrain's default hook, which warns about keys that do not fit and
leaves random weights behind, this one loads everything or raises.

Example
-------
>>> import torch
>>> from speechbrain.utils.parameter_transfer import Pretrainer
>>> from speechbrain_hrf.nnet import apply_hrf
>>> trained = torch.nn.Sequential(torch.nn.Linear(4, 3))
>>> report = apply_hrf(trained, ["0"], ratio=2)
>>> folder = getfixture("tmpdir")
>>> torch.save(trained.state_dict(), folder / "model.ckpt")
>>> plain = torch.nn.Sequential(torch.nn.Linear(4, 3))
>>> pretrainer = Pretrainer(
...     loadables={"model": plain}, custom_hooks={"model": load_merged}
... )
>>> paths = pretrainer.collect_files(default_source=str(folder))
>>> pretrainer.load_collected()
>>> x = torch.rand(2, 4)
>>> torch.allclose(plain(x), trained(x), atol=1e-6)
True

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from speechbrain.utils.checkpoints import (
    DEFAULT_TRANSFER_HOOKS,
    hook_on_loading_state_dict_checkpoint,
)
from torch import nn

from speechbrain_hrf.inference.expansion import is_factorised
from speechbrain_hrf.nnet.merge import merged_state_dict

# Keys that an error names before it only counts the rest.
_NAMED_IN_ERROR = 5


def load_merged(obj: nn.Module, path: str | os.PathLike[str]) -> None:
    """Loads a checkpoint's parameters strictly; merges factors if need be.

    A factorised checkpoint fits a plain model (it is merged) and an equally
    expanded one (as it is); a merged checkpoint fits a plain model. Anything
    else raises before a single parameter has changed.

    Arguments
    ---------
    obj : torch.nn.Module
        The model to load into.
    path : str or os.PathLike
        File with the state dict, as SpeechBrain's checkpoints have it.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file holds no state dict, or its keys or shapes are not the
        model's; or its factors are not finite.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> small, large = torch.nn.Linear(2, 1), torch.nn.Linear(3, 1)
    >>> torch.save(small.state_dict(), folder / "small.ckpt")
    >>> load_merged(large, folder / "small.ckpt")
    Traceback (most recent call last):
    ...
    ValueError: .../small.ckpt does not fit Linear: 1 of another shape (weight
    is [1, 2], the model's [1, 3]). ...
    """
    state = read_state_dict(path)
    own = obj.state_dict()
    if state.keys() != own.keys() and not is_factorised(own):
        try:
            state = merged_state_dict(state)
        except ValueError as error:
            raise ValueError(f"{path} cannot be merged: {error}") from error
    _check_fit(obj, own, state, path)
    obj.load_state_dict(state, strict=True)


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """Reads a file of parameters onto the CPU, as data only.

    Arguments
    ---------
    path : str or os.PathLike
        File written by ``torch.save(model.state_dict(), path)``.

    Returns
    -------
    dict
        Tensor by name.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is damaged or holds something else.

    Example
    -------
    >>> path = getfixture("tmpdir") / "linear.ckpt"
    >>> torch.save(torch.nn.Linear(2, 1).state_dict(), path)
    >>> list(read_state_dict(path))
    ['weight', 'bias']
    """
    refuse_changed_bytes(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    # A file that was cut off makes PyTorch seek to where it has no byte.
    except (EOFError, OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"{path} cannot be read as a file of parameters; it is damaged or "
            f"no checkpoint: {error}"
        ) from error
    if not isinstance(state, dict) or not all(
        isinstance(value, torch.Tensor) for value in state.values()
    ):
        raise ValueError(
            f"{path} holds no state dict (tensors by name), but a "
            f"{type(state).__name__}: give the file of one module, such as "
            "embedding_model.ckpt of a checkpoint folder."
        )
    # As SpeechBrain does: parameters that it renamed since.
    state = hook_on_loading_state_dict_checkpoint(state)
    return dict(state)


def refuse_changed_bytes(path: str | os.PathLike[str]) -> None:
    """Raises if a file of ``torch.save`` is not what was written.

    It is a zip file, with a checksum of each tensor that ``torch.load`` does
    not look at: a bit that has flipped on a disk would be loaded.

    Arguments
    ---------
    path : str or os.PathLike
        Files of other kinds are not looked at.

    Raises
    ------
    ValueError
        It was damaged after it was written.

    Example
    -------
    >>> path = getfixture("tmpdir") / "linear.ckpt"
    >>> torch.save(torch.nn.Linear(2, 1).state_dict(), path)
    >>> refuse_changed_bytes(path)
    """
    name = os.fspath(path)
    try:
        if not zipfile.is_zipfile(name):
            return
        with zipfile.ZipFile(name) as file:
            damaged = file.testzip()
        why = f"the checksum of {damaged} in it is not that of its content"
    except Exception as error:  # of many kinds, where headers are damaged
        damaged, why = name, repr(error)
    if damaged:
        raise ValueError(
            f"{path} is damaged: {why}. Copy it again, or take an earlier "
            "checkpoint."
        )


def merge_on_transfer(*classes: type[nn.Module]) -> Any:
    """Makes ``load_merged`` the hook that ``Pretrainer`` uses for classes.

    Subclasses inherit it. Saving and recovery of a training are left alone.

    Arguments
    ---------
    *classes : type
        Subclasses of ``torch.nn.Module``.

    Returns
    -------
    type or tuple of type
        What was given, so that this is a class decorator too.

    Example
    -------
    >>> from speechbrain.utils.checkpoints import get_default_hook
    >>> @merge_on_transfer
    ... class Encoder(torch.nn.Module):
    ...     pass
    >>> get_default_hook(Encoder(), DEFAULT_TRANSFER_HOOKS) is load_merged
    True
    """
    for cls in classes:
        DEFAULT_TRANSFER_HOOKS[cls] = load_merged
    return classes[0] if len(classes) == 1 else classes


def _check_fit(
    obj: nn.Module,
    own: Mapping[str, torch.Tensor],
    state: Mapping[str, torch.Tensor],
    path: str | os.PathLike[str],
) -> None:
    reasons = [
        _list_names("missing", [key for key in own if key not in state]),
        _list_names("unknown", [key for key in state if key not in own]),
        _list_names(
            "of another shape",
            [
                f"{key} is {list(state[key].shape)}, the model's "
                f"{list(own[key].shape)}"
                for key in own
                if key in state and state[key].shape != own[key].shape
            ],
        ),
    ]
    if any(reasons):
        raise ValueError(
            f"{path} does not fit {type(obj).__name__}: "
            f"{'; '.join(filter(None, reasons))}. It was probably saved by a "
            "model of another architecture or size (or expanded in other "
            "layers): build the model with the arguments it was trained with, "
            "or give the checkpoint of this one."
        )


def _list_names(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    shown = ", ".join(names[:_NAMED_IN_ERROR])
    if len(names) > _NAMED_IN_ERROR:
        shown += f" and {len(names) - _NAMED_IN_ERROR} more"
    return f"{len(names)} {what} ({shown})"
