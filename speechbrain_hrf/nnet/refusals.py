"""Which layers and models must not be expanded, and why.

And what must not go on once they are: an optimizer that holds weights which
are gone.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

import torch
from speechbrain.nnet.CNN import Conv2d as RenormalisedConv
from speechbrain.nnet.linear import Linear as RenormalisedLinear
from torch import nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.weak import WeakIdKeyDictionary

from speechbrain_hrf.nnet.chain import HRFConfig
from speechbrain_hrf.nnet.kinds import expanded_in
from speechbrain_hrf.nnet.targets import Target

# By their names, since some of these types move between versions.
WRAPPERS = {
    *("DistributedDataParallel", "DataParallel", "OptimizedModule"),
    *("FullyShardedDataParallel", "FSDPModule"),  # FSDP and fully_shard
    *("DDP", "ReplicateModule"),  # replicate, in older and newer versions
}

_GONE = WeakIdKeyDictionary()
_SEEN: WeakSet[torch.optim.Optimizer] = WeakSet()
_HANDLES: list[Any] = []


def refuse_model(model: nn.Module) -> None:
    """Raises if a model, or a part of it, is wrapped, sharded, compiled or lazy.

    Arguments
    ---------
    model : torch.nn.Module

    Raises
    ------
    TypeError
        If it is no module.
    ValueError
        Naming the part, and the wrapper.

    Example
    -------
    >>> refuse_model(nn.DataParallel(nn.Linear(2, 2)))
    Traceback (most recent call last):
        ...
    ValueError: The model is wrapped in DataParallel, ...
    """
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"HRF expands the layers of a torch.nn.Module, not of a "
            f"{type(model).__name__}: give the model, or put the layers into a "
            "torch.nn.ModuleList."
        )
    for path, module in model.named_modules():
        where = path or "The model"
        types = {each.__name__ for each in type(module).__mro__} & WRAPPERS
        if types:
            raise ValueError(
                f"{where} is wrapped in {types.pop()}, which has already seen "
                "the plain layers: apply HRF before wrapping or compiling."
            )
        if module._compiled_call_impl is not None:
            raise ValueError(
                f"{where} is compiled: apply HRF before compiling."
            )
        if any(map(is_lazy, module._parameters.values())):
            raise ValueError(
                f"{where} is lazy, so that its size is not known yet: run a "
                "batch through the model before applying HRF."
            )


class Refusals:
    """Says of each weight of a model why HRF must not expand it.

    Arguments
    ---------
    model : torch.nn.Module
    config : HRFConfig

    Example
    -------
    >>> from speechbrain_hrf.nnet.targets import find_targets
    >>> model = nn.Sequential(nn.Linear(2, 2).requires_grad_(False))
    >>> Refusals(model, HRFConfig())(find_targets(model)[0])
    'it is frozen (requires_grad is False). Unfreeze it or leave it out.'
    """

    def __init__(self, model: nn.Module, config: HRFConfig) -> None:
        self.model = model
        self.config = config
        self.uses = Counter(
            id(parameter)
            for module in model.modules()
            for parameter in module._parameters.values()
            if parameter is not None
        )

    def __call__(self, target: Target) -> str | None:
        """Reason and fix; None for a weight that can be expanded."""
        module = self.model.get_submodule(target.path)
        parent = self.model.get_submodule(target.path.rpartition(".")[0])
        return self._why_not_expanded(target, module, parent) or (
            self._why_not_normalised(target, module)
            if self.config.inner_norm
            else None
        )

    def _why_not_expanded(
        self, target: Target, module: nn.Module, parent: nn.Module
    ) -> str | None:
        weight_name = target.kind.weight_name
        if expanded_in(module) is not None:
            return (
                "it has been expanded already. Apply HRF once, with all its "
                "modules in one list."
            )
        weight = module._parameters.get(weight_name)
        # The older weight norm leaves an attribute in its place.
        if parametrize.is_parametrized(module) or (
            weight is None and getattr(module, weight_name, None) is not None
        ):
            return (
                "another parametrization computes its weight. Remove that "
                "parametrization (weight or spectral norm) first."
            )
        if weight is None:
            return (
                f"it has no parameter {weight_name!r}. Name the one that is "
                f"expanded in {target.kind.__name__}.weight_name."
            )
        if weight.numel() == 0:
            return "one of its sizes is 0. Leave it out."
        if weight.is_complex():
            return "its weight is complex. Leave it out."
        if getattr(module, "groups", 1) != 1:
            return (
                f"it is a convolution in {module.groups} groups, and HRF "
                "expands ungrouped ones. Leave it out."
            )
        own = [
            parameter
            for name in (weight_name, "bias")
            if (parameter := module._parameters.get(name)) is not None
        ]
        if any(self.uses[id(parameter)] > 1 for parameter in own):
            return (
                "its weights are tied to another layer's. Choose other layers, "
                "or untie them."
            )
        if not all(parameter.requires_grad for parameter in own):
            return (
                "it is frozen (requires_grad is False). Unfreeze it or leave "
                "it out."
            )
        if (
            isinstance(parent, RenormalisedLinear | RenormalisedConv)
            and parent.max_norm is not None
        ):
            return (
                "SpeechBrain renormalises it in each step "
                f"(max_norm={parent.max_norm}), which a product of factors "
                "cannot follow. Set max_norm to None or leave the layer out."
            )
        return None

    def _why_not_normalised(
        self, target: Target, module: nn.Module
    ) -> str | None:
        if target.kind.keeps_layer or isinstance(
            module, NonDynamicallyQuantizableLinear
        ):
            reason = (
                "its weight is read without a call of the layer, so that the "
                "frames to normalise over are unknown"
            )
        elif module.bias is None:
            reason = (
                "it has no bias, and the mean that is taken away would give "
                "the merged layer one"
            )
        else:
            return None
        return (
            f"its extra layers cannot be normalised: {reason}. Leave it out, "
            "or set inner_norm to False."
        )


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
                "would train nothing. Build it after apply_hrf. If it was, "
                "a module outside of that model was tied to its weights: apply "
                "HRF to a model that holds both."
            )
    _SEEN.add(optimizer)
