import pytest
import torch

from speechbrain.lobes.models.hrf import (
    ClassifierHead,
    Conformer,
    ConvTransformer,
    SpeechFormer,
)
from speechbrain.nnet.hrf import (
    apply_hrf,
    count_parameters,
    merge_hrf,
    merged_state_dict,
)


@pytest.mark.parametrize("inner_norm", [False, True])
@pytest.mark.parametrize("lobe", [ConvTransformer, Conformer, SpeechFormer])
def test_merging_keeps_the_output(lobe, inner_norm, device):
    torch.manual_seed(0)
    model = torch.nn.ModuleList([lobe(), ClassifierHead(16, 4)]).to(device)
    plain = count_parameters(model)
    names = list(model.state_dict())
    apply_hrf(model, ["*"], ratio=4, inner_norm=inner_norm)
    assert count_parameters(model) > plain

    feats = torch.rand(3, 60, 78, device=device)
    lens = torch.tensor([1.0, 0.5, 0.7], device=device)
    for _ in range(2):  # statistics of the inner norms
        model[1](model[0](feats, lens)).sum().backward()
    model.eval()
    merged = merge_hrf(model)
    with torch.no_grad():
        expected = model[1](model[0](feats, lens))
        found = merged[1](merged[0](feats, lens))
    assert torch.allclose(found, expected, atol=1e-5)
    assert count_parameters(merged) == plain
    assert list(merged.state_dict()) == names


def test_merged_state_dict_loads_into_the_plain_model(device):
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2)
    ).to(device)
    apply_hrf(model, ["0", "2"], ratio=2)
    plain = torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2)
    ).to(device)
    plain.load_state_dict(merged_state_dict(model.state_dict()))
    inputs = torch.rand(5, 4, device=device)
    assert torch.allclose(plain(inputs), model(inputs), atol=1e-6)


def test_unknown_names_leave_the_model_as_it_is():
    model = torch.nn.Sequential(torch.nn.Linear(4, 3))
    with pytest.raises(ValueError):
        apply_hrf(model, ["nothing"])
    assert type(model[0]) is torch.nn.Linear
