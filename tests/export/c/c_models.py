"""Small models to be made C of, and what SpeechBrain says about samples.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import torch
from speechbrain.lobes.features import Fbank
from speechbrain.processing.features import InputNormalization

from speechbrain_hrf import (
    ClassifierHead,
    Conformer,
    ConvTransformer,
    SpeechFormer,
    SquaredReLU,
)

LABELS = ["neutral", "happy", "sad", 'angry "ü"']
FRAMES = 60  # of a window: 0.6 s, so that tests are fast
nn = torch.nn
# The shipped one, and one with other blocks, widths and activations.
MODELS = {
    "ConvTransformer": (ConvTransformer, {}, {}),
    "ConvTransformer, 2 blocks": (
        ConvTransformer,
        {"num_blocks": 2, "d_model": 8, "n_heads": 2, "activation": nn.GELU},
        {"activation": nn.GELU},
    ),
    "Conformer": (Conformer, {}, {}),
    "Conformer, 2 blocks": (
        Conformer,
        {"num_blocks": 2, "d_model": 8, "kernel_size": 31},
        {"d_hidden": 5, "activation": SquaredReLU},
    ),
    "SpeechFormer": (SpeechFormer, {}, {}),
}


def make_modules(name="SpeechFormer", frames=FRAMES, **fbank):
    """The four modules of EncoderClassifier, off their start."""
    kind, options, head = MODELS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = kind(segment_frames=frames, **options)
        width = options.get("d_model", 16)
        learnt = nn.ModuleList([model, ClassifierHead(width, 4, **head)])
        with torch.no_grad():
            for values in learnt.parameters():
                values.add_(0.2 * torch.randn_like(values))
            for module in learnt.modules():
                if isinstance(module, nn.BatchNorm1d):
                    module.running_mean.normal_()
                    module.running_var.uniform_(0.5, 2)
        features = Fbank(n_mels=26, deltas=True, **fbank)
        norm = InputNormalization()
        norm(features(torch.randn(1, 8000)), torch.ones(1))
    learnt.eval()
    return {
        "compute_features": features,
        "mean_var_norm": norm.eval(),
        "embedding_model": learnt[0],
        "classifier": learnt[1],
    }


@torch.no_grad()
def run(modules, samples):
    """SpeechBrain's log-probabilities of int16 samples."""
    wavs = torch.from_numpy(samples / np.float32(2**15))[None]
    length = torch.ones(1)
    feats = modules["mean_var_norm"](modules["compute_features"](wavs), length)
    embedding = modules["embedding_model"](feats, length)
    return modules["classifier"](embedding)[0, 0].numpy()


def make_noise(n, seed=0):
    """Samples of a microphone: noise that comes and goes."""
    draw = np.random.default_rng(seed).standard_normal(n)
    swell = 3000 * (1.1 + np.sin(np.arange(n) / 2000))
    return np.clip(draw * swell, -(2**15), 2**15 - 1).astype(np.int16)
