"""A checkpoint alone says how its model was expanded.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest
from speechbrain.nnet.attention import RelPosMHAXL
from torch import nn
from transformers.pytorch_utils import Conv1D

from speechbrain_hrf.inference.expansion import (
    describe_expansion,
    expand_as,
    is_factorised,
)
from speechbrain_hrf.nnet import ExpandedLayer, apply_hrf, kinds


class Everything(nn.Module):
    """A layer of each kind, with and without a bias, and one in two places."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(12, 6) for _ in range(3))
        self.slim = nn.Linear(4, 6, bias=False)
        self.again = self.layers[1]
        self.conv1d = nn.Conv1d(3, 4, 5, stride=2)
        self.conv2d = nn.Conv2d(2, 4, (3, 1), bias=False)
        self.upsampling = nn.ConvTranspose1d(3, 5, 2)
        self.transposed = Conv1D(6, 9)
        self.packed = nn.MultiheadAttention(8, 2)
        self.by_head = RelPosMHAXL(8, 2)


def shapes(model):
    """Of all that a checkpoint holds, in its order."""
    return [(key, value.shape) for key, value in model.state_dict().items()]


def expand(**options):
    model = Everything()
    apply_hrf(model, **options)
    return model


@pytest.mark.parametrize(
    "options",
    [
        {"modules": ["*"]},
        {"modules": ["*"], "ratio": 2.7, "layers": 3},
        # Narrower than the outputs, and more than 1024 times as wide.
        {"modules": ["*"], "ratio": 1, "width_of": "in"},
        {"modules": ["conv1d"], "ratio": 1024, "width_of": "in"},
        {"modules": ["*"], "inner_bias": False, "layers": 2},
        {"modules": {"conv*": 2, "layers.0": 3, "*.in_proj_weight.[qv]": 4}},
        {
            "modules": ["layers.*", "conv1d", "transposed", "upsampling"],
            "inner_norm": True,
            "layers": 2,
        },
        {"modules": ["conv1d"], "inner_norm": True, "layers": 0},
    ],
)
def test_every_kind_of_layer(options):
    """The same keys and shapes, in the same order: it loads strictly."""
    trained, model = expand(**options), Everything()
    expand_as(model, trained.state_dict())
    assert shapes(model) == shapes(trained)
    model.load_state_dict(trained.state_dict())


def test_layers_that_were_expanded_differently():
    trained, model = Everything(), Everything()
    apply_hrf(trained, ["layers.0", "conv1d"], ratio=2, layers=2)
    apply_hrf(trained, ["layers.1"], ratio=5, inner_norm=True)
    expand_as(model, trained.state_dict())
    assert shapes(model) == shapes(trained)
    assert describe_expansion(model) == {
        "modules": ["layers.0", "layers.1", "conv1d"],
        "ratio": "2, 5",
        "layers": "1, 2",
        "inner_norm": True,
    }


def test_the_order_of_keys_does_not_matter():
    """Of twelve factors, as text, the last ones stand before the third."""
    trained, model = (nn.Sequential(nn.Linear(6, 3)) for _ in range(2))
    apply_hrf(trained, ["0"], ratio=2, layers=11)
    expand_as(model, dict(sorted(trained.state_dict().items())))
    assert shapes(model) == shapes(trained)


def test_a_plain_state_dict_expands_nothing():
    model = Everything()
    expand_as(model, Everything().state_dict())
    assert shapes(model) == shapes(Everything())
    assert describe_expansion(model) == {}
    assert not is_factorised(model.state_dict())
    assert is_factorised(expand(modules=["by_head.*.v"]).state_dict())


def test_numbered_layers_are_one_pattern():
    """Which names them and no others."""
    model = expand(modules=["layers.*", "*.q"])
    assert describe_expansion(model)["modules"] == [
        "layers.*",
        "packed.in_proj_weight.q",
        "by_head.in_proj_weight.q",
    ]


class Scaled(nn.Linear):
    """A layer of one's own."""


class HRFScaled(ExpandedLayer):
    """Its expanded form."""


def test_a_kind_that_is_not_registered_here(monkeypatch):
    """What train.py alone registers, the export does not know."""
    model = nn.Sequential(Scaled(4, 3))
    with monkeypatch.context() as patch:
        patch.setitem(kinds.KINDS, Scaled, HRFScaled)
        apply_hrf(model, ["0"])
        expand_as(nn.Sequential(Scaled(4, 3)), model.state_dict())
    state = model.state_dict()
    with pytest.raises(ValueError, match="'0' was expanded.*register_kind"):
        expand_as(nn.Sequential(Scaled(4, 3)), state)
