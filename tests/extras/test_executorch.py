"""The optional export to ExecuTorch: apart from the project, and clear.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib.util
import pathlib

import pytest
import torch
from speechbrain.lobes.features import Fbank

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "extras" / "executorch"
INSTALLED = importlib.util.find_spec("executorch") is not None


@pytest.fixture(scope="module")
def script():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location(
        "export_executorch", FOLDER / "export.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_project_does_not_depend_on_it():
    assert "executorch" not in (ROOT / "setup.py").read_text("utf-8")
    wanted = (FOLDER / "requirements.txt").read_text("utf-8")
    assert "executorch==" in wanted


@pytest.mark.skipif(INSTALLED, reason="executorch is installed")
def test_without_it_the_message_says_what_to_do(script, capsys, tmp_path):
    assert script.main(["model", str(tmp_path / "new")]) == 1
    message = capsys.readouterr().err
    assert "executorch is not installed" in message
    assert "extras/executorch/requirements.txt" in message
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("samples", [1, 799, 16000])
def test_the_convolved_spectrum_is_speechbrain_s(script, samples):
    fbank = Fbank(n_mels=26, deltas=True)
    wavs = torch.randn(1, samples, generator=torch.Generator().manual_seed(0))
    expected = fbank.compute_STFT(wavs)
    found = script.ConvolvedSTFT(fbank.compute_STFT)(wavs)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


@pytest.mark.slow
@pytest.mark.skipif(
    not INSTALLED, reason="executorch has an environment of its own"
)
def test_programs_are_written_and_agree(script, tmp_path, capsys):
    """Needs a pretrained folder, made by the benchmarks' own export."""
    import sys

    sys.path.insert(0, str(ROOT / "benchmarks"))
    from pipeline import ours

    ours(tmp_path / "model", "SpeechFormer")
    target = tmp_path / "programs"
    folder = str(tmp_path / "model")
    assert script.main([folder, str(target), "--rounds", "1"]) == 0
    assert sorted(path.name for path in target.iterdir()) == sorted(
        f"{kind}.{backend}.pte"
        for kind in ("features", "waveform")
        for backend in script.BACKENDS
    )
    assert "| features | portable |" in capsys.readouterr().out
