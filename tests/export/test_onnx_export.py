"""--onnx: the graphs and the manifest, verified, all or nothing.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import importlib.metadata
import json
import os
import re
import runpy
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.export import (
    VerificationError,
    export_pretrained,
    pretrained,
)
from speechbrain_hrf.export.examples import TOLERANCE
from speechbrain_hrf.export.onnx import files
from speechbrain_hrf.export.onnx.sizes import size_report
from speechbrain_hrf.runtime.checksums import find_changes
from speechbrain_hrf.runtime.session import open_session

GRAPHS = ["model.features.onnx", "model.onnx"]


def manifest(report):
    """Of an export."""
    return json.loads((report.folder / "manifest.json").read_text("utf-8"))


def classifier(folder):
    """SpeechBrain's, of an exported folder."""
    return EncoderClassifier.from_hparams(
        source=str(folder), run_opts={"device": "cpu"}
    )


def content(folder):
    """Bytes of each file."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def same_graphs(exported_onnx, quick, monkeypatch):
    """Takes the graphs of the one export: for tests of what is done with them.

    Gives them, so that a test may change them.
    """
    _, report, _ = exported_onnx
    graphs = {name: onnx.load(report.folder / name) for name in GRAPHS}
    monkeypatch.setattr(files, "make_graphs", lambda modules: graphs)
    return graphs


def test_files(exported_onnx):
    """Beside what every export holds."""
    _, report, _ = exported_onnx
    assert {*GRAPHS, "manifest.json", "hyperparams.yaml"} <= set(report.files)
    assert report.files == {
        name: len(data) for name, data in content(report.folder).items()
    }
    for line in ("model.onnx: in ONNX Runtime it differs", "mel filters"):
        assert line in str(report)
    card = (report.folder / "README.md").read_text()
    assert all(name in card for name in [*GRAPHS, "manifest.json"])


def test_manifest(exported_onnx):
    """What a runtime without PyTorch has to know."""
    _, report, _ = exported_onnx
    found = manifest(report)
    graphs, hashes = found.pop("graphs"), found.pop("files")
    versions, modules = found.pop("versions"), found.pop("modules")
    assert list(found)[-1] == "manifest_sha256" and found.popitem()
    assert modules["embedding_model"]["arguments"]["d_model"] == 8
    assert found == {
        "format": 1,
        "model": "SpeechFormer",
        "labels": ["neutral", "happy", "sad", "angry"],
        "parameters": report.merged_parameters,
        "sample_rate": 16000,
        "window": {"frames": 200, "samples": 31840, "hop_samples": 16000},
        "frames": {
            "window_samples": 400,
            "hop_samples": 160,
            "n_fft": 400,
            "centred": True,
            "n_mels": 26,
            "deltas": True,
            "context": False,
            "n_features": 78,
        },
        "normalisation": {"type": "sentence", "where": "inside the graphs"},
    }
    # Its samples make its frames, and one sample less does not.
    features = classifier(report.folder).mods.compute_features
    assert features(torch.zeros(1, 31840)).shape[1] == 200
    assert features(torch.zeros(1, 31839)).shape[1] == 199
    files = content(report.folder)
    assert set(hashes) == set(files) - {*GRAPHS, "manifest.json"}
    hashes |= {name: graphs[name]["sha256"] for name in graphs}
    for name, digest in hashes.items():
        assert hashlib.sha256(files[name]).hexdigest() == digest, name
    assert sorted(graphs) == GRAPHS
    for name, first in (
        ("model.onnx", {"wavs": ["batch", "samples"]}),
        ("model.features.onnx", {"feats": ["batch", "frames", 78]}),
    ):
        entry = graphs[name]
        assert entry["inputs"] == {**first, "wav_lens": ["batch"]}
        assert entry["outputs"] == {"log_probabilities": ["batch", 4]}
        assert entry["bytes"] == len(files[name])
        assert entry["opset"] == 18 and entry["precision"] == "float32"
        assert 0 < entry["max_difference"] <= TOLERANCE
        for audio in ("3 recordings of the test set", "silence", "30 s"):
            assert audio in entry["verified_on"]
    assert set(versions) == {
        *("speechbrain_hrf", "speechbrain", "torch", "onnx", "onnxruntime")
    }


@pytest.mark.parametrize("name", GRAPHS)
def test_graph_is_stripped(exported_onnx, name):
    """Nothing of the machine, nothing outside of the file, short names."""
    output, report, _ = exported_onnx
    path = report.folder / name
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    (opset,) = model.opset_import
    assert (opset.domain, opset.version) == ("", 18)
    assert not model.functions and not model.doc_string
    graphs = [model.graph]
    for graph in graphs:  # grows: bodies of loops
        assert not graph.value_info and not graph.doc_string
        for tensor in graph.initializer:
            assert tensor.data_location == onnx.TensorProto.DEFAULT
            assert len(tensor.name) <= 3 and not tensor.doc_string
        for node in graph.node:
            assert node.op_type != "STFT"
            assert not node.name and not node.doc_string
            assert not node.metadata_props
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:
                    graphs.append(attribute.g)
    assert len(graphs) == 2
    data = path.read_bytes()
    assert str(output.parent).encode() not in data
    assert data.count(b"speechbrain") == 1  # its producer


@pytest.mark.parametrize("name", GRAPHS)
def test_what_a_foreign_runtime_has_to_know(exported_onnx, name):
    """It reads no manifest, but the file says labels, rate and producer."""
    _, report, _ = exported_onnx
    path = report.folder / name
    found = open_session(path.read_bytes(), name).get_modelmeta()
    assert json.loads(found.custom_metadata_map["labels"]) == report.labels
    assert found.custom_metadata_map["sample_rate"] == "16000"
    assert found.producer_name == "speechbrain-hrf"
    model = onnx.load(path)
    assert model.producer_version == importlib.metadata.version(
        "speechbrain-hrf"
    )


def test_agrees_with_speechbrain(exported_onnx):
    """Compared here once more, without the export's own comparison."""
    _, report, _ = exported_onnx
    speechbrain = classifier(report.folder)
    torch.manual_seed(7)
    wavs = 0.1 * torch.randn(3, 50001)
    wavs[1, 20000:] = 0
    wavs[2, 300:] = 0
    for wav_lens in (torch.ones(3), torch.tensor([1.0, 0.4, 0.006])):
        embedding = speechbrain.encode_batch(wavs, wav_lens)
        expected = speechbrain.mods.classifier(embedding).squeeze(1)
        feats = speechbrain.mods.compute_features(wavs)
        for name, first in zip(GRAPHS, (feats, wavs), strict=True):
            graph = (report.folder / name).read_bytes()
            run = open_session(graph, name)
            key = run.get_inputs()[0].name
            (found,) = run.run(
                None, {key: first.numpy(), "wav_lens": wav_lens.numpy()}
            )
            difference = np.abs(found - expected.detach().numpy()).max()
            assert difference <= TOLERANCE
    # Not vacuous: lengths matter.
    assert np.abs(found[1] - found[2]).max() > TOLERANCE


