"""Files of a few samples pass from the disk to log-probabilities.

M3ED's shortest file has 114 samples, less than one analysis window; none may
be left out.

Authors
 * The speechbrain_hrf authors 2026
"""

from pathlib import Path

import pytest
import soundfile as sf
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.dataio.segments import SegmentBatch, SegmentFeatures
from speechbrain_hrf.dataio.sound.probe import probe
from speechbrain_hrf.training import fit_normalisation

HPARAMS = Path(__file__).resolve().parents[2] / "recipes/M3ED/hparams"
LABELS = ["Neutral", "Happy", "Sad", "Anger", "Surprise", "Disgust", "Fear"]


@pytest.fixture(params=["convtransformer", "conformer", "speechformer"])
def hparams(request, tmp_path):
    """What the recipe's YAML builds, HRF applied, normalisation fitted."""
    with open(HPARAMS / f"{request.param}_hrf.yaml") as stream:
        hparams = load_hyperpyyaml(stream, {"output_folder": str(tmp_path)})
    hparams["apply_hrf"](hparams["model"])
    hparams["label_encoder"].update_from_iterable(LABELS)
    fit_normalisation(
        hparams["mean_var_norm"], [{"feats": torch.randn(30, 78)}]
    )
    hparams["model"].eval()
    hparams["mean_var_norm"].eval()
    return hparams


@pytest.mark.parametrize("samples", [1, 114, 160, 399])
def test_from_file_to_log_probabilities(hparams, samples, tmp_path):
    path = tmp_path / "tiny.wav"
    sf.write(path, 0.1 * torch.randn(samples).numpy(), 16000)
    assert probe(path).duration == samples / 16000

    # As in training: a batch that is filled up to the segment.
    segment = SegmentFeatures(
        hparams["compute_features"],
        hparams["segment_frames"],
        hparams["sample_rate"],
    )
    feats = segment(str(path))
    assert feats.shape == (samples // 160 + 1, 78)
    fit_normalisation(hparams["mean_var_norm"], [{"feats": feats}])
    hparams["mean_var_norm"].eval()
    filled, lens = SegmentBatch([{"feats": feats}], 400).feats
    assert filled.shape == (1, 400, 78)
    filled = hparams["mean_var_norm"](filled, lens, epoch=1)
    embedding = hparams["embedding_model"](filled, lens)
    trained = hparams["classifier"](embedding)
    assert trained.shape == (1, 1, 7) and torch.isfinite(trained).all()
    trained.sum().backward()
    gradients = [p.grad for p in hparams["model"].parameters()]
    assert all(torch.isfinite(g).all() for g in gradients if g is not None)

    # As in inference: the file alone.
    classifier = EncoderClassifier(
        modules={
            name: hparams[name]
            for name in (
                "compute_features",
                "mean_var_norm",
                "embedding_model",
                "classifier",
            )
        },
        hparams={
            "label_encoder": hparams["label_encoder"],
            "sample_rate": hparams["sample_rate"],
        },
        run_opts={"device": "cpu"},
    )
    wave = torch.from_numpy(sf.read(path, dtype="float32")[0])
    with torch.no_grad():
        found = classifier.classify_batch(wave.unsqueeze(0))[0]
    torch.testing.assert_close(found, trained.squeeze(1), rtol=0, atol=1e-5)
