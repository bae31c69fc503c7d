"""Which layers a name stands for, and every refusal."""

import re

import pytest
import torch
from speechbrain.nnet.attention import RelPosMHAXL
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


def hooked(kind):
    model = nn.Sequential(nn.Linear(4, 4))
    getattr(model[0], f"register_{kind}")(lambda *_: None)
    return model


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
        (lambda: frozen("0.weight"), ["*"], "'0': it is frozen"),
        (lambda: frozen("1.bias"), ["*"], "'1': it is frozen"),
        (lambda: hooked("forward_hook"), ["0"], "'0': it has hooks"),
        (lambda: hooked("forward_pre_hook"), ["0"], "'0': it has hooks"),
        (lambda: hooked("full_backward_hook"), ["0"], "'0': it has hooks"),
        (lambda: hooked("full_backward_pre_hook"), ["0"], "'0': it has hooks"),
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
        (lambda: nn.Linear(4, 4), ["*"], "the model itself"),
        (
            lambda: nn.Sequential(nn.DataParallel(one())),
            ["*"],
            "0 is wrapped in DataParallel",
        ),
        (compiled_in_place, ["0"], "0 is compiled"),
        (one, [8], r"modules are \[8\]"),
        (one, None, "modules are None"),
        (one, ["00"], r"no linear layer of this Sequential.* \['0'\]\.$"),
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
    with pytest.raises(ValueError, match=message) as refusal:
        apply_hrf(model, modules)
    assert list(model.state_dict()) == before
    assert_is_sentences(str(refusal.value))


def assert_is_sentences(text):
    """With a capital and a full stop each, and no word in capitals."""
    text = re.sub(r"'[\w.*-]+'", "", text)  # names
    assert not re.search(r"[A-Z]{5}|[a-z.][A-Z]{2}|\. [a-z]|[^.]$", text), text


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


@pytest.mark.parametrize(
    ("layer", "modules", "message"),
    [
        (nn.MultiheadAttention(8, 2), ["*.out_proj"], "'0.out_proj': .* read"),
        (nn.MultiheadAttention(8, 2), ["*.q"], "'0.in_proj_weight.q': .* read"),
        (nn.Linear(4, 4, bias=False), ["0"], "'0': it has no bias"),
    ],
)
def test_what_cannot_be_normalised_is_refused(layer, modules, message):
    model = nn.Sequential(layer)
    keys = list(model.state_dict())
    message = f"extra layers of {message}"
    with pytest.raises(ValueError, match=message) as refusal:
        apply_hrf(model, modules, inner_norm=True)
    assert list(model.state_dict()) == keys
    assert_is_sentences(str(refusal.value))


def test_frozen_hooked_and_tied_layers_may_be_elsewhere():
    """Control: what is refused is the chosen layer's own."""
    model = nn.Sequential(hooked("forward_hook"), tied(), frozen("0.weight"))
    model.append(nn.Sequential(SBLinear(4, input_size=4)))
    attention = nn.MultiheadAttention(4, 2)
    attention.register_forward_hook(lambda *_: None)  # its forward stays
    model.append(attention)
    apply_hrf(model, ["2.1", "3.0.w", "4.in_proj_weight"])
    assert isinstance(model[2][1], HRFLinear)
    assert isinstance(model[3][0].w, HRFLinear)
