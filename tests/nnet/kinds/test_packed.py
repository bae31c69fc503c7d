"""HRF on modules that are not ours: packed and directly read weights."""

import copy

import pytest
import torch
from speechbrain.lobes.models.transformer.Conformer import ConformerEncoder
from speechbrain.nnet.attention import RelPosEncXL, RelPosMHAXL, RoPEMHA
from torch import nn

from speechbrain_hrf import apply_hrf, merge_hrf, merged_state_dict
from speechbrain_hrf.nnet.kinds.packed import unpack

TOLERANCE = 1e-6


def encoder_layer():
    torch.manual_seed(0)
    return nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, dropout=0.0)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("grad", [True, False])
def test_output_projection_of_multihead_attention(training, grad):
    """Never called, only read; in evaluation without grad, by a fused kernel."""
    torch.manual_seed(0)
    model = nn.ModuleList([nn.MultiheadAttention(16, 4, batch_first=True)])
    plain = copy.deepcopy(model[0]).train(training)
    apply_hrf(model, ["0.out_proj"], init="preserve")
    model.train(training)
    x = torch.randn(2, 7, 16)
    with torch.set_grad_enabled(grad):
        expected, _ = plain(x, x, x, need_weights=False)
        found, _ = model[0](x, x, x, need_weights=False)
        merged, _ = merge_hrf(model)[0](x, x, x, need_weights=False)
    assert (found - expected).abs().max() < TOLERANCE
    assert (merged - expected).abs().max() < TOLERANCE
    if grad:
        found.sum().backward()
        assert all(f.grad is not None for f in model[0].out_proj.factors)


