"""Audio to verify on, checkpoints and options that an export cannot use.

Each is named in one sentence, and nothing is written.

Authors
 * The speechbrain_hrf authors 2026
"""

import os

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_hrf.export import export_pretrained
from speechbrain_hrf.export.__main__ import main


@pytest.mark.parametrize(
    "samples, says",
    [
        (None, "cannot be read as audio"),
        (np.zeros(0), "holds no sample"),
        (np.full(8000, np.nan), "itself gives .*nan.* for .*a.wav"),
    ],
    ids=["text", "empty", "NaN"],
)
def test_audio(training_output, tmp_path, samples, says):
    path, output = tmp_path / "a.wav", training_output()
    if samples is None:
        path.write_text("no audio")
    else:
        soundfile.write(path, samples, 16000, subtype="FLOAT")
    with pytest.raises(ValueError, match=says) as caught:
        export_pretrained(output, tmp_path / "model", audio=[path])
    assert str(path) in str(caught.value)
    assert not [n for n in os.listdir(tmp_path) if "model" in n]


def cut(path):
    """Half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_mean(path):
    """A statistic that is no number."""
    content = torch.load(path)
    content["glob_mean"].view(-1)[0] = torch.nan
    torch.save(content, path)


@pytest.mark.parametrize(
    "key, spoil, says",
    [
        ("embedding_model", cut, "embedding_model.ckpt cannot be read as"),
        ("normalizer", cut, "normalizer.ckpt cannot be loaded into mean_var"),
        ("normalizer", spoil_mean, "or what the training saved of .* does"),
    ],
    ids=["parameters cut", "statistics cut", "statistics NaN"],
)
def test_damaged(training_output, tmp_path, key, spoil, says):
    output = training_output(norm_type="global")
    (path,) = output.glob(f"save/CKPT*/{key}.ckpt")
    spoil(path)
    with pytest.raises(ValueError, match=says):
        export_pretrained(output, tmp_path / "model")
    assert not [n for n in os.listdir(tmp_path) if "model" in n]


def test_options_that_belong_together(tmp_path, capsys):
    """Before anything is looked at: there is no such training."""
    assert main(["none", str(tmp_path / "model"), "--onnx", "--keep"]) == 1
    assert "no file to keep (--keep)" in capsys.readouterr().err
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    with pytest.raises(ValueError, match="no precision 'int4'"):
        export_pretrained(
            "none", tmp_path / "model", onnx=True, precisions=["int4"]
        )