def test_nothing_else_happens(exported_onnx):
    """PyTorch's exporter warns, logs and draws random numbers."""
    _, _, traces = exported_onnx
    assert traces["before"] == traces["after"]
    others = "speechbrain.utils.parameter_transfer"  # loads the folder
    assert [n for n in traces["printed"] if not n.startswith(others)] == []


def test_again_into_the_same_folder(exported_onnx, same_graphs, tmp_path):
    """With and without --onnx, both ways; nothing stays of the other."""
    output, first, _ = exported_onnx
    target = tmp_path / "model"
    shutil.copytree(first.folder, target)
    for with_onnx in (True, False, True):
        report = export_pretrained(output, target, onnx=with_onnx)
        assert ("graphs" in manifest(report)) == with_onnx
        assert ("model.onnx" in content(target)) == with_onnx
        assert find_changes(target, manifest(report)) == []
        assert ("On a device" in (target / "README.md").read_text()) == (
            with_onnx
        )
        assert bool(report.onnx) == with_onnx
        gone = "model.features.onnx, model.onnx: add --onnx to have them again"
        assert (gone in str(report)) == (not with_onnx)
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize(
    "damaged, value",
    [("model.features.onnx", 1.01), ("model.onnx", float("nan"))],
)
def test_a_damaged_graph_is_not_exported(
    exported_onnx, same_graphs, tmp_path, damaged, value
):
    """One weight of one graph, and the export before stays as it was."""
    output, report, _ = exported_onnx
    target = tmp_path / "model"
    shutil.copytree(report.folder, target)
    before = content(target)
    graph = same_graphs[damaged].graph
    (bias,) = (
        t for t in graph.initializer if t.dims == [4] and t.name[0] == "h"
    )
    array = onnx.numpy_helper.to_array(bias).copy()
    array[2] = array[2] * value + 0.01
    bias.CopyFrom(onnx.numpy_helper.from_array(array, bias.name))
    with pytest.raises(VerificationError) as caught:
        export_pretrained(output, target, onnx=True)
    said = str(caught.value)
    assert said.startswith(f"{damaged} does not give SpeechBrain's")
    for audio in ("0.flac", "silence", "one sample", "a padded batch of all"):
        assert audio in said
    assert "nan" in said or "e-0" in said
    assert content(target) == before
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize(
    "shape, first, spoil",
    [
        ([400], None, lambda window: window[::-1] ** 2),
        ([], 80.0, lambda top_db: 10 * top_db),
        ([26, 1, 1], None, lambda centres: centres[::-1]),
        ([1, 1, 1, 5], -2.0, lambda slope: -slope),
    ],
    ids=["window", "no top_db", "mel", "deltas"],
)
def test_a_fault_of_the_front_end_alone(
    exported_onnx, same_graphs, tmp_path, shape, first, spoil
):
    """Names what it shows on: silence has no spectrum to be wrong about."""
    output, _, _ = exported_onnx
    for tensor in same_graphs["model.onnx"].graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if tensor.dims == shape and first in (None, array.flat[0]):
            break
    else:
        pytest.fail("there is no such constant")
    array = np.ascontiguousarray(spoil(array), np.float32).reshape(shape)
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    with pytest.raises(VerificationError) as caught:
        export_pretrained(output, tmp_path / "model", onnx=True)
    said = str(caught.value)
    assert said.startswith("model.onnx ")
    assert "a padded batch of short ones (" in said
    assert "silence" not in said and os.listdir(tmp_path) == []


