"""Every model goes to ONNX: ours of every size, and a user's own.

Authors
 * The speechbrain_hrf authors 2026
"""

import re

import numpy as np
import pytest
import torch
from onnx_run import run
from speechbrain.lobes.features import Fbank
from speechbrain.processing.features import InputNormalization

from speechbrain_hrf import (
    ClassifierHead,
    Conformer,
    ConvTransformer,
    SpeechFormer,
    apply_hrf,
    merge_hrf,
)
from speechbrain_hrf.export.examples import TOLERANCE
from speechbrain_hrf.export.onnx.model import make_graphs
from speechbrain_hrf.export.onnx.translate import translate

RATE = 16000


def modules(embedding_model, d_model, norm_type="sentence"):
    """The four of EncoderClassifier."""
    norm = InputNormalization(norm_type=norm_type)
    if norm_type == "global":
        norm(-40 + 20 * torch.randn(4, 50, 78))
    found = {
        "compute_features": Fbank(n_mels=26, deltas=True),
        "mean_var_norm": norm,
        "embedding_model": embedding_model,
        "classifier": ClassifierHead(d_model, 4),
    }
    for module in found.values():
        module.eval()
    return found


def signals():
    """One sample to 12 s, alone and in padded batches."""
    for seconds, lens in [
        (1 / RATE, [1.0]),
        (0.3, [1.0]),
        (4.99, [1.0]),
        (5, [1.0]),
        (12, [1.0, 0.55, 0.3, 0.001]),
    ]:
        wavs = 0.1 * torch.randn(len(lens), int(seconds * RATE))
        for row, share in zip(wavs, lens, strict=True):
            row[round(share * len(row)) :] = 0
        yield wavs, torch.tensor(lens)


def operators(graph):
    """Of a graph, and of the bodies of its loops."""
    found = {node.op_type for node in graph.node}
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                found |= operators(attribute.g)
    return found


@torch.no_grad()
def compare(parts, graphs):
    """Largest difference of a log-probability, by signal and graph."""
    differences = []
    for wavs, lens in signals():
        feats = parts["compute_features"](wavs)
        normed = parts["mean_var_norm"](feats, lens)
        embedding = parts["embedding_model"](normed, lens)
        expected = parts["classifier"](embedding).squeeze(1).numpy()
        for name, inputs in (
            ("model.onnx", {"wavs": wavs}),
            ("model.features.onnx", {"feats": feats}),
        ):
            found = run(graphs[name], **inputs, wav_lens=lens)
            assert found.shape == expected.shape
            differences.append(np.abs(found - expected).max())
    return max(differences)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model, d_model, kib",
    [
        (lambda: ConvTransformer(segment_frames=500), 16, (120, 60)),
        (lambda: Conformer(segment_frames=500), 16, (120, 60)),
        (lambda: Conformer(kernel_size=31), 16, (120, 60)),
        (lambda: SpeechFormer(segment_frames=500), 16, (120, 60)),
        (
            lambda: SpeechFormer([1, 1, 1, 1], d_model=16, segment_frames=400),
            16,
            (120, 120),
        ),
        (
            lambda: ConvTransformer(
                2, 80, 320, segment_frames=500, dropout=0.1
            ),
            80,
            None,
        ),
    ],
    ids=[
        *("ConvTransformer", "Conformer", "Conformer as a whole"),
        *("SpeechFormer", "SpeechFormer, 4 stages", "wide ConvTransformer"),
    ],
)
def test_our_models(model, d_model, kib):
    """Equal to SpeechBrain for all lengths, and small."""
    torch.manual_seed(0)
    parts = modules(model(), d_model)
    with torch.no_grad():
        for module in (parts["embedding_model"], parts["classifier"]):
            for parameter in module.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
            for name, buffer in module.named_buffers():
                if "running" in name:
                    buffer.add_(torch.rand_like(buffer))
    training = {k: m.training for k, m in parts.items()}
    graphs = make_graphs(parts)
    assert {k: m.training for k, m in parts.items()} == training
    assert compare(parts, graphs) <= TOLERANCE
    if kib:
        sizes = [graph.ByteSize() / 1024 for graph in graphs.values()]
        assert sizes[0] <= kib[0] and sizes[1] <= kib[1]
    found = set().union(*(operators(g.graph) for g in graphs.values()))
    assert "Softmax" in found  # also of the loops
    assert not found & {"STFT", "IsNaN"}


