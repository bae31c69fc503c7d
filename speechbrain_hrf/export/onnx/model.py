"""The two graphs of a model: waveform in, and features in.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import onnx
import torch

from speechbrain_hrf.export.definition import Modules
from speechbrain_hrf.export.model import count_features
from speechbrain_hrf.export.onnx.exportable import (
    Whole,
    WindowAndHead,
    fewest_frames,
    make_exportable,
)
from speechbrain_hrf.export.onnx.fbank import add_fbank, check_fbank
from speechbrain_hrf.export.onnx.graph import LOG_PROBABILITIES, Graph
from speechbrain_hrf.export.onnx.include import Parts, include
from speechbrain_hrf.export.onnx.normalisation import (
    add_normalisation,
    check_normalisation,
)
from speechbrain_hrf.export.onnx.translate import translate
from speechbrain_hrf.export.onnx.windows import add_mean, add_windows
from speechbrain_hrf.lobes.models.embedding import UtteranceEmbedding
from speechbrain_hrf.lobes.models.pooling import MaskedMean

WAVEFORM, FEATURES = "model.onnx", "model.features.onnx"
# Of the example that PyTorch's exporter looks at.
_BATCH = 3

# (graph, normalised features, wav_lens) to the log-probabilities and how many.
_AddModel: TypeAlias = Callable[[Graph, str, str], tuple[str, int]]


def make_graphs(modules: Modules) -> dict[str, onnx.ModelProto]:
    """Makes both graphs.

    Arguments
    ---------
    modules : dict
        compute_features, mean_var_norm, embedding_model and classifier, plain
        and in evaluation mode.

    Returns
    -------
    dict
        onnx.ModelProto by file name.

    Raises
    ------
    ValueError
        The features or the normalisation are not SpeechBrain's, or PyTorch
        cannot export the model.

    Example
    -------
    >>> from speechbrain.lobes.features import Fbank
    >>> from speechbrain.processing.features import InputNormalization
    >>> modules = {
    ...     "compute_features": Fbank(n_mels=8),
    ...     "mean_var_norm": InputNormalization(norm_type="sentence"),
    ...     "embedding_model": torch.nn.Identity(),
    ...     "classifier": torch.nn.Identity(),
    ... }
    >>> make_graphs(modules)
    Traceback (most recent call last):
    ...
    ValueError: PyTorch cannot export embedding_model and classifier ...
    """
    check_fbank(modules["compute_features"])
    check_normalisation(modules["mean_var_norm"])
    n_features = count_features(modules)
    add_model = _translate(modules, n_features)
    return {
        name: _make_graph(name, modules, n_features, add_model)
        for name in (WAVEFORM, FEATURES)
    }


def _make_graph(
    name: str,
    modules: Modules,
    n_features: int,
    add_model: _AddModel,
) -> onnx.ModelProto:
    g = Graph()
    if name == WAVEFORM:
        wavs = g.input("wavs", np.float32, ["batch", "samples"])
    else:
        feats = g.input("feats", np.float32, ["batch", "frames", n_features])
    wav_lens = g.input("wav_lens", np.float32, ["batch"])
    if name == WAVEFORM:
        feats = add_fbank(g, modules["compute_features"], wavs)
    feats = add_normalisation(
        g, modules["mean_var_norm"], feats, wav_lens, n_features
    )
    found, n_classes = add_model(g, feats, wav_lens)
    g.output(found, LOG_PROBABILITIES, np.float32, ["batch", n_classes])
    return g.model()


def _translate(modules: Modules, n_features: int) -> _AddModel:
    model = make_exportable(modules["embedding_model"])
    classifier = make_exportable(modules["classifier"])
    generator = torch.Generator().manual_seed(0)
    fewest = fewest_frames(model)
    n_frames = 5 * fewest - 2  # a size that no other one is equal to
    feats = torch.randn(_BATCH, n_frames, n_features, generator=generator)
    batch, frames = ("batch", 1), ("frames", fewest)
    part = Parts(modules)
    what = "embedding_model and classifier"
    if (
        not isinstance(model, UtteranceEmbedding)
        or type(model).forward is not UtteranceEmbedding.forward
        or type(model.pool) is not MaskedMean
    ):
        # A model of a user's: as a whole, as PyTorch exports it.
        whole = translate(
            Whole(model, classifier),
            {"feats": feats, "wav_lens": torch.tensor([1.0, 0.5, 0.2])},
            {"feats": (batch, frames, None), "wav_lens": (batch,)},
            what,
        )

        def add_whole(g: Graph, feats: str, wav_lens: str) -> tuple[str, int]:
            (found,) = include(g, whole, [feats, wav_lens], part, [0])
            return found, _last_size(whole, 0)

        return add_whole
    with torch.no_grad():
        width = model(feats).shape[-1]
    proto = translate(
        WindowAndHead(model, classifier),
        {
            "feats": feats,
            "lengths": torch.tensor([n_frames, 20, 2]),
            "embedding": torch.randn(_BATCH, width, generator=generator),
        },
        {
            "feats": (batch, frames, None),
            "lengths": (batch,),
            "embedding": (batch, None),
        },
        what,
    )

    def embed(g: Graph, window: str, lengths: str) -> str:
        # The head is not needed here, the encoder not there.
        frames, counts = include(g, proto, [window, lengths, ""], part, [0, 1])
        return add_mean(g, frames, counts, width)

    def add(g: Graph, feats: str, wav_lens: str) -> tuple[str, int]:
        embedding = add_windows(
            g, feats, wav_lens, model.segment_frames, fewest, width, embed
        )
        (found,) = include(g, proto, ["", "", embedding], part, [2])
        return found, _last_size(proto, 2)

    return add


def _last_size(proto: onnx.ModelProto, output: int) -> int:
    shape = proto.graph.output[output].type.tensor_type.shape
    return int(shape.dim[-1].dim_value)
