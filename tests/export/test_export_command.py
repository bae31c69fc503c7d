"""The command ``hrf export``, also ``python -m speechbrain_hrf.export``.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import runpy
import sys

import pytest

from speechbrain_hrf.export import __main__ as command
from speechbrain_hrf.export import pretrained
from speechbrain_hrf.export.onnx import PRECISIONS, files


@pytest.fixture
def verified(monkeypatch):
    """Skips the fresh process: for tests of something else."""
    seen = {}

    def verify(folder, training, trained, audio=None, bundle=None, **_):
        seen["audio"] = audio
        return 1e-7, "nothing"

    monkeypatch.setattr(pretrained, "verify", verify)
    return seen


def test_output_folder_or_checkpoint(
    training_output, tmp_path, verified, capsys
):
    """Both are understood; what was made is printed."""
    output = training_output()
    (checkpoint,) = output.glob("save/CKPT*")
    for source in (output, checkpoint):
        assert command.main([str(source), str(tmp_path / "model")]) == 0
        printed = capsys.readouterr().out
        assert f"Exported {checkpoint.name} to {tmp_path / 'model'}" in printed
        assert f'from_hparams(source="{tmp_path / "model"}")' in printed


def test_audio_option(training_output, tmp_path, verified):
    """The files to verify on are handed over."""
    arguments = [str(training_output()), str(tmp_path / "model")]
    assert command.main([*arguments, "--audio", "a.wav", "b.wav"]) == 0
    assert verified["audio"] == ["a.wav", "b.wav"]


def test_onnx_option(training_output, tmp_path, verified, monkeypatch, capsys):
    """Only where it is asked for; what it found is printed."""
    seen = []

    def write_onnx(folder, training, modules, audio):
        seen.append(audio)
        return "as SpeechBrain has it"

    monkeypatch.setattr(files, "write_onnx", write_onnx)
    arguments = [str(training_output()), str(tmp_path / "model")]
    for options in ([], ["--onnx"], ["--onnx", "--audio", "a.wav"]):
        assert command.main([*arguments, *options]) == 0
        printed = capsys.readouterr().out
        assert ("as SpeechBrain has it" in printed) == bool(options)
    assert seen == [None, ["a.wav"]]


@pytest.mark.parametrize(
    "arguments, says",
    [
        ([], "required: source, target"),
        (["only one"], "required: target"),
        (["one", "two", "three"], "unrecognized arguments: three"),
        (["one", "two", "--device", "cpu"], "arguments: --device cpu"),
        (["one", "two", "--audio"], "expected at least one argument"),
    ],
)
def test_bad_arguments(arguments, says, capsys):
    """Usage and the reason, status 2."""
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    assert says in printed and "usage:" in printed


def test_errors_are_one_line(tmp_path, capsys):
    """No traceback for what the user can put right; status 1."""
    for source, says in [
        (tmp_path / "none", "There is no folder"),
        (tmp_path, "no hyperparams.yaml"),
    ]:
        assert command.main([str(source), str(tmp_path / "model")]) == 1
        printed = capsys.readouterr().err
        assert printed.startswith("Error: ") and says in printed
        assert printed.count("\n") == 1


@pytest.mark.parametrize(
    "options, says",
    [
        (["--int8", "--fp16"], "int8, fp16 without ONNX"),
        (["--c", "--int8", "--fp16"], "fp16 without ONNX"),
        (["--onnx", "--keep"], "no file to keep (--keep)"),
        (["--c", "--int8", "--keep"], "no file to keep (--keep)"),
    ],
)
def test_options_that_belong_together(tmp_path, capsys, options, says):
    """Before anything is looked at: there is no such training."""
    assert command.main(["none", str(tmp_path / "model"), *options]) == 1
    assert says in capsys.readouterr().err


MODEL_THAT_LOOKS_AT_VALUES = """\
import torch

class Decides(torch.nn.Module):
    def __init__(self, d_model, activation, segment_frames):
        super().__init__()
        self.linear = torch.nn.Linear(78, d_model)

    def forward(self, feats, wav_lens):
        mean = self.linear(feats).mean(1, keepdim=True)
        return mean if mean.sum() > 0 else -mean
"""


def test_a_model_that_pytorch_cannot_export(
    training_output, tmp_path, verified, monkeypatch, capsys
):
    """What, why and what to do, in a line; and no folder."""
    pytest.importorskip("onnxscript", reason="the extra onnx is missing")
    (tmp_path / "decides.py").write_text(MODEL_THAT_LOOKS_AT_VALUES)
    monkeypatch.syspath_prepend(tmp_path)
    output = training_output(model="decides.Decides", hrf_modules="['*linear']")
    capsys.readouterr()
    before = sorted(tmp_path.iterdir())
    target = str(tmp_path / "model")
    assert command.main([str(output), target, "--onnx"]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(
        "Error: PyTorch cannot export embedding_model"
    )
    assert "Could not guard" in printed.err
    assert "Export without --onnx" in printed.err
    assert printed.err.count("\n") == 1 and printed.out == ""
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow  # a whole export
def test_both_precisions_are_in_the_folder_and_the_report(
    training_output, tmp_path, capsys
):
    pytest.importorskip("onnxruntime", reason="the extra onnx is missing")
    arguments = [str(training_output()), str(tmp_path / "model"), "--onnx"]
    assert command.main([*arguments, "--int8", "--fp16", "--keep"]) == 0
    printed = capsys.readouterr().out
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    for precision in PRECISIONS:
        entry = manifest["graphs"][f"model.{precision}.onnx"]
        assert entry["comparison"]["n_labelled"] == 3
        assert entry["reason"] in printed
        assert (tmp_path / "model" / f"model.{precision}.onnx").exists()


def test_as_a_module(monkeypatch, capsys):
    """``python -m`` finds the command."""
    monkeypatch.setattr(sys, "argv", ["export", "--help"])
    monkeypatch.delitem(sys.modules, "speechbrain_hrf.export.__main__")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("speechbrain_hrf.export", run_name="__main__")
    assert ended.value.code == 0
    assert "usage: hrf export" in capsys.readouterr().out
