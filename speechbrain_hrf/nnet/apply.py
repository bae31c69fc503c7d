"""Turns chosen layers of a model into HRF's chains, in place.

Example
-------
>>> from speechbrain_hrf.lobes.models import Conformer
>>> report = apply_hrf(Conformer(), ["FFN_M1"], ratio=8, layers=1)
>>> print(report)
HRF layer                 shape    chain          parameters
blocks.0.macaron.linear1  16 -> 2  16 -> 16 -> 2  34 -> 306
all parameters                                    9892 -> 10164
not expanded: 99.7% of the parameters (Linear 6,098, Conv2d 2,480, Conv1d ...

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from torch import nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from speechbrain_hrf.nnet.chain import Chain, HRFConfig
from speechbrain_hrf.nnet.computed import watch
from speechbrain_hrf.nnet.refusals import (
    Refusals,
    refuse_in_optimizers,
    refuse_model,
)
from speechbrain_hrf.nnet.targets import Choice, Modules, resolve


def apply_hrf(
    model: nn.Module,
    modules: Modules,
    ratio: float = 8,
    layers: int = 1,
    width_of: str = "out",
    init: str = "default",
    inner_bias: bool = True,
    chained: bool | None = None,
    inner_norm: bool = False,
    exclude: Sequence[str] | str = (),
) -> "HRFReport":
    """Expands the chosen layers of a model, in place.

    All names are resolved and everything is checked before the first layer
    is replaced: if it raises, the model is as it was. A layer stays the same
    object, so that whoever holds it holds the expanded one; but an optimizer
    that was built before would train the weights that are gone, and raises at
    its first step.

    Arguments
    ---------
    model : torch.nn.Module
        Any model: its ``torch.nn.Linear`` and ungrouped ``Conv1d``, ``Conv2d``
        and ``Conv3d`` and ``ConvTranspose`` layers, transformers' ``Conv1D``,
        the ``in_proj_weight`` of ``torch.nn.MultiheadAttention`` and
        SpeechBrain's ``RelPosMHAXL`` and ``RoPEMHA``, and what
        ``register_kind`` was told of (``kinds.KINDS`` lists them).
    modules : list of str, or dict of str to float
        Groups of the lobes (QKV, Project, FFN1, FFN2, FFN_M1, FFN_M2, CLS,
        ALL, FRONT) or patterns over layer names; empty for no HRF. ALL is the
        paper's: all of these but FRONT. A dict gives each name its ratio.
    ratio, layers, width_of, init, inner_bias, chained, inner_norm
        See ``HRFConfig``.
    exclude : list of str
        Groups or patterns of layers to leave out.

    Returns
    -------
    HRFReport

    Raises
    ------
    ValueError
        For a name that matches nothing, an option out of range, and a layer
        that is named and tied, frozen, constrained by ``max_norm`` or another
        parametrization, or has been expanded already (one that a pattern meets
        is skipped, and the report says why); for a model that is wrapped,
        sharded or compiled, or has a lazy layer; with ``inner_norm``, for a
        layer that is not called, but read (packed weights, the output
        projection of ``torch.nn.MultiheadAttention``), or has no bias.

    Example
    -------
    >>> model = nn.TransformerEncoderLayer(16, 4, 32)
    >>> report = apply_hrf(model, {"linear1": 2, "*.in_proj_weight.q": 4})
    >>> [(layer.name, len(layer.factor_shapes)) for layer in report.expansions]
    [('self_attn.in_proj_weight.q', 2), ('linear1', 2)]
    """
    config = HRFConfig(
        ratio, layers, width_of, init, inner_bias, inner_norm, chained
    )
    refuse_model(model)
    choices, skipped = _suitable(
        Refusals(model, config), resolve(model, modules, exclude)
    )
    before = count_parameters(model)
    own = _count_own(model)
    chosen: dict[str, list[Choice]] = {}
    # Whole layers first, so that a seed gives what it always gave.
    for choice in sorted(
        choices, key=lambda each: each.target.kind.keeps_layer
    ):
        chosen.setdefault(choice.target.path, []).append(choice)
    # Built first and put in place last, so that no failure leaves the model
    # half expanded.
    expanded = {}
    for path, there in chosen.items():
        ratios = {each.ratio for each in there}
        # Of each kind, chain.Chain makes the factors.
        expanded[path] = there[0].target.kind.from_plain(
            model.get_submodule(path),
            _with_ratio(config, ratios, path),
            [each.target.part for each in there],
        )
    for path, layer in expanded.items():
        plain = model.get_submodule(path)
        gone = list(plain.parameters(recurse=False))
        for part, chain in layer.chains.items():
            chain.hrf_path = ".".join(filter(None, (path, part)))
        placed = layer.take_place(plain)
        left = {id(each) for each in placed.parameters(recurse=False)}
        refuse_in_optimizers(each for each in gone if id(each) not in left)
    watch(model, [model.get_submodule(path) for path in expanded])
    expansions = tuple(
        _expansion(target.name, expanded[target.path].chains[target.part])
        for target in (choice.target for choice in choices)
    )
    for choice, expansion in zip(choices, expansions, strict=True):
        kind, count = own[choice.target.path]
        own[choice.target.path] = (kind, count - expansion.before)
    return HRFReport(
        expansions,
        before,
        count_parameters(model),
        tuple(skipped),
        _left(own.values()),
    )


def _suitable(
    refusals: Refusals, choices: Sequence[Choice]
) -> tuple[list[Choice], list[tuple[str, str]]]:
    """What can be expanded, and names and reasons of what a pattern met."""
    suitable, skipped, named = [], [], []
    for choice in choices:
        name, reason = choice.target.name, refusals(choice.target)
        if reason is None:
            suitable.append(choice)
        else:
            skipped.append((name, reason))
            if choice.is_named:
                named.append((name, reason))
    # What is named cannot be left out in silence, nor can everything.
    refused = named or ([] if suitable else skipped)
    if refused:
        name, reason = refused[0]
        more = f" ({len(refused) - 1} more like it.)" if refused[1:] else ""
        raise ValueError(f"HRF cannot expand {name!r}: {reason}{more}")
    return suitable, skipped


def _with_ratio(
    config: HRFConfig, ratios: set[float | None], path: str
) -> HRFConfig:
    if len(ratios) > 1:
        raise ValueError(
            f"HRF's modules give the blocks of {path!r} the ratios {ratios}: "
            "blocks of one weight have one ratio."
        )
    (ratio,) = ratios
    return config if ratio is None else replace(config, ratio=ratio)


def _type_name(module: nn.Module) -> str:
    # That of nn.MultiheadAttention's output projection is a long one.
    if isinstance(module, NonDynamicallyQuantizableLinear):
        return "Linear"
    return type(module).__name__


def _count_own(model: nn.Module) -> dict[str, tuple[str, int]]:
    """Each module's type and number of parameters; tied ones count once."""
    own, seen = {}, set[nn.Parameter]()
    for path, module in model.named_modules():
        new = {*module.parameters(recurse=False)} - seen
        seen |= new
        own[path] = _type_name(module), sum(each.numel() for each in new)
    return own


