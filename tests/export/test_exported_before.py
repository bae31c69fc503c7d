"""Folders that earlier versions exported still load, and answer the same.

``exported_before/`` was written by the package's first version; so was what
it answered then.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import shutil
import subprocess
import sys

import pytest
import torch
from speechbrain.inference.classifiers import EncoderClassifier

FOLDER = pathlib.Path(__file__).with_name("exported_before")
ANSWER = [-1.1395448, -1.3373161, -1.7431635, -1.4166710]


def test_it_answers_as_it_did(tmp_path):
    time = torch.arange(40000, dtype=torch.float64)
    wavs = 0.1 * torch.sin(time**2 / 30000).float().unsqueeze(0)
    classifier = EncoderClassifier.from_hparams(
        source=str(shutil.copytree(FOLDER, tmp_path / "model")),
        run_opts={"device": "cpu"},
    )
    found, _, _, labels = classifier.classify_batch(wavs)
    assert found[0].tolist() == pytest.approx(ANSWER, abs=1e-4)
    assert labels == ["neutral"]


def test_names_of_modules_that_have_moved_since(tmp_path):
    """A YAML may name them; nothing imports the package before it is read."""
    shutil.copytree(FOLDER, tmp_path / "model")
    with open(tmp_path / "model" / "hyperparams.yaml", "a") as stream:
        stream.write(
            "scores: !new:speechbrain_hrf.metrics.scores.EmotionScores [[a]]\n"
            "saver: !name:speechbrain_hrf.recipe.checkpoints.AtomicCheckpointer"
            "\n"
        )
    code = (
        "from speechbrain.inference.classifiers import EncoderClassifier\n"
        "model = EncoderClassifier.from_hparams(source='model')\n"
        "print(type(model.hparams.scores).__module__)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == "speechbrain_hrf.training.scores"
