"""Pretrained folders to time: ours, and SpeechBrain's own emotion model.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib

import torch
from hyperpyyaml import load_hyperpyyaml
from models import CLASSES, LIGHT, ORIGINAL
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.inference.classifiers import EncoderClassifier

import speechbrain_hrf as hrf
from speechbrain_hrf.export import export_pretrained
from speechbrain_hrf.export.model import save

_TAIL = """
label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder
modules:
    compute_features: !ref <compute_features>
    mean_var_norm: !ref <mean_var_norm>
    embedding_model: !ref <embedding_model>
    classifier: !ref <classifier>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        embedding_model: !ref <embedding_model>
        classifier: !ref <classifier>
        label_encoder: !ref <label_encoder>
"""
_OURS = """
sample_rate: 16000
compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: 26
    deltas: True
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: {norm_type}
embedding_model: !new:speechbrain_hrf.lobes.models.{name}
    segment_frames: 500
{sizes}
classifier: !new:speechbrain_hrf.lobes.models.ClassifierHead
    d_model: {d_model}
    n_classes: {classes}
"""
_TRAINING = """
segment_frames: 500
hrf_modules: {modules}
hrf_ratio: 8
hrf_layers: 1
"""
# Architecture of recipes/IEMOCAP/emotion_recognition of SpeechBrain 1.1.
_ECAPA = """
sample_rate: 16000
compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: 80
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: False
embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
    input_size: 80
    channels: [512, 512, 512, 512, 1536]
    kernel_sizes: [5, 3, 3, 3, 1]
    dilations: [1, 2, 3, 4, 1]
    attention_channels: 64
    lin_neurons: 96
classifier: !new:speechbrain.lobes.models.ECAPA_TDNN.Classifier
    input_size: 96
    out_neurons: {classes}
"""


def ours(folder, name, original=False, expand=False, merge=True):
    """A pretrained folder of one of our models, loaded as a user loads it.

    Arguments
    ---------
    folder : str or os.PathLike
    name : str
        ConvTransformer, Conformer or SpeechFormer.
    original : bool
        The original size.
    expand : bool
        Whether the model went through HRF, ALL.
    merge : bool
        Whether it was merged before it was saved; else it stays factorised.

    Returns
    -------
    speechbrain.inference.classifiers.EncoderClassifier
    """
    text = _definition(name, original, norm_type="sentence")
    model = _parts(load_hyperpyyaml(text))
    if expand:
        hrf.apply_hrf(model, ["ALL"])
    classifier = _load(folder, text, hrf.merge_hrf(model))
    if expand and not merge:
        for part, module in model.items():
            classifier.mods[part] = module.eval().requires_grad_(False)
    return classifier


def ecapa(folder):
    """SpeechBrain's ECAPA emotion model of its IEMOCAP recipe, untrained.

    Arguments
    ---------
    folder : str or os.PathLike

    Returns
    -------
    speechbrain.inference.classifiers.EncoderClassifier
    """
    text = _ECAPA.format(classes=CLASSES)
    return _load(folder, text, _parts(load_hyperpyyaml(text)))


def exported(folder, name, original=False, modules=()):
    """What ``hrf export --onnx`` makes of one of our models, untrained.

    A training's output folder is written with random parameters, and exported
    as any other one is: merged, verified, with both graphs.

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
    text = _definition(name, original, norm_type="global")  # as in the recipes
    text += _TRAINING.format(modules=list(modules))
    built = load_hyperpyyaml(text)
    model = _parts(built)
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
    for key in (*model, "mean_var_norm"):
        save(built[key], checkpoint / f"{key}.ckpt")
    _save_labels(training / "save" / "label_encoder.txt")
    return export_pretrained(
        training, pathlib.Path(folder) / "model", onnx=True
    ).folder


def _definition(name, original, norm_type):
    sizes = (ORIGINAL if original else LIGHT)[name]
    return _OURS.format(
        name=name,
        norm_type=norm_type,
        sizes="\n".join(f"    {key}: {value}" for key, value in sizes.items()),
        d_model=sizes.get("d_model", 16),
        classes=CLASSES,
    )


def _parts(built):
    return torch.nn.ModuleDict(
        {key: built[key] for key in ("embedding_model", "classifier")}
    )


def _save_labels(path):
    encoder = CategoricalEncoder()
    encoder.update_from_iterable(str(k) for k in range(CLASSES))
    encoder.save(path)


def _load(folder, text, model):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    (folder / "hyperparams.yaml").write_text(text + _TAIL, encoding="utf-8")
    for key, module in model.items():
        torch.save(module.state_dict(), folder / f"{key}.ckpt")
    _save_labels(folder / "label_encoder.ckpt")
    return EncoderClassifier.from_hparams(
        source=str(folder), savedir=str(folder / "loaded")
    )
