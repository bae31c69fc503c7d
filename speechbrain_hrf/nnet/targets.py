"""From the names a user writes to the weights that HRF expands.

The paper's row names are looked up in the groups that the lobes publish;
anything else is a pattern over the names of layers and packed parameters.

Authors
 * The speechbrain_hrf authors 2026
"""

import difflib
from fnmatch import fnmatchcase
from typing import NamedTuple

from torch import nn
from torch.nn.utils import parametrize

from speechbrain_hrf.nnet.chain import Chain
from speechbrain_hrf.nnet.names import escaped, find_groups, split_names
from speechbrain_hrf.nnet.packed import (
    BLOCKS,
    PACKED_PARAMETER,
    PackedChains,
    heads_of,
)


class Target(NamedTuple):
    """A weight that can be expanded.

    Arguments
    ---------
    name : str
        What patterns match.
    path : str
        Of the module that holds it.
    block : str or None
        "q", "k" or "v" of a packed weight.

    Example
    -------
    >>> Target("encoder.in_proj_weight.q", "encoder", "q").block
    'q'
    """

    name: str
    path: str
    block: str | None


def find_targets(model):
    """Every weight of a model that HRF can expand.

    Arguments
    ---------
    model : torch.nn.Module

    Returns
    -------
    dict of str: Target
        In the model's order.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.MultiheadAttention(4, 2))
    >>> for name in find_targets(model):
    ...     print(name)
    0
    1.in_proj_weight.q
    1.in_proj_weight.k
    1.in_proj_weight.v
    1.out_proj
    """
    targets = {}
    for path, module in model.named_modules():
        if is_plain_linear(module):
            targets[path] = Target(path, path, None)
        elif heads_of(module) is not None:
            stem = f"{path}.{PACKED_PARAMETER}".lstrip(".")
            for block in BLOCKS:
                name = f"{stem}.{block}"
                targets[name] = Target(name, path, block)
    return targets


def is_plain_linear(module):
    """Whether a module is ``y = x W' + b`` and nothing else.

    A subclass may do more in its ``forward``, which HRF would drop; the one of
    ``nn.MultiheadAttention`` is known not to.

    Arguments
    ---------
    module : torch.nn.Module

    Returns
    -------
    bool

    Example
    -------
    >>> is_plain_linear(nn.Linear(2, 3)), is_plain_linear(nn.Conv1d(2, 3, 1))
    (True, False)
    """
    kind = type(module)
    if parametrize.is_parametrized(module):
        # The injected subclass; found here so that apply_hrf can refuse it
        # by name instead of not seeing it.
        kind = kind.__mro__[1]
    return kind in (
        nn.Linear,
        nn.modules.linear.NonDynamicallyQuantizableLinear,
    )


def resolve(model, modules):
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
        If a name matches nothing that can be factorised.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> [target.name for target in resolve(model, ["2"])]
    ['2']
    """
    targets, groups = find_targets(model), find_groups(model)
    expanded = find_expanded(model)
    chosen = set()
    for name in split_names(modules):
        # A layer's name stands for itself, whatever characters it holds.
        written_out = name in targets or name in expanded
        patterns = groups.get(name, [escaped(name) if written_out else name])
        again = [path for path in expanded if _matches(path, patterns)]
        if again:
            raise ValueError(
                f"HRF module {name!r} stands for {again[0]!r}, which has been "
                "expanded already: apply HRF once, with all its modules in "
                "one list."
            )
        matched = [path for path in targets if _matches(path, patterns)]
        if not matched:
            raise ValueError(_no_match(model, name, targets, groups))
        chosen.update(matched)
    return [target for name, target in targets.items() if name in chosen]


def find_expanded(model):
    """Names of the weights that HRF has expanded, as patterns match them.

    Arguments
    ---------
    model : torch.nn.Module

    Returns
    -------
    list of str

    Example
    -------
    >>> from speechbrain_hrf import apply_hrf
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    >>> report = apply_hrf(model, ["1"])
    >>> find_expanded(model)
    ['1']
    """
    found = []
    for path, module in model.named_modules():
        if isinstance(module, PackedChains):
            owner = path.partition("parametrizations.")[0]
            stem = f"{owner}{PACKED_PARAMETER}"
            found += [f"{stem}.{block}" for block in module.chosen]
        elif isinstance(module, Chain) and "parametrizations." not in path:
            found.append(path)
    return found


def _matches(name, patterns):
    # "*.in_proj_weight" stands for its three blocks.
    stem, _, block = name.rpartition(".")
    names = [name]
    if block in BLOCKS and stem.endswith(PACKED_PARAMETER):
        names.append(stem)
    return any(
        fnmatchcase(text, pattern) for text in names for pattern in patterns
    )


def _no_match(model, name, targets, groups):
    known = list(groups) + list(targets)
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
