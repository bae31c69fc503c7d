"""``--int8`` and ``--fp16`` of the export.

Authors
 * The speechbrain_hrf authors 2026
"""

import json

import pytest

from speechbrain_hrf.export import export_pretrained
from speechbrain_hrf.export.__main__ import PRECISIONS, main
from speechbrain_hrf.export.training import Training


def test_the_options_are_the_precisions():
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    from speechbrain_hrf.export.onnx.precision import FILES

    assert PRECISIONS == tuple(FILES)


def test_they_need_onnx(tmp_path, capsys):
    with pytest.raises(ValueError, match="int8 without ONNX"):
        export_pretrained("results", tmp_path / "model", precisions=["int8"])
    arguments = ["results", str(tmp_path / "model"), "--int8", "--fp16"]
    assert main(arguments) == 1
    assert "int8, fp16 without ONNX" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_labelled_recordings_are_those_that_are_at_hand(training_output):
    folder = training_output()
    training = Training(folder)
    found = list(training.labelled_recordings())
    assert [label for _, label in found] == ["sad"] * 3
    assert [path for path, _ in found] == training.recordings(limit=9)
    manifest = folder / "manifests" / "test.json"
    entries = json.loads(manifest.read_text())
    entries["0"]["parts"] = [[0, 1]]
    del entries["1"]["emo"]
    entries["2"]["wav"] = "{data_root}/lost.flac"
    manifest.write_text(json.dumps(entries))
    ((path, label),) = training.labelled_recordings()
    assert path.endswith("1.flac") and label is None


@pytest.mark.slow  # a whole export
def test_both_files_are_in_the_folder_and_the_report(training_output, tmp_path):
    pytest.importorskip("onnxruntime", reason="the extra onnx is missing")
    report = export_pretrained(
        training_output(),
        tmp_path / "model",
        onnx=True,
        precisions=PRECISIONS,
        keep=True,
    )
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    for precision in PRECISIONS:
        entry = manifest["graphs"][f"model.{precision}.onnx"]
        assert entry["comparison"]["n_labelled"] == 3
        assert entry["reason"] in str(report)
        assert f"model.{precision}.onnx" in report.files
