"""Folders that are not what they should be.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import json
import shutil

import pytest

from speechbrain_hrf.runtime import Classifier
from speechbrain_hrf.runtime.__main__ import main
from speechbrain_hrf.runtime.folder import read_description
from speechbrain_hrf.runtime.session import open_session


@pytest.fixture
def copy(onnx_folder, tmp_path):
    """A folder that a test may damage."""
    return shutil.copytree(onnx_folder, tmp_path / "model")


def test_nowhere(tmp_path, capsys):
    """The folder, or the manifest in it; the command says so in one line."""
    with pytest.raises(FileNotFoundError, match="no folder .*nowhere.*--onnx"):
        Classifier(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="no manifest.json in .*--onnx"):
        Classifier(tmp_path)
    assert main([str(tmp_path), "a.wav"]) == 1
    assert capsys.readouterr().err.startswith("Error: There is no manifest")


def test_threads(onnx_folder):
    """One or more."""
    for threads in (0, 1.5, None, 10**11):
        with pytest.raises(ValueError, match="threads is"):
            Classifier(onnx_folder, threads=threads)


@pytest.mark.parametrize(
    "content, says",
    [
        (b"", "manifest.json is not valid JSON"),
        (b'{"format": 1, "labels": ["a', "manifest.json is not valid JSON"),
        (b"\xff\xfe", "manifest.json is not valid JSON"),
        (b"[1]", "no manifest of a model"),
        (b"{}", "no manifest of a model"),
        (b'{"format": 2}', "of format 2, .* reads 1"),
        (b'{"format": 1, "labels": []}', "lacks graphs, model, sample_rate"),
    ],
)
def test_manifest(copy, content, says):
    """What is wrong with it, and what helps."""
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(ValueError, match=says):
        Classifier(copy)


@pytest.mark.parametrize(
    "key, value",
    [
        ("labels", []),
        ("labels", ["a", "a"]),
        ("labels", "abcd"),
        ("sample_rate", "16000"),
        ("window", {}),
        ("window", {"samples": 32000, "hop_samples": 0}),
        ("graphs", []),
        ("graphs", {"model.onnx": {"bytes": 1}}),
        ("graphs", {"model.onnx": {"bytes": 1, "sha256": 5}}),
    ],
)
def test_values_of_the_manifest(copy, key, value):
    """Edited by hand, say."""
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest[key] = value
    (copy / "manifest.json").write_text(json.dumps(manifest))
    # Also by who needs no graph
    for read in (Classifier, read_description):
        with pytest.raises(ValueError, match=rf"manifest.json: {key} cannot"):
            read(copy)


def test_a_bit_of_the_graph(copy):
    """One bit, in the middle of a weight: ONNX Runtime would not notice."""
    content = bytearray((copy / "model.onnx").read_bytes())
    content[5000] ^= 1
    open_session(bytes(content), "model.onnx")  # the negative control
    (copy / "model.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"model.onnx is damaged .*SHA-256"):
        Classifier(copy)


def test_graph_cut_off_or_missing(copy):
    """As an interrupted download leaves it."""
    graph = copy / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:100])
    with pytest.raises(ValueError, match="it has 100 bytes"):
        Classifier(copy)
    graph.unlink()
    with pytest.raises(FileNotFoundError, match="model.onnx is missing"):
        Classifier(copy)


def test_another_graph(copy):
    """One that is not there, one that takes no waveforms."""
    with pytest.raises(ValueError, match="no graph a.onnx, but model.onnx"):
        Classifier(copy, "a.onnx")
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    model = onnx.load(copy / "model.onnx")
    model.graph.input[0].name = "feats"
    model.graph.node[0].input[0] = "feats"
    onnx.save(model, copy / "model.onnx")
    rewrite_checksum(copy)
    with pytest.raises(ValueError, match="takes feats, wav_lens, not wavef"):
        Classifier(copy)


def test_more_labels_than_outputs(copy):
    """A manifest and a graph that do not belong together."""
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["labels"].append("bored")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="4 classes, but .* names 5: .*again"):
        Classifier(copy)


def rewrite_checksum(folder):
    """Makes the manifest fit a changed graph."""
    manifest = json.loads((folder / "manifest.json").read_text())
    content = (folder / "model.onnx").read_bytes()
    manifest["graphs"]["model.onnx"].update(
        bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    (folder / "manifest.json").write_text(json.dumps(manifest))
