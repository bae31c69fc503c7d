"""Weights that are computed: to be read, not to be written.

What is written into the product of a chain would be lost at once, and without a
word: ``layer.weight.data.copy_(...)``, ``nn.init.zeros_(layer.weight)``,
``layer.weight.requires_grad_(False)``.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch


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
        torch.compiler.is_compiling()
        or torch._C._get_tracing_state() is not None
        or torch._C._functorch.is_functorch_wrapped_tensor(weight)
    ):
        return weight
    return weight.as_subclass(_Readable)


class _Readable(torch.Tensor):
    """What ``readable`` gives: a tensor of another function's result."""

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
        if (_writes(name) and isinstance(first, cls)) or isinstance(
            kwargs.get("out"), cls
        ):
            raise RuntimeError(
                f"{name} would change a weight that HRF computes from its "
                "factors, and be lost: change the factors "
                "(layer.hrf_factors), or do it before apply_hrf."
            )
        with torch._C.DisableTorchFunctionSubclass():
            result = func(*args, **kwargs)
        # Of these, the result is the same memory.
        getter = torch.Tensor.data.__get__  # type: ignore[attr-defined]
        shares = func in (getter, torch.Tensor.detach)
        return readable(result) if shares else result


def _writes(name: str) -> bool:
    """Whether a function of this name changes its first argument."""
    if name.startswith("__i"):  # __iadd__, but not __index__
        return hasattr(torch.Tensor, f"__{name[3:]}")
    return name in ("__setitem__", "__set__") or (
        name.endswith("_") and not name.endswith("__")
    )
