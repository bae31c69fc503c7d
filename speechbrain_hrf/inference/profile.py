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

import argparse
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from speechbrain import parse_arguments
from tabulate import tabulate
from torch import nn

from speechbrain_hrf.nnet import apply_hrf, count_parameters, merge_hrf

NORMS = (nn.LayerNorm, nn.BatchNorm1d, nn.BatchNorm2d)
CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
# The paper's rule says nothing of them.
_UNCOUNTED = (
    *(nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention, nn.Bilinear),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
)
BYTES = 4  # of a parameter: float32
# T of the input where a YAML does not say: 5 s.
_FRAMES = 500


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
    training_parameters : int or None
        With HRF's factors; None where they are not known.
    macs : int
    layers : tuple of ModuleCost
    uncounted : tuple of str
        Layers of kinds that the paper's rule does not name: name and kind.

    Example
    -------
    >>> cost = ModuleCost("linear", "Linear", 68, 64)
    >>> print(Profile(68, 68, 68, 64, (cost,)))
    layer    kind      parameters    MACs    share
    linear   Linear            68      64  100.0 %
    64 MACs; parameters: 68 in all, 68 by the paper's rule, 68 in training
    """

    parameters: int
    paper_parameters: int
    training_parameters: int | None
    macs: int
    layers: tuple[ModuleCost, ...]
    uncounted: tuple[str, ...] = ()

    def __str__(self) -> str:
        layers = tabulate(
            [
                (
                    layer.name,
                    layer.kind,
                    f"{layer.parameters:,}",
                    f"{layer.macs:,}",
                    f"{100 * layer.macs / max(self.macs, 1):.1f} %",
                )
                for layer in self.layers
            ],
            headers=("layer", "kind", "parameters", "MACs", "share"),
            tablefmt="plain",
            disable_numparse=True,
            colalign=("left", "left", "right", "right", "right"),
        )
        text = (
            f"{layers}\n{self.macs:,} MACs; parameters: {self.parameters:,} in "
            f"all, {self.paper_parameters:,} by the paper's rule"
        )
        if self.training_parameters is not None:
            text += f", {self.training_parameters:,} in training"
        if self.uncounted:
            text += (
                "\nNot counted, neither MACs nor parameters by the paper's "
                f"rule, which names no such layers: {', '.join(self.uncounted)}"
            )
        return text


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
    merged: Any = merge_hrf(model).eval()
    uncounted = {
        id(norm)
        for lobe in merged.modules()
        if not getattr(lobe, "paper_counts_layer_norm", True)
        for norm in lobe.modules()
        if isinstance(norm, nn.LayerNorm)
    }
    macs: dict[str, int] = {}
    for name, module in merged.named_modules():
        if id(module) not in uncounted and _is_counted(module):
            module.register_forward_hook(_counter(macs, name))
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
        tuple(
            f"{name} ({type(module).__name__})"
            for name, module in merged.named_modules()
            if isinstance(module, _UNCOUNTED)
        ),
    )


def _is_counted(module: nn.Module) -> bool:
    # Pooling layers are not PyTorch's: they say themselves what they cost.
    return isinstance(module, (nn.Linear, *CONVS, *NORMS)) or hasattr(
        module, "macs"
    )


def _counter(macs: dict[str, int], name: str) -> Callable[..., None]:
    def count(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        macs[name] = macs.get(name, 0) + _macs(module, inputs, output)

    return count


def _macs(module: Any, inputs: Any, output: torch.Tensor) -> int:
    if isinstance(module, nn.Linear):
        return output.numel() * int(module.in_features)
    if isinstance(module, CONVS):
        return output.numel() * int(module.weight[0].numel())
    if isinstance(module, NORMS):
        return 4 * output.numel()
    return int(module.macs(inputs[0]))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command ``hrf profile``: prints the profile of a model.

    Arguments
    ---------
    arguments : list of str, optional
        Default those of the command line.

    Returns
    -------
    int
        Exit status: 0, or 1 after an error (2 for wrong arguments).

    Example
    -------
    >>> main(["results/none"])
    1
    """
    parser = argparse.ArgumentParser(
        prog="hrf profile",
        description="Parameters and multiply-accumulates of the model that is "
        "shipped, layer by layer, and its size.",
        epilog="A recipe's YAML takes the recipe's options as well, such as "
        "--num_blocks 2.",
    )
    parser.add_argument(
        "source",
        help="output folder of a training, exported folder, or a recipe's YAML",
    )
    parser.add_argument(
        "--frames",
        type=int,
        help="frames of the input (default: of a training segment)",
    )
    options, others = parser.parse_known_args(arguments)
    if options.frames is not None and options.frames < 1:
        parser.error(f"--frames is {options.frames}: give one or more.")
    if others and not others[0].startswith("--"):
        parser.error(f"unrecognized arguments: {others[0]}")
    _, run_options, overrides = parse_arguments([options.source, *others])
    if given := run_options.overridden_args - {"param_file"}:
        parser.error(
            f"--{min(given)} is an option of SpeechBrain for a training; here "
            "the model is counted, on the CPU."
        )
    try:
        print(
            _describe(pathlib.Path(options.source), options.frames, overrides)
        )
    # What a user's model may raise when it is run is among them.
    except (
        *(ImportError, OSError, RuntimeError),
        *(TypeError, ValueError),
    ) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def _describe(source: pathlib.Path, frames: int | None, overrides: str) -> str:
    # The export imports this folder.
    from speechbrain_hrf.export.definition import Definition
    from speechbrain_hrf.export.model import (
        count_features,
        learnt_part,
        trained_model,
    )
    from speechbrain_hrf.export.training import Training

    if source.is_dir() and overrides:
        raise ValueError(
            f"{source} is a folder, whose model is as it is: options such as "
            f"{overrides.split(':')[0]} go with a recipe's YAML."
        )
    # A checkpoint holds the first, a training's output folder the second.
    is_exported = all(
        (source / name).is_file()
        for name in ("embedding_model.ckpt", "hyperparams.yaml")
    )
    if source.is_dir() and not is_exported:
        training = Training(source)
        definition, modules = training.definition, trained_model(training)
        model = learnt_part(modules)
    else:
        yaml = source / "hyperparams.yaml" if is_exported else source
        definition = Definition(yaml, overrides)
        modules = definition.build()
        model = learnt_part(modules)
        if arguments := definition.hrf_arguments():
            apply_hrf(model, **arguments)
    frames = frames or definition.segment_frames(modules["embedding_model"])
    frames, n_feats = frames or _FRAMES, count_features(modules)
    embedding_model, classifier = model.values()
    found = profile(embedding_model, classifier, frames, n_feats)
    if is_exported:  # it is merged
        found = found._replace(training_parameters=None)
    sizes = [
        (path.name, f"{path.stat().st_size:,} bytes")
        for path in sorted(source.glob("*"))
        if path.suffix in (".ckpt", ".onnx")
    ]
    kib = found.parameters * BYTES / 1024
    return "\n".join(
        [
            f"{definition.model_name}, {frames} frames of {n_feats} features",
            str(found),
            f"shipped: {kib:,.1f} KiB of parameters in float32",
            *tabulate(sizes, tablefmt="plain").splitlines(),
        ]
    )
