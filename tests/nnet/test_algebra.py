"""The algebra of deHRF, against numbers worked out by hand."""

import math

import pytest
import torch

from speechbrain_hrf import collapse
from speechbrain_hrf.nnet.algebra import (
    EPS,
    Norm,
    collapse_exactly,
    fold,
    merge_chain,
    run_chain,
)


def tensors(*values):
    return [None if value is None else torch.tensor(value) for value in values]


# y = 2 x + 3, then y = 5 y + 7: together 10 x + 22.
TWO = tensors([[2.0]], [[5.0]]), tensors([3.0], [7.0]), 10.0, 22.0
# Forgetting b_1 W_2 is the classic bug; here it is all of the bias.
ALL_INNER = tensors([[2.0], [1.0]], [[5.0, 1.0]]), tensors([3.0, 4.0], None)
# A bias in the middle alone is missing: 4 * 3 * 1 + 5.
THREE = tensors([[2.0]], [[3.0]], [[4.0]]), tensors([1.0], None, [5.0])
NO_BIAS = tensors([[2.0]], [[5.0]]), [None, None], 10.0, None
ONE = tensors([[2.0]]), tensors([3.0]), 2.0, 3.0


@pytest.mark.parametrize(
    ("factors", "biases", "weight", "bias"),
    [TWO, (*ALL_INNER, 11.0, 19.0), (*THREE, 24.0, 17.0), NO_BIAS, ONE],
)
def test_collapse_by_hand(factors, biases, weight, bias):
    found, found_bias = collapse(factors, biases)
    assert found.tolist() == [[weight]]
    assert found_bias is None if bias is None else found_bias.item() == bias
    # The chain itself gives the same for x = 1.
    y = run_chain(torch.ones(1), factors, biases, [])
    assert y.item() == weight + (bias or 0)


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
        ([], [], "at least one factor, not 0"),
        ([torch.ones(1, 1)], [None, None], "one bias.* not 1 .* 2 biases"),
        (
            [torch.ones(3, 2), torch.ones(2, 4)],
            [None, None],
            "Factor 1 takes 4 inputs, but factor 0 gives 3 outputs",
        ),
        (
            [torch.ones(3, 2), torch.ones(4, 3), torch.ones(2, 5)],
            [None] * 3,
            "Factor 2 takes 5 inputs, but factor 1 gives 4 outputs",
        ),
    ],
)
def test_chains_that_do_not_fit(factors, biases, message):
    with pytest.raises(ValueError, match=message):
        collapse(factors, biases)


def test_norms_by_hand():
    """Two hidden units: 3 (2 x - 1) / 2 + 1 and 1 (x - 4) / 5 + 2, summed."""
    norm = Norm(*tensors([3.0, 1.0], [1.0, 4.0], [4.0 - EPS, 25.0 - EPS]))
    factors = tensors([[2.0], [1.0]], [[1.0, 1.0]])
    biases = tensors([1.0, 2.0], [0.5])
    weight, bias = collapse(*fold(factors, biases, [norm]))
    assert weight.item() == pytest.approx(3 + 1 / 5)
    assert bias.item() == pytest.approx((-1.5 + 1) + (-4 / 5 + 2) + 0.5)
    y = run_chain(torch.tensor([10.0]), factors, biases, [norm])
    assert y.item() == pytest.approx(10 * weight.item() + bias.item())
    # Their shift may be missing, and what was folded is as it was.
    _, bias = collapse(*fold(factors, [None, biases[1]], [norm]))
    assert bias.item() == pytest.approx(-1.5 - 4 / 5 + 0.5)
    assert factors[0].tolist() == [[2.0], [1.0]]
    assert biases[0].tolist() == [1.0, 2.0]


def test_exactly_is_in_float64_rounded_once():
    # 1 + 2^-30 - 1, of which float32 keeps nothing on its way.
    factors = tensors([[1.0], [1.0]], [[1.0, -1.0], [1.0, 0.0]])
    factors.append(torch.tensor([[1.0, 2.0**-30]]))
    biases = [None, None, torch.zeros(1)]
    assert collapse(factors, biases)[0].item() == 0  # control
    for norms in ([], [Norm(*torch.ones(3, 2))]):
        weight, bias = collapse_exactly(factors, biases, norms)
        assert weight.dtype == bias.dtype == torch.float32
        assert weight.item() == pytest.approx(2.0**-30, rel=1e-4)
    assert collapse_exactly(factors, [None] * 3)[1] is None


