"""The recorded steps are those of the merged weights, and cost nothing."""

import copy

import pytest
import torch

from speechbrain_hrf import apply_hrf, merge_hrf
from speechbrain_hrf.files import read_lines
from speechbrain_hrf.training.effective_steps import FIRST_STEPS, record_steps


def _model(modules):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Linear(4, 2))
    if modules:
        apply_hrf(model, modules, ratio=4)
    return model


def _train(model, steps, optimizer=None):
    generator = torch.Generator().manual_seed(1)
    optimizer = optimizer or torch.optim.AdamW(model.parameters(), lr=0.01)
    merged = [merge_hrf(model)]
    for _ in range(steps):
        x = torch.randn(8, 5, generator=generator)
        model(x).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        merged.append(merge_hrf(model))
    return merged, optimizer


@pytest.fixture
def recording(tmp_path):
    handles = []

    def start(model, every):
        handles.extend(record_steps(model, tmp_path, every))
        return tmp_path / "steps.jsonl"

    yield start
    for handle in handles:
        handle.remove()


@pytest.mark.parametrize("modules", [[], ["0"], ["0", "1"]])
def test_lengths_are_those_of_the_merged_weights(recording, modules):
    model = _model(modules)
    path = recording(model, every=1)
    merged, _ = _train(model, 3)
    lines = read_lines(path)
    assert [line["step"] for line in lines] == [1, 2, 3]
    for line, before, after in zip(lines, merged, merged[1:], strict=False):
        assert list(line["layers"]) == ["0.weight", "1.weight"]
        for name, (length, weight) in line["layers"].items():
            old, new = before.state_dict()[name], after.state_dict()[name]
            expected = (new.double() - old.double()).norm().item()
            # The merged copies are rounded to float32.
            assert length == pytest.approx(expected, rel=1e-4)
            assert weight == pytest.approx(old.norm().item(), rel=1e-5)


def test_which_steps_are_recorded(recording):
    model = _model([])
    path = recording(model, every=10)
    _train(model, 21)
    steps = [line["step"] for line in read_lines(path)]
    assert steps == [*range(1, FIRST_STEPS + 1), 10, 20]
    seconds = [line["seconds"] for line in read_lines(path)]
    assert seconds[0] is None
    assert all(0 < value < 1 for value in seconds[1:])


def test_a_resumed_run_goes_on_counting(recording):
    model = _model(["0"])
    _, optimizer = _train(model, 7)
    path = recording(model, every=1)
    _train(model, 2, optimizer)
    assert [line["step"] for line in read_lines(path)] == [8, 9]


def test_training_is_not_changed(recording):
    plain, recorded = _model(["0"]), _model(["0"])
    _train(plain, 5)
    recording(recorded, every=1)
    _train(recorded, 5)
    for a, b in zip(plain.parameters(), recorded.parameters(), strict=True):
        assert torch.equal(a, b)


def test_zero_records_nothing_and_negative_is_refused(recording, tmp_path):
    model = _model([])
    path = recording(model, every=0)
    _train(model, 2)
    assert not path.exists()
    with pytest.raises(ValueError, match="record_steps is -1"):
        record_steps(model, tmp_path, -1)


def test_hrf_takes_longer_steps_at_the_same_rate(recording):
    """The confound of the method, as the recorder shows it."""
    lengths = {}
    for modules in ([], ["0"]):
        model = _model(modules)
        path = recording(copy.deepcopy(model), every=1)
        del path
        path = recording(model, every=1)
        _train(model, 1)
        lengths[bool(modules)] = read_lines(path)[-1]["layers"]["0.weight"][0]
    assert lengths[True] > 1.5 * lengths[False]
