"""Which layers a name stands for, and every refusal."""

import pytest
import torch
from speechbrain.nnet.attention import RelPosMHAXL
from speechbrain.nnet.CNN import Conv2d as SBConv2d
from speechbrain.nnet.linear import Linear as SBLinear
from torch import nn
from torch.nn.utils import parametrizations

from speechbrain_hrf import (
    ClassifierHead,
    Conformer,
    ConvTransformer,
    HRFLinear,
    SpeechFormer,
    apply_hrf,
)


def with_head(lobe):
    return nn.ModuleDict(
        {"embedding_model": lobe, "classifier": ClassifierHead(16, 4)}
    )


def names(report):
    return [layer.name for layer in report.expansions]


CLS = ["classifier.linear1", "classifier.linear2"]


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        ("CLS", CLS),
        # Each layer once, in the model's order, whatever the list's.
        (
            ["CLS", "FFN_M1 & FFN_M2", "FFN_M1"],
            [
                f"embedding_model.blocks.{k}.macaron.linear{i}"
                for k in (0, 1)
                for i in (1, 2)
            ]
            + CLS,
        ),
        (("*.blocks.1.macaron.linear?", "classifier.*1"), None),
        ([], []),
    ],
)
def test_groups_and_patterns(modules, expected):
    if expected is None:
        expected = [
            "embedding_model.blocks.1.macaron.linear1",
            "embedding_model.blocks.1.macaron.linear2",
            "classifier.linear1",
        ]
    report = apply_hrf(with_head(Conformer(num_blocks=2)), modules)
    assert names(report) == expected


@pytest.mark.parametrize("lobe", [Conformer, ConvTransformer, SpeechFormer])
def test_all_leaves_the_front_end_out(lobe):
    model = with_head(lobe())
    every = names(apply_hrf(model, ["ALL"]))
    assert {*CLS} < {*every}
    assert not [name for name in every if "front_end" in name]
    (front,) = names(apply_hrf(model, ["FRONT"]))
    assert "front_end" in front


def test_a_group_is_of_all_lobes_whatever_their_names():
    """And patterns, but not the names of layers, have special characters."""
    model = nn.ModuleDict({"m[1]": SpeechFormer(), "m1": SpeechFormer()})
    assert len(names(apply_hrf(model, ["FFN1"]))) == 2
    model = nn.ModuleDict({"a[0]": nn.Linear(2, 2), "a0": nn.Linear(2, 2)})
    assert names(apply_hrf(model, ["a[0]"])) == ["a[0]"]


class Louder(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


class Attention(nn.MultiheadAttention):
    pass


def test_what_can_be_expanded():
    """Of subclasses, only those whose forward stays."""
    model = nn.Sequential(
        nn.Conv1d(2, 2, 1), nn.Linear(2, 3), Louder(4, 4), Attention(4, 2)
    )
    assert names(apply_hrf(model, ["*"])) == [
        "0",
        "1",
        "3.in_proj_weight.q",
        "3.in_proj_weight.k",
        "3.in_proj_weight.v",
        "3.out_proj",
    ]
    # Their projections have a weight each.
    model = nn.Sequential(nn.MultiheadAttention(4, 2, kdim=3, vdim=3))
    model.append(RelPosMHAXL(4, 2, vdim=2))
    assert names(apply_hrf(model, ["*.out_proj"])) == [
        "0.out_proj",
        "1.out_proj",
    ]
    assert not [key for key in model.state_dict() if "parametriz" in key]


def tied():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    return model


def tied_by_bias():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].bias = model[0].bias
    return model


def frozen(name):
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model.get_parameter(name).requires_grad = False
    return model


def lazy():
    return nn.Sequential(nn.LazyLinear(4), nn.Linear(4, 4))


def complex_weight():
    return nn.Sequential(nn.Linear(4, 4, dtype=torch.complex64))


def parametrized(layer, name="weight"):
    model = nn.Sequential(layer)
    parametrizations.weight_norm(layer, name)
    return model


def expanded(model, *modules):
    apply_hrf(model, modules)
    return model


def compiled_in_place():
    model = nn.Sequential(nn.Linear(4, 4))
    model[0].compile()
    return model


def one(**options):
    return nn.Sequential(nn.Linear(4, 4, **options))


