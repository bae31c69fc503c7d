"""Layers and models that HRF must not expand.

Authors
 * The speechbrain_hrf authors 2026
"""

import speechbrain
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear
from torch.nn.utils import parametrize

from speechbrain_hrf.nnet.chain import Chain
from speechbrain_hrf.nnet.packed import PACKED_PARAMETER


def refuse_wrappers(model):
    """Raises if a model, or a part of it, is wrapped or compiled.

    Arguments
    ---------
    model : torch.nn.Module

    Raises
    ------
    ValueError
        Naming the part and the wrapper.

    Example
    -------
    >>> from torch import nn
    >>> refuse_wrappers(nn.DataParallel(nn.Linear(2, 2)))
    Traceback (most recent call last):
        ...
    ValueError: The model is wrapped in DataParallel, ...
    """
    for path, module in model.named_modules():
        kind = type(module).__name__
        if kind in (
            "DistributedDataParallel",
            "DataParallel",
            "FullyShardedDataParallel",
            "OptimizedModule",
        ):
            raise ValueError(
                f"{path or 'The model'} is wrapped in {kind}, which has "
                "already seen the plain layers: apply HRF before wrapping or "
                "compiling."
            )
        if module._compiled_call_impl is not None:
            raise ValueError(
                f"{path or 'The model'} is compiled: apply HRF before compiling."
            )


def refuse_unsuitable(model, target):
    """Raises if a weight cannot become a product of factors.

    Arguments
    ---------
    model : torch.nn.Module
    target : speechbrain_hrf.nnet.targets.Target
        A weight of it.

    Raises
    ------
    ValueError
        Naming the layer, the reason and the fix.

    Example
    -------
    >>> from torch import nn
    >>> from speechbrain_hrf.nnet.targets import find_targets
    >>> model = nn.Sequential(nn.Linear(2, 2).requires_grad_(False))
    >>> refuse_unsuitable(model, find_targets(model)["0"])
    Traceback (most recent call last):
        ...
    ValueError: HRF cannot expand '0': it is frozen ...
    """

    def refuse(reason, fix):
        raise ValueError(f"HRF cannot expand {target.name!r}: {reason}. {fix}")

    if target.path == "" and target.block is None:
        refuse(
            "it is the model itself, which cannot be replaced in place",
            "Use HRFLinear, or put the layer into a container.",
        )
    module = model.get_submodule(target.path)
    parameter_name = "weight" if target.block is None else PACKED_PARAMETER
    if parametrize.is_parametrized(module) or (
        parameter_name not in module._parameters
    ):
        expanded = any(isinstance(m, Chain) for m in module.modules())
        refuse(
            "it has been expanded already"
            if expanded
            else "another parametrization computes its weight",
            "Apply HRF once, with all its modules in one list."
            if expanded
            else "Remove that parametrization (weight or spectral norm) first.",
        )
    own = [
        parameter
        for name, parameter in module._parameters.items()
        if parameter is not None and name in (parameter_name, "bias")
    ]
    everywhere = [
        id(p) for _, p in model.named_parameters(remove_duplicate=False)
    ]
    if any(everywhere.count(id(parameter)) > 1 for parameter in own):
        refuse(
            "its weights are tied to another layer's",
            "Choose other layers, or untie them.",
        )
    if not all(parameter.requires_grad for parameter in own):
        refuse(
            "it is frozen (requires_grad is False)",
            "Unfreeze it or leave it out.",
        )
    if target.block is None and (
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    ):
        refuse("it has hooks, which would be lost", "Remove them first.")
    parent = model.get_submodule(target.path.rpartition(".")[0])
    if (
        isinstance(parent, speechbrain.nnet.linear.Linear)
        and parent.max_norm is not None
    ):
        refuse(
            f"SpeechBrain renormalises it in each step (max_norm="
            f"{parent.max_norm}), which a product of factors cannot follow",
            "Set max_norm to None or leave the layer out.",
        )


def refuse_inner_norm(model, target):
    """Raises if a chain's hidden layers cannot be normalised over the batch.

    Arguments
    ---------
    model : torch.nn.Module
    target : speechbrain_hrf.nnet.targets.Target
        A weight of it that HRF can expand.

    Raises
    ------
    ValueError
        Naming the layer, the reason and the fix.

    Example
    -------
    >>> from torch import nn
    >>> from speechbrain_hrf.nnet.targets import find_targets
    >>> model = nn.Sequential(nn.MultiheadAttention(4, 2))
    >>> refuse_inner_norm(model, find_targets(model)["0.out_proj"])
    Traceback (most recent call last):
        ...
    ValueError: HRF cannot normalise the extra layers of '0.out_proj': ...
    """
    module = model.get_submodule(target.path)
    # The linear layer that nn.MultiheadAttention has for its own use
    if target.block is not None or isinstance(
        module, NonDynamicallyQuantizableLinear
    ):
        reason = (
            "its weight is read without a call of the layer, so that the "
            "frames to normalise over are unknown"
        )
    elif module.bias is None:
        reason = (
            "it has no bias, and the mean that is taken away would give the "
            "merged layer one"
        )
    else:
        return
    raise ValueError(
        f"HRF cannot normalise the extra layers of {target.name!r}: {reason}. "
        "Leave it out, or set inner_norm to False."
    )
