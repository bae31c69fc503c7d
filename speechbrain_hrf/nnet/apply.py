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

from collections.abc import Sequence
from typing import NamedTuple

from tabulate import tabulate
from torch import nn

from speechbrain_hrf.nnet.chain import Chain, HRFConfig
from speechbrain_hrf.nnet.targets import (
    Target,
    refuse_unsuitable,
    refuse_wrappers,
    resolve,
)


def apply_hrf(
    model: nn.Module,
    modules: Sequence[str] | str,
    ratio: float = 8,
    layers: int = 1,
    width_of: str = "out",
    init: str = "default",
    inner_bias: bool = True,
    chained: bool | None = None,
    inner_norm: bool = False,
) -> "HRFReport":
    """Expands the chosen layers of a model, in place.

    All names are resolved and everything is checked before the first layer
    is replaced: if it raises, the model is as it was.

    Arguments
    ---------
    model : torch.nn.Module
        Any model: its ``torch.nn.Linear`` layers, the ``in_proj_weight`` of
        ``torch.nn.MultiheadAttention`` and SpeechBrain's ``RelPosMHAXL`` and
        ``RoPEMHA``.
    modules : list of str
        Groups of the lobes (QKV, Project, FFN1, FFN2, FFN_M1, FFN_M2, CLS,
        ALL, FRONT) or patterns over layer names; empty for no HRF. ALL is the
        paper's: all of these but FRONT.
    ratio, layers, width_of, init, inner_bias, chained, inner_norm
        See ``HRFConfig``.

    Returns
    -------
    HRFReport

    Raises
    ------
    ValueError
        For a name that matches nothing, an option out of range, and a layer
        that is tied, frozen, constrained by ``max_norm`` or another
        parametrization, has hooks, or has been expanded already; for a model
        that is wrapped in DDP or compiled; with ``inner_norm``, for a layer
        that is not called, but read (packed weights, the output projection of
        ``torch.nn.MultiheadAttention``), or has no bias.

    Example
    -------
    >>> model = nn.TransformerEncoderLayer(16, 4, 32)
    >>> report = apply_hrf(model, ["linear1", "*.in_proj_weight.q"], ratio=2)
    >>> [layer.name for layer in report.expansions]
    ['self_attn.in_proj_weight.q', 'linear1']
    """
    config = HRFConfig(
        ratio, layers, width_of, init, inner_bias, inner_norm, chained
    )
    refuse_wrappers(model)
    targets = resolve(model, modules)
    refuse_unsuitable(model, targets, config)
    before = count_parameters(model)
    chosen: dict[str, list[Target]] = {}
    # Whole layers first, so that a seed gives what it always gave.
    for target in sorted(targets, key=lambda target: target.kind.keeps_layer):
        chosen.setdefault(target.path, []).append(target)
    # Built first and put in place last, so that no failure leaves the model
    # half expanded.
    expanded = {
        path: there[0].kind.from_plain(
            model.get_submodule(path), config, [each.part for each in there]
        )
        for path, there in chosen.items()
    }
    for path, layer in expanded.items():
        placed = layer.take_place(model.get_submodule(path))
        if path:
            model.set_submodule(path, placed)
    return HRFReport(
        tuple(
            _expansion(target.name, expanded[target.path].chains[target.part])
            for target in targets
        ),
        before,
        count_parameters(model),
    )


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

    Example
    -------
    >>> print(HRFReport((), 68, 68))
    no HRF layer, 68 parameters
    """

    expansions: tuple[Expansion, ...]
    before: int
    after: int

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
        return tabulate(
            [
                *rows,
                ("all parameters", "", "", _arrows(self.before, self.after)),
            ],
            headers=("HRF layer", "shape", "chain", "parameters"),
            tablefmt="plain",
            disable_numparse=True,
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
        count_parameters(chain),
    )
