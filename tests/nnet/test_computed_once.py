"""A chain is multiplied out once in a pass, and never from old factors."""

import copy
import threading

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from speechbrain_hrf import apply_hrf, merge_hrf
from speechbrain_hrf.nnet import chain, computed

STEPS = 5


class Loop(nn.Module):
    """A layer that is called at every time step."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        for _ in range(STEPS):
            x = torch.tanh(self.layer(x))
        return x


@pytest.fixture
def model():
    torch.manual_seed(0)
    loop = Loop()
    apply_hrf(loop, ["layer"], ratio=2)
    return loop


@pytest.fixture
def x():
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def products(monkeypatch):
    """How many there were so far."""
    counts = []
    for name in "collapse", "collapse_exactly":
        original = getattr(chain, name)

        def counted(*arguments, original=original):
            counts.append(1)
            return original(*arguments)

        monkeypatch.setattr(chain, name, counted)
    return counts


def reference(model, x):
    """Outside any pass, each call multiplies the chain out."""
    for _ in range(STEPS):
        x = torch.tanh(model.layer(x))
    return x


@pytest.mark.parametrize("training", [True, False])
def test_once_in_a_pass(model, x, products, training):
    model.train(training)
    model(x)
    assert len(products) == 1
    model(x)
    assert len(products) == 2
    reference(model, x)
    assert len(products) == 2 + STEPS


def test_a_pass_lasts_beyond_the_modules_within_it(x, products):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.inner = nn.Linear(4, 4), Loop()

        def forward(self, x):
            return self.layer(self.inner(self.layer(x)))

    model = Twice()
    apply_hrf(model, ["*"], ratio=2)
    model(x)
    assert len(products) == 2


def test_a_module_that_is_gone_leaves_nothing_to_the_next(x):
    """Which may get its id."""

    class Fleeting(nn.Sequential):
        def forward(self, x):
            for number in range(9):
                none = nn.Identity()
                assert computed.once(none, list, lambda n=number: n) == number
                del none
            return super().forward(x)

    model = Fleeting(nn.Linear(4, 4))
    apply_hrf(model, ["0"])
    model(x)


def test_gradients_are_those_of_the_chain(model, x):
    grads = []
    for forward in model, lambda x: reference(model, x):
        model.zero_grad()
        for _ in range(2):  # several backwards, each through its own graph
            forward(x).sum().backward()
        grads.append([p.grad.clone() for p in model.parameters()])
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("learning", ["", "hrf_biases.1"])
def test_backward_within_a_pass(x, products, learning):
    """It frees the graph, so that the next call needs another product."""

    class Learns(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            for part in x:
                (self.layer(part) + self.layer(part)).sum().backward()

    model = Learns()
    apply_hrf(model, ["layer"], ratio=2)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(learning in name)
    learns = [p for p in model.parameters() if p.requires_grad]
    model(x)
    assert len(products) == len(x)
    found = [parameter.grad.clone() for parameter in learns]
    model.zero_grad()
    (2 * model.layer(x)).sum().backward()
    torch.testing.assert_close(found, [each.grad for each in learns])


def by_optimizer(model):
    model.zero_grad()
    model(torch.ones(1, 4)).sum().backward()
    torch.optim.SGD(model.parameters(), lr=0.5).step()


def by_hand(model):
    model.layer.hrf_factors[0].data.mul_(2)


def by_state_dict(model):
    state = {k: 2 * v for k, v in model.state_dict().items()}
    model.load_state_dict(state)


def by_new_parameter(model):
    model.layer.hrf_factors[0] = nn.Parameter(torch.randn(8, 4))


def by_bias(model):
    model.layer.hrf_biases._parameters["1"].data.add_(1)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "mode", [torch.enable_grad, torch.no_grad, torch.inference_mode]
)
@pytest.mark.parametrize(
    "change",
    [by_optimizer, by_hand, by_state_dict, by_new_parameter, by_bias],
)
def test_what_changes_between_passes_counts(model, x, change, mode, training):
    model.train(training)
    with mode():
        before = model(x)
    change(model)
    with mode():
        after = model(x)
        assert not torch.allclose(before, after)
        torch.testing.assert_close(after, reference(model, x))


def test_evaluation_goes_on_with_what_was_computed(model, x, products):
    model.eval()
    with torch.inference_mode():
        first = model(x)
    with torch.no_grad():  # its tensors are good for other modes too
        assert torch.equal(model(x), first)
        assert len(products) == 1
        reference(model, x)  # outside a pass nothing is taken over
        assert len(products) == 1 + STEPS
        assert torch.equal(copy.deepcopy(model)(x), first)
        assert len(products) == 2 + STEPS
    model(x)  # with a graph
    assert len(products) == 3 + STEPS


@pytest.mark.parametrize(
    "number, other",
    [(0.0, -0.0), (1.0, 1 + 2**-23), (float("nan"), 1.0)],
)
@torch.no_grad()
def test_evaluation_sees_the_last_bit(model, x, products, number, other):
    model.eval()
    model.layer.hrf_factors[0].data[1, 2] = number
    for _ in range(2):
        model(x)
    assert len(products) == 1
    model.layer.hrf_factors[0].data[1, 2] = other
    model(x)
    assert len(products) == 2


@torch.no_grad()
def test_evaluation_sees_another_dtype(model, x, products):
    """Zeros are the same bits in both."""
    model.eval()
    for factor in model.layer.hrf_factors:
        factor.zero_()
    for dtype in torch.float16, torch.bfloat16, torch.float64, torch.float32:
        model.to(dtype)
        for _ in range(2):
            assert model(x.to(dtype)).dtype == dtype
    assert len(products) == 4


@torch.no_grad()
def test_evaluation_sees_running_averages(x, products):
    loop = Loop()
    apply_hrf(loop, ["layer"], ratio=2, inner_norm=True)
    loop.eval()
    before = loop(x)
    loop.layer.norms[0].mean.data.add_(1)
    assert not torch.allclose(loop(x), before)
    torch.testing.assert_close(loop(x), reference(loop, x))
    assert len(products) == 2 + STEPS


@torch.no_grad()
def test_training_frees_what_evaluation_keeps(model, x, products):
    model.eval()(x)
    assert model.layer in computed._COPIED
    model.train()(x)
    assert model.layer not in computed._COPIED
    model(x)
    assert len(products) == 3  # training takes nothing over
    model.eval()(x)
    layer = model.layer
    assert layer in computed._COPIED
    del model.layer, layer, model
    assert not computed._COPIED


@torch.no_grad()
def test_large_factors_are_not_copied(model, x, products, monkeypatch):
    monkeypatch.setattr(computed, "MOST_COPIED", 100)
    model.eval()
    for _ in range(2):
        model(x)
    assert len(products) == 2


@torch.no_grad()
def test_who_records_the_operations_sees_the_product(model, x):
    model.eval()(x)
    counts = []
    for _ in range(2):
        with FlopCounterMode(display=False) as counter:
            model(x)
        counts.append(counter.get_total_flops())
    steps = 2 * STEPS * 3 * 4 * 4
    assert counts == [steps + 2 * 4 * 8 * 4] * 2
    traced = torch.jit.trace(model, (x,))
    by_hand(model)
    torch.testing.assert_close(traced(x), model(x))
    state = {k: torch.stack([v, 2 * v]) for k, v in model.named_parameters()}

    def forward(state):
        return torch.func.functional_call(model, state, (x,))

    both = torch.func.vmap(forward)(state)
    torch.testing.assert_close(both[0], model(x))
    by_state_dict(model)
    torch.testing.assert_close(both[1], model(x))


def test_what_changes_within_a_pass_counts(model, x):
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, x):
            found = [self.inner(x)]
            with torch.no_grad():
                self.inner.layer.hrf_factors[0].mul_(2)
                found.append(self.inner(x))
            state = {k: v / 2 for k, v in self.inner.named_parameters()}
            found.append(torch.func.functional_call(self.inner, state, (x,)))
            return found

    outer = Outer()
    apply_hrf(outer, [])
    first, second, third = outer(x)
    assert first.requires_grad and not second.requires_grad
    torch.testing.assert_close(second, reference(model, x))
    assert not torch.allclose(first, second)
    assert not torch.allclose(second, third)


def test_a_copy_computes_its_own(model, x):
    class Copies(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, x):
            before = self.inner(x)
            other = copy.deepcopy(self.inner)
            by_hand(other)
            return before, other(x)

    outer = Copies()
    before, after = outer(x)
    assert not torch.allclose(before, after)


def test_an_error_ends_the_pass(model, x, products):
    with pytest.raises(RuntimeError):
        model(torch.ones(3, 5))
    products.clear()
    by_hand(model)
    torch.testing.assert_close(model(x), reference(model, x))
    assert len(products) == 1 + STEPS


def test_an_interrupted_pass_leaves_nothing(model, x):
    def interrupt(module, inputs):
        raise KeyboardInterrupt

    handle = model.layer.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        model(x)
    handle.remove()
    other = copy.deepcopy(model)  # also the pass of a model that is new
    for each in other, model:
        before = each(x)
        before.sum().backward()
        by_hand(each)
        after = each(x)
        after.sum().backward()
        assert not torch.allclose(before, after)


def test_threads_have_their_own(model, x):
    model.train()
    found, errors = {}, []

    def work(number):
        try:
            for _ in range(20):
                out = model(x + number)
                (grad,) = torch.autograd.grad(
                    out.sum(), [model.layer.hrf_factors[0]]
                )
            found[number] = grad
        except RuntimeError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for number, grad in found.items():
        (expected,) = torch.autograd.grad(
            reference(model, x + number).sum(), [model.layer.hrf_factors[0]]
        )
        torch.testing.assert_close(grad, expected)


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_activation_checkpointing(model, x, use_reentrant):
    class Checkpointed(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, x):
            for _ in range(2):
                x = checkpoint(self.inner, x, use_reentrant=use_reentrant)
            return x

    outer = Checkpointed()
    apply_hrf(outer, [])
    x = x.requires_grad_()
    outer(x).sum().backward()
    found = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    reference(model, reference(model, x)).sum().backward()
    for one, other in zip(found, model.parameters(), strict=True):
        torch.testing.assert_close(one, other.grad)


def test_functional_transforms(model, x):
    state = dict(model.named_parameters())
    stacked = {k: torch.stack([v, 2 * v]) for k, v in state.items()}

    def loss(state):
        return torch.func.functional_call(model, state, (x,)).sum()

    grads = torch.func.vmap(torch.func.grad(loss))(stacked)
    single = torch.func.grad(loss)({k: 2 * v for k, v in state.items()})
    for key, value in single.items():
        torch.testing.assert_close(grads[key][1], value)


def test_merging_takes_the_marks_off(model, x):
    merged = merge_hrf(model.eval())
    for module in merged.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks
        assert not module._forward_hooks_always_called
    torch.testing.assert_close(merged(x), model(x))


def test_a_normalised_layer_must_not_be_called_twice(x):
    loop = Loop()
    apply_hrf(loop, ["layer"], inner_norm=True)
    with pytest.raises(
        RuntimeError, match="'layer', HRFLinear.* called several"
    ):
        loop(x)
    loop.eval()(x)
    loop.train()
    for _ in range(2):  # two passes, or two calls outside any, are no trouble
        loop.layer(x)


class Checkpointed(nn.Module):
    """Transformers' models call a layer within a checkpoint; so does this."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.saves_memory = False

    def forward(self, x):
        def run(x):
            return torch.tanh(self.layer(x))

        if self.saves_memory:
            return checkpoint(run, x, use_reentrant=False)
        return run(x)


