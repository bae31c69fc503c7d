"""The two graphs of a model: waveform in, and features in.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import torch

from speechbrain_hrf.export.onnx.exportable import exportable, fewest_frames
from speechbrain_hrf.export.onnx.fbank import add_fbank, check_fbank
from speechbrain_hrf.export.onnx.graph import Graph
from speechbrain_hrf.export.onnx.include import Parts, include
from speechbrain_hrf.export.onnx.normalisation import (
    add_normalisation,
    check_normalisation,
)
from speechbrain_hrf.export.onnx.sums import add_mean
from speechbrain_hrf.export.onnx.translate import translate
from speechbrain_hrf.export.onnx.windows import WindowAndHead, add_windows
from speechbrain_hrf.lobes.models.embedding import UtteranceEmbedding
from speechbrain_hrf.lobes.models.pooling import MaskedMean

WAVEFORM, FEATURES = "model.onnx", "model.features.onnx"
LOG_PROBABILITIES = "log_probabilities"
# Of the example that PyTorch's exporter looks at.
_BATCH = 3


def make_graphs(modules):
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
    add_model = _translated(modules)
    return {
        WAVEFORM: _graph(modules, add_model, from_waveform=True),
        FEATURES: _graph(modules, add_model, from_waveform=False),
    }


def features_of(modules):
    """Number of features per frame.

    Arguments
    ---------
    modules : dict
        See ``make_graphs``.

    Returns
    -------
    int

    Example
    -------
    >>> from speechbrain.lobes.features import Fbank
    >>> features_of({"compute_features": Fbank(n_mels=26, deltas=True)})
    78
    """
    with torch.no_grad():
        return modules["compute_features"](torch.zeros(1, 1)).shape[-1]


def _graph(modules, add_model, from_waveform):
    g = Graph()
    n_features = features_of(modules)
    if from_waveform:
        first = g.input("wavs", np.float32, ["batch", "samples"])
    else:
        shape = ["batch", "frames", n_features]
        first = g.input("feats", np.float32, shape)
    wav_lens = g.input("wav_lens", np.float32, ["batch"])
    feats = first
    if from_waveform:
        feats = add_fbank(g, modules["compute_features"], first)
    feats = add_normalisation(
        g, modules["mean_var_norm"], feats, wav_lens, n_features
    )
    found, n_classes = add_model(g, feats, wav_lens)
    g.output(found, LOG_PROBABILITIES, np.float32, ["batch", n_classes])
    return g.model()


def _translated(modules):
    model = exportable(modules["embedding_model"])
    classifier = exportable(modules["classifier"])
    what = "embedding_model and classifier"
    generator = torch.Generator().manual_seed(0)
    fewest = fewest_frames(model)
    n_frames = 5 * fewest - 2  # a size that no other one is equal to
    feats = torch.randn(
        _BATCH, n_frames, features_of(modules), generator=generator
    )
    batch, frames = ("batch", 1), ("frames", fewest)
    part = Parts(modules)
    if (
        not isinstance(model, UtteranceEmbedding)
        or type(model).forward is not UtteranceEmbedding.forward
        or type(model.pool) is not MaskedMean
    ):
        # A model of a user's: as a whole, as PyTorch exports it.
        proto = translate(
            _Whole(model, classifier),
            {"feats": feats, "wav_lens": torch.tensor([1.0, 0.5, 0.2])},
            {"feats": (batch, frames, None), "wav_lens": (batch,)},
            what,
        )

        def add(g, feats, wav_lens):
            (found,) = include(g, proto, [feats, wav_lens], part)
            return found, _last_size(proto, 0)

        return add
    lengths = torch.tensor([n_frames, 20, 2])
    with torch.no_grad():
        width = model(feats).shape[-1]
    proto = translate(
        WindowAndHead(model, classifier),
        {
            "feats": feats,
            "lengths": lengths,
            "embedding": torch.randn(_BATCH, width, generator=generator),
        },
        {
            "feats": (batch, frames, None),
            "lengths": (batch,),
            "embedding": (batch, None),
        },
        what,
    )

    def embed(g, window, lengths):
        # The head is not needed here, the encoder not there.
        frames, counts = include(
            g, proto, [window, lengths, ""], part, outputs=[0, 1]
        )
        return add_mean(g, frames, counts, width)

    def add(g, feats, wav_lens):
        embedding = add_windows(
            g, feats, wav_lens, model.segment_frames, fewest, width, embed
        )
        (found,) = include(g, proto, ["", "", embedding], part, outputs=[2])
        return found, _last_size(proto, 2)

    return add


class _Whole(torch.nn.Module):
    def __init__(self, embedding_model, classifier):
        super().__init__()
        self.embedding_model = embedding_model
        self.classifier = classifier

    def forward(self, feats, wav_lens):
        embedding = self.embedding_model(feats, wav_lens)
        return self.classifier(embedding).squeeze(1)


def _last_size(proto, output):
    return proto.graph.output[output].type.tensor_type.shape.dim[-1].dim_value