@pytest.mark.slow
@pytest.mark.parametrize("inner_norm", [False, True])
@pytest.mark.parametrize("model", [ConvTransformer, Conformer, SpeechFormer])
def test_merged_chains(model, inner_norm):
    """Of a model trained with HRF, also with what its chains normalise by."""
    torch.manual_seed(0)
    parts = modules(model(segment_frames=300), 16, "global")
    learnt = torch.nn.ModuleDict(
        {key: parts[key] for key in ("embedding_model", "classifier")}
    )
    rows = ["ALL", "FRONT"]
    apply_hrf(learnt, rows, ratio=4, inner_norm=inner_norm)
    learnt.train()
    feats = torch.randn(8, 60, 78)
    for _ in range(3):  # statistics of the chains
        learnt["classifier"](learnt["embedding_model"](feats, torch.ones(8)))
    merged = merge_hrf(learnt.eval())
    graphs = make_graphs({**parts, **merged})
    assert compare({**parts, **learnt}, graphs) <= TOLERANCE


class Convolutional(torch.nn.Module):
    """A user's model: convolutions over time and a mean."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv1d(78, 12, 3, padding=1)
        self.linear = torch.nn.Linear(12, 6)

    def forward(self, feats, wav_lens):
        steps = torch.arange(feats.shape[1])
        mask = steps < (wav_lens * feats.shape[1]).round().unsqueeze(1)
        x = torch.tanh(self.conv(feats.transpose(1, 2))).transpose(1, 2)
        x = (x * mask.unsqueeze(2)).sum(1) / mask.sum(1, keepdim=True)
        return self.linear(x).unsqueeze(1)


@pytest.mark.slow
def test_a_users_model():
    """As a whole, as PyTorch exports it."""
    torch.manual_seed(0)
    parts = modules(Convolutional(), 6)
    graphs = make_graphs(parts)
    # Below half a frame there is no valid one: their mean is not ours.
    lens = torch.tensor([1.0, 0.4])
    wavs = 0.1 * torch.randn(2, 30000)
    feats = parts["mean_var_norm"](parts["compute_features"](wavs), lens)
    expected = parts["classifier"](parts["embedding_model"](feats, lens))
    found = run(graphs["model.onnx"], wavs=wavs, wav_lens=lens)
    expected = expected.squeeze(1).detach().numpy()
    assert np.abs(found - expected).max() <= TOLERANCE


class Decides(torch.nn.Module):
    """Looks at values: PyTorch's exporter cannot follow."""

    def forward(self, x):
        return x + 1 if x.sum() > 0 else x


class Writes(torch.nn.Module):
    """Raises whatever is given."""

    def forward(self, x):
        raise RuntimeError("out of paper\nand ink")


class HasNoOperator(torch.nn.Module):
    """Asks for what ONNX does not have."""

    def forward(self, x):
        return x + x.median()


@pytest.mark.parametrize(
    "module, says",
    [
        (Decides(), "GuardOn"),
        (Writes(), "out of paper and ink"),
        (HasNoOperator(), "No ONNX function found for .*aten.median"),
    ],
)
def test_what_pytorch_cannot_export(module, says, capfd, recwarn):
    """One clear sentence, and nothing else on the terminal."""
    with pytest.raises(ValueError) as caught:
        translate(
            module, {"x": torch.rand(3, 4)}, {"x": (("batch", 1), None)}, "it"
        )
    said = str(caught.value)
    assert re.match(rf"PyTorch cannot export it \(.*{says}", said)
    assert "Export without --onnx" in said and "\n" not in said
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
