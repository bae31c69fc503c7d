"""Parameters and FLOPs against the cells that the paper prints.

Zhang et al., IEEE IoT Journal 2025, Tables III-V; 34 of 36 cells, counted by
the real thop. The other two are one row (Conformer, M3ED, Original), which the
paper prints as SpeechFormer's row of IEMOCAP: its front end alone costs more
than the 50M printed.
"""

import pytest
import torch
from torch import nn

from speechbrain_hrf import (
    ClassifierHead,
    Conformer,
    ConvTransformer,
    SpeechFormer,
    apply_hrf,
)
from speechbrain_hrf.inference.profile import profile
from speechbrain_hrf.lobes.models.pooling import GroupMean, MaskedMean

thop = pytest.importorskip("thop", reason="thop counts for this test")

FRAMES = {"IEMOCAP": 500, "M3ED": 400, "DAIC-WOZ": 1000}
CLASSES = {"IEMOCAP": 4, "M3ED": 7, "DAIC-WOZ": 2}
KERNEL = {"IEMOCAP": 15, "M3ED": 31, "DAIC-WOZ": 31}

# (model, size, dataset): printed parameters and FLOPs, exact ones of ours
CELLS = {
    ("ConvTransformer", "original", "IEMOCAP"): ("801K", "226M", 800_724),
    ("ConvTransformer", "original", "M3ED"): ("595K", "160M", 594_887),
    ("ConvTransformer", "original", "DAIC-WOZ"): ("801K", "454M", 800_562),
    ("ConvTransformer", "light", "IEMOCAP"): ("9K", "7M", 8_680),
    ("ConvTransformer", "light", "M3ED"): ("9K", "6M", 8_731),
    ("ConvTransformer", "light", "DAIC-WOZ"): ("9K", "14M", 8_646),
    ("Conformer", "original", "IEMOCAP"): ("809K", "227M", 809_044),
    ("Conformer", "original", "M3ED"): (None, None, 814_407),
    ("Conformer", "original", "DAIC-WOZ"): ("814K", "458M", 814_002),
    ("Conformer", "light", "IEMOCAP"): ("10K", "7M", 10_200),
    ("Conformer", "light", "M3ED"): ("11K", "6M", 10_507),
    ("Conformer", "light", "DAIC-WOZ"): ("10K", "15M", 10_422),
    ("SpeechFormer", "original", "IEMOCAP"): ("323K", "50M", 323_276),
    ("SpeechFormer", "original", "M3ED"): ("874K", "135M", 873_735),
    ("SpeechFormer", "original", "DAIC-WOZ"): ("327K", "100M", 326_514),
    ("SpeechFormer", "light", "IEMOCAP"): ("3K", "1M", 2_936),
    ("SpeechFormer", "light", "M3ED"): ("3K", "1M", 2_987),
    ("SpeechFormer", "light", "DAIC-WOZ"): ("3K", "3M", 2_902),
}


def build(model, size, dataset):
    classes, light = CLASSES[dataset], size == "light"
    if model == "SpeechFormer":
        if light:
            return SpeechFormer([1], 16, 4), ClassifierHead(16, classes)
        if dataset == "M3ED":
            lobe = SpeechFormer([2, 2, 1, 1], 128, 256)
            return lobe, ClassifierHead(128, classes)
        hidden = 40 if dataset == "IEMOCAP" else None
        lobe = SpeechFormer([2, 2, 2, 2], 80, 64)
        return lobe, ClassifierHead(80, classes, hidden)
    if model == "Conformer":
        sizes = (1, 16, 2) if light else (4, 80, 320)
        lobe = Conformer(*sizes, kernel_size=KERNEL[dataset])
    else:
        ffn = 160 if dataset == "M3ED" else 320
        lobe = ConvTransformer(*((1, 16, 4) if light else (8, 80, ffn)))
    return lobe, ClassifierHead(sizes_of(lobe), classes)


def sizes_of(lobe):
    return lobe.front_end.linear.out_features


class Whole(nn.Module):
    """thop profiles one module with one input."""

    def __init__(self, embedding_model, classifier):
        super().__init__()
        self.embedding_model = embedding_model
        self.classifier = classifier

    def forward(self, feats):
        return self.classifier(self.embedding_model(feats))


def count_masked_mean(module, inputs, output):
    # What thop's rule for AdaptiveAvgPool1d(1) gives.
    module.total_ops += output.numel() * (inputs[0].shape[1] + 1)


def count_group_mean(module, inputs, output):
    module.total_ops += output[0].numel() * (module.size + 1)


def ignore(module, inputs, output):
    pass


def count_by_thop(model, size, dataset):
    whole = Whole(*build(model, size, dataset))
    custom = {MaskedMean: count_masked_mean, GroupMean: count_group_mean}
    norms = 0
    if model == "ConvTransformer":
        # The paper's counts of this model leave LayerNorm out of both columns.
        custom[nn.LayerNorm] = ignore
        norms = sum(
            p.numel()
            for m in whole.modules()
            if isinstance(m, nn.LayerNorm)
            for p in m.parameters()
        )
    feats = torch.zeros(1, FRAMES[dataset], 78)
    macs, parameters = thop.profile(
        whole, inputs=(feats,), custom_ops=custom, verbose=False
    )
    return round(parameters) - norms, round(macs)


def printed(number, unit):
    scale = {"K": 1e3, "M": 1e6}[unit]
    return f"{round(number / scale)}{unit}"


@pytest.mark.parametrize("cell", CELLS)
def test_printed_cells(cell):
    parameters, macs = count_by_thop(*cell)
    printed_parameters, printed_flops, exact = CELLS[cell]
    assert parameters == exact
    if printed_parameters is not None:
        assert printed(parameters, "K") == printed_parameters
        assert printed(macs, "M") == printed_flops


def test_the_impossible_row():
    """Conformer, M3ED, Original: printed 323K / 50M, ours 814K / 182M."""
    parameters, macs = count_by_thop("Conformer", "original", "M3ED")
    assert (printed(parameters, "K"), printed(macs, "M")) == ("814K", "182M")
    front_end = profile(*build("Conformer", "original", "M3ED"), frames=400)
    cost = sum(x.macs for x in front_end.layers if "front_end" in x.name)
    assert cost > 100e6


@pytest.mark.parametrize("cell", CELLS)
def test_our_profile_counts_as_thop_does(cell):
    result = profile(*build(*cell), frames=FRAMES[cell[2]])
    assert (result.paper_parameters, result.macs) == count_by_thop(*cell)


def test_all_parameters_and_shares():
    result = profile(*build("ConvTransformer", "light", "IEMOCAP"), frames=500)
    assert result.parameters == 8_744
    front_end = [x for x in result.layers if "front_end" in x.name]
    assert sum(x.parameters for x in front_end) == 7_104
    assert "100.0 %" not in str(result)
    assert sum(x.macs for x in front_end) / result.macs > 0.95


def test_hrf_layers_count_as_what_is_shipped():
    plain = profile(*build("Conformer", "light", "IEMOCAP"), frames=500)
    lobe, head = build("Conformer", "light", "IEMOCAP")
    apply_hrf(nn.ModuleDict({"lobe": lobe, "head": head}), ["ALL"])
    expanded = profile(lobe, head, frames=500)
    assert expanded[:2] == plain[:2]
    assert expanded.macs == plain.macs
    assert expanded.training_parameters > plain.training_parameters
