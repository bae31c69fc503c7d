"""Which layers a name stands for, and every refusal."""

import copy

import pytest
import torch
from speechbrain.nnet.linear import Linear as SBLinear
from torch import nn

from speechbrain_hrf import (
    ClassifierHead,
    Conformer,
    ConvTransformer,
    HRFLinear,
    SpeechFormer,
    apply_hrf,
)

ROWS = ["QKV", "Project", "FFN1", "FFN2", "FFN1 & FFN2", "CLS", "ALL"]
CONFORMER_ROWS = ["FFN_M1", "FFN_M2", "FFN_M1 & FFN_M2"] + [
    "FFN1 & FFN2 & FFN_M1 & FFN_M2"
]


def with_head(lobe):
    return nn.ModuleDict(
        {"embedding_model": lobe, "classifier": ClassifierHead(16, 4)}
    )


def expanded(model):
    return [n for n, m in model.named_modules() if isinstance(m, HRFLinear)]


@pytest.mark.parametrize(
    ("lobe", "row"),
    [(lobe, row) for lobe in (ConvTransformer, SpeechFormer) for row in ROWS]
    + [(Conformer, row) for row in ROWS + CONFORMER_ROWS],
)
def test_every_row_of_the_tables(lobe, row):
    model = with_head(lobe())
    before = model.state_dict()
    report = apply_hrf(model, [row])
    assert [layer.name for layer in report.expansions] == expanded(model)
    assert report.after > report.before
    assert report.before == sum(
        v.numel() for k, v in before.items() if k in dict_of_parameters(lobe)
    )


def dict_of_parameters(lobe):
    return dict(with_head(lobe()).named_parameters())


def test_groups_by_name():
    model = with_head(Conformer(num_blocks=2))
    apply_hrf(model, ["FFN_M1", "CLS"])
    assert expanded(model) == [
        "embedding_model.blocks.0.macaron.linear1",
        "embedding_model.blocks.1.macaron.linear1",
        "classifier.linear1",
        "classifier.linear2",
    ]


@pytest.mark.parametrize("lobe", [Conformer, ConvTransformer, SpeechFormer])
def test_all_leaves_the_front_end_out(lobe):
    model = with_head(lobe())
    apply_hrf(model, ["ALL"])
    assert not [name for name in expanded(model) if "front_end" in name]
    apply_hrf(model, ["FRONT"])
    assert len([name for name in expanded(model) if "front_end" in name]) == 1


def test_patterns_take_what_can_be_factorised():
    model = nn.Sequential(nn.Conv1d(2, 2, 1), nn.Linear(2, 3), nn.ReLU())
    report = apply_hrf(model, ["*"])
    assert [layer.name for layer in report.expansions] == ["1"]


def test_no_modules_is_no_hrf():
    model = with_head(Conformer())
    report = apply_hrf(model, [])
    assert report.expansions == ()
    assert report.before == report.after
    assert "no HRF" in str(report)


def test_report():
    model = nn.Sequential(nn.Linear(16, 4))
    (layer,) = apply_hrf(model, ["0"], ratio=2).expansions
    assert layer == ("0", (16, 4), ((8, 16), (4, 8)), 68, 172)


def test_expanded_layers_keep_mode_and_dtype():
    model = nn.Sequential(nn.Linear(16, 4)).double().eval()
    apply_hrf(model, ["0"])
    assert not model[0].training
    assert model[0](torch.rand(1, 16).double()).dtype == torch.float64


def tied():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    return model


def frozen():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[0].weight.requires_grad = False
    return model


def hooked():
    model = nn.Sequential(nn.Linear(4, 4))
    model[0].register_forward_hook(lambda *_: None)
    return model


def parametrized():
    model = nn.Sequential(nn.Linear(4, 4))
    nn.utils.parametrizations.weight_norm(model[0])
    return model


def once_expanded():
    model = nn.Sequential(nn.Linear(4, 4), nn.MultiheadAttention(4, 2))
    apply_hrf(model, ["*"])
    return model


