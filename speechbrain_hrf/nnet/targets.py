"""From the names a user writes to the weights that HRF expands.

The paper's row names are looked up in the groups that the lobes publish, as
``hrf_groups``: a dict of group to patterns over a lobe's own layers. Anything
else is a pattern over the names of layers and packed parameters.

Authors
 * The speechbrain_hrf authors 2026
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from torch import nn

from speechbrain_hrf.nnet.kinds import kind_of, supported
from speechbrain_hrf.nnet.kinds.expanded import Expanded

# The paper never expands the front end, so its ALL leaves it out. ALL holds the
# paper's rows: not Conformer's position projection, nor SpeechFormer's merges.
FRONT = "FRONT"
ALL = "ALL"
Modules = Sequence[str] | str | Mapping[str, float]


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
    >>> from speechbrain_hrf.nnet import HRFLinear
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


def split_names(modules: Modules) -> list[str]:
    """The single names in a list of HRF modules.

    Arguments
    ---------
    modules : list of str, str, or dict of str to float
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
    if not isinstance(entries, list | tuple | Mapping) or not all(
        isinstance(entry, str) for entry in entries
    ):
        raise ValueError(
            f"HRF's modules are {modules!r}: give a list of names such as "
            "[FFN1, QKV], or [] for no HRF, or a dict of names to ratios."
        )
    return [part.strip() for entry in entries for part in entry.split("&")]


class Choice(NamedTuple):
    """A target that was asked for.

    Arguments
    ---------
    target : Target
    ratio : float or None
        Its own, or the one that all have.
    is_named : bool
        Whether by its own name or a group; else by a pattern, which may meet
        layers that cannot be expanded.

    Example
    -------
    >>> from speechbrain_hrf.nnet import HRFLinear
    >>> choice = Choice(Target("0", "0", "", HRFLinear), 2, is_named=True)
    >>> choice.ratio
    2
    """

    target: Target
    ratio: float | None
    is_named: bool


def resolve(
    model: nn.Module, modules: Modules, exclude: Sequence[str] | str = ()
) -> list[Choice]:
    """The targets that a list of group names and patterns stands for.

    Arguments
    ---------
    model : torch.nn.Module
    modules : list of str, or dict of str to float
        Row names of the paper's tables, also joined as in "FFN1 & FFN2", or
        patterns such as "encoder.*.linear1" and "*.in_proj_weight.q"; a dict
        gives each its ratio.
    exclude : list of str
        The same, to be left out.

    Returns
    -------
    list of Choice
        Each target once, in the model's order.

    Raises
    ------
    ValueError
        If a name matches nothing that can be expanded, a target is given two
        ratios, or nothing is left.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> [choice.target.name for choice in resolve(model, ["*"], ["0"])]
    ['2']
    """
    targets, groups = find_targets(model), find_groups(model)
    names = {target.name for target in targets}
    first = {module: path for path, module in model.named_modules()}
    # A layer that stands in several places has several names.
    first_names = {
        path: first[module]
        for path, module in model.named_modules(remove_duplicate=False)
        if first[module] in names and path not in groups
    }

    def matched(name: str) -> tuple[list[Target], bool]:
        name = first_names.get(name, name)
        # A layer's name stands for itself, whatever characters it holds.
        itself = _escaped(name) if name in names else name
        found = [
            target
            for target in targets
            if target.matches(groups.get(name, [itself]))
        ]
        if not found:
            raise ValueError(_no_match(model, name, targets, groups))
        is_pattern = name not in groups and re.search(r"[*?[]", itself)
        return found, itself != name or not is_pattern

    chosen: dict[Target, Choice] = {}
    ratios = modules if isinstance(modules, Mapping) else {}
    for entry in ratios or split_names(modules):
        for name in split_names(entry):
            found, is_named = matched(name)
            for target in found:
                choice = Choice(target, ratios.get(entry), is_named)
                before = chosen.get(target, choice)
                if before.ratio != choice.ratio:
                    raise ValueError(
                        f"HRF's modules give {target.name!r} two ratios, "
                        f"{before.ratio} and {choice.ratio}: give it one, or "
                        "exclude it from a pattern by narrower ones."
                    )
                chosen[target] = choice._replace(
                    is_named=is_named or before.is_named
                )
    asked = bool(chosen)
    for name in split_names(exclude):
        for target in matched(name)[0]:
            chosen.pop(target, None)
    if asked and not chosen:
        raise ValueError(
            f"HRF's modules {modules!r} without {exclude!r} leave no layer to "
            "expand: give an empty list of modules for no HRF."
        )
    return [chosen[target] for target in targets if target in chosen]


def _escaped(path: str) -> str:
    """A name as a pattern that matches nothing else."""
    return re.sub(r"([*?[])", r"[\1]", path)


def _no_match(
    model: nn.Module,
    name: str,
    targets: Sequence[Target],
    groups: dict[str, list[str]],
) -> str:
    met = {
        type(module).__name__
        for path, module in model.named_modules()
        if path and fnmatchcase(path, name)
    }
    message = (
        f"HRF module {name!r} matches no layer of this {type(model).__name__} "
        "that can be expanded"
    )
    if met:
        inside = any(
            target.name.startswith(f"{path}.")
            for path, _ in model.named_modules()
            if path and fnmatchcase(path, name)
            for target in targets
        )
        message += f": what it meets is of type {', '.join(sorted(met))}. "
        if inside:
            message += f"{name + '.*'!r} names the layers in it. "
        message += (
            f"HRF expands {supported()}, not their subclasses, and what "
            "register_kind was told of."
        )
    else:
        known = [*groups, *(target.name for target in targets)]
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        near = near or known[:3]
        message += (
            f"; the nearest are {near}."
            if near
            else (f", nor has it any: HRF expands {supported()}.")
        )
    if groups:
        message += f" Its groups are {list(groups)}."
    return message
