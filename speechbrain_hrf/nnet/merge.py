"""deHRF: multiplies the chains back into the layers that they replaced.

Zhang et al., IEEE IoT Journal 2025, Section III. The result has exactly the
names, shapes and parameters of the model that was never expanded.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import re
from collections import OrderedDict

import torch
from torch import nn

from speechbrain_hrf.nnet.algebra import merge_chain
from speechbrain_hrf.nnet.linear import HRFLinear
from speechbrain_hrf.nnet.packed import (
    BLOCKS,
    PACKED_PARAMETER,
    PackedChains,
    pack,
)

_CHAIN_KEY = re.compile(
    r"^(?P<layer>.*\.|)hrf_(?:(?P<kind>factors|biases)\.(?P<k>\d+)"
    r"|norms\.(?P<n>\d+)\.(?P<part>scale|mean|variance))$"
)
_BLOCK_KEY = re.compile(
    r"^(?P<module>.*\.|)parametrizations\.(?P<parameter>\w+)\.0\."
    r"(?:blocked|per_head_(?P<heads>\d+))\.(?P<block>[qkv])\.weight$"
)


def merged_state_dict(state_dict):
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
    >>> layer = nn.Sequential(HRFLinear(16, 4))
    >>> list(layer.state_dict())
    ['0.hrf_factors.0', '0.hrf_factors.1', '0.hrf_biases.0', '0.hrf_biases.1']
    >>> list(merged_state_dict(layer.state_dict()))
    ['0.weight', '0.bias']
    """
    chains = {}
    for key, tensor in state_dict.items():
        match = _CHAIN_KEY.match(key)
        if match:
            factors, biases, norms = chains.setdefault(
                match["layer"], ({}, {}, {})
            )
            if match["kind"] == "factors":
                factors[int(match["k"])] = tensor
            elif match["kind"] == "biases":
                biases[int(match["k"])] = tensor
            else:
                norms.setdefault(int(match["n"]), {})[match["part"]] = tensor
    merged = OrderedDict()
    for key, tensor in state_dict.items():
        match = _CHAIN_KEY.match(key)
        if match is None:
            merged[key] = tensor
        elif match["layer"] in chains:
            weight, bias = merge_chain(
                match["layer"].rstrip("."), *chains.pop(match["layer"])
            )
            merged[match["layer"] + "weight"] = weight
            if bias is not None:
                merged[match["layer"] + "bias"] = bias
    merged = _packed(merged)
    if hasattr(state_dict, "_metadata"):
        # Versions of modules, which PyTorch reads when it loads old ones.
        merged._metadata = state_dict._metadata
    return merged


def weight_matrices(state_dict):
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


def merge_hrf(model):
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
    plain = {}
    for path, module in list(merged.named_modules(remove_duplicate=False)):
        if isinstance(module, HRFLinear):
            if id(module) not in plain:
                plain[id(module)] = _plain_linear(path, module)
            parent, _, name = path.rpartition(".")
            setattr(merged.get_submodule(parent), name, plain[id(module)])
        elif _packed_chains(module) is not None:
            _unparametrize(path, module)
    return merged


def _packed(state_dict):
    blocks = {}
    for key, tensor in state_dict.items():
        match = _BLOCK_KEY.match(key)
        if match:
            name = match["module"] + match["parameter"]
            blocks.setdefault(name, {})[match["block"]] = tensor
    packed = OrderedDict()
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


def _merged(name, chain):
    biases = {k: b for k, b in enumerate(chain.biases) if b is not None}
    norms = {k: norm.state_dict() for k, norm in enumerate(chain.norms)}
    weight, bias = merge_chain(
        name, dict(enumerate(chain.factors)), biases, norms
    )
    learns = any(parameter.requires_grad for parameter in chain.parameters())
    return weight, bias, learns


def _plain_linear(path, layer):
    weight, bias, learns = _merged(path, layer)
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
    plain._forward_hooks = layer._forward_hooks
    plain._forward_pre_hooks = layer._forward_pre_hooks
    return plain.requires_grad_(learns).train(layer.training)


def _packed_chains(module):
    parametrizations = getattr(module, "parametrizations", {})
    if PACKED_PARAMETER in parametrizations and isinstance(
        parametrizations[PACKED_PARAMETER][0], PackedChains
    ):
        return parametrizations[PACKED_PARAMETER][0]
    return None


def _unparametrize(path, module):
    where = f"{path}.{PACKED_PARAMETER}".lstrip(".")
    count = sum(len(chain) for chain in module.parametrizations.values())
    if count > 1:
        raise ValueError(
            f"{where!r} cannot be merged: another parametrization was added "
            f"to its module after HRF. Remove it first."
        )
    chains = _packed_chains(module)
    blocks, learn = [], []
    for name, part in chains.blocks.items():
        if name in chains.chosen:
            weight, _, learns = _merged(f"{where}.{name}", part)
        else:
            weight, learns = part.weight.detach(), part.weight.requires_grad
        blocks.append(weight)
        learn.append(learns)
    # parametrize.remove_parametrizations would take the property off a class
    # that this copy shares with the original, so the copy gets its class back
    # instead.
    module.__class__ = type(module).__mro__[1]
    del module._modules["parametrizations"]
    module.register_parameter(
        PACKED_PARAMETER,
        nn.Parameter(pack(blocks, chains.n_heads), requires_grad=any(learn)),
    )
