"""int8 and fp16: what is rounded, what is claimed, what is written.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import io
import json
import shutil
import sys

import numpy as np
import onnx
import pytest
import soundfile
from onnx import numpy_helper

from speechbrain_hrf.export.onnx import PRECISIONS, comparison
from speechbrain_hrf.export.onnx.comparison import Comparison, compare
from speechbrain_hrf.export.onnx.precision import add_precision, store_as
from speechbrain_hrf.runtime import Classifier

EXAMPLE = Comparison(
    bytes=(50000, 25000),
    milliseconds=(2.0, 2.0),
    time_ratio=(0.98, 1.0, 1.02),
    control=(0.98, 1.0, 1.02),
    n=240,
    agree=239,
    max_difference=0.03,
    audio="240 recordings",
    n_labelled=240,
    WA=(0.5, 0.5),
    UA=(0.49, 0.495),
)
# Of what is stored: half a step of 127, and 11 bits.
STEPS = {"int8": 0.5 / 127, "fp16": 2.0**-11}


@pytest.fixture(autouse=True)
def few_calls(monkeypatch):
    """How times are taken is not what is tested here."""
    monkeypatch.setattr(comparison, "_TURN", 0.001)


@pytest.fixture
def folder(onnx_folder, tmp_path):
    """An exported folder of its own."""
    return shutil.copytree(onnx_folder, tmp_path / "model")


@pytest.fixture
def recordings(folder, tmp_path):
    """Recordings of noise, labelled as the float32 model labels them."""
    classifier = Classifier(folder)
    random = np.random.default_rng(3)
    found = []
    for number in range(6):
        noise = 0.1 * random.standard_normal(8000 + 900 * number)
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, noise, 16000, subtype="FLOAT")
        label = classifier(noise.astype(np.float32), 16000).label
        found.append((str(path), label))
    return found


def small_model(**constants):
    """x @ a + t, where the names of constants say what they are."""
    constants = {k: v.astype(np.float32) for k, v in constants.items()}
    nodes = [
        onnx.helper.make_node("MatMul", ["x", "a"], ["y"]),
        onnx.helper.make_node("Add", ["y", "t0"], ["z"]),
    ]
    shapes = {
        name: onnx.helper.make_tensor_value_info(name, 1, shape)
        for name, shape in (("x", [1, 16]), ("z", [1, 80]))
    }
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [shapes["x"]],
        [shapes["z"]],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    opset = onnx.helper.make_opsetid("", 18)
    return onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)


def matrices(seed=0):
    random = np.random.default_rng(seed)
    columns = np.geomspace(1e-3, 1e2, 80)  # scales differ by channel
    return {
        "a": columns * random.standard_normal((16, 80)),
        "t0": random.standard_normal((1, 80)),
    }


@pytest.mark.parametrize("precision", PRECISIONS)
def test_parameters_are_rounded_and_the_front_end_is_not(precision):
    constants = matrices()
    model = small_model(**constants)
    small = store_as(model, precision)
    run = onnx.reference.ReferenceEvaluator(small).run
    found = run(None, {"x": np.eye(1, 16, dtype=np.float32)})[0]
    largest = np.abs(constants["a"]).max(axis=0)
    exact = constants["a"][0] + constants["t0"][0]
    error = np.abs(found[0] - exact)
    assert (error <= 1.01 * STEPS[precision] * largest + 1e-6).all()
    assert error.max() > 1e-6  # it is rounded
    kept = {t.name: t for t in small.graph.initializer}
    front_end = numpy_helper.to_array(kept["t0"])
    assert front_end.dtype == np.float32
    assert np.array_equal(front_end, constants["t0"].astype(np.float32))
    assert "a" not in kept
    # The original is left as it was.
    assert model == small_model(**constants)


def test_a_parameter_that_float16_cannot_hold_raises():
    constants = matrices()
    constants["a"][0, 0] = 1e5
    with pytest.raises(ValueError, match="a holds 1e\\+05, which float16"):
        store_as(small_model(**constants), "fp16")
    store_as(small_model(**constants), "int8")


def test_a_graph_without_parameters_raises():
    constants = {"a": np.ones((2, 2)), "t0": np.ones((1, 2))}
    with pytest.raises(ValueError, match="no float32 parameters"):
        store_as(small_model(**constants), "int8")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_gain_is_kept_and_runs(folder, recordings, precision, monkeypatch):
    # On a busy machine, one of two like files may come out slower.
    monkeypatch.setattr(comparison, "_quartiles", lambda *times: (1, 1, 1))
    monkeypatch.setattr(comparison, "FEWEST", len(recordings))
    report = add_precision(folder, precision, recordings)
    assert report.kept and "A gain" in str(report)
    manifest = json.loads((folder / "manifest.json").read_text())
    file = f"model.{precision}.onnx"
    content = (folder / file).read_bytes()
    entry = manifest["graphs"][file]
    assert entry["gain"] is True and entry["bytes"] == len(content)
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert entry["verified_on"] == "6 recordings"
    # The runner, which checks the hash, hears the difference that is named.
    differences = []
    for path, _ in recordings:
        before, after = (
            Classifier(folder, graph)(*soundfile.read(path)).log_probabilities
            for graph in ("model.onnx", file)
        )
        differences += [abs(before[label] - after[label]) for label in before]
    assert max(differences) == pytest.approx(entry["max_difference"])
    assert entry["max_difference"] > 0


def test_without_labels_nothing_is_claimed(folder, recordings, monkeypatch):
    unlabelled = [(path, None) for path, _ in recordings]
    before = (folder / "manifest.json").read_text()
    monkeypatch.setattr(comparison, "_quartiles", lambda *times: (1, 1, 1))
    report = add_precision(folder, "int8", unlabelled)
    assert not report.kept and "(not kept)" in str(report)
    assert "how accurate it is is not known" in str(report)
    assert "WA      not known" in str(report)
    assert not (folder / "model.int8.onnx").exists()
    after = json.loads((folder / "manifest.json").read_text())
    del after["manifest_sha256"]  # the folder was made without
    assert after == json.loads(before)


def test_no_gain_is_kept_when_asked_for_and_says_so(folder):
    report = add_precision(folder, "fp16", keep=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    entry = manifest["graphs"]["model.fp16.onnx"]
    assert report.kept and entry["gain"] is False
    assert entry["reason"].startswith("No gain")
    assert entry["reason"] in str(report)
    # Without being asked again, it goes, and so does its entry.
    add_precision(folder, "fp16")
    assert not (folder / "model.fp16.onnx").exists()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert list(manifest["graphs"]) == ["model.onnx"]


def test_a_graph_that_has_unlearnt_is_no_gain(folder, recordings):
    """Control: accuracy is really looked at."""
    before = (folder / "model.onnx").read_bytes()
    model = onnx.load_from_string(before)
    for tensor in model.graph.initializer:
        if tensor.name == "weight":
            value = -numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
    labels = json.loads((folder / "manifest.json").read_text())["labels"]
    found = compare(
        before, model.SerializeToString(), recordings, labels, 16000
    )
    gain, sentence = found._replace(bytes=(2, 1)).judge()
    assert found.WA[0] == 1 and found.WA[1] < 1
    assert not gain and "WA falls by" in sentence


@pytest.mark.parametrize(
    ("changed", "gain", "reason"),
    [
        ({}, True, "50 % smaller, and the same time within noise"),
        (
            {"bytes": (100, 100)},
            False,
            "as large, and the same time within noise",
        ),
        ({"bytes": (100, 96)}, False, "as large"),
        ({"bytes": (100, 120)}, False, "1.20 times the size"),
        ({"time_ratio": (1.3, 1.4, 1.5)}, False, "1.40 times the time"),
        # Beyond noise only: the same file against itself was as slow.
        (
            {"time_ratio": (1.3, 1.4, 1.5), "control": (0.9, 1.1, 1.35)},
            True,
            "the same time within noise",
        ),
        (
            {"bytes": (1, 1), "time_ratio": (0.5, 0.6, 0.7)},
            True,
            "as large, and 0.60 times the time",
        ),
        (
            {
                "bytes": (1, 1),
                "time_ratio": (0.5, 0.6, 0.7),
                "control": (0.6, 0.9, 1.0),
            },
            False,
            "the same time within noise",
        ),
        ({"UA": (0.5, 0.48)}, False, "UA falls by 2.0 points"),
        ({"WA": (0.5, 0.495)}, True, "WA .500 -> .495"),
        ({"WA": None, "UA": None, "n_labelled": 0}, False, "is not known"),
        ({"n_labelled": 99}, False, "at hand: 99, needed: 100"),
    ],
)
def test_the_verdict(changed, gain, reason):
    found, sentence = EXAMPLE._replace(**changed).judge()
    assert found == gain
    assert reason in sentence


def test_wrong_requests_name_what_is_wrong(folder, recordings):
    with pytest.raises(ValueError, match="'int4': give int8 or fp16"):
        add_precision(folder, "int4")
    with pytest.raises(ValueError, match="labelled 'bored', which is none of"):
        add_precision(folder, "int8", [(recordings[0][0], "bored")])
    damaged = folder.parent / "damaged.wav"
    damaged.write_bytes(b"RIFF")
    with pytest.raises(ValueError, match="damaged.wav: "):
        add_precision(folder, "int8", [*recordings, (str(damaged), None)])
    (folder / "manifest.json").unlink()
    with pytest.raises(FileNotFoundError, match="no manifest.json"):
        add_precision(folder, "int8")


def test_a_terminal_sees_how_far_it_is(folder, recordings, monkeypatch):
    class Screen(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Screen())
    add_precision(folder, "int8", recordings)
    assert "6/6 [" in sys.stderr.getvalue()
    monkeypatch.setattr(sys, "stderr", Screen())
    add_precision(folder, "int8")
    assert not sys.stderr.getvalue()
