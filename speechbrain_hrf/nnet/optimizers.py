"""An optimizer that still holds weights which are gone must not go on.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.weak import WeakIdKeyDictionary

_GONE = WeakIdKeyDictionary()
_SEEN: WeakSet[torch.optim.Optimizer] = WeakSet()
_HANDLES: list[Any] = []


def refuse_in_optimizers(parameters: Iterable[nn.Parameter]) -> None:
    """Lets the next step of an optimizer that holds one of them raise.

    Arguments
    ---------
    parameters : iterable of torch.nn.Parameter
        Which no model has any more.

    Example
    -------
    >>> weight = nn.Parameter(torch.zeros(2))
    >>> optimizer = torch.optim.SGD([weight])
    >>> refuse_in_optimizers([weight])
    >>> optimizer.step()
    Traceback (most recent call last):
        ...
    RuntimeError: This SGD was built before apply_hrf: it holds weights that ...
    """
    for parameter in parameters:
        _GONE[parameter] = True
    _SEEN.clear()
    if not _HANDLES:
        _HANDLES.append(register_optimizer_step_pre_hook(check_parameters))


def check_parameters(
    optimizer: torch.optim.Optimizer, args: Any = (), kwargs: Any = None
) -> None:
    """What every optimizer's first step asks: a hook for all of them.

    Arguments
    ---------
    optimizer : torch.optim.Optimizer
    args, kwargs : object
        Of the step; not looked at.

    Raises
    ------
    RuntimeError
        If the optimizer holds a weight that is gone.

    Example
    -------
    >>> check_parameters(torch.optim.SGD([nn.Parameter(torch.zeros(2))]))
    """
    if optimizer in _SEEN:
        return
    for group in optimizer.param_groups:
        if any(parameter in _GONE for parameter in group["params"]):
            raise RuntimeError(
                f"This {type(optimizer).__name__} was built before apply_hrf: "
                "it holds weights that the model does not have any more, and "
                "would train nothing. Build it after apply_hrf."
            )
    _SEEN.add(optimizer)
