"""From the names a user writes to the weights that HRF expands.

The paper's row names are looked up in the groups that the lobes publish, as
``hrf_groups``: a dict of group to patterns over a lobe's own layers. Anything
else is a pattern over the names of layers and packed parameters.

Authors
 * The speechbrain_hrf authors 2026
"""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from speechbrain.nnet.attention import RelPosMHAXL, RoPEMHA
from speechbrain.nnet.linear import Linear as RenormalisedLinear
from torch import nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear
from torch.nn.utils import parametrize

from speechbrain_hrf.nnet.chain import Expanded, HRFConfig
from speechbrain_hrf.nnet.linear import HRFLinear
from speechbrain_hrf.nnet.packed import PackedChains

# What each type of layer becomes.
KINDS: dict[type[nn.Module], type[Expanded]] = {
    nn.Linear: HRFLinear,
    NonDynamicallyQuantizableLinear: HRFLinear,  # nn.MultiheadAttention's own
    nn.MultiheadAttention: PackedChains,
    RelPosMHAXL: PackedChains,
    RoPEMHA: PackedChains,
}
WRAPPERS = (
    "DistributedDataParallel",
    "DataParallel",
    "FullyShardedDataParallel",
    "OptimizedModule",
)
# The paper never expands the front end, so its ALL leaves it out. ALL holds the
# paper's rows: not Conformer's position projection, nor SpeechFormer's merges.
FRONT = "FRONT"
ALL = "ALL"


class Target(NamedTuple):
    """A weight that can be expanded, or has been.

    Arguments
    ---------
    name : str
        What patterns match.
    path : str
        Of the module that holds it.
    part : str
        Of that module, see ``Expanded.parts``.
    kind : type of Expanded

    Example
    -------
    >>> target = Target("0", "0", "", HRFLinear)
    >>> target.matches(["1", "?"])
    True
    """

    name: str
    path: str
    part: str
    kind: type[Expanded]

    def matches(self, patterns: Iterable[str]) -> bool:
        """Whether a pattern stands for it.

        Arguments
        ---------
        patterns : iterable of str

        Returns
        -------
        bool
        """
        # "*.in_proj_weight" stands for its three blocks.
        names = [self.name]
        if self.part:
            names.append(self.name.rpartition(".")[0])
        return any(
            fnmatchcase(name, pattern) for name in names for pattern in patterns
        )


def kind_of(module: nn.Module) -> type[Expanded] | None:
    """What a layer becomes, or has become.

    Arguments
    ---------
    module : torch.nn.Module

    Returns
    -------
    type of Expanded, or None
        None: HRF cannot expand such a layer.

    Example
    -------
    >>> kind_of(nn.Linear(2, 3)).__name__, kind_of(nn.Conv1d(2, 3, 1))
    ('HRFLinear', None)
    """
    expanded = expanded_in(module)
    if expanded is not None:
        return type(expanded)
    own, *bases = type(module).__mro__
    if parametrize.is_parametrized(module):
        # The injected subclass; found here so that it can be refused by name
        # instead of not being seen.
        own, *bases = bases
    if own in KINDS:
        return KINDS[own]
    # A subclass may do more in its forward, which a layer that takes its place
    # would drop.
    for base in bases:
        if base in KINDS and KINDS[base].keeps_layer:
            return KINDS[base]
    return None


def expanded_in(module: nn.Module) -> Expanded | None:
    """The expanded form of a layer, where a module is one.

    Arguments
    ---------
    module : torch.nn.Module

    Returns
    -------
    Expanded or None

    Example
    -------
    >>> expanded_in(HRFLinear(16, 4)), expanded_in(nn.Linear(16, 4))
    (HRFLinear(16 -> 32 -> 4), None)
    """
    if isinstance(module, Expanded):
        # A parametrization is found at the layer that it belongs to.
        return None if module.keeps_layer else module
    if not parametrize.is_parametrized(module):
        return None
    of_parameters: Any = module.parametrizations
    firsts = (each[0] for each in of_parameters.values())
    return next((each for each in firsts if isinstance(each, Expanded)), None)


