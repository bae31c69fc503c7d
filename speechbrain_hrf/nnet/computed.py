"""Weights that are computed: once in a forward pass, to be read, not written.

A recurrent network calls its layers at every time step. Their weights do not
change meanwhile, so that a chain is multiplied out at the first call only. What
was computed is kept from the call of the outermost module above the layer until
that call returns: nothing that changes a weight between two passes (an
optimizer, a checkpoint, a hand) can be missed. Within a pass it counts for the
very tensors that it was computed from, in the state that they had (but for what
is written through ``.data``, which PyTorch does not count), by the thread and in
the gradient mode that asked for it, and until a backward within the pass has
used up its graph. A layer that is called outside a module's forward computes
it at every call.

In evaluation without gradients, on a CPU, a pass takes over what an earlier one
has computed if a copy of the factors is equal to them, bit by bit: to compare
takes less time than the product.

What is written into the product of a chain would be lost at once, and without a
word: ``layer.weight.data.copy_(...)``, ``nn.init.zeros_(layer.weight)``,
``layer.weight.requires_grad_(False)``. So it raises.

Authors
 * The speechbrain_hrf authors 2026
"""

import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FrameType
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import numpy
import torch
from torch import is_grad_enabled, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.compiler import is_compiling

Value = TypeVar("Value")
Holder = Mapping[str, torch.Tensor | None]  # a module's parameters, or buffers

# Above as many bytes, a layer's factors are not copied.
MOST_COPIED = 2**24
# Compared as integers: NaN is not equal to itself, and 0 is to -0.
_BITS = {
    torch.float64: torch.int64,
    torch.float32: torch.int32,
    torch.float16: torch.int16,
    torch.bfloat16: torch.int16,
}


class _Kept(NamedTuple):
    """A result of a pass, and what it was computed from."""

    owner: nn.Module  # alive, so that no other gets its id
    training: bool
    state: list[tuple[Holder, str, torch.Tensor, int]]  # and its version
    value: Any


class _Copied(NamedTuple):
    """A result, and copies of what it was computed from."""

    kinds: list[tuple[torch.dtype, torch.Size]]
    bits: list[bytes]
    value: Any


class _Pass(threading.local):
    """The pass that a thread is in."""

    def __init__(self) -> None:
        self.modules: list[int] = []  # that are being called, outermost first
        self.call: FrameType | None = None  # of the outermost one
        self.kept: dict[tuple[int, bool], _Kept] = {}
        self.called: set[int] = set()


_PASS = _Pass()
_COPIED: WeakKeyDictionary[nn.Module, _Copied] = WeakKeyDictionary()


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


def kept(owner: nn.Module) -> Any:
    """What this pass has computed for a module, where it would be the same again.

    Short: a recurrent network asks at every time step.

    Arguments
    ---------
    owner : torch.nn.Module

    Returns
    -------
    object or None
        What ``once`` gave.

    Example
    -------
    >>> kept(nn.Linear(2, 2)) is None
    True
    """
    if is_compiling():
        return None
    found = _PASS.kept.get((id(owner), is_grad_enabled()))
    if found is None or found.training is not owner.training:
        return None
    for holder, name, tensor, version in found.state:
        if holder.get(name) is not tensor or tensor._version != version:
            return None
    return found.value


