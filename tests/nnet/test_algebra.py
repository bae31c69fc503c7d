"""The algebra of deHRF, against numbers worked out by hand."""

import pytest
import torch

from speechbrain_hrf import collapse


def test_by_hand():
    # y = 2 x + 3, then y = 5 y + 7: together 10 x + 22.
    weight, bias = collapse(
        [torch.tensor([[2.0]]), torch.tensor([[5.0]])],
        [torch.tensor([3.0]), torch.tensor([7.0])],
    )
    assert weight.item() == 10.0
    assert bias.item() == 22.0


def test_inner_bias_counts_without_last_bias():
    # Forgetting b_1 W_2 is the classic bug; here it is all of the bias.
    weight, bias = collapse(
        [torch.tensor([[2.0], [1.0]]), torch.tensor([[5.0, 1.0]])],
        [torch.tensor([3.0, 4.0]), None],
    )
    assert weight.item() == 11.0
    assert bias.item() == 19.0


def test_three_factors_by_hand():
    weight, bias = collapse(
        [torch.tensor([[2.0]]), torch.tensor([[3.0]]), torch.tensor([[4.0]])],
        [torch.tensor([1.0]), None, torch.tensor([5.0])],
    )
    assert weight.item() == 24.0
    assert bias.item() == 4 * 3 * 1 + 5


def test_without_any_bias():
    weight, bias = collapse([torch.eye(2), torch.eye(2)], [None, None])
    assert bias is None
    assert torch.equal(weight, torch.eye(2))


def test_autocast_stays_out():
    factors = [torch.rand(32, 16), torch.rand(4, 32)]
    outside, _ = collapse(factors, [None, None])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (factors[1] @ factors[0]).dtype == torch.bfloat16  # control
        inside, _ = collapse(factors, [None, None])
    assert inside.dtype == torch.float32
    assert torch.equal(inside, outside)


@pytest.mark.parametrize(
    ("factors", "biases", "message"),
    [
        ([], [], "at least one factor"),
        ([torch.ones(1, 1)], [None, None], "one bias"),
        (
            [torch.ones(3, 2), torch.ones(2, 4)],
            [None, None],
            "Factor 1 takes 4",
        ),
    ],
)
def test_chains_that_do_not_fit(factors, biases, message):
    with pytest.raises(ValueError, match=message):
        collapse(factors, biases)