def find_targets(model: nn.Module) -> list[Target]:
    """Every weight of a model that HRF can expand, or has expanded.

    Arguments
    ---------
    model : torch.nn.Module

    Returns
    -------
    list of Target
        In the model's order.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.MultiheadAttention(4, 2))
    >>> for target in find_targets(model):
    ...     print(target.name)
    0
    1.in_proj_weight.q
    1.in_proj_weight.k
    1.in_proj_weight.v
    1.out_proj
    """
    return [
        Target(".".join(filter(None, (path, part))), path, part, kind)
        for path, module in model.named_modules()
        if (kind := kind_of(module)) is not None
        for part in kind.parts(module)
    ]


def find_groups(model: nn.Module) -> dict[str, list[str]]:
    """The groups that the lobes within a model publish.

    Arguments
    ---------
    model : torch.nn.Module

    Returns
    -------
    dict of str to list of str
        Group to patterns over the model's names; with ALL, if any.

    Example
    -------
    >>> from speechbrain_hrf.lobes.models import ClassifierHead
    >>> find_groups(nn.ModuleDict({"classifier": ClassifierHead(16, 4)}))
    {'CLS': ['classifier.linear1', 'classifier.linear2'], 'ALL': [...]}
    """
    groups: dict[str, list[str]] = {}
    for path, module in model.named_modules():
        for group, patterns in getattr(module, "hrf_groups", {}).items():
            groups.setdefault(group, []).extend(
                f"{_escaped(path)}.{pattern}".lstrip(".")
                for pattern in patterns
            )
    if groups:
        groups[ALL] = [
            pattern
            for group, patterns in groups.items()
            if group != FRONT
            for pattern in patterns
        ]
    return groups


def split_names(modules: Sequence[str] | str) -> list[str]:
    """The single names in a list of HRF modules.

    Arguments
    ---------
    modules : list of str, or str
        As in a YAML; "FFN1 & FFN2" holds two names.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If it is neither a string nor a list of strings.

    Example
    -------
    >>> split_names(["QKV", "FFN1 & FFN2"]), split_names("CLS")
    (['QKV', 'FFN1', 'FFN2'], ['CLS'])
    """
    entries = [modules] if isinstance(modules, str) else modules
    if not isinstance(entries, list | tuple) or not all(
        isinstance(entry, str) for entry in entries
    ):
        raise ValueError(
            f"HRF's modules are {modules!r}: give a list of names such as "
            "[FFN1, QKV], or [] for no HRF."
        )
    return [part.strip() for entry in entries for part in entry.split("&")]


def resolve(model: nn.Module, modules: Sequence[str] | str) -> list[Target]:
    """The targets that a list of group names and patterns stands for.

    Arguments
    ---------
    model : torch.nn.Module
    modules : list of str
        Row names of the paper's tables, also joined as in "FFN1 & FFN2", or
        patterns such as "encoder.*.linear1" and "*.in_proj_weight.q".

    Returns
    -------
    list of Target
        Each one once, in the model's order.

    Raises
    ------
    ValueError
        If a name matches nothing that can be expanded.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> [target.name for target in resolve(model, ["2"])]
    ['2']
    """
    targets, groups = find_targets(model), find_groups(model)
    names = {target.name for target in targets}
    chosen: set[Target] = set()
    for name in split_names(modules):
        # A layer's name stands for itself, whatever characters it holds.
        itself = _escaped(name) if name in names else name
        patterns = groups.get(name, [itself])
        matched = [target for target in targets if target.matches(patterns)]
        if not matched:
            raise ValueError(_no_match(model, name, targets, groups))
        chosen.update(matched)
    return [target for target in targets if target in chosen]


