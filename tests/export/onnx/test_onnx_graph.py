"""Graphs are put together from parts; names stay short and unique.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import onnx
import pytest
import torch
from onnx_run import built, run

from speechbrain_hrf.export.onnx.graph import PARTS, Graph
from speechbrain_hrf.export.onnx.include import Parts, include
from speechbrain_hrf.export.onnx.sizes import size_report


def test_names_are_unique():
    """Also in a loop's body, and behind the last letter."""
    graph = Graph()
    body = Graph(scope=graph)
    names = [g.name(part) for part in PARTS for g in [graph, body] * 2000]
    assert len(set(names)) == len(names) == 4000 * len(PARTS)
    assert max(map(len, names)) == 4
    assert {name[0] for name in names} == set(PARTS)


def test_equal_constants_are_kept_once():
    """Of a part, and if type and shape are equal as well."""
    graph = Graph()
    first = graph.constant([1, 2], "m")
    assert first == "k0"  # integers are shapes and indices
    assert graph.constant([1, 2], "d") == first
    assert Graph(scope=graph).constant([1, 2], "m") == first
    others = [
        graph.constant([[1, 2]], "m"),
        graph.constant(np.array([1, 2], np.int32), "m"),
        graph.constant([1.0, 2.0], "m"),
        graph.constant([1.0, 2.0], "d"),
    ]
    assert len({first, *others}) == len(graph.constants) == 5
    assert graph.constants[others[2]].dtype == np.float32


def inner():
    """Two outputs that share nothing: 2 x + 1 and x y."""
    graph = Graph()
    x = graph.input("x", np.float32, [2])
    y = graph.input("y", np.float32, [2])
    double = graph("Mul", x, 2.0)
    graph.output(graph("Add", double, 1.0), "a", np.float32, [2])
    product = graph("Mul", x, y)
    graph.output(product, "b", np.float32, [2])
    model = graph.model()
    model.graph.node[0].doc_string = "a stack trace"
    return model


@pytest.mark.parametrize("wanted, nodes", [([0], 2), ([1], 1), ([0, 1], 3)])
def test_include(wanted, nodes):
    """Only what is needed comes along, twice if asked twice."""
    graph = Graph()
    a = graph.input("a", np.float32, [2])
    found = include(graph, inner(), [a, a], lambda _: "m", wanted)
    assert len(graph.nodes) == nodes
    assert not any(node.doc_string for node in graph.nodes)
    again = include(graph, inner(), [found[0], a], lambda _: "m", wanted)
    graph.output(again[0], "out", np.float32, [2])
    x = torch.tensor([3.0, -1.0])
    expected = x * x * x if wanted == [1] else 2 * (2 * x + 1) + 1
    assert run(graph.model(), a=x).tolist() == expected.tolist()


def test_parts_by_value():
    """However the exporter names and turns a parameter."""
    model = torch.nn.ModuleDict(
        {
            "front_end": torch.nn.ModuleDict(
                {
                    "conv1": torch.nn.Conv2d(1, 2, 3),
                    "linear": torch.nn.Linear(3, 4),
                }
            ),
            "blocks": torch.nn.ModuleList([torch.nn.Linear(5, 6)]),
            "other": torch.nn.Linear(7, 8),
        }
    )
    part = Parts(
        {"embedding_model": model, "classifier": torch.nn.Linear(2, 9)}
    )
    found = {
        name: part(value.numpy().T.copy())
        for name, value in model.state_dict().items()
        if name.endswith("weight")
    }
    assert found == {
        "front_end.conv1.weight": "f",
        "front_end.linear.weight": "l",
        "blocks.0.weight": "b",
        "other.weight": "m",
    }
    assert part(np.ones((3, 4), np.float32)) == "p"
    assert part(None) == "m"


def test_sizes_of_a_file_of_another_origin():
    """Its names say nothing; its bytes add up all the same."""
    model = inner()
    for node in model.graph.node:
        node.output[0] = node.output[0].replace("k", "zz")
        node.input[:] = [name.replace("k", "zz") for name in node.input]
    for tensor in model.graph.initializer:
        tensor.name = tensor.name.replace("k", "zz")
    onnx.checker.check_model(model)
    report = size_report(model.SerializeToString())
    assert report.constants == {"of no part": 8}
    assert report.total == model.ByteSize()


@pytest.mark.parametrize("frames", [1, 31, 32, 33, 500, 3001])
def test_equal_frames(frames):
    """Added up one by one, the error of 500 would be tenfold."""
    model = built(
        lambda g, frames: g.sum_over_time(frames, 64, "m"),
        {"frames": ["batch", "frames", 64]},
        rank=2,
    )
    torch.manual_seed(0)
    value = torch.rand(1, 1, 64)
    found = run(model, frames=value.expand(2, frames, 64).contiguous())
    expected = frames * value[0].double().numpy()
    assert np.abs(found / expected - 1).max() <= 1e-6


def test_one_by_one_is_worse():
    """The test above would see a sum in one step."""
    model = built(
        lambda g, frames: g("ReduceSum", frames, [1], keepdims=0),
        {"frames": ["batch", "frames", 64]},
        rank=2,
    )
    torch.manual_seed(0)
    value = torch.rand(1, 1, 64)
    found = run(model, frames=value.expand(1, 3001, 64).contiguous())
    expected = 3001 * value[0].double().numpy()
    assert np.abs(found / expected - 1).max() > 1e-5