def test_a_graph_that_cannot_be_loaded(exported_onnx, same_graphs, tmp_path):
    """ONNX Runtime's word on it is passed on."""
    output, _, _ = exported_onnx
    same_graphs["model.onnx"].graph.node[0].op_type = "Nonsense"
    with pytest.raises(VerificationError, match="cannot run model.onnx"):
        export_pretrained(output, tmp_path / "model", onnx=True)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_missing_extra(exported_onnx, tmp_path, monkeypatch, package):
    """Said before anything is done; without --onnx nothing is missing."""
    output, _, _ = exported_onnx
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(pretrained, "_write", lambda *_: 1 / 0)
    target = tmp_path / "model"
    with pytest.raises(ImportError) as caught:
        export_pretrained(output, target, onnx=True)
    assert f"ONNX needs {package}" in str(caught.value)
    assert 'pip install "speechbrain-hrf[onnx]"' in str(caught.value)
    assert os.listdir(tmp_path) == []
    with pytest.raises(ZeroDivisionError):  # it gets as far as writing
        export_pretrained(output, target)


@pytest.mark.slow
def test_the_extra_is_imported_only_for_it():
    """The package, and its export, work without it."""
    code = (
        "import sys, speechbrain_hrf.export.pretrained;"
        "print({'onnx', 'onnxscript', 'onnxruntime'} & set(sys.modules))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == "set()"


@pytest.mark.parametrize("name", GRAPHS)
def test_sizes_add_up(exported_onnx, name):
    """To the last byte."""
    _, report, _ = exported_onnx
    path = report.folder / name
    sizes = size_report(path)
    assert sizes.total == path.stat().st_size
    assert "of no part" not in {**sizes.constants, **sizes.operators}
    assert 0 < sizes.rest < 0.2 * sizes.total
    # No more numbers than the merged model has.
    learnt = ("blocks", "classifier", "front end: linear layer")
    share = sum(map(sizes.constants.get, learnt)) / report.merged_parameters
    assert 0.9 * 4 <= share <= 4
    front_end = "spectrum: window, sines and cosines" in sizes.constants
    assert front_end == (name == "model.onnx")
    rows = str(sizes).splitlines()
    printed = [int(re.split(" {2,}", r)[2].replace(",", "")) for r in rows]
    assert sum(printed[:-1]) == printed[-1] == sizes.total


def test_sizes_command(exported_onnx, monkeypatch, capsys):
    """Prints the table, or says in one line what is wrong."""
    _, report, _ = exported_onnx
    module = "speechbrain_hrf.export.onnx.sizes"
    monkeypatch.delitem(sys.modules, module)
    path = report.folder / "model.onnx"
    monkeypatch.setattr(sys, "argv", ["sizes", str(path)])
    runpy.run_module(module, run_name="__main__")
    assert capsys.readouterr().out.strip() == str(size_report(path))
    monkeypatch.setattr(sys, "argv", ["sizes", "none.onnx"])
    with pytest.raises(
        SystemExit, match="^Error: There is no file none.onnx.$"
    ):
        runpy.run_module(module, run_name="__main__")