def refuse_unsuitable(
    model: nn.Module, targets: Sequence[Target], config: HRFConfig
) -> None:
    """Raises if a model, or one of its targets, must not be expanded.

    Arguments
    ---------
    model : torch.nn.Module
    targets : sequence of Target
        Weights of it.
    config : HRFConfig

    Raises
    ------
    ValueError
        Naming the layer, the reason and the fix.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(2, 2).requires_grad_(False))
    >>> refuse_unsuitable(model, find_targets(model), HRFConfig())
    Traceback (most recent call last):
        ...
    ValueError: HRF cannot expand '0': it is frozen ...
    """
    uses = Counter(
        id(parameter)
        for _, parameter in model.named_parameters(remove_duplicate=False)
    )
    for target in targets:
        module = model.get_submodule(target.path)
        parent = model.get_submodule(target.path.rpartition(".")[0])
        refusal = _why_not_expanded(target, module, parent, uses)
        if refusal is not None:
            raise ValueError(f"HRF cannot expand {target.name!r}: {refusal}")
        refusal = _why_not_normalised(target, module)
        if config.inner_norm and refusal is not None:
            raise ValueError(
                f"HRF cannot normalise the extra layers of {target.name!r}: "
                f"{refusal}. Leave it out, or set inner_norm to False."
            )


def refuse_wrappers(model: nn.Module) -> None:
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
    >>> refuse_wrappers(nn.DataParallel(nn.Linear(2, 2)))
    Traceback (most recent call last):
        ...
    ValueError: The model is wrapped in DataParallel, ...
    """
    for path, module in model.named_modules():
        where, wrapper = path or "The model", type(module).__name__
        if wrapper in WRAPPERS:
            raise ValueError(
                f"{where} is wrapped in {wrapper}, which has already seen the "
                "plain layers: apply HRF before wrapping or compiling."
            )
        if module._compiled_call_impl is not None:
            raise ValueError(
                f"{where} is compiled: apply HRF before compiling."
            )


def _escaped(path: str) -> str:
    """A name as a pattern that matches nothing else."""
    return re.sub(r"([*?[])", r"[\1]", path)


def _why_not_expanded(
    target: Target, module: nn.Module, parent: nn.Module, uses: Counter[int]
) -> str | None:
    """Reason and fix."""
    kind = target.kind
    if expanded_in(module) is not None:
        return (
            "it has been expanded already. Apply HRF once, with all its "
            "modules in one list."
        )
    if not target.path and not kind.keeps_layer:
        return (
            "it is the model itself, which cannot be replaced in place. Use "
            "HRFLinear, or put the layer into a container."
        )
    if (
        parametrize.is_parametrized(module)
        or kind.weight_name not in module._parameters
    ):
        return (
            "another parametrization computes its weight. Remove that "
            "parametrization (weight or spectral norm) first."
        )
    own = [
        parameter
        for name in (kind.weight_name, "bias")
        if (parameter := module._parameters.get(name)) is not None
    ]
    if any(uses[id(parameter)] > 1 for parameter in own):
        return (
            "its weights are tied to another layer's. Choose other layers, or "
            "untie them."
        )
    if not all(parameter.requires_grad for parameter in own):
        return (
            "it is frozen (requires_grad is False). Unfreeze it or leave it "
            "out."
        )
    if not kind.keeps_layer and (
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    ):
        return "it has hooks, which would be lost. Remove them first."
    if isinstance(parent, RenormalisedLinear) and parent.max_norm is not None:
        return (
            "SpeechBrain renormalises it in each step "
            f"(max_norm={parent.max_norm}), which a product of factors cannot "
            "follow. Set max_norm to None or leave the layer out."
        )
    return None


def _why_not_normalised(target: Target, module: nn.Module) -> str | None:
    if target.kind.keeps_layer or isinstance(
        module, NonDynamicallyQuantizableLinear
    ):
        return (
            "its weight is read without a call of the layer, so that the "
            "frames to normalise over are unknown"
        )
    if module.bias is None:
        return (
            "it has no bias, and the mean that is taken away would give the "
            "merged layer one"
        )
    return None


def _no_match(
    model: nn.Module,
    name: str,
    targets: Sequence[Target],
    groups: dict[str, list[str]],
) -> str:
    known = [*groups, *(target.name for target in targets)]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known[:3]
    message = (
        f"HRF module {name!r} matches no linear layer of this "
        f"{type(model).__name__}; the nearest are {near}."
    )
    if groups:
        message += f" Its groups are {list(groups)}."
    if any(fnmatchcase(path, name) for path, _ in model.named_modules()):
        message += (
            f" {name!r} is a module, but not a linear layer: "
            f"{name + '.*'!r} names the layers in it."
        )
    return message
