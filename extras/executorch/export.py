"""An exported model as a program of ExecuTorch, checked and timed.

    python extras/executorch/export.py FOLDER TARGET [--rounds 12]

FOLDER is a pretrained folder of ``python -m speechbrain_hrf.export``. TARGET
receives ``features.<backend>.pte`` (features in) and ``waveform.<backend>.pte``
(audio in), batch 1, of any length up to the training segment, and a table is
printed: size, largest difference to eager PyTorch, and time on one thread,
program and PyTorch in turns. See README.md beside this file.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import copy
import importlib.util
import os
import pathlib
import statistics
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import torch
from speechbrain.inference.classifiers import EncoderClassifier
from speechbrain.processing.features import STFT
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
BACKENDS = ("portable", "xnnpack")
# Of a log-probability; programs compute in float32 as PyTorch does.
TOLERANCE = 1e-4
# Below 11, the front ends leave a single frame of them, for which torch.export
# would have to make another program.
FEWEST_FRAMES = 12
CALLS = 5  # of a program in a round
MISSING = (
    "executorch is not installed. It needs an environment of its own:\n"
    "    python -m venv executorch\n"
    "    executorch/bin/pip install -r extras/executorch/requirements.txt -e .\n"
    "    executorch/bin/python extras/executorch/export.py FOLDER TARGET"
)


class FromFeatures(nn.Module):
    """Features of one recording to log-probabilities.

    Arguments
    ---------
    mods : torch.nn.ModuleDict
        Of an ``EncoderClassifier``.
    """

    def __init__(self, mods: nn.ModuleDict):
        super().__init__()
        self.mean_var_norm = copy.deepcopy(mods["mean_var_norm"])
        self.embedding_model = copy.deepcopy(mods["embedding_model"])
        self.classifier = copy.deepcopy(mods["classifier"])
        for parameter in self.parameters():
            # ExecuTorch's convolution takes no channels-last weights.
            plain = torch.empty(parameter.shape)
            parameter.data = plain.copy_(parameter.data)
        self.eval()

    def forward(self, feats: torch.Tensor) -> torch.Tensor:
        """[1, T, F] to [1, C]."""
        lens = torch.ones(1)
        feats = self.mean_var_norm(feats, lens)
        return self.classifier(self.embedding_model(feats, lens)).squeeze(1)


class FromWaveform(FromFeatures):
    """One recording to log-probabilities.

    Arguments
    ---------
    mods : torch.nn.ModuleDict
        Of an ``EncoderClassifier``.
    """

    def __init__(self, mods: nn.ModuleDict):
        super().__init__(mods)
        self.compute_features = copy.deepcopy(mods["compute_features"])
        self.eval()

    def forward(self, wavs: torch.Tensor) -> torch.Tensor:
        """[1, samples] to [1, C]."""
        return super().forward(self.compute_features(wavs))


class ConvolvedSTFT(nn.Module):
    """SpeechBrain's ``STFT`` as a convolution with sines and cosines.

    ExecuTorch has no complex numbers, which ``torch.stft`` needs. The dense
    basis is what makes the file large.

    Arguments
    ---------
    stft : speechbrain.processing.features.STFT
    """

    def __init__(self, stft: STFT):
        super().__init__()
        self.hop, self.half = stft.hop_length, stft.n_fft // 2
        n, k = torch.arange(stft.n_fft), torch.arange(self.half + 1)
        angle = 2 * torch.pi * (k[:, None] * n % stft.n_fft) / stft.n_fft
        basis = torch.cat((angle.double().cos(), -angle.double().sin()))
        left = (stft.n_fft - stft.win_length) // 2
        right = stft.n_fft - stft.win_length - left
        window = nn.functional.pad(stft.window, (left, right))
        self.register_buffer("basis", (basis * window).float().unsqueeze(1))

    def forward(self, wavs: torch.Tensor) -> torch.Tensor:
        """[1, samples] to [1, T, bins, 2], as torch.stft centres it."""
        padded = nn.functional.pad(wavs, (self.half, self.half))
        out = nn.functional.conv1d(
            padded.unsqueeze(1), self.basis, stride=self.hop
        )  # [1, 2 * bins, T]
        real, imaginary = out.transpose(1, 2).chunk(2, dim=2)
        return torch.stack((real, imaginary), dim=-1)


def lower(
    module: nn.Module, example: torch.Tensor, dynamic: Any, backend: str
) -> bytes:
    """Lowers a module.

    Arguments
    ---------
    module : torch.nn.Module
    example : torch.Tensor
        Its input.
    dynamic : torch.export.Dim
        Of the input's second axis.
    backend : str
        One of ``BACKENDS``.

    Returns
    -------
    bytes
    """
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import (
        XnnpackPartitioner,
    )
    from executorch.exir import to_edge_transform_and_lower

    # The compiler starts flatc, which lies beside this environment's python.
    scripts = os.path.dirname(sys.executable)
    os.environ["PATH"] = scripts + os.pathsep + os.environ["PATH"]
    with torch.no_grad():
        exported = torch.export.export(
            module, (example,), dynamic_shapes=({1: dynamic},)
        )
        partitioners = [XnnpackPartitioner()] if backend == "xnnpack" else []
        lowered = to_edge_transform_and_lower(
            exported, partitioner=partitioners
        )
        return lowered.to_executorch().buffer


def load(path: pathlib.Path) -> Callable[[torch.Tensor], torch.Tensor]:
    """A program as a function.

    Arguments
    ---------
    path : pathlib.Path

    Returns
    -------
    callable
    """
    from executorch.extension.pybindings.portable_lib import (
        _unsafe_reset_threadpool,
    )
    from executorch.runtime import Runtime

    _unsafe_reset_threadpool(1)
    method = Runtime.get().load_program(path).load_method("forward")
    return lambda x: method.execute([x])[0]


def make_examples(
    kind: str, classifier: EncoderClassifier
) -> list[torch.Tensor]:
    """Signals of several lengths, the longest one first.

    Arguments
    ---------
    kind : str
        features or waveform.
    classifier : EncoderClassifier

    Returns
    -------
    list of torch.Tensor
        [1, frames, features] or [1, samples]
    """
    hop = _hop(classifier)
    longest = classifier.mods.embedding_model.segment_frames or 500
    generator = torch.Generator().manual_seed(1)
    found = []
    for frames in (longest, longest // 2 + 1, FEWEST_FRAMES):
        wavs = 0.1 * torch.randn(1, (frames - 1) * hop, generator=generator)
        if kind == "features":
            wavs = classifier.mods.compute_features(wavs)
        found.append(wavs)
    return found


def _hop(classifier: EncoderClassifier) -> int:
    return classifier.mods.compute_features.compute_STFT.hop_length


def main(arguments: list[str] | None = None) -> int:
    """Exports, checks, times and prints.

    Returns
    -------
    int
        Exit status: 1 without ExecuTorch, or if a program could not be made
        or differs.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", help="a pretrained folder")
    parser.add_argument("target", help="folder for the .pte files")
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args(arguments)
    if importlib.util.find_spec("executorch") is None:
        print(MISSING, file=sys.stderr)
        return 1
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from interleaved import single_calls
    from report import table

    torch.set_num_threads(1)
    target = pathlib.Path(options.target)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as savedir:
        classifier = EncoderClassifier.from_hparams(
            source=options.folder, savedir=savedir
        )
    rows, failed = [], False
    for kind, made in (("features", FromFeatures), ("waveform", FromWaveform)):
        module = made(classifier.mods)
        inputs = make_examples(kind, classifier)
        with torch.no_grad():
            expected = [module(x) for x in inputs]
        exported = copy.deepcopy(module)
        if kind == "waveform":
            features = exported.compute_features
            features.compute_STFT = ConvolvedSTFT(features.compute_STFT)
        longest = inputs[0].shape[1]
        shortest = inputs[-1].shape[1]
        # Audio in whole hops: other lengths are more than torch.export's
        # reasoning about sizes can follow.
        hop = 1 if kind == "features" else _hop(classifier)
        dynamic = hop * torch.export.Dim(
            "length", min=shortest // hop, max=longest // hop
        )
        arms = {"eager": torch.no_grad()(lambda m=module, x=inputs[0]: m(x))}
        cells = {"eager": ["", "0"]}
        for backend in BACKENDS:
            path = target / f"{kind}.{backend}.pte"
            try:
                path.write_bytes(lower(exported, inputs[0], dynamic, backend))
                run = load(path)
                differences = [
                    (run(x) - y).abs().max()
                    for x, y in zip(inputs, expected, strict=True)
                ]
                # Python's max would pass over one that is not a number.
                difference = torch.stack(differences).max().item()
            except Exception as error:  # whatever the compiler may raise
                path.unlink(missing_ok=True)
                failed = True
                print(f"{kind}, {backend}: {error}", file=sys.stderr)
                continue
            failed |= not difference <= TOLERANCE
            size = f"{path.stat().st_size / 1024:.0f} KiB"
            cells[backend] = [size, f"{difference:.0e}"]
            arms[backend] = lambda run=run, x=inputs[0]: run(x)
        times = single_calls(arms, options.rounds, CALLS)
        for arm, turns in times.items():
            typical = 1000 * statistics.median(sum(turns, []))
            rows.append([kind, arm, *cells[arm], f"{typical:.2f} ms"])
    print(table(["input", "", "file", "difference", "median time"], rows))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
