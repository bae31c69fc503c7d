"""From a checkpoint's chains to a model that is expanded in the same way.

A state dict says all that ``apply_hrf`` was told: its keys name the layers, and
the factors' shapes give the widths. Only the initialisation is not in it, and
the checkpoint's parameters replace that.

Authors
 * The speechbrain_hrf authors 2026
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from speechbrain_hrf.nnet.apply import apply_hrf
from speechbrain_hrf.nnet.chain import MOST, Chain
from speechbrain_hrf.nnet.kinds import expanded_in
from speechbrain_hrf.nnet.kinds.packed import PACKED_PARAMETER
from speechbrain_hrf.nnet.targets import Target, find_targets

_FIRST_FACTOR = "hrf_factors.0"


def is_factorised(keys: Iterable[str]) -> bool:
    """Whether a state dict has chains.

    Arguments
    ---------
    keys : iterable of str
        Of the state dict.

    Returns
    -------
    bool

    Example
    -------
    >>> is_factorised(nn.Linear(2, 1).state_dict())
    False
    """
    return any(key.endswith(_FIRST_FACTOR) for key in keys)


def expand_as(model: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Expands a plain model in the layers in which a state dict is.

    Arguments
    ---------
    model : torch.nn.Module
        Plain. Its parameters are new ones afterwards: load the state dict.
    state : dict
        Tensor by name; of a plain model, nothing happens.

    Raises
    ------
    ValueError
        A layer of it cannot be expanded.

    Example
    -------
    >>> trained, model = (nn.Sequential(nn.Linear(16, 4)) for _ in range(2))
    >>> report = apply_hrf(trained, ["0"], ratio=3, layers=2)
    >>> expand_as(model, trained.state_dict())
    >>> model[0]
    HRFLinear(16 -> 12 -> 12 -> 4)
    """
    names = {target.name for target in find_targets(model)}
    # Options that all layers of a call have, to the ratio of each.
    calls: dict[tuple[tuple[str, Any], ...], dict[str, float]] = {}
    for key in state:
        if not key.endswith(_FIRST_FACTOR):
            continue
        chain = key.removesuffix(_FIRST_FACTOR)
        name = _name_layer(chain)
        # A layer that stands in two places is expanded once.
        if name in names:
            ratio, options = _read_options(chain, state)
            calls.setdefault(tuple(options.items()), {})[name] = ratio
    for common, ratios in calls.items():
        apply_hrf(model, ratios, **dict(common))
    own = model.state_dict()
    for key in state:
        if key.endswith(_FIRST_FACTOR) and key not in own:
            raise ValueError(
                f"{_name_layer(key.removesuffix(_FIRST_FACTOR))!r} was "
                "expanded in training, but here it is no layer that HRF can "
                "expand. Of a layer of one's own, call register_kind in the "
                "module that defines its class, so that it is known wherever "
                "the class is."
            )


def describe_expansion(model: nn.Module) -> dict[str, Any]:
    """How a model is expanded, in the words of ``apply_hrf``.

    Arguments
    ---------
    model : torch.nn.Module

    Returns
    -------
    dict
        modules, ratio and layers, and inner_norm if it is True; where layers
        differ, a list. Empty if nothing is expanded. A ratio is that of the
        hidden width to the outputs.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU())
    >>> report = apply_hrf(model, ["0", "1"], ratio=4)
    >>> describe_expansion(model)
    {'modules': ['*'], 'ratio': '4', 'layers': '1'}
    """
    targets, chains = find_targets(model), dict[str, Chain]()
    for target in targets:
        expanded = expanded_in(model.get_submodule(target.path))
        if expanded is not None and target.part in expanded.chains:
            chains[target.name] = expanded.chains[target.part]
    if not chains:
        return {}
    hidden = [chain.factors[:-1] for chain in chains.values()]
    ratios = {
        factors[0].shape[0] / chain.factors[-1].shape[0]
        for factors, chain in zip(hidden, chains.values(), strict=True)
        if factors
    }
    found = {
        "modules": _as_patterns(chains, targets),
        "ratio": _list_values(ratios),  # of no hidden layer there is none
        "layers": _list_values({len(factors) for factors in hidden}),
        "inner_norm": any(chain.norms for chain in chains.values()),
    }
    return {key: value for key, value in found.items() if value}


def _name_layer(chain: str) -> str:
    # The keys of a packed weight's chain carry the parametrization as well.
    return re.sub(
        rf"\bparametrizations\.{PACKED_PARAMETER}\.0\.[^.]+",
        PACKED_PARAMETER,
        chain.rstrip("."),
    )


def _read_options(
    chain: str, state: Mapping[str, torch.Tensor]
) -> tuple[float, dict[str, Any]]:
    prefix = f"{chain}hrf_factors."
    # By number: as text, the tenth would stand before the second.
    numbers = sorted(
        int(key.removeprefix(prefix)) for key in state if key.startswith(prefix)
    )
    # The first factor of a convolution has its kernel as well.
    first, *others = [state[f"{prefix}{number}"] for number in numbers]
    inputs, hidden, layers = first[0].numel(), first.shape[0], len(others)
    outputs = others[-1].shape[0] if others else hidden
    by_outputs = outputs <= hidden <= MOST * outputs
    return hidden / (outputs if by_outputs else inputs), {
        "layers": layers,
        "width_of": "out" if by_outputs else "in",
        "inner_bias": any(
            f"{chain}hrf_biases.{k}" in state for k in range(layers)
        ),
        "inner_norm": f"{chain}hrf_norms.0.scale" in state,
    }


def _as_patterns(names: Iterable[str], targets: Iterable[Target]) -> list[str]:
    """Names, those of layers that are numbered through as one pattern."""
    names, patterns = set(names), dict[str, None]()
    for target in targets:
        if target.name not in names:
            continue
        pattern = re.sub(r"(?<![^.])\d+(?![^.])", "*", target.name)
        met = {each.name for each in targets if each.matches([pattern])}
        patterns[pattern if met <= names else target.name] = None
    return list(patterns)


def _list_values(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(values))
