"""deHRF: multiplies the chains back into the layers that they replaced.

Zhang et al., IEEE IoT Journal 2025, Section III. The result has exactly the
names, shapes and parameters of the model that was never expanded.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping

import torch
from torch import nn

from speechbrain_hrf.nnet.algebra import Norm, merge_chain
from speechbrain_hrf.nnet.computed import unwatch
from speechbrain_hrf.nnet.kinds import expanded_in
from speechbrain_hrf.nnet.kinds.expanded import transpose_back
from speechbrain_hrf.nnet.kinds.packed import BLOCKS, PACKED_PARAMETER, pack

State = Mapping[str, torch.Tensor]
# Keys of a state dict that a chain has: its parts, and the packed block it is of.
_CHAIN_KEY = re.compile(
    r"^(?P<of>.*\.|)hrf_(?P<part>(?:factors|biases)\.\d+"
    r"|norms\.\d+\.(?:scale|mean|variance)|transposed)$"
)
_BLOCK_KEY = re.compile(
    rf"^(?P<of>.*\.|)parametrizations\.{PACKED_PARAMETER}\.0\."
    r"(?P<part>(?:blocked|per_head_\d+)\.[qkv])\.weight$"
)


def merged_state_dict(state_dict: State) -> dict[str, torch.Tensor]:
    """The state dict of the plain model that a factorised one is equal to.

    Multiplies in float64, whatever the dtype and whether autocast is on,
    checks each product against its chain on random input, and leaves
    everything that is not a chain as it is: merging twice changes nothing.

    Arguments
    ---------
    state_dict : mapping of str: torch.Tensor
        Factorised or not; it is not changed.

    Returns
    -------
    dict of str: torch.Tensor
        Loads strictly into the model that HRF was never applied to.

    Raises
    ------
    ValueError
        If a chain is incomplete, holds NaN or Inf, or is not equal to its
        product.

    Example
    -------
    >>> from speechbrain_hrf import HRFLinear
    >>> layer = nn.Sequential(HRFLinear(16, 4))
    >>> list(layer.state_dict())
    ['0.hrf_factors.0', '0.hrf_factors.1', '0.hrf_biases.0', '0.hrf_biases.1']
    >>> list(merged_state_dict(layer.state_dict()))
    ['0.weight', '0.bias']
    """
    merged = _replaced(state_dict, _CHAIN_KEY, _merge_chain)
    merged = _replaced(merged, _BLOCK_KEY, _merge_blocks)
    if hasattr(state_dict, "_metadata"):
        # Versions of modules, which PyTorch reads when it loads old ones.
        # Only state dicts have it: no type says so.
        merged._metadata = state_dict._metadata  # type: ignore[attr-defined]
    return merged


def weight_matrices(state_dict: State) -> dict[str, torch.Tensor]:
    """The merged weights that are matrices.

    Arguments
    ---------
    state_dict : dict of str: torch.Tensor
        Of a plain or a factorised model.

    Returns
    -------
    dict of str: torch.Tensor

    Example
    -------
    >>> list(weight_matrices(torch.nn.Linear(2, 3).state_dict()))
    ['weight']
    """
    return {
        name: value
        for name, value in merged_state_dict(state_dict).items()
        if name.endswith("weight") and value.dim() == 2
    }


def merge_hrf(model: nn.Module) -> nn.Module:
    """A copy of a model with all chains merged; the model stays as it is.

    Each merged layer is checked against its chain on random input. A layer
    that stands in several places stays one layer, and forward hooks stay.

    Arguments
    ---------
    model : torch.nn.Module
        Expanded by ``apply_hrf``; without any chain, it is just copied.

    Returns
    -------
    torch.nn.Module
        Same class, mode, device and dtype; plain layers.

    Raises
    ------
    ValueError
        If a chain holds NaN or Inf, a merged layer is not equal to its chain,
        or a parametrization was added on top of a packed weight's.

    Example
    -------
    >>> from speechbrain_hrf import HRFLinear
    >>> model = nn.Sequential(HRFLinear(16, 4), nn.ReLU())
    >>> merge_hrf(model)
    Sequential(
      (0): Linear(in_features=16, out_features=4, bias=True)
      (1): ReLU()
    )
    """
    merged = copy_model(model)
    for path, module in list(merged.named_modules()):
        unwatch(module)
        expanded = expanded_in(module)
        if expanded is not None:
            expanded.to_plain(path, module)
    return merged


def copy_model(model: nn.Module) -> nn.Module:
    """A copy of a model, also of one that holds what it has computed.

    Such as weight_norm's weight, or what a decoder keeps of its last call: that
    can be copied without its graph alone.

    Arguments
    ---------
    model : torch.nn.Module

    Returns
    -------
    torch.nn.Module

    Example
    -------
    >>> model = nn.Linear(2, 2)
    >>> model.last = model(torch.ones(1, 2))
    >>> torch.equal(copy_model(model).last, model.last)
    True
    """
    computed = {
        id(value): value.detach().clone()
        for module in model.modules()
        for value in vars(module).values()
        if isinstance(value, torch.Tensor) and not value.is_leaf
    }
    return copy.deepcopy(model, computed)


def _replaced(
    state: State,
    pattern: re.Pattern[str],
    merge: Callable[[str, State], State],
) -> OrderedDict[str, torch.Tensor]:
    """Puts what each group of keys merges into where its layer begins.

    That is the plain model's order, in which some count parameters through.
    """
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in state.items():
        if match := pattern.match(key):
            groups.setdefault(match["of"], {})[match["part"]] = tensor
    # Made without its types, which it would take along into checkpoints.
    replaced: OrderedDict[str, torch.Tensor] = OrderedDict()
    for key, tensor in state.items():
        for of in [of for of in groups if key.startswith(of)]:
            for name, merged in merge(of.rstrip("."), groups.pop(of)).items():
                replaced[of + name] = merged
        if not pattern.match(key):
            replaced[key] = tensor
    return replaced


def _merge_chain(name: str, parts: State) -> State:
    name = name or "the chain"
    n = sum(part.startswith("factors.") for part in parts)
    factors = [f"factors.{k}" for k in range(n)]
    norms: list[list[str]] = []
    if any(part.startswith("norms.") for part in parts):
        norms = [
            [f"norms.{k}.{field}" for field in Norm._fields]
            for k in range(max(n - 1, 1))
        ]
    biases = [part for part in parts if part.startswith("biases.")]
    found = parts.keys() - {*biases, "transposed"}
    # A layer with a bias has one at its last factor.
    last = max((int(part.rpartition(".")[2]) for part in biases), default=n - 1)
    # One factor alone is a chain if it is normalised.
    if (
        found != {*factors, *sum(norms, [])}
        or n < (1 if norms else 2)
        or last != n - 1
    ):
        raise ValueError(
            f"The chain of {name!r} has {sorted([*found, *biases])}: some "
            "parts are missing. Is the checkpoint complete, and of an HRF "
            "model?"
        )
    merged = merge_chain(
        name,
        [parts[key] for key in factors],
        [parts.get(f"biases.{k}") for k in range(n)],
        [Norm(*(parts[key] for key in norm)) for norm in norms],
    )
    return transpose_back(merged) if "transposed" in parts else merged


def _merge_blocks(name: str, parts: State) -> State:
    layout = next(iter(parts)).partition(".")[0]
    missing = [b for b in BLOCKS if f"{layout}.{b}" not in parts]
    if missing:
        where = f"{name}.{PACKED_PARAMETER}".lstrip(".")
        raise ValueError(
            f"The packed weight {where!r} lacks the blocks {missing}: is the "
            "checkpoint complete?"
        )
    n_heads = 0 if layout == "blocked" else int(layout.rpartition("_")[2])
    blocks = [parts[f"{layout}.{block}"] for block in BLOCKS]
    return {PACKED_PARAMETER: pack(blocks, n_heads)}