def once(
    owner: nn.Module,
    find_holders: Callable[[], Sequence[Holder]],
    compute: Callable[[], Value],
) -> Value:
    """A value, computed at the first request of a pass.

    Arguments
    ---------
    owner : torch.nn.Module
        Whose value it is; it has one.
    find_holders : callable
        Gives what holds all tensors that it is computed from, besides the
        owner's mode.
    compute : callable
        Gives the value.

    Returns
    -------
    object
        What ``compute`` gives.

    Example
    -------
    >>> layer = nn.Linear(2, 2)
    >>> once(layer, lambda: [layer._parameters], lambda: "computed")
    'computed'
    """
    value: Value | None = kept(owner)
    if value is not None:
        return value
    # A compiler sees a whole pass, and leaves out what is computed twice.
    if is_compiling():
        return compute()
    # Activation checkpointing counts what a region saves: it is not to see what
    # one call of the layer saves and the next does not, nor what is saved when
    # the region is computed again, outside any pass.
    hooks = saved_tensors_hooks(_note, _unchanged)
    try:
        hooks.__enter__()
    except RuntimeError:  # torch.func.grad allows no such hooks
        return compute()
    try:
        if not _PASS.modules:
            return compute()
        parts = [
            (holder, name, tensor)
            for holder in find_holders()
            for name, tensor in holder.items()
            if tensor is not None
        ]
        if any(tensor.is_inference() for _, _, tensor in parts):
            return compute()  # these have no version
        state = [(*part, part[-1]._version) for part in parts]
        tensors = [tensor for _, _, tensor in parts]
        value = _unless_equal(owner, tensors, compute)
    finally:
        hooks.__exit__()
    key = id(owner), is_grad_enabled()
    _PASS.kept[key] = _Kept(owner, owner.training, state, value)
    _forget_in_backward(_PASS.kept, key, value)
    return value


def _forget_in_backward(
    values: dict[tuple[int, bool], _Kept], key: tuple[int, bool], value: Any
) -> None:
    """Backward frees the graph of a value: who asks then needs another."""

    def forget(gradient: torch.Tensor) -> None:
        # By another thread, where a GPU's gradients are computed.
        values.pop(key, None)

    for tensor in value if isinstance(value, tuple) else ():
        # A bias may be a parameter itself, which would keep the hook for ever.
        if tensor is not None and tensor.grad_fn is not None:
            tensor.register_hook(forget)


def _unless_equal(
    owner: nn.Module,
    tensors: Sequence[torch.Tensor],
    compute: Callable[[], Value],
) -> Value:
    """A value, computed again once a bit of its tensors is another."""
    if owner.training or not _can_be_compared(tensors):
        return compute()
    memory = [tensor.view(_BITS[tensor.dtype]).numpy() for tensor in tensors]
    kinds = [(tensor.dtype, tensor.shape) for tensor in tensors]
    copied = _COPIED.get(owner)
    if copied is None or copied.kinds != kinds or not _are_in(copied, memory):
        # Copied first: another thread may change them during the computation.
        bits = [array.tobytes() for array in memory]
        copied = _COPIED[owner] = _Copied(kinds, bits, compute())
    found: Value = copied.value
    return found


def _can_be_compared(tensors: Sequence[torch.Tensor]) -> bool:
    """Whether they are plain memory, and nothing records what is done to it."""
    return not (
        torch.is_grad_enabled()
        or torch._C._get_tracing_state() is not None
        or torch._C._len_torch_dispatch_stack()
    ) and (
        sum(tensor.nbytes for tensor in tensors) <= MOST_COPIED
        and all(
            tensor.is_cpu
            and tensor.dtype in _BITS
            and type(tensor) in (torch.Tensor, nn.Parameter)
            and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
            for tensor in tensors
        )
    )


def _are_in(copied: _Copied, memory: Sequence[numpy.ndarray[Any, Any]]) -> bool:
    """Whether tensors of the same kinds have these bits."""
    # Of as many bytes, to start with them is to be them, and compares at once.
    return all(
        bits.startswith(numpy.ascontiguousarray(array))  # type: ignore[arg-type]
        for bits, array in zip(copied.bits, memory, strict=True)
    )


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
    if not _PASS.modules or is_compiling():
        return False
    again = id(layer) in _PASS.called
    _PASS.called.add(id(layer))
    return again


