"""Options of HRF, and how a chain is built and begins."""

import copy
import importlib

import pytest
import torch
from torch import nn

from speechbrain_hrf import HRFLinear, apply_hrf
from speechbrain_hrf.nnet import HRFConfig


@pytest.mark.parametrize(
    ("options", "widths"),
    [
        ({}, [16, 32, 4]),
        ({"ratio": 2, "layers": 2}, [16, 8, 8, 4]),
        ({"ratio": 1}, [16, 4, 4]),
        ({"ratio": 1.4}, [16, 6, 4]),
        ({"width_of": "in", "layers": 3}, [16, 128, 128, 128, 4]),
        ({"layers": 0, "inner_norm": True}, [16, 4]),
    ],
)
def test_widths(options, widths):
    assert HRFConfig(**options).widths(16, 4) == widths
    factors = HRFLinear(16, 4, **options).factors
    assert [tuple(f.shape[::-1]) for f in factors] == list(
        zip(widths, widths[1:], strict=False)
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": 0}, "ratio is 0"),
        ({"ratio": 0.5}, "at least 1"),
        ({"ratio": float("nan")}, "ratio is nan"),
        ({"ratio": float("inf")}, "ratio is inf"),
        ({"ratio": "8"}, "ratio is '8'"),
        ({"ratio": 1e12}, "at most 1024"),
        ({"layers": 10**7}, "at most 1024"),
        ({"init": ["default"]}, r"init is \['default'\]"),
        ({"ratio": True}, "ratio is True"),
        ({"layers": 0}, "extra layers is 0"),
        ({"layers": -1, "inner_norm": True}, "extra layers is -1"),
        ({"layers": 1.0}, "extra layers is 1.0"),
        ({"layers": True}, "extra layers is True"),
        ({"width_of": "hidden"}, r"width_of is 'hidden'.*'out', 'in'"),
        (
            {"init": "zeros"},
            r"init is 'zeros'.*'default', 'scaled', 'preserve'",
        ),
        ({"inner_bias": "no"}, "inner_bias is 'no'.*True, False"),
        ({"inner_norm": "yes"}, "inner_norm is 'yes'.*True, False"),
        ({"inner_norm": 1, "layers": 0}, "extra layers is 0"),
        ({"chained": "yes"}, "chained is 'yes'.*None, True, False"),
        ({"chained": 1}, "chained is 1"),
        (
            {"init": "preserve", "inner_norm": True},
            "'preserve', and inner_norm is True",
        ),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        HRFConfig(**options)


@pytest.mark.parametrize(
    ("options", "biases", "norms"),
    [
        ({}, "012", ""),
        ({"inner_bias": False}, "2", ""),
        # Inner ones would give the merged layer a bias.
        ({"bias": False}, "", ""),
        # The next normalisation would take the others away.
        ({"inner_norm": True}, "12", "01"),
        ({"inner_norm": True, "inner_bias": False}, "2", "01"),
        ({"inner_norm": True, "layers": 0}, "0", "0"),
    ],
)
def test_keys_and_biases(options, biases, norms):
    layer = HRFLinear(6, 3, **{"layers": 2, **options})
    factors = range(options.get("layers", 2) + 1)
    assert list(layer.state_dict()) == [
        *(f"hrf_factors.{k}" for k in factors),
        *(f"hrf_biases.{k}" for k in biases),
        *(
            f"hrf_norms.{k}.{part}"
            for k in norms
            for part in ("scale", "mean", "variance")
        ),
    ]
    assert (layer.eval().bias is None) == (biases == "")
    assert ("inner_norm" in str(layer)) == (norms != "")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"inner_norm": True}])
def test_the_replicas_of_data_parallel(options, training, monkeypatch):
    """Only the copies to GPUs are not real: the tensors stay where they are."""
    options = {"layers": 2, **options}
    model = nn.Sequential(
        HRFLinear(4, 3, **options), nn.MultiheadAttention(3, 1)
    )
    apply_hrf(model, ["*.in_proj_weight"])
    model.train(training)
    module = importlib.import_module("torch.nn.parallel.replicate")
    monkeypatch.setattr(module, "_get_device_index", lambda device, _: device)
    monkeypatch.setattr(
        module,
        "_broadcast_coalesced_reshape",
        lambda tensors, devices, detach: [
            [each.view_as(each) for each in tensors] for _ in devices
        ],
    )
    x = torch.randn(5, 4)

    def forward(model):
        y = model[0](x)
        return model[1](y, y, y)[0]

    replicas = module.replicate(model, [0, 1])
    assert not list(replicas[0].parameters())
    for replica in replicas:
        torch.testing.assert_close(forward(replica), forward(model))
    forward(replicas[1]).sum().backward()
    assert all(each.grad is not None for each in model[0].parameters())


def test_normalised_layers_need_a_bias():
    with pytest.raises(ValueError, match="layer has no bias"):
        HRFLinear(6, 3, bias=False, inner_norm=True)


