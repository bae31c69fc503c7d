"""The models that the benchmarks compare, by the names of the paper's rows.

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from torch import nn

import speechbrain_hrf as hrf

CLASSES = 4
FRAMES = 500  # 5 s, as on IEMOCAP
LIGHT = {"ConvTransformer": {}, "Conformer": {}, "SpeechFormer": {}}
ORIGINAL = {
    "ConvTransformer": {"num_blocks": 8, "d_model": 80, "d_ffn": 320},
    "Conformer": {"num_blocks": 4, "d_model": 80, "d_ffn": 320},
    "SpeechFormer": {
        "blocks_per_stage": [2, 2, 2, 2],
        "d_model": 80,
        "d_ffn": 64,
    },
}


def build(name, sizes=None, modules=(), layers=1, chained=False, norm=False):
    """One model with its head, expanded where asked for.

    Arguments
    ---------
    name : str
        ConvTransformer, Conformer or SpeechFormer.
    sizes : dict, optional
        Arguments of the model; default: the lightweight one's.
    modules : sequence of str
        What HRF expands, by the paper's row names; none: the plain model.
    layers, chained, norm
        See ``speechbrain_hrf.apply_hrf``; norm is its inner_norm.

    Returns
    -------
    torch.nn.ModuleDict
    """
    sizes = sizes or {}
    model = nn.ModuleDict(
        {
            "embedding_model": getattr(hrf, name)(**sizes),
            "classifier": hrf.ClassifierHead(sizes.get("d_model", 16), CLASSES),
        }
    )
    if modules:
        hrf.apply_hrf(
            model,
            list(modules),
            layers=layers,
            chained=chained,
            inner_norm=norm,
        )
    return model


def run(model, feats, lens):
    """Features to log-probabilities.

    Arguments
    ---------
    model : torch.nn.ModuleDict
    feats : torch.Tensor
        [B, T, F]
    lens : torch.Tensor
        Relative lengths, [B].

    Returns
    -------
    torch.Tensor
        [B, 1, C]
    """
    return model["classifier"](model["embedding_model"](feats, lens))


def batch(size=32, frames=FRAMES, device="cpu"):
    """Random features, lengths and labels.

    Arguments
    ---------
    size, frames : int
    device : str

    Returns
    -------
    tuple of torch.Tensor
        [B, T, 78], [B], [B]
    """
    generator = torch.Generator().manual_seed(1)
    feats = torch.randn(size, frames, 78, generator=generator)
    lens = 0.4 + 0.6 * torch.rand(size, generator=generator)
    lens[0] = 1.0
    labels = torch.randint(CLASSES, (size,), generator=generator)
    return feats.to(device), lens.to(device), labels.to(device)