def packed_once_expanded():
    model = nn.Sequential(nn.MultiheadAttention(4, 2))
    apply_hrf(model, ["*.in_proj_weight.q"])
    return model


def once_expanded_ffn1():
    model = with_head(SpeechFormer())
    apply_hrf(model, ["FFN1"])
    return model


def backward_hooked():
    model = nn.Sequential(nn.Linear(4, 4))
    model[0].register_full_backward_pre_hook(lambda *_: None)
    return model


def compiled_in_place():
    model = nn.Sequential(nn.Linear(4, 4))
    model.compile()
    return model


def max_norm():
    return nn.Sequential(SBLinear(4, input_size=4, max_norm=1.0))


@pytest.mark.parametrize(
    ("build", "names", "message"),
    [
        (tied, ["1"], "'1': its weights are tied"),
        (frozen, ["*"], "'0': it is frozen"),
        (hooked, ["0"], "'0': it has hooks"),
        (parametrized, ["*"], "'0': another parametrization"),
        (once_expanded, ["0"], "expanded already"),
        (packed_once_expanded, ["*.in_proj_weight"], "expanded already"),
        (max_norm, ["*"], "max_norm=1.0"),
        (lambda: nn.Linear(4, 4), ["*"], "the model itself"),
        (lambda: torch.compile(tied()), ["*"], "wrapped in OptimizedModule"),
        (lambda: nn.DataParallel(tied()), ["*"], "wrapped in DataParallel"),
        (lambda: nn.Sequential(nn.Linear(4, 4)), [8], "modules are \\[8\\]"),
        (lambda: nn.Sequential(nn.Linear(4, 4)), None, "modules are None"),
        (lambda: once_expanded_ffn1(), ["ALL"], "linear1', which has been"),
        (backward_hooked, ["0"], "'0': it has hooks"),
        (compiled_in_place, ["0"], "The model is compiled"),
        (lambda: nn.Sequential(nn.Linear(4, 4)), ["00"], "the nearest are"),
        (lambda: nn.Sequential(tied()), ["0"], "'0.\\*' names the layers"),
        (lambda: with_head(SpeechFormer()), ["FFN_M1"], "Its groups are"),
    ],
)
def test_refusals_name_the_layer_and_change_nothing(build, names, message):
    model = build()
    before = copy.deepcopy(list(model.state_dict()))
    with pytest.raises(ValueError, match=message):
        apply_hrf(model, names)
    assert list(model.state_dict()) == before


def test_nearest_name_is_offered():
    with pytest.raises(ValueError, match="FFN1"):
        apply_hrf(with_head(SpeechFormer()), ["FFN-1"])


def test_one_bad_name_among_good_ones_changes_nothing():
    model = with_head(Conformer())
    with pytest.raises(ValueError, match="NOPE"):
        apply_hrf(model, ["QKV", "NOPE"])
    assert expanded(model) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [({"ratio": 0.5}, "ratio is 0.5"), ({"layers": 0}, "extra layers is 0")],
)
def test_options_out_of_range_change_nothing(options, message):
    model = with_head(Conformer())
    with pytest.raises(ValueError, match=message):
        apply_hrf(model, ["QKV"], **options)
    assert expanded(model) == []


def test_one_name_may_stand_alone():
    model = with_head(Conformer())
    report = apply_hrf(model, "FFN_M1")
    assert len(report.expansions) == 1


def test_names_with_pattern_characters_stand_for_themselves():
    model = nn.ModuleDict({"a[0]": nn.Linear(2, 2), "a0": nn.Linear(2, 2)})
    apply_hrf(model, ["a[0]"])
    assert expanded(model) == ["a[0]"]
    model = nn.ModuleDict({"m[1]": SpeechFormer(), "m1": SpeechFormer()})
    apply_hrf(model, ["FFN1"])
    assert len(expanded(model)) == 2


def test_a_root_attention_is_expanded_in_place():
    model = nn.MultiheadAttention(8, 2)
    report = apply_hrf(model, ["in_proj_weight.q"])
    assert [layer.name for layer in report.expansions] == ["in_proj_weight.q"]
