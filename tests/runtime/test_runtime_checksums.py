"""A folder that is not as it was exported is refused, and the file named.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import shutil

import pytest

from speechbrain_hrf.cli import main
from speechbrain_hrf.export.manifest import list_files, write_manifest
from speechbrain_hrf.runtime import Classifier
from speechbrain_hrf.runtime.folder import read_manifest


@pytest.fixture
def folder(onnx_folder, tmp_path):
    """With checksums, also of a file that the runner does not read."""
    folder = shutil.copytree(onnx_folder, tmp_path / "model")
    (folder / "classifier.ckpt").write_bytes(bytes(100))
    (folder / "hyperparams.yaml").write_text("a: 1\n")
    (folder / "__pycache__").mkdir()
    content = {**read_manifest(folder), "files": list_files(folder)}
    write_manifest(folder, content)
    return folder


def test_as_it_was_exported(folder, capsys):
    assert main(["verify", str(folder)]) == 0
    assert "all 4 files are as they were" in capsys.readouterr().out
    Classifier(folder)
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"\n", b"\r\n"))
    Classifier(folder)  # as git writes it on Windows


@pytest.mark.parametrize(
    "key, value",
    [
        ("labels", ["angry", "sad", "happy", "neutral"]),
        ("sample_rate", 8000),
        ("sample_rate", True),
        ("manifest_sha256", "0" * 64),
        ("manifest_sha256", "no"),
        ("manifest_sha256", 5),
        ("files", {}),
    ],
)
def test_another_manifest(folder, key, value, capsys):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest[key] = value
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))
    with pytest.raises(ValueError, match="manifest.json.* (cannot be|changed)"):
        Classifier(folder)
    assert main(["verify", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "manifest.json" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    "name, content, says",
    [
        ("classifier.ckpt", bytes(99) + b"\1", "is damaged or not the file"),
        ("classifier.ckpt", None, "is missing, though manifest.json names"),
        ("more.ckpt", b"", "in the folder, though no export"),
        ("hyperparams.yaml", b"a: 2\n", "is damaged or not the file"),
        ("model.onnx", None, "is missing"),
    ],
)
def test_another_file(folder, name, content, says, capsys):
    (folder / name).unlink(missing_ok=True)
    if content is not None:
        (folder / name).write_bytes(content)
    assert main(["verify", str(folder)]) == 1
    said = capsys.readouterr().err
    assert str(folder / name) in said and says in said
    assert said.count("\n") == 1


def test_folders_of_earlier_versions(folder, onnx_folder, capsys):
    """They load, and are said to carry no checksums."""
    Classifier(onnx_folder)
    assert main(["verify", str(onnx_folder)]) == 1
    assert "manifest.json carries no checksum of itself" in (
        capsys.readouterr().err
    )
    (folder / "manifest.json").unlink()
    assert main(["verify", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "has no manifest.json and so no checksums: it was lost, or" in said


def test_the_folder_of_a_run(tmp_path, capsys):
    """Its export lies in it."""
    (tmp_path / "save").mkdir()
    (tmp_path / "hyperparams.yaml").touch()
    assert main(["verify", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "is the output folder of a run" in said
    assert str(tmp_path / "pretrained") in said


def test_no_folder_and_a_nested_manifest(folder, capsys):
    assert main(["verify", str(folder / "none")]) == 1
    assert "There is no folder" in capsys.readouterr().err
    (folder / "manifest.json").write_text("[" * 99999)
    with pytest.raises(ValueError, match="manifest.json is not valid JSON"):
        Classifier(folder)


def test_a_folder_without_a_graph(folder):
    """Exported without --onnx."""
    content = read_manifest(folder)
    del content["graphs"]
    write_manifest(folder, content)
    with pytest.raises(FileNotFoundError, match="no ONNX graph.*--safe"):
        Classifier(folder)