def test_what_merges_at_the_edge():
    """A normalised layer alone; a layer of zeros, which rounds to itself."""
    norm = Norm(*tensors([3.0], [4.0], [1.0 - EPS]))
    before = torch.random.get_rng_state()
    state = merge_chain("layer", *tensors([[[2.0]]], [[1.0]]), [norm])
    assert state == {"weight": 3 * 2.0, "bias": 3 * -4.0 + 1}
    zeros = [torch.zeros(2, 1), torch.zeros(3, 2)]
    state = merge_chain("layer", zeros, [None, None], [])
    assert list(state) == ["weight"]
    assert not state["weight"].any()
    assert torch.equal(torch.random.get_rng_state(), before)


def chain(dtype=torch.float32):
    torch.manual_seed(0)
    factors = [torch.randn(8, 3, dtype=dtype), torch.randn(2, 8, dtype=dtype)]
    biases = [torch.randn(8, dtype=dtype), torch.randn(2, dtype=dtype)]
    norm = Norm(*(0.5 + torch.rand(3, 8, dtype=dtype)))
    return factors, biases, [norm]


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.bfloat16]
)
@pytest.mark.parametrize("scale", [1, 1e3, 1e-6])
def test_merging_holds_the_product_against_the_chain(dtype, scale, monkeypatch):
    """Rounding is let through at any scale, ten times as much is not."""
    factors, biases, norms = chain(dtype)
    factors[1] *= scale
    biases[1] *= scale
    state = merge_chain("layer", factors, biases, norms)
    assert {part.dtype for part in state.values()} == {dtype}
    exact, exact_bias = collapse_exactly(factors, biases, norms)
    assert torch.equal(state["weight"], exact)
    assert torch.equal(state["bias"], exact_bias)

    from speechbrain_hrf.nnet import algebra

    for part in (exact, exact_bias):
        error = 200 * torch.finfo(dtype).eps * part.abs().max()
        part[0] += error
        monkeypatch.setattr(
            algebra, "collapse_exactly", lambda *_: (exact, exact_bias)
        )
        with pytest.raises(ValueError, match="'layer' changes its output by"):
            merge_chain("layer", factors, biases, norms)
        part[0] -= error


@pytest.mark.parametrize("size", [1e-20, 1e-23, 1e-30])
def test_a_layer_that_has_decayed_to_nothing_merges(size):
    """Its product is too small for all digits of float32."""
    factors, biases, _ = chain()
    factors = [size * factor for factor in factors]
    state = merge_chain("layer", factors, [None, None], [])
    assert not state["weight"].any() or size == 1e-20


def test_large_parts_may_cancel_in_float64():
    """What is left is no larger than what float64 rounds on the way."""
    torch.manual_seed(0)
    first = torch.randn(8, 8, dtype=torch.float64)
    inner = torch.randn(8, 8, dtype=torch.float64)
    # Rows that are orthogonal to all but one direction of what comes in
    u = torch.linalg.svd(inner @ first).U
    last = torch.randn(2, 8, dtype=torch.float64) @ (u[:, 7:] @ u[:, 7:].T)
    factors = [1e3 * first, 1e3 * inner, last]
    weight = merge_chain("layer", factors, [None] * 3, [])["weight"]
    assert 0 < weight.abs().max() < 1e-2 * (inner @ first).abs().max() * 1e6


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(
    ("place", "name"),
    [
        (lambda f, b, n: f[1], "Factor 1"),
        (lambda f, b, n: b[0], "Bias 0"),
        (lambda f, b, n: n[0].scale, "Norm's scale 0"),
        (lambda f, b, n: n[0].mean, "Norm's mean 0"),
        (lambda f, b, n: n[0].variance, "Norm's variance 0"),
    ],
)
def test_broken_parts_are_named(place, name, value):
    parts = chain()
    place(*parts).view(-1)[1] = value
    with pytest.raises(ValueError, match=f"{name} of 'layer' holds NaN or Inf"):
        merge_chain("layer", *parts)
