"""deHRF: multiplies the chains back into the layers that they replaced.

Zhang et al., IEEE IoT Journal 2025, Section III. The result has exactly the
names, shapes and parameters of the model that was never expanded.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import re

import torch
from torch import nn

from speechbrain_hrf.nnet.collapse import collapse_exactly
from speechbrain_hrf.nnet.linear import HRFLinear
from speechbrain_hrf.nnet.packed import (
    BLOCKS,
    PACKED_PARAMETER,
    PackedChains,
    pack,
)

_CHAIN_KEY = re.compile(r"^(?P<layer>.*\.|)(?P<kind>factors|biases)\.(\d+)$")
_BLOCK_KEY = re.compile(
    r"^(?P<module>.*\.|)parametrizations\.(?P<parameter>\w+)\.0\."
    r"(?:blocked|per_head_(?P<heads>\d+))\.(?P<block>[qkv])\.weight$"
)


def merged_state_dict(state_dict):
    """The state dict of the plain model that a factorised one is equal to.

    Multiplies in float64, whatever the dtype and whether autocast is on, and
    leaves everything that is not a chain as it is: merging twice changes
    nothing.

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
        If a chain is incomplete, or holds NaN or Inf.

    Example
    -------
    >>> layer = nn.Sequential(HRFLinear(16, 4))
    >>> list(layer.state_dict())
    ['0.factors.0', '0.factors.1', '0.biases.0', '0.biases.1']
    >>> list(merged_state_dict(layer.state_dict()))
    ['0.weight', '0.bias']
    """
    chains = {}
    for key, tensor in state_dict.items():
        match = _CHAIN_KEY.match(key)
        if match:
            parts = chains.setdefault(match["layer"], ({}, {}))
            parts[match["kind"] == "biases"][int(match[3])] = tensor
    merged = {}
    for key, tensor in state_dict.items():
        match = _CHAIN_KEY.match(key)
        if match is None:
            merged[key] = tensor
        elif match["layer"] in chains:
            weight, bias = _merged_chain(
                match["layer"], *chains.pop(match["layer"])
            )
            merged[match["layer"] + "weight"] = weight
            if bias is not None:
                merged[match["layer"] + "bias"] = bias
    return _packed(merged)


def merge_hrf(model):
    """A copy of a model with all chains merged; the model stays as it is.

    Each merged layer is checked against its chain on random input.

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
        If a chain holds NaN or Inf, or a merged layer is not equal to its
        chain.

    Example
    -------
    >>> model = nn.Sequential(HRFLinear(16, 4), nn.ReLU())
    >>> merge_hrf(model)
    Sequential(
      (0): Linear(in_features=16, out_features=4, bias=True)
      (1): ReLU()
    )
    """
    merged = copy.deepcopy(model)
    if isinstance(merged, HRFLinear):
        return _plain_linear("the model", merged)
    for path, module in list(merged.named_modules()):
        if isinstance(module, HRFLinear):
            parent, _, name = path.rpartition(".")
            plain = _plain_linear(path, module)
            setattr(merged.get_submodule(parent), name, plain)
        elif isinstance(chains := _packed_chains(module), PackedChains):
            _unparametrize(path, module, chains)
    return merged


def _merged_chain(layer, factors, biases):
    name = layer.rstrip(".") or "the chain"
    n = max(factors, default=-1) + 1
    if sorted(factors) != list(range(n)) or n < 2:
        raise ValueError(
            f"The chain of {name!r} has the factors {sorted(factors)}: some "
            "are missing. Is the checkpoint complete, and of an HRF model?"
        )
    for kind, parts in (("factor", factors), ("bias", biases)):
        for k, tensor in parts.items():
            if not torch.isfinite(tensor).all():
                raise ValueError(
                    f"{kind.capitalize()} {k} of {name!r} holds NaN or Inf: "
                    "training has diverged. Merge an earlier checkpoint, or "
                    "train again with a lower learning rate."
                )
    device = factors[0].device
    # On the CPU, since not every device has float64.
    weight, bias = collapse_exactly(
        [factors[k].detach().cpu() for k in range(n)],
        [biases[k].detach().cpu() if k in biases else None for k in range(n)],
    )
    return weight.to(device), None if bias is None else bias.to(device)


def _packed(state_dict):
    blocks = {}
    for key, tensor in state_dict.items():
        match = _BLOCK_KEY.match(key)
        if match:
            name = match["module"] + match["parameter"]
            blocks.setdefault(name, {})[match["block"]] = tensor
    packed = {}
    for key, tensor in state_dict.items():
        match = _BLOCK_KEY.match(key)
        if match is None:
            packed[key] = tensor
            continue
        name = match["module"] + match["parameter"]
        if name not in packed:
            missing = [b for b in BLOCKS if b not in blocks[name]]
            if missing:
                raise ValueError(
                    f"The packed weight {name!r} lacks the blocks {missing}: "
                    "is the checkpoint complete?"
                )
            packed[name] = pack(
                [blocks[name][b] for b in BLOCKS], int(match["heads"] or 0)
            )
    return packed


def _chain_parts(chain):
    factors = dict(enumerate(chain.factors))
    biases = {
        k: bias for k, bias in enumerate(chain.bias_list()) if bias is not None
    }
    return factors, biases


def _plain_linear(path, layer):
    weight, bias = _merged_chain(path, *_chain_parts(layer))
    # skip_init: drawing weights to throw away would move the random state
    # of the training that goes on afterwards.
    plain = nn.utils.skip_init(
        layer.plain_class,
        layer.in_features,
        layer.out_features,
        bias=bias is not None,
        device=weight.device,
        dtype=weight.dtype,
    )
    with torch.no_grad():
        plain.weight.copy_(weight)
        if bias is not None:
            plain.bias.copy_(bias)
    _check_equal(path, layer, weight, bias)
    return plain.train(layer.training)


def _check_equal(path, chain, weight, bias):
    epsilon = torch.finfo(weight.dtype).eps
    x = torch.randn(
        16,
        weight.shape[1],
        dtype=torch.float64,
        generator=torch.Generator().manual_seed(0),
    )
    expected = x
    for factor, inner in zip(chain.factors, chain.bias_list(), strict=True):
        expected = nn.functional.linear(expected, _exact(factor), _exact(inner))
    weight = _exact(weight)
    difference = nn.functional.linear(x, weight, _exact(bias)) - expected
    # Rounding the merged weight to its dtype is the only error there is.
    scale = (x.abs() @ weight.abs().T).max() + expected.abs().max()
    if difference.abs().max() > 4 * epsilon * scale:
        raise ValueError(
            f"Merging {path!r} changes its output by "
            f"{float(difference.abs().max()):.1e}: the merged layer is not "
            "equal to its chain."
        )


def _exact(tensor):
    return None if tensor is None else tensor.detach().cpu().double()


def _packed_chains(module):
    parametrizations = getattr(module, "parametrizations", {})
    if PACKED_PARAMETER in parametrizations:
        return parametrizations[PACKED_PARAMETER][0]
    return None


def _unparametrize(path, module, chains):
    blocks = []
    for name, part in getattr(chains, chains.layout).named_children():
        if name in chains.chosen:
            where = f"{path}.{PACKED_PARAMETER}.{name}".lstrip(".")
            weight, _ = _merged_chain(where, *_chain_parts(part))
            _check_equal(where, part, weight, None)
        else:
            weight = part.weight.detach()
        blocks.append(weight)
    # parametrize.remove_parametrizations would take the property off a class
    # that this copy shares with the original, so the copy gets its class back
    # instead (github.com/pytorch/pytorch/issues/69855 is about the sharing).
    module.__class__ = type(module).__mro__[1]
    del module._modules["parametrizations"]
    module.register_parameter(
        PACKED_PARAMETER, nn.Parameter(pack(blocks, chains.n_heads))
    )
