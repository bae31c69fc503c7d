"""Folders of ``python -m speechbrain_hrf.export --onnx`` to time, untrained.

A training's output folder is written with random parameters, and exported as
any other one is: merged, verified, with both graphs.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib

import torch
from hyperpyyaml import load_hyperpyyaml
from models import CLASSES, LIGHT, ORIGINAL
from pipeline import OURS
from speechbrain.dataio.encoder import CategoricalEncoder

import speechbrain_hrf as hrf
from speechbrain_hrf.export import export_pretrained
from speechbrain_hrf.export.model import save

_TRAINING = """
segment_frames: 500
hrf_modules: {modules}
hrf_ratio: 8
hrf_layers: 1
"""


def exported(folder, name, original=False, modules=()):
    """Exports one of our models.

    Arguments
    ---------
    folder : pathlib.Path
    name : str
        ConvTransformer, Conformer or SpeechFormer.
    original : bool
        The original size.
    modules : sequence of str
        What HRF expands in training, by the paper's row names.

    Returns
    -------
    pathlib.Path
        The pretrained folder.
    """
    sizes = (ORIGINAL if original else LIGHT)[name]
    text = OURS.format(
        name=name,
        norm_type="global",  # as in the recipes
        sizes="\n".join(f"    {key}: {value}" for key, value in sizes.items()),
        d_model=sizes.get("d_model", 16),
        classes=CLASSES,
    ) + _TRAINING.format(modules=list(modules))
    built = load_hyperpyyaml(text)
    keys = ("embedding_model", "classifier")
    model = torch.nn.ModuleDict({key: built[key] for key in keys})
    if modules:
        hrf.apply_hrf(model, list(modules))
    generator = torch.Generator().manual_seed(1)
    built["mean_var_norm"](
        10 * torch.randn(8, 500, 78, generator=generator), torch.ones(8)
    )

    training = pathlib.Path(folder) / "training"
    checkpoint = training / "save" / "CKPT+1"
    checkpoint.mkdir(parents=True)
    (training / "hyperparams.yaml").write_text(text, encoding="utf-8")
    (checkpoint / "CKPT.yaml").write_text("unixtime: 1\n", encoding="utf-8")
    for key in (*keys, "mean_var_norm"):
        save(built[key], checkpoint / f"{key}.ckpt")
    encoder = CategoricalEncoder()
    encoder.update_from_iterable(str(k) for k in range(CLASSES))
    encoder.save(training / "save" / "label_encoder.txt")
    return export_pretrained(
        training, pathlib.Path(folder) / "model", onnx=True
    ).folder
