"""Replaces chosen linear layers of a model by HRF's chains, in place.

Example
-------
>>> from speechbrain_hrf.lobes.models import Conformer
>>> report = apply_hrf(Conformer(), ["FFN_M1"], ratio=8, layers=1)
>>> print(report)
HRF layer                shape    chain          parameters
blocks.0.macaron.linear1 16 -> 2  16 -> 16 -> 2  34 -> 306
all parameters                                   9892 -> 10164

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import NamedTuple

import speechbrain
from torch import nn
from torch.nn.utils import parametrize

from speechbrain_hrf.nnet.chain import Chain, check_options
from speechbrain_hrf.nnet.linear import HRFLinear
from speechbrain_hrf.nnet.packed import (
    PACKED_PARAMETER,
    PackedChains,
    heads_of,
)
from speechbrain_hrf.nnet.targets import resolve


class Expansion(NamedTuple):
    """What became of one layer.

    Arguments
    ---------
    name : str
        Of the layer, or of the block of a packed parameter.
    shape : tuple of int
        (inputs, outputs)
    factor_shapes : tuple
        Of the factors' weights, PyTorch's [outputs, inputs].
    before, after : int
        Parameters of the layer and of its chain.

    Example
    -------
    >>> report = apply_hrf(nn.Sequential(nn.Linear(16, 4)), ["0"], ratio=2)
    >>> report.expansions[0].factor_shapes
    ((8, 16), (4, 8))
    """

    name: str
    shape: tuple
    factor_shapes: tuple
    before: int
    after: int


class HRFReport(NamedTuple):
    """What ``apply_hrf`` did; ``print`` shows it as a table.

    Arguments
    ---------
    expansions : tuple of Expansion
        One per layer.
    before, after : int
        Parameters of the whole model.

    Example
    -------
    >>> print(HRFReport((), 68, 68))
    no HRF layer, 68 parameters
    """

    expansions: tuple
    before: int
    after: int

    def __str__(self):
        if not self.expansions:
            return f"no HRF layer, {self.before} parameters"
        rows = [("HRF layer", "shape", "chain", "parameters")]
        for layer in self.expansions:
            widths = [layer.shape[0]] + [s[0] for s in layer.factor_shapes]
            rows.append(
                (
                    layer.name,
                    " -> ".join(map(str, layer.shape)),
                    " -> ".join(map(str, widths)),
                    f"{layer.before} -> {layer.after}",
                )
            )
        rows.append(
            ("all parameters", "", "", f"{self.before} -> {self.after}")
        )
        columns = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(
                cell.ljust(width)
                for cell, width in zip(row, columns, strict=True)
            ).rstrip()
            for row in rows
        )


def apply_hrf(
    model,
    modules,
    ratio=8,
    layers=1,
    width_of="out",
    init="default",
    inner_bias=True,
    chained=False,
):
    """Expands the chosen layers of a model, in place.

    All names are resolved and everything is checked before the first layer
    is replaced: if it raises, the model is as it was.

    Arguments
    ---------
    model : torch.nn.Module
        Any model: its ``torch.nn.Linear`` layers, the ``in_proj_weight`` of
        ``torch.nn.MultiheadAttention`` and SpeechBrain's ``RelPosMHAXL``.
    modules : list of str
        Groups of the lobes (QKV, Project, FFN1, FFN2, FFN_M1, FFN_M2, CLS,
        ALL, FRONT) or patterns over layer names; empty for no HRF.
    ratio : float
        Expansion ratio r >= 1: the hidden layers are r * n (or r * m) wide.
    layers : int
        Extra layers, at least 1.
    width_of : str
        "out": hidden width r * n, the paper's; "in": r * m.
    init : str
        "default" (the paper's), "scaled" (variance of a plain layer) or
        "preserve" (the value of the layer that is replaced).
    inner_bias : bool
        Whether the extra layers have biases.
    chained : bool
        Send frames through the whole chain: slow, the same result.

    Returns
    -------
    HRFReport

    Raises
    ------
    ValueError
        For a name that matches nothing, an option out of range, and a layer
        that is tied, frozen, constrained by ``max_norm`` or another
        parametrization, has hooks, or has been expanded already; for a model
        that is wrapped in DDP or compiled.

    Example
    -------
    >>> model = nn.TransformerEncoderLayer(16, 4, 32)
    >>> report = apply_hrf(model, ["linear1", "*.in_proj_weight.q"], ratio=2)
    >>> [layer.name for layer in report.expansions]
    ['self_attn.in_proj_weight.q', 'linear1']
    """
    check_options(ratio, layers, width_of, init)
    _refuse_wrappers(model)
    targets = resolve(model, modules)
    for target in targets:
        _refuse_unsuitable(model, target)
    options = {
        "ratio": ratio,
        "layers": layers,
        "width_of": width_of,
        "init": init,
        "inner_bias": inner_bias,
    }
    before = count_parameters(model)
    # Built first and put in place last, so that no failure leaves the model
    # half expanded.
    replacements, expansions = [], []
    for target in targets:
        if target.block is None:
            linear = model.get_submodule(target.path)
            chain = HRFLinear(
                linear.in_features,
                linear.out_features,
                replaces=linear,
                chained=chained,
                **options,
            )
            replacements.append((target.path, chain))
            expansions.append(_expansion(target.name, linear, chain))
    for path in dict.fromkeys(t.path for t in targets if t.block):
        module = model.get_submodule(path)
        blocks = [t.block for t in targets if t.path == path]
        chains = PackedChains(
            getattr(module, PACKED_PARAMETER),
            heads_of(module),
            blocks,
            # The packed bias is the blocks' own; inner ones have no place.
            {**options, "inner_bias": False},
        )
        chains.train(module.training)
        replacements.append((path, chains))
        stem = f"{path}.{PACKED_PARAMETER}".lstrip(".")
        for block in blocks:
            chain = getattr(getattr(chains, chains.layout), block)
            weight = nn.Module()
            weight.weight = nn.Parameter(chain.collapsed()[0].detach())
            expansions.append(_expansion(f"{stem}.{block}", weight, chain))
    for path, chain in replacements:
        if isinstance(chain, PackedChains):
            parametrize.register_parametrization(
                model.get_submodule(path), PACKED_PARAMETER, chain
            )
        else:
            parent, _, name = path.rpartition(".")
            setattr(model.get_submodule(parent), name, chain)
    order = [target.name for target in targets]
    expansions.sort(key=lambda layer: order.index(layer.name))
    return HRFReport(tuple(expansions), before, count_parameters(model))


def count_parameters(model):
    """All parameters of a model.

    Arguments
    ---------
    model : torch.nn.Module

    Returns
    -------
    int

    Example
    -------
    >>> count_parameters(nn.Linear(16, 4))
    68
    """
    return sum(parameter.numel() for parameter in model.parameters())


def _expansion(name, plain, chain):
    n, m = plain.weight.shape
    return Expansion(
        name,
        (m, n),
        tuple(tuple(factor.shape) for factor in chain.factors),
        count_parameters(plain),
        count_parameters(chain),
    )


def _refuse_wrappers(model):
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


def _refuse_unsuitable(model, target):
    def refuse(reason, fix):
        raise ValueError(f"HRF cannot expand {target.name!r}: {reason}. {fix}")

    if target.path == "":
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
