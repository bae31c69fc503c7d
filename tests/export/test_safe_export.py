"""An export loads without its YAML and checkpoints, and answers the same.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import shutil

import torch
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.inference.safe import SafeClassifier, load


def test_it_answers_as_from_hparams(exported):
    """A whole export; also as the runner has it, and a copy of that."""
    _, report = exported
    theirs = EncoderClassifier.from_hparams(
        source=str(report.folder), run_opts={"device": "cpu"}
    )
    wavs = 0.1 * torch.randn(1, 20000)
    expected = theirs.classify_batch(wavs)[0]
    found = load(report.folder, {"device": "cpu"}).classify_batch(wavs)[0]
    assert torch.allclose(found, expected, rtol=0, atol=1e-6)
    runner = SafeClassifier(report.folder)
    for each in (runner, copy.deepcopy(runner)):
        result = each(wavs[0].numpy(), 16000)
        assert result.label == theirs.classify_batch(wavs)[3][0]


def test_checkpoints_are_not_needed(exported, tmp_path):
    """The manifest and the numbers are enough."""
    for name in ("manifest.json", "model.safetensors"):
        shutil.copy(exported[1].folder / name, tmp_path)
    assert load(tmp_path).hparams.sample_rate == 16000