@pytest.mark.parametrize("rows", [3, 4])
@pytest.mark.parametrize("chained", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_a_layer_within_a_checkpoint(rows, chained, training):
    """It is computed again in backward, outside any pass."""
    torch.manual_seed(0)
    model = Checkpointed().train(training)
    apply_hrf(model, ["layer"], ratio=1, chained=chained)
    found = []
    for model.saves_memory in (False, True):
        x = torch.linspace(-1, 1, 4 * rows).view(rows, 4).requires_grad_()
        model.zero_grad()
        model(x).square().sum().backward()
        found.append([x.grad, *(each.grad for each in model.parameters())])
    for expected, gradient in zip(*found, strict=True):
        torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("inside", [True, False])
def test_factors_that_change_before_backward(model, x, inside):
    """PyTorch raises where a plain layer's weight does."""
    out = (model if inside else model.layer)(x).sum()
    with torch.no_grad():
        model.layer.hrf_factors[0].mul_(2)
    with pytest.raises(RuntimeError, match="was changed in place"):
        out.backward()


def test_no_hook_is_left_on_a_parameter(x):
    """Without inner biases the last bias is the product's own."""
    model = nn.Sequential(nn.Linear(4, 4))
    apply_hrf(model, ["0"], inner_bias=False)
    for _ in range(3):
        model(x).sum().backward()
    for parameter in model.parameters():
        assert not parameter._backward_hooks