@pytest.mark.parametrize(
    ("build", "modules", "message"),
    [
        (tied, ["1"], "'1': its weights are tied"),
        (tied_by_bias, ["1"], "'1': its weights are tied"),
        (lambda: frozen("0.weight"), ["0"], "'0': it is frozen"),
        (lambda: frozen("1.bias"), ["*", "1"], "'1': it is frozen"),
        (complex_weight, ["0"], "'0': its weight is complex"),
        (
            lambda: nn.Sequential(nn.Linear(4, 0), nn.Linear(4, 4)),
            ["0"],
            "'0': one of its sizes is 0",
        ),
        (lazy, ["0"], "^0 is lazy.*run a batch through the model"),
        (lazy, ["*"], "^0 is lazy"),
        (lambda: parametrized(nn.Linear(4, 4)), ["*"], "'0': another param"),
        (
            lambda: parametrized(nn.Linear(4, 4), "bias"),
            ["*"],
            "'0': another param",
        ),
        (
            lambda: parametrized(nn.MultiheadAttention(4, 2), "in_proj_weight"),
            ["*.q"],
            "'0.in_proj_weight.q': another param",
        ),
        (lambda: expanded(one(), "0"), ["0"], "'0': it has been expanded"),
        (
            lambda: expanded(nn.Sequential(nn.MultiheadAttention(4, 2)), "*.q"),
            ["*.k"],
            "k': it has been expanded",
        ),
        (
            lambda: expanded(with_head(SpeechFormer()), "FFN1"),
            ["ALL"],
            "linear1': it has been expanded",
        ),
        (
            lambda: nn.Sequential(
                nn.Sequential(SBLinear(4, input_size=4, max_norm=1.0))
            ),
            ["*"],
            "'0.0.w': .*max_norm=1.0",
        ),
        (
            lambda: nn.Sequential(
                SBConv2d(4, 3, input_shape=(2, 9, 9, 1), max_norm=1.0)
            ),
            ["*"],
            "'0.conv': .*max_norm=1.0",
        ),
        (lambda: nn.Sequential(nn.GRU(4, 4)), ["*"], "type GRU. HRF expands"),
        (lambda: nn.Sequential(nn.ReLU()), ["fc"], "nor has it any: HRF exp"),
        (
            lambda: nn.Sequential(nn.DataParallel(one())),
            ["*"],
            "0 is wrapped in DataParallel",
        ),
        (compiled_in_place, ["0"], "0 is compiled"),
        (one, [8], r"modules are \[8\]"),
        (one, None, "modules are None"),
        (one, {"0": 0.5}, "ratio is 0.5"),
        (one, {"0": 2, "*": 4}, "'0' two ratios, 2 and 4"),
        (one, ["00"], r"no layer of this Sequential.* \['0'\]\.$"),
        (lambda: nn.Sequential(tied()), ["0"], r"'0.\*' names the layers"),
        (
            lambda: with_head(Conformer()),
            ["FFN-1"],
            r"nearest are \['FFN1', 'FFN_M1', 'FFN2'\]\. Its groups are "
            r"\['QKV', .*'ALL'\]\.$",
        ),
        # A good name beside a bad one, which is near none
        (
            lambda: with_head(SpeechFormer()),
            ["QKV", "NOPE"],
            r"'NOPE'.* nearest are \['QKV', 'Project', 'FFN1'\]\.",
        ),
    ],
)
def test_refusals_name_the_layer_and_change_nothing(build, modules, message):
    model = build()
    before = list(model.state_dict())
    with pytest.raises(ValueError, match=message):
        apply_hrf(model, modules)
    assert list(model.state_dict()) == before


@pytest.mark.parametrize(
    "wrapper",
    [
        "DistributedDataParallel",
        "DataParallel",
        "FullyShardedDataParallel",
        "OptimizedModule",
    ],
)
def test_wrapped_models_are_refused(wrapper):
    model = type(wrapper, (nn.Sequential,), {})(nn.Linear(4, 4))
    with pytest.raises(ValueError, match=f"The model is wrapped in {wrapper}"):
        apply_hrf(model, ["*"])
    # These are their names in PyTorch.
    assert wrapper in (
        type(torch.compile(nn.Linear(4, 4))).__name__,
        *dir(nn.parallel),
        *dir(torch.distributed.fsdp),
    )


