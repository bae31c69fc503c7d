"""An exported model answers for files of a few samples.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest
import soundfile
import torch
from speechbrain.inference.classifiers import EncoderClassifier


@pytest.mark.parametrize("samples", [1, 114, 399])
def test_tiny_files(exported, tmp_path, samples, monkeypatch):
    monkeypatch.chdir(tmp_path)  # classify_file leaves a link there
    wave = 0.1 * torch.randn(samples)
    soundfile.write("tiny.wav", wave.numpy(), 16000)
    classifier = EncoderClassifier.from_hparams(
        source=str(exported[0].parent / "model"), run_opts={"device": "cpu"}
    )
    log_probabilities, _, _, labels = classifier.classify_file("tiny.wav")
    assert log_probabilities.shape == (1, 4)
    assert torch.isfinite(log_probabilities).all()
    total = log_probabilities.exp().sum()
    torch.testing.assert_close(total, torch.tensor(1.0))
    assert labels[0] in ("neutral", "happy", "sad", "angry")
