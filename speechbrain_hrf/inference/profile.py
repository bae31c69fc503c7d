"""Parameters and multiply-accumulates of a model, and where they are.

By the counting rule of the paper's tables, which is that of thop 0.1.1 on one
utterance: a MAC per weight use in Linear and Conv layers (no biases), 4 per
element of LayerNorm and BatchNorm, n + 1 per output of a mean over n frames;
products of attention, softmax and activations count nothing.

Example
-------
>>> from speechbrain_hrf.lobes.models import ClassifierHead, ConvTransformer
>>> result = profile(ConvTransformer(), ClassifierHead(16, 4), frames=500)
>>> result.paper_parameters, result.macs
(8680, 7221616)

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import NamedTuple

import torch
from torch import nn

from speechbrain_hrf.nnet import count_parameters, merge_hrf

NORMS = (nn.LayerNorm, nn.BatchNorm1d, nn.BatchNorm2d)
CONVS = (nn.Conv1d, nn.Conv2d)


class ModuleCost(NamedTuple):
    """Of one layer.

    Arguments
    ---------
    name, kind : str
        The layer and its class.
    parameters : int
        By the paper's rule.
    macs : int

    Example
    -------
    >>> ModuleCost("linear", "Linear", 68, 64).macs
    64
    """

    name: str
    kind: str
    parameters: int
    macs: int


class Profile(NamedTuple):
    """Of a model; ``print`` shows it as a table.

    Arguments
    ---------
    parameters : int
        All that are shipped.
    paper_parameters : int
        As the paper's tables count them.
    training_parameters : int
        With HRF's factors.
    macs : int
    layers : tuple of ModuleCost

    Example
    -------
    >>> cost = ModuleCost("linear", "Linear", 68, 64)
    >>> print(Profile(68, 68, 68, 64, (cost,)))
    linear  Linear              68 parameters            64 MACs 100.0 %
    64 MACs; parameters: 68 in all, 68 by the paper's rule, 68 in training
    """

    parameters: int
    paper_parameters: int
    training_parameters: int
    macs: int
    layers: tuple[ModuleCost, ...]

    def __str__(self) -> str:
        width = max(len(layer.name) for layer in self.layers)
        lines = [
            f"{layer.name:<{width}}  {layer.kind:<12} "
            f"{layer.parameters:>9,} parameters {layer.macs:>13,} MACs "
            f"{100 * layer.macs / max(self.macs, 1):5.1f} %"
            for layer in self.layers
        ]
        lines.append(
            f"{self.macs:,} MACs; parameters: {self.parameters:,} in all, "
            f"{self.paper_parameters:,} by the paper's rule, "
            f"{self.training_parameters:,} in training"
        )
        return "\n".join(lines)


@torch.no_grad()
def profile(
    embedding_model: nn.Module,
    classifier: nn.Module,
    frames: int,
    n_feats: int = 78,
) -> Profile:
    """Counts parameters and MACs of the model that is shipped.

    Arguments
    ---------
    embedding_model : torch.nn.Module
        (feats, wav_lens) -> [B, 1, D]; HRF layers are counted merged.
    classifier : torch.nn.Module
        [B, 1, D] -> [B, 1, C]
    frames : int
        T of the input: 500, 400 and 1000 in the paper.
    n_feats : int
        Features per frame.

    Returns
    -------
    Profile

    Example
    -------
    >>> from speechbrain_hrf.lobes.models import ClassifierHead, SpeechFormer
    >>> result = profile(SpeechFormer(), ClassifierHead(16, 4), frames=500)
    >>> f"{result.paper_parameters:,} {result.macs / 1e6:.3f}M"
    '2,936 1.304M'
    """
    model = nn.ModuleDict(
        {"embedding_model": embedding_model, "classifier": classifier}
    )
    merged = merge_hrf(model).eval()
    uncounted = {
        id(norm)
        for lobe in merged.modules()
        if not getattr(lobe, "paper_counts_layer_norm", True)
        for norm in lobe.modules()
        if isinstance(norm, nn.LayerNorm)
    }
    macs, hooks = {}, []
    for name, module in merged.named_modules():
        if id(module) not in uncounted and _is_counted(module):
            hooks.append(module.register_forward_hook(_counter(macs, name)))
    weight = next(merged.parameters())
    embedding = merged["embedding_model"](
        weight.new_zeros(1, frames, n_feats), weight.new_ones(1)
    )
    merged["classifier"](embedding)
    layers = tuple(
        ModuleCost(
            name,
            type(module).__name__,
            count_parameters(module),
            macs[name],
        )
        for name, module in merged.named_modules()
        if name in macs
    )
    return Profile(
        count_parameters(merged),
        sum(layer.parameters for layer in layers),
        count_parameters(model),
        sum(macs.values()),
        layers,
    )


def _is_counted(module):
    # Pooling layers are not PyTorch's: they say themselves what they cost.
    return isinstance(module, (nn.Linear, *CONVS, *NORMS)) or hasattr(
        module, "macs"
    )


def _counter(macs, name):
    def count(module, inputs, output):
        macs[name] = macs.get(name, 0) + _macs(module, inputs, output)

    return count


def _macs(module, inputs, output):
    if isinstance(module, nn.Linear):
        return output.numel() * module.in_features
    if isinstance(module, CONVS):
        return output.numel() * module.weight[0].numel()
    if isinstance(module, NORMS):
        return 4 * output.numel()
    return module.macs(inputs[0])
