"""The three light models, as what the C sources are written for.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from speechbrain_hrf.export.c.text import Array
from speechbrain_hrf.lobes.models.activation import SquaredReLU
from speechbrain_hrf.lobes.models.classifier import ClassifierHead
from speechbrain_hrf.lobes.models.conformer import Conformer
from speechbrain_hrf.lobes.models.convtransformer import ConvTransformer
from speechbrain_hrf.lobes.models.frontend import count_positions
from speechbrain_hrf.lobes.models.positions import sinusoids
from speechbrain_hrf.lobes.models.speechformer import SpeechFormer

# Name and value in C, by class.
ACTIVATIONS: dict[type[nn.Module], tuple[str, str]] = {
    nn.ReLU: ("relu", "x > 0.0f ? x : 0.0f"),
    nn.SiLU: ("swish", "x / (1.0f + expf(-x))"),
    nn.GELU: ("gelu", "0.5f * x * (1.0f + erff(x * 0.70710678f))"),
    SquaredReLU: ("squared_relu", "x > 0.0f ? x * x : 0.0f"),
}


class Layer(NamedTuple):
    """Rows of weights, and what is added to their products.

    Arguments
    ---------
    weight : numpy.ndarray
        [outputs, inputs], in the order in which C reads what goes in.
    bias : numpy.ndarray
        [outputs]

    Example
    -------
    >>> Layer(np.zeros((2, 3)), np.zeros(2)).weight.shape
    (2, 3)
    """

    weight: Array
    bias: Array


class Norm(NamedTuple):
    """A LayerNorm.

    Arguments
    ---------
    weight, bias : numpy.ndarray
        [width]
    epsilon : float

    Example
    -------
    >>> Norm(np.ones(2), np.zeros(2), 1e-5).epsilon
    1e-05
    """

    weight: Array
    bias: Array
    epsilon: float


@dataclass
class Description:
    """A model, as its C is made of it.

    Arguments
    ---------
    sources : list of str
        Which files of ``sources`` it needs, between the features and the
        interface.
    sizes : dict
        Numbers by their names in capitals.
    activations : dict
        Of the feed-forward networks and of the head, by their names in C.
    layers : dict
        Layer, Norm, or a list with one for each block, by name.
    tables : dict
        Further arrays.

    Example
    -------
    >>> model = SpeechFormer(segment_frames=500).eval()
    >>> found = describe(model, ClassifierHead(16, 4))
    >>> found.sources, found.sizes["RADIUS"], len(found.layers)
    (['attention', 'plain_attention', 'speechformer'], 2, 12)
    """

    sources: list[str]
    sizes: dict[str, int | float]
    activations: dict[str, type[nn.Module]]
    layers: dict[str, Any]
    tables: dict[str, Array] = field(default_factory=dict)


def describe(model: Any, head: Any) -> Description:
    """What C needs of a model and its head.

    Arguments
    ---------
    model, head : torch.nn.Module
        embedding_model and classifier, plain and in evaluation mode.

    Returns
    -------
    Description

    Raises
    ------
    ValueError
        They are none that the C sources are written for.

    Example
    -------
    >>> describe(nn.Identity(), ClassifierHead(16, 4))
    Traceback (most recent call last):
    ...
    ValueError: embedding_model is Identity, but C is written for ...
    """
    kinds: dict[Any, Callable[[Any], Description]] = {
        ConvTransformer: _describe_convtransformer,
        Conformer: _describe_conformer,
        SpeechFormer: _describe_speechformer,
    }
    if type(model) not in kinds:
        names = ", ".join(kind.__name__ for kind in kinds)
        raise ValueError(
            f"embedding_model is {type(model).__name__}, but C is written for "
            f"{names}. Export without --c."
        )
    if type(head) is not ClassifierHead:
        raise ValueError(
            f"classifier is {type(head).__name__}, but C is written for "
            "ClassifierHead. Export without --c."
        )
    if not (model.segment_frames and model.segment_frames >= _FEWEST):
        raise ValueError(
            f"embedding_model has segment_frames={model.segment_frames}, but "
            "memory in C is of a fixed size: train on segments, 500 frames for "
            "5 s. Or export without --c."
        )
    with torch.no_grad():
        found = kinds[type(model)](model)
    head1, head2 = _layer(head.linear1), _layer(head.linear2)
    found.layers.update(head1=head1, head2=head2)
    found.activations["head_activation"] = _activation(head.activation)
    found.sizes["HEAD_HIDDEN"] = len(head1.bias)
    return found


# A window's first and last frames are to be apart, with their derivatives.
_FEWEST = 20


def _describe_convtransformer(model: Any) -> Description:
    blocks = list(model.blocks)
    found = _describe_blocks(model, blocks)
    _add_front_end(found, model)
    found.sources = ["conv_front_end", *_PLAIN, "convtransformer"]
    n_hidden, width = int(found.sizes["MAX_HIDDEN"]), found.sizes["WIDTH"]
    found.sizes["MAX_KEYS"] = n_hidden
    like = torch.empty(0)
    found.tables["positions"] = sinusoids(n_hidden, int(width), like).numpy()
    return found


def _describe_conformer(model: Any) -> Description:
    blocks = list(model.blocks)
    found = _describe_blocks(model, blocks)
    _add_front_end(found, model)
    found.sources = ["conv_front_end", "attention", "conformer"]
    n_hidden, width = int(found.sizes["MAX_HIDDEN"]), int(found.sizes["WIDTH"])
    table = sinusoids(n_hidden, width, torch.empty(0))
    attentions = [block.attention for block in blocks]
    stack = np.stack
    found.tables |= {
        "positions": stack([a.position(table).numpy() for a in attentions]),
        "query_bias": stack([a.u.flatten().numpy() for a in attentions]),
        "position_bias": stack([a.v.flatten().numpy() for a in attentions]),
    }
    convolutions = [block.convolution for block in blocks]
    found.layers |= {
        "macaron_norm": [_norm(block.macaron_norm) for block in blocks],
        "macaron1": [_layer(block.macaron.linear1) for block in blocks],
        "macaron2": [_layer(block.macaron.linear2) for block in blocks],
        "convolution_norm": [_norm(part.norm) for part in convolutions],
        "pointwise1": [_layer(part.pointwise1) for part in convolutions],
        "depthwise": [
            _fold(part.depthwise, part.batch_norm) for part in convolutions
        ],
        "pointwise2": [_layer(part.pointwise2) for part in convolutions],
        "block_norm": [_norm(block.norm) for block in blocks],
    }
    found.sizes["KERNEL"] = convolutions[0].depthwise.kernel_size[0]
    return found


def _describe_speechformer(model: Any) -> Description:
    counts = [len(stage.blocks) for stage in model.stages]
    if counts != [1]:
        raise ValueError(
            f"SpeechFormer has blocks_per_stage={counts}, but C is written for "
            "the light one, [1]. Export without --c."
        )
    stage = model.stages[0]
    blocks = list(stage.blocks)
    found = _describe_blocks(model, blocks)
    found.sources = [*_PLAIN, "speechformer"]
    radius = blocks[0].attention.radius
    found.sizes |= {"RADIUS": radius, "MAX_KEYS": 2 * radius + 1}
    found.layers |= {
        "front": _layer(model.front_end),
        "stage_norm": _norm(stage.norm),
    }
    return found


_PLAIN = ("attention", "plain_attention")


def _describe_blocks(model: Any, blocks: Sequence[Any]) -> Description:
    """What the blocks of all models have."""
    attention = blocks[0].attention
    width = attention.query.in_features
    head_width = width // attention.n_heads
    layers = {
        f"to_{name}": [
            _layer(getattr(block.attention, name)) for block in blocks
        ]
        for name in ("query", "key", "value")
    }
    layers["project"] = [_layer(block.attention.project) for block in blocks]
    for name in ("linear1", "linear2"):
        layers[name] = [
            _layer(getattr(block.feed_forward, name)) for block in blocks
        ]
    norms = {
        name: [_norm(getattr(block, name)) for block in blocks]
        for name in ("attention_norm", "feed_forward_norm")
    }
    feed_forward = blocks[0].feed_forward
    return Description(
        sources=[],
        sizes={
            "WIDTH": width,
            "HEADS": attention.n_heads,
            "HEAD_WIDTH": head_width,
            "HEAD_SCALE": 1 / math.sqrt(head_width),
            "FFN_WIDTH": feed_forward.linear1.out_features,
            "BLOCKS": len(blocks),
        },
        activations={"ffn_activation": _activation(feed_forward.activation)},
        layers={**layers, **norms},
    )


def _add_front_end(found: Description, model: Any) -> None:
    front = model.front_end
    found.layers |= {
        # [outputs, time, band, channels]: what a kernel sees of one row lies
        # side by side.
        "conv1": _layer(front.conv1, (0, 2, 3, 1)),
        "conv2": _layer(front.conv2, (0, 2, 3, 1)),
        "front": _layer(front.linear),
    }
    found.sizes["MAX_HIDDEN"] = count_positions(
        count_positions(model.segment_frames)
    )


def _layer(layer: Any, order: Sequence[int] | None = None) -> Layer:
    weight, bias = layer.weight, layer.bias
    if order:
        weight = weight.permute(*order)
    weight = weight.detach().cpu().flatten(1).numpy()
    if bias is None:
        return Layer(weight, np.zeros(len(weight), np.float32))
    return Layer(weight, bias.detach().cpu().numpy())


def _fold(layer: Any, norm: Any) -> Layer:
    """A layer without bias and the BatchNorm behind it, as one layer."""
    state: Mapping[str, Array] = {
        name: value.double().cpu().numpy()
        for name, value in norm.state_dict().items()
    }
    scale = state["weight"] / np.sqrt(state["running_var"] + norm.eps)
    weight = layer.weight.detach().double().flatten(1).cpu().numpy()
    bias = state["bias"] - scale * state["running_mean"]
    return Layer(scale[:, None] * weight, bias)


def _norm(norm: Any) -> Norm:
    return Norm(
        norm.weight.detach().cpu().numpy(),
        norm.bias.detach().cpu().numpy(),
        norm.eps,
    )


def _activation(module: nn.Module) -> type[nn.Module]:
    approximate = getattr(module, "approximate", "none") != "none"
    if type(module) not in ACTIVATIONS or approximate:
        names = ", ".join(kind.__name__ for kind in ACTIVATIONS)
        raise ValueError(
            f"The activation is {module}, but C knows {names}. Export without "
            "--c."
        )
    return type(module)
