"""What is computed once in a forward pass, however often it is asked for.

A recurrent network calls its layers at every time step. Their weights do not
change meanwhile, so that a chain is multiplied out at the first call only. What
was computed is kept from the call of the outermost module above the layer until
that call returns, and in no case longer: nothing that changes a weight between
two passes (an optimizer, a checkpoint, a hand) can be missed. Within a pass it
counts for the very tensors that it was computed from, in the state that they
had, by the thread and in the gradient mode that asked for it.

A layer that is called outside a module's forward computes it at every call.

Authors
 * The speechbrain_hrf authors 2026
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

Value = TypeVar("Value")


class _Kept(NamedTuple):
    """A result, and what it was computed from."""

    tensors: Sequence[torch.Tensor]  # alive, so that no other gets their id
    state: list[tuple[int, int]]
    value: Any


class _Pass(threading.local):
    """The pass that a thread is in."""

    def __init__(self) -> None:
        self.modules: list[int] = []  # that are being called, outermost first
        self.kept: dict[tuple[int, ...], _Kept] = {}
        self.called: set[int] = set()


_PASS = _Pass()


def watch(model: nn.Module, layers: Iterable[nn.Module]) -> None:
    """Makes each call of a module above the layers a pass.

    Arguments
    ---------
    model : torch.nn.Module
    layers : iterable of torch.nn.Module
        Of the model.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(2, 2))
    >>> watch(model, [model[0]])
    >>> len(model._forward_pre_hooks), len(model[0]._forward_pre_hooks)
    (1, 0)
    """
    inside = {id(layer) for layer in layers}
    for module in model.modules():
        below = (each for each in module.modules() if each is not module)
        if any(id(each) in inside for each in below):
            unwatch(module)
            module.register_forward_pre_hook(_enter)
            # Also after an error, or the next pass would go on with this one.
            module.register_forward_hook(_leave, always_call=True)


def unwatch(module: nn.Module) -> None:
    """Takes off what ``watch`` has put on a module.

    Arguments
    ---------
    module : torch.nn.Module

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(2, 2))
    >>> watch(model, [model[0]])
    >>> unwatch(model)
    >>> len(model._forward_pre_hooks) + len(model._forward_hooks)
    0
    """
    for hooks, ours in (
        (module._forward_pre_hooks, _enter),
        (module._forward_hooks, _leave),
    ):
        for number in [k for k, hook in hooks.items() if hook is ours]:
            del hooks[number]
            module._forward_hooks_always_called.pop(number, None)


def once(
    owner: nn.Module,
    tensors: Sequence[torch.Tensor],
    compute: Callable[[], Value],
) -> Value:
    """A value, computed at the first request of a pass.

    Arguments
    ---------
    owner : torch.nn.Module
        Whose value it is; it has one.
    tensors : sequence of torch.Tensor
        All that it is computed from, besides the owner's mode.
    compute : callable
        Gives the value.

    Returns
    -------
    object
        What ``compute`` gives.

    Example
    -------
    >>> layer = nn.Linear(2, 2)
    >>> once(layer, [layer.weight], lambda: "computed")
    'computed'
    """
    # A compiler sees a whole pass, and leaves out what is computed twice.
    if not _PASS.modules or torch.compiler.is_compiling():
        return compute()
    key = (
        id(owner),
        owner.training,
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
    )
    try:
        state = [(id(tensor), tensor._version) for tensor in tensors]
    except RuntimeError:  # tensors of inference mode have no version
        state = [(id(tensor), -1) for tensor in tensors]
    kept = _PASS.kept.get(key)
    if kept is None or kept.state != state:
        try:
            # Activation checkpointing counts what a region saves: it is not to
            # see what one call of the layer saves and the next does not.
            hooks = saved_tensors_hooks(_same, _same)
            hooks.__enter__()
        except RuntimeError:  # torch.func.grad allows no such hooks
            return compute()
        try:
            kept = _Kept(tensors, state, compute())
        finally:
            hooks.__exit__()
        _PASS.kept[key] = kept
    found: Value = kept.value
    return found


def is_called_again(layer: nn.Module) -> bool:
    """Whether this is not the first call of a layer in a pass.

    Arguments
    ---------
    layer : torch.nn.Module
        Which is being called.

    Returns
    -------
    bool
        False outside a pass.

    Example
    -------
    >>> is_called_again(nn.Linear(2, 2))
    False
    """
    if not _PASS.modules or torch.compiler.is_compiling():
        return False
    again = id(layer) in _PASS.called
    _PASS.called.add(id(layer))
    return again


def _enter(module: nn.Module, inputs: Any) -> None:
    if torch.compiler.is_compiling():
        return
    # It is in the list already if a call of it was interrupted by hand.
    _end(module)
    _PASS.modules.append(id(module))


def _leave(module: nn.Module, inputs: Any, output: Any) -> None:
    if not torch.compiler.is_compiling():
        _end(module)


def _end(module: nn.Module) -> None:
    if id(module) in _PASS.modules:
        del _PASS.modules[_PASS.modules.index(id(module)) :]
    if not _PASS.modules:
        _PASS.kept.clear()
        _PASS.called.clear()


def _same(tensor: torch.Tensor) -> torch.Tensor:
    return tensor