@pytest.mark.parametrize("names", [["*.q", "*.v"], ["*.in_proj_weight"], ["*"]])
def test_whole_encoder_layer_on_the_fast_path(names):
    model = encoder_layer()
    expected_keys = list(model.state_dict())
    apply_hrf(model, names, ratio=2, layers=2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    x = torch.randn(3, 7, 16)
    for _ in range(3):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
    model.eval()
    merged = merge_hrf(model)
    assert [type(m) for m in merged.modules()] == [
        type(m) for m in encoder_layer().modules()
    ]
    assert sorted(merged.state_dict()) == sorted(expected_keys)
    with torch.no_grad():  # the fused kernel reads the weights itself
        assert (merged(x) - model(x)).abs().max() < 1e-5
    plain = encoder_layer().eval()
    plain.load_state_dict(merged_state_dict(model.state_dict()), strict=True)
    with torch.no_grad():
        assert torch.equal(plain(x), merged(x))


def test_a_copy_can_be_merged_while_the_original_trains_on():
    """deepcopy shares the class that PyTorch's parametrize has injected."""
    model = encoder_layer()
    apply_hrf(model, ["*.in_proj_weight"])
    twin = copy.deepcopy(model)
    merge_hrf(twin)
    merge_hrf(model)
    x = torch.randn(3, 7, 16)
    for original in (model, twin):
        original(x).sum().backward()
        assert original.self_attn.in_proj_weight.shape == (48, 16)


def test_speechbrain_relative_attention_keeps_its_interleaved_layout():
    torch.manual_seed(0)
    model = nn.ModuleList([RelPosMHAXL(16, 4)])
    plain = copy.deepcopy(model[0]).eval()
    report = apply_hrf(model, ["*.in_proj_weight.k"], init="preserve")
    assert [layer.name for layer in report.expansions] == ["0.in_proj_weight.k"]
    x, positions = torch.randn(2, 7, 16), RelPosEncXL(16)
    model.eval()
    with torch.no_grad():
        expected, _ = plain(x, x, x, positions(x))
        found, _ = model[0](x, x, x, positions(x))
        merged, _ = merge_hrf(model)[0](x, x, x, positions(x))
    assert (found - expected).abs().max() < TOLERANCE
    assert (merged - expected).abs().max() < TOLERANCE
    # Only the key block is a chain: query and value stay where they were.
    q, _, v = unpack(model[0].in_proj_weight, 4)
    q_before, _, v_before = unpack(plain.in_proj_weight, 4)
    assert torch.equal(q, q_before)
    assert torch.equal(v, v_before)


def test_speechbrain_rotary_attention_and_its_state_dict():
    torch.manual_seed(0)
    model = nn.ModuleList([RoPEMHA(16, 4)]).eval()
    x = torch.randn(2, 7, 16)
    keys = list(model.state_dict())
    apply_hrf(model, ["*.q", "*.k"], ratio=2, layers=2)
    merged = merge_hrf(model)
    with torch.no_grad():
        found, _ = model[0](x, x, x)
        expected, _ = merged[0](x, x, x)
    assert (found - expected).abs().max() < TOLERANCE
    state = model.state_dict()
    torch.testing.assert_close(
        dict(merged_state_dict(state)), merged.state_dict(), rtol=0, atol=0
    )
    assert sorted(merged_state_dict(state)) == sorted(keys)
    # The keys say how the blocks are put together.
    del state["0.parametrizations.in_proj_weight.0.per_head_4.v.weight"]
    with pytest.raises(ValueError, match=r"'0.in_proj_weight' lacks .*\['v'\]"):
        merged_state_dict(state)


def test_merging_keeps_mode_and_what_is_frozen():
    model = nn.ModuleList([nn.MultiheadAttention(16, 4) for _ in range(2)])
    model[0].eval()
    plain = copy.deepcopy(model)
    apply_hrf(model, ["*.in_proj_weight.q"])
    model[0].requires_grad_(False)
    merged = merge_hrf(model)
    for k in (0, 1):
        assert merged[k].in_proj_weight.requires_grad is bool(k)
        modes = [
            [m.training for m in each[k].modules()] for each in (merged, plain)
        ]
        assert modes[0] == modes[1]
        part = model[k].parametrizations.in_proj_weight[0]
        assert part.training is bool(k)


@pytest.mark.parametrize("name", ["in_proj_weight", "in_proj_bias"])
def test_a_parametrization_on_top_is_refused(name):
    class Twice(nn.Module):
        def forward(self, x):
            return 2 * x

    model = nn.ModuleList([nn.MultiheadAttention(16, 4)])
    apply_hrf(model, ["*.q"])
    nn.utils.parametrize.register_parametrization(model[0], name, Twice())
    with pytest.raises(ValueError, match="another parametrization was added"):
        merge_hrf(model)


def test_stock_conformer_encoder():
    torch.manual_seed(0)
    model = ConformerEncoder(num_layers=2, nhead=4, d_ffn=32, d_model=16)
    keys = sorted(model.state_dict())
    report = apply_hrf(model, ["*.in_proj_weight", "*ffn*"], ratio=2)
    assert len(report.expansions) > 6
    model.eval()
    x = torch.randn(2, 9, 16)
    positions = RelPosEncXL(16)(x)
    merged = merge_hrf(model)
    with torch.no_grad():
        expected, _ = model(x, pos_embs=positions)
        found, _ = merged(x, pos_embs=positions)
    assert (found - expected).abs().max() < 1e-5
    assert sorted(merged.state_dict()) == keys


@pytest.mark.parametrize("root", [True, False])
def test_broken_packed_chain_is_named(root):
    model = nn.MultiheadAttention(16, 4)
    if not root:
        model = nn.ModuleList([model])
    apply_hrf(model, ["*in_proj_weight.k"])
    path = "" if root else "0."
    for name, parameter in model.named_parameters():
        if name.endswith(".k.hrf_factors.0"):
            nn.init.constant_(parameter, torch.nan)
    with pytest.raises(ValueError, match=f"of '{path}in_proj_weight.k' holds"):
        merge_hrf(model)
    where = rf"of '{path}parametrizations.in_proj_weight.0.blocked.k' holds"
    with pytest.raises(ValueError, match=where):
        merged_state_dict(model.state_dict())


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.MultiheadAttention(4, 2),
        lambda: RelPosMHAXL(4, 2),
        lambda: nn.TransformerEncoderLayer(4, 2, 8),
    ],
)
def test_parameters_keep_their_order(build):
    """Some count through them: vector_to_parameters, optimizer states."""
    torch.manual_seed(0)
    plain, model = nn.Sequential(build()), nn.Sequential(build())
    apply_hrf(model, ["*.in_proj_weight"])
    merged = merge_hrf(model)
    expected = [name for name, _ in plain.named_parameters()]
    assert [name for name, _ in merged.named_parameters()] == expected
    for state in merged.state_dict(), merged_state_dict(model.state_dict()):
        assert list(state) == list(plain.state_dict())
    vector = nn.utils.parameters_to_vector(merged.parameters())
    nn.utils.vector_to_parameters(vector, plain.parameters())
    for key, value in merged.state_dict().items():
        assert torch.equal(plain.state_dict()[key], value)


def test_a_new_weight_is_refused():
    """It would be lost, without a word."""
    attention = nn.MultiheadAttention(8, 2)
    apply_hrf(attention, ["in_proj_weight.q"])
    with pytest.raises(AttributeError, match="computed from its factors"):
        attention.in_proj_weight = torch.zeros(24, 8)