def _left(own: Iterable[tuple[str, int]]) -> tuple["Left", ...]:
    counts: dict[str, list[int]] = {}
    for kind, count in own:
        if count:
            counts.setdefault(kind, []).append(count)
    left = [Left(kind, len(each), sum(each)) for kind, each in counts.items()]
    return tuple(sorted(left, key=lambda each: -each.parameters))


class Left(NamedTuple):
    """What was not expanded, of one type of layer.

    Arguments
    ---------
    type : str
    layers, parameters : int
        How many.

    Example
    -------
    >>> report = apply_hrf(nn.Sequential(nn.Linear(2, 2), nn.PReLU()), ["0"])
    >>> report.left
    (Left(type='PReLU', layers=1, parameters=1),)
    """

    type: str
    layers: int
    parameters: int


class Expansion(NamedTuple):
    """What became of one layer.

    Arguments
    ---------
    name : str
        Of the layer, or of the block of a packed parameter.
    shape : tuple of int
        (inputs, outputs); of a convolution, inputs at all places of its kernel
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
    shape: tuple[int, int]
    factor_shapes: tuple[tuple[int, ...], ...]
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
    skipped : tuple of (str, str)
        Name and reason of each layer that a pattern met in vain.
    left : tuple of Left
        What was not expanded, by type of layer.

    Example
    -------
    >>> print(HRFReport((), 68, 68))
    no HRF layer, 68 parameters
    """

    expansions: tuple[Expansion, ...]
    before: int
    after: int
    skipped: tuple[tuple[str, str], ...] = ()
    left: tuple[Left, ...] = ()

    def __str__(self) -> str:
        if not self.expansions:
            return f"no HRF layer, {self.before} parameters"
        rows = [
            (
                layer.name,
                _arrows(*layer.shape),
                _arrows(layer.shape[0], *(s[0] for s in layer.factor_shapes)),
                _arrows(layer.before, layer.after),
            )
            for layer in self.expansions
        ]
        table = _table(
            ("HRF layer", "shape", "chain", "parameters"),
            *rows,
            ("all parameters", "", "", _arrows(self.before, self.after)),
        )
        lines = [f"skipped {name}: {reason}" for name, reason in self.skipped]
        if self.left:
            count = sum(each.parameters for each in self.left)
            types = ", ".join(
                f"{each.type} {each.parameters:,}" for each in self.left
            )
            lines.append(
                f"not expanded: {count / self.before:.1%} of the parameters "
                f"({types})"
            )
        return "\n".join([table, *lines])


def _table(*rows: Sequence[str]) -> str:
    # By hand: this package needs nothing but PyTorch and SpeechBrain.
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def _arrows(*numbers: int) -> str:
    return " -> ".join(map(str, numbers))


def count_parameters(model: nn.Module) -> int:
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


def _expansion(name: str, chain: Chain) -> Expansion:
    shapes = tuple(tuple(factor.shape) for factor in chain.factors)
    inputs, outputs = shapes[0][1], shapes[-1][0]
    bias = chain.biases[-1]
    return Expansion(
        name,
        (inputs, outputs),
        shapes,
        inputs * outputs + (0 if bias is None else len(bias)),
        sum(parameter.numel() for parameter in chain.own_parameters()),
    )