def readable(weight: torch.Tensor) -> torch.Tensor:
    """A tensor that raises when it is written to; results are plain ones.

    Arguments
    ---------
    weight : torch.Tensor

    Returns
    -------
    torch.Tensor
        The same values, differentiable as before.

    Example
    -------
    >>> weight = readable(torch.ones(2))
    >>> weight + 1
    tensor([2., 2.])
    >>> weight.data.zero_()
    Traceback (most recent call last):
        ...
    RuntimeError: zero_ would change a weight that HRF computes from its ...
    """
    if (
        is_compiling()
        or torch._C._get_tracing_state() is not None
        or torch._C._functorch.is_functorch_wrapped_tensor(weight)
    ):
        return weight
    return weight.as_subclass(_Readable)


def _enter(module: nn.Module, inputs: Any) -> None:
    if is_compiling():
        return
    if module.training:
        _COPIED.clear()  # its memory: what they are copies of will change
    call = sys._getframe(1)
    # Of a call that was interrupted by hand (KeyboardInterrupt) no hook tells.
    if _PASS.modules and not _is_running(_PASS.call, call):
        _clear()
    if not _PASS.modules:
        _PASS.call = call
    _PASS.modules.append(id(module))


def _is_running(call: FrameType | None, inner: FrameType | None) -> bool:
    while inner is not None and inner is not call:
        inner = inner.f_back
    return inner is not None


def _leave(module: nn.Module, inputs: Any, output: Any) -> None:
    if not is_compiling():
        _end(module)


def _end(module: nn.Module) -> None:
    if id(module) in _PASS.modules:
        del _PASS.modules[_PASS.modules.index(id(module)) :]
    if not _PASS.modules:
        _clear()


def _clear() -> None:
    _PASS.modules.clear()
    _PASS.call = None
    _PASS.kept.clear()
    _PASS.called.clear()


def _note(tensor: torch.Tensor) -> tuple[torch.Tensor, int | None]:
    """What is saved for backward, as it is and as PyTorch itself notes it."""
    return tensor, None if tensor.is_inference() else tensor._version


def _unchanged(saved: tuple[torch.Tensor, int | None]) -> torch.Tensor:
    tensor, version = saved
    if version is not None and tensor._version != version:
        raise RuntimeError(
            "A factor of an HRF layer was changed in place (by an optimizer's "
            "step?) between the forward pass and its backward, which needs the "
            "factor as it was: go backward first."
        )
    return tensor


class _Readable(torch.Tensor):
    """What ``readable`` gives: a tensor of another function's result."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A file holds a plain tensor, to be read without this package.
        with torch._C.DisableTorchFunctionSubclass():
            return self.as_subclass(torch.Tensor).__reduce_ex__(protocol)

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        first = args[0] if args else next(iter(kwargs.values()), None)
        # torch._foreach_mul_ and its like take a list.
        written = first if isinstance(first, list | tuple) else [first]
        if (
            _writes(name) and any(isinstance(each, cls) for each in written)
        ) or isinstance(kwargs.get("out"), cls):
            raise RuntimeError(
                f"{name} would change a weight that HRF computes from its "
                "factors, and be lost: change the factors "
                "(layer.hrf_factors), or do it before apply_hrf."
            )
        with torch._C.DisableTorchFunctionSubclass():
            result = func(*args, **kwargs)
        if not isinstance(first, cls):
            return result
        # Views are the same memory: what is written to them would be lost, too.
        if type(result) in (tuple, list):
            return type(result)(_if_shared(first, each) for each in result)
        return _if_shared(first, result)


def _if_shared(weight: torch.Tensor, result: Any) -> Any:
    # torch does not declare it for types.
    is_alias: Callable[..., bool] = torch._C._is_alias_of  # type: ignore[attr-defined]
    if isinstance(result, torch.Tensor) and is_alias(weight, result):
        return readable(result)
    return result


def _writes(name: str) -> bool:
    """Whether a function of this name changes its first argument."""
    # += is add_ here; only integers know the others, such as &=.
    return name in ("__setitem__", "__set__") or (
        name.endswith("_") and not name.endswith("__")
    )
