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

from torch.nn.utils import parametrize

from speechbrain_hrf.nnet.chain import check_options
from speechbrain_hrf.nnet.linear import HRFLinear
from speechbrain_hrf.nnet.packed import (
    PACKED_PARAMETER,
    PackedChains,
    heads_of,
)
from speechbrain_hrf.nnet.refusals import (
    refuse_inner_norm,
    refuse_unsuitable,
    refuse_wrappers,
)
from speechbrain_hrf.nnet.report import (
    Expansion,
    HRFReport,
    count_parameters,
)
from speechbrain_hrf.nnet.targets import resolve


def apply_hrf(
    model,
    modules,
    ratio=8,
    layers=1,
    width_of="out",
    init="default",
    inner_bias=True,
    chained=None,
    inner_norm=False,
):
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
    ratio : float
        Expansion ratio r >= 1: the hidden layers are r * n (or r * m) wide.
    layers : int
        Extra layers, at least 1; with inner_norm also 0: the layer is
        normalised, as by a BatchNorm behind it, and nothing is wider.
    width_of : str
        "out": hidden width r * n, the paper's; "in": r * m.
    init : str
        "default" (the paper's), "scaled" (variance of a plain layer) or
        "preserve" (the value of the layer that is replaced).
    inner_bias : bool
        Whether the extra layers have biases.
    chained : bool, optional
        How a layer is computed in training; the result is the same. False:
        as one layer of the collapsed weight. True: frames pass the whole
        chain, in evaluation too. Default: what is faster on the device, see
        ``HRFLinear``. Packed weights are always collapsed.
    inner_norm : bool
        Normalise the extra layers over the batch, as BatchNorm does; merges
        all the same. Not the paper's, see ``inner_norm``.

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
    >>> from torch import nn
    >>> model = nn.TransformerEncoderLayer(16, 4, 32)
    >>> report = apply_hrf(model, ["linear1", "*.in_proj_weight.q"], ratio=2)
    >>> [layer.name for layer in report.expansions]
    ['self_attn.in_proj_weight.q', 'linear1']
    """
    check_options(ratio, layers, width_of, init, inner_norm, chained)
    refuse_wrappers(model)
    targets = resolve(model, modules)
    for target in targets:
        refuse_unsuitable(model, target)
        if inner_norm:
            refuse_inner_norm(model, target)
    options = {
        "ratio": ratio,
        "layers": layers,
        "width_of": width_of,
        "init": init,
        "inner_bias": inner_bias,
        "inner_norm": inner_norm,
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
                # Inner biases would give a layer without a bias one.
                **{
                    **options,
                    "inner_bias": inner_bias and linear.bias is not None,
                },
            )
            replacements.append((target.path, chain))
            before_here = count_parameters(linear)
            expansions.append(_expansion(target.name, before_here, chain))
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
            chain = chains.blocks[block]
            before_here = chain.factors[0].shape[1] * chain.factors[-1].shape[0]
            name = f"{stem}.{block}"
            expansions.append(_expansion(name, before_here, chain))
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


def _expansion(name, before, chain):
    shapes = tuple(tuple(factor.shape) for factor in chain.factors)
    shape = (shapes[0][1], shapes[-1][0])
    return Expansion(name, shape, shapes, before, count_parameters(chain))
