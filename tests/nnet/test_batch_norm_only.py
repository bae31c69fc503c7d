"""No wider layer, a normalisation alone: the control of normalised HRF."""

import pytest
import torch
from torch import nn

from speechbrain_hrf import apply_hrf, merge_hrf, merged_state_dict


@pytest.fixture
def pair():
    """An expanded layer, and a plain one with PyTorch's BatchNorm behind."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 3)).double()
    apply_hrf(model, ["0"], layers=0, inner_norm=True)
    linear, norm = nn.Linear(5, 3).double(), nn.BatchNorm1d(3).double()
    with torch.no_grad():
        linear.weight.copy_(model[0].factors[0])
        linear.bias.zero_()
    return model, nn.Sequential(linear, norm)


@pytest.mark.parametrize("chained", [False, True])
def test_it_is_a_linear_layer_and_a_batch_norm(pair, chained):
    model, reference = pair
    model[0].chained = chained
    for part in pair:
        optimizer = torch.optim.SGD(part.parameters(), lr=0.1)
        generator = torch.Generator().manual_seed(1)
        for _ in range(5):
            x = 2 + torch.randn(7, 5, dtype=torch.float64, generator=generator)
            optimizer.zero_grad()
            part(x).pow(3).sum().backward()
            optimizer.step()
    x = torch.randn(9, 5, dtype=torch.float64)
    torch.testing.assert_close(model(x), reference(x), rtol=1e-10, atol=1e-10)
    model.eval(), reference.eval()
    torch.testing.assert_close(model(x), reference(x), rtol=1e-10, atol=1e-10)


def test_it_merges_into_the_plain_layer(pair):
    model = pair[0]
    model(torch.randn(7, 5, dtype=torch.float64))  # moves the averages
    x = torch.randn(9, 5, dtype=torch.float64)
    plain = nn.Sequential(nn.Linear(5, 3)).double()
    plain.load_state_dict(merged_state_dict(model.state_dict()))
    torch.testing.assert_close(plain(x), model.eval()(x))
    torch.testing.assert_close(merge_hrf(model)(x), model(x))


def test_without_normalisation_there_is_nothing_to_train():
    with pytest.raises(ValueError, match="number of extra layers is 0"):
        apply_hrf(nn.Sequential(nn.Linear(5, 3)), ["0"], layers=0)