@pytest.mark.parametrize(
    ("init", "layers", "expected"),
    [
        ("default", 1, 0.577),
        ("default", 3, 0.19),
        ("scaled", 1, 1.0),
        ("scaled", 3, 1.0),
    ],
)
def test_initial_scale(init, layers, expected):
    """Standard deviation of the collapsed weight over a plain layer's."""
    torch.manual_seed(0)
    stds = [
        HRFLinear(64, 64, layers=layers, init=init).weight.std().item()
        for _ in range(5)
    ]
    plain = 1 / (3 * 64) ** 0.5
    ratio = sum(stds) / len(stds) / plain
    assert ratio == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("options", "largest"),
    [
        ({"init": "default"}, [1 / 16**0.5, 1 / 800**0.5]),
        ({"init": "default", "inner_norm": True}, [0, 1 / 800**0.5]),
        ({"init": "scaled"}, [0, 1 / 16**0.5]),
        ({"init": "scaled", "inner_norm": True}, [0, 1 / 16**0.5]),
    ],
)
def test_initial_biases(options, largest):
    """Drawn as a plain layer's, with the fan-in of one; or none."""
    torch.manual_seed(0)
    layer = HRFLinear(16, 100, ratio=8, **options)
    for bias, bound in zip(layer.biases, largest, strict=True):
        assert bias.max().item() == pytest.approx(bound, rel=0.1)
        assert bias.min().item() == pytest.approx(-bound, rel=0.1)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("width_of", ["out", "in"])
@pytest.mark.parametrize("shape", [(16, 4), (4, 16), (7, 7)])
def test_preserve_reproduces_the_layer(shape, width_of, layers):
    """To float32's last bits, with singular values alike in all factors."""
    torch.manual_seed(0)
    plain = nn.Linear(*shape)
    config = HRFConfig(
        ratio=2, layers=layers, width_of=width_of, init="preserve"
    )
    layer = HRFLinear.from_plain(plain, config)
    assert (layer.weight - plain.weight).abs().max() < 1e-6
    assert torch.equal(layer.bias, plain.bias)
    assert not any(bias.any() for bias in layer.biases[:-1])
    share = torch.linalg.svdvals(plain.weight) ** (1 / (layers + 1))
    for factor in layer.factors:
        values = torch.linalg.svdvals(factor)[: len(share)]
        torch.testing.assert_close(values, share, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("rank", [0, 2])
def test_preserve_lets_every_direction_learn(layers, rank):
    """All factors zero would be a saddle: LoRA's B, a head's zero weight."""
    torch.manual_seed(0)
    plain = nn.Linear(6, 4, bias=False).double()
    with torch.no_grad():
        plain.weight[:, rank:] = 0
    config = HRFConfig(ratio=2, layers=layers, init="preserve")
    layer = HRFLinear.from_plain(plain, config)
    assert (layer.weight - plain.weight).abs().max() < 1e-15
    x, y = torch.randn(64, 6).double(), torch.randn(6, 4).double()
    optimizer, losses = torch.optim.SGD(layer.parameters(), lr=0.05), []
    for _ in range(1000):
        optimizer.zero_grad()
        losses.append((layer(x) - x @ y).square().mean())
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.01 * losses[0]


def test_a_weight_that_is_read_in_training_is_refused():
    layer = HRFLinear(6, 3, inner_norm=True)
    with pytest.raises(RuntimeError, match="HRFLinear.* read in training"):
        _ = layer.weight
    assert layer.eval().weight.shape == (3, 6)


def test_float64_is_for_evaluation_alone():
    """Where it is what is shipped; in training it would only take time."""
    layer = HRFLinear(1, 1, ratio=2, layers=2, bias=False)
    # 1 + 2^-30 - 1, of which float32 keeps nothing on its way.
    values = [[1.0], [1.0]], [[1.0, -1.0], [1.0, 0.0]], [[1.0, 2.0**-30]]
    with torch.no_grad():
        for factor, value in zip(layer.factors, values, strict=True):
            factor.copy_(torch.tensor(value))
    assert layer.weight.item() == 0
    assert layer.eval().weight.item() == 2.0**-30


@pytest.mark.parametrize(
    "options", [{}, {"init": "scaled"}, {"inner_norm": True}]
)
def test_reset_draws_anew(options):
    """By the name that PyTorch's layers have for it: between folds."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 4))
    apply_hrf(model, ["0"], ratio=2, **options)
    first = copy.deepcopy(model.state_dict())
    model(3 + torch.randn(20, 8)).sum().backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    torch.manual_seed(0)
    nn.Linear(8, 4)  # took as many numbers as before
    model[0].reset_parameters()
    for name, value in model.state_dict().items():
        assert torch.equal(value, first[name]), name


def test_a_weight_that_was_kept_cannot_be_drawn_again():
    model = nn.Sequential(nn.Linear(8, 4))
    apply_hrf(model, ["0"], init="preserve")
    with pytest.raises(RuntimeError, match="'0'.* cannot be reset"):
        model[0].reset_parameters()