@pytest.fixture
def one_process():
    store = torch.distributed.HashStore()
    torch.distributed.init_process_group(
        "gloo", store=store, rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


def sharded(model):
    mesh = torch.distributed.device_mesh.init_device_mesh("cpu", (1,))
    return torch.distributed.fsdp.fully_shard(model, mesh=mesh)


def replicated(model):
    from torch.distributed._composable import replicate

    return replicate(model)


@pytest.mark.parametrize("wrap", [sharded, replicated])
def test_composed_models_are_refused(one_process, wrap):
    """Ranks would drift apart: the new factors are not theirs to share."""
    model = nn.Sequential(nn.Linear(4, 4))
    wrap(model)
    with pytest.raises(ValueError, match="The model is wrapped in"):
        apply_hrf(model, ["*"])


@pytest.mark.parametrize(
    ("layer", "modules", "message"),
    [
        (
            nn.MultiheadAttention(8, 2),
            ["*.out_proj"],
            "'0.out_proj': its extra .* read",
        ),
        (
            nn.MultiheadAttention(8, 2),
            ["*.q"],
            "'0.in_proj_weight.q': its .* read",
        ),
        (nn.Linear(4, 4, bias=False), ["0"], "'0': its .* has no bias"),
    ],
)
def test_what_cannot_be_normalised_is_refused(layer, modules, message):
    model = nn.Sequential(layer)
    keys = list(model.state_dict())
    with pytest.raises(ValueError, match=message):
        apply_hrf(model, modules, inner_norm=True)
    assert list(model.state_dict()) == keys


def test_frozen_and_tied_layers_may_be_elsewhere():
    """Control: what is refused is the chosen layer's own."""
    model = nn.Sequential(one(), tied(), frozen("0.weight"))
    model.append(nn.Sequential(SBLinear(4, input_size=4)))
    apply_hrf(model, ["2.1", "3.0.w"])
    assert isinstance(model[2][1], HRFLinear)
    assert isinstance(model[3][0].w, HRFLinear)


def test_a_pattern_skips_what_cannot_be_expanded():
    """And says so; without the pattern's help it would be refused."""
    model = nn.Sequential(one(), tied(), frozen("0.weight"), nn.PReLU())
    model.append(nn.MultiheadAttention(4, 2))
    report = apply_hrf(model, ["*"], inner_norm=True)
    assert names(report) == ["0.0", "2.1"]
    reasons = dict(report.skipped)
    assert "tied" in reasons["1.0"] and "tied" in reasons["1.1"]
    assert "frozen" in reasons["2.0"]
    assert "read" in reasons["4.out_proj"]
    text = str(report)
    assert "skipped 2.0: it is frozen (requires_grad is False)" in text
    assert "HRF layer" in text.splitlines()[0]
    left = {each.type: (each.layers, each.parameters) for each in report.left}
    # A weight of two layers counts once; the attention has a layer too.
    assert left["Linear"] == (4, 20 + 4 + 20 + 20)
    assert left["PReLU"] == (1, 1)
    assert left["MultiheadAttention"] == (1, 48 + 12)


@pytest.mark.parametrize("modules", [["0", "*"], ["*", "0"], ["CLS", "*"]])
def test_a_name_beside_a_pattern_refuses_nothing_more(modules):
    """Nor does a group; what is named itself is refused in either order."""
    model = nn.Sequential(one(), frozen("0.weight"))
    model.hrf_groups = {"CLS": ["0.0"]}
    if "0" in modules:
        modules = [name.replace("0", "0.0") for name in modules]
    assert names(apply_hrf(model, modules)) == ["0.0", "1.1"]
    for named in (["1.0", "*"], ["*", "1.0"]):
        model = nn.Sequential(one(), frozen("0.weight"))
        with pytest.raises(ValueError, match="'1.0': it is frozen"):
            apply_hrf(model, named)


def test_every_name_of_a_layer_in_several_places():
    model = nn.ModuleDict({"a": one(), "z": nn.Linear(4, 4)})
    model["out"], model["last"] = model["a"], model["z"]
    assert names(apply_hrf(model, ["out.0", "last"])) == ["a.0", "z"]


def test_exclude():
    model = with_head(SpeechFormer())
    every = names(apply_hrf(with_head(SpeechFormer()), ["*"]))
    rest = names(apply_hrf(model, ["*"], exclude=["CLS", "*.linear1"]))
    gone = [name for name in every if name not in rest]
    assert {*CLS} < {*gone}
    assert all(n in CLS or n.endswith(".linear1") for n in gone)
    with pytest.raises(ValueError, match="'NOPE' matches no layer"):
        apply_hrf(with_head(SpeechFormer()), ["*"], exclude=["NOPE"])
    with pytest.raises(ValueError, match="leave no layer to expand"):
        apply_hrf(with_head(SpeechFormer()), ["CLS"], exclude="CLS")


def test_a_ratio_for_each_name():
    model = with_head(SpeechFormer())
    report = apply_hrf(model, {"FFN2": 2, "CLS & QKV": 4}, ratio=8)
    ratios = {
        layer.name: layer.factor_shapes[0][0] / layer.shape[1]
        for layer in report.expansions
    }
    assert {ratios[name] for name in CLS} == {4}
    assert {v for k, v in ratios.items() if k.endswith("linear2")} >= {2}
    assert 8 not in ratios.values()


def test_a_list_is_no_model():
    with pytest.raises(TypeError, match="not of a list: give the model"):
        apply_hrf([nn.Linear(4, 4)], ["0"])
