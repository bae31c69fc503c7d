"""A light model on a microcontroller: flash, RAM, instructions, agreement.

    python benchmarks/microcontroller.py --trainings results/.../1234 ...

For each training: its C on two emulated boards (extras/cortex_m), with weights
of float32 and int8, held against SpeechBrain; and, where --tflite names the
Python of an environment with litert-torch and tflite-micro, the same model by
TensorFlow Lite for Microcontrollers.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import soundfile
import torch
from microcontroller_figure import draw
from report import RESULTS, Report, read_options

from speechbrain_hrf.export.c.check import compare_int8, to_int16
from speechbrain_hrf.export.c.library import compile_library, find_compiler
from speechbrain_hrf.export.c.source import (
    SOURCE,
    SOURCE_INT8,
    make_sources,
)
from speechbrain_hrf.export.model import plain_model
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.runtime.resample import resample
from speechbrain_hrf.runtime.waveform import mono
from speechbrain_hrf.training.scores import score_text

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "extras" / "cortex_m"))
import run as board  # noqa: E402

HERTZ = 168e6  # of an STM32F4
SECONDS = 5
HEAD = "model runs weights flash RAM instructions difference labels WA".split()


def main():
    """Measures, prints and saves."""
    options = read_options(
        __doc__,
        trainings=[""],
        recordings=6,
        tflite="",
        name="microcontroller",
    )
    torch.set_num_threads(1)
    report = Report(HEAD)
    for output in options.trainings:
        training = Training(output)
        modules = plain_model(training)
        recordings = list(training.recordings())
        step = max(1, len(recordings) // options.recordings)
        signals = [read(path, training) for path, _ in recordings[::step]]
        signals = signals[: options.recordings]
        window = np.concatenate(signals)
        hop = modules["compute_features"].compute_STFT.hop_length
        frames = modules["embedding_model"].segment_frames
        window = np.resize(window, (frames - 1) * hop)
        signals = [window, *signals]
        expected = [speechbrain_says(modules, samples) for samples in signals]
        for row in on_device_rows(training.definition.model_name):
            report.add(*row)
        measure_c(report, training, modules, signals, expected)
        if options.tflite:
            measure_tflite(report, options.tflite, modules, signals)
    report.save(options.name)
    draw(report.figures, RESULTS / f"{options.name}.png")


def read(path, training):
    """A recording as a microphone's converter gives it.

    Arguments
    ---------
    path : str
    training : Training

    Returns
    -------
    numpy.ndarray
        int16
    """
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    rate_of_model = training.definition.sample_rate
    return to_int16(resample(mono(samples), rate, rate_of_model))


@torch.no_grad()
def speechbrain_says(modules, samples):
    """Log-probabilities of the modules themselves.

    Arguments
    ---------
    modules : dict
    samples : numpy.ndarray
        int16

    Returns
    -------
    numpy.ndarray
        [C]
    """
    embedding = modules["embedding_model"](compute_features(modules, samples))
    return modules["classifier"](embedding)[0, 0].numpy()


@torch.no_grad()
def compute_features(modules, samples):
    """What the model is given, normalised.

    Arguments
    ---------
    modules : dict
    samples : numpy.ndarray
        int16

    Returns
    -------
    torch.Tensor
        [1, T, F]
    """
    wavs = torch.from_numpy(samples / np.float32(2**15))[None]
    feats = modules["compute_features"](wavs)
    return modules["mean_var_norm"](feats, torch.ones(1))


def measure_c(report, training, modules, signals, expected):
    """Adds a row for each weight type and board.

    Arguments
    ---------
    report : Report
    training : Training
    modules : dict
    signals : list of numpy.ndarray
        The first one is a window of 5 s.
    expected : list of numpy.ndarray
        SpeechBrain's log-probabilities of them.
    """
    labels = training.labels
    files = make_sources(modules, labels, int8=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = pathlib.Path(scratch)
        libraries = {
            source: compile_library(
                find_compiler(), files, source, len(labels), folder
            )
            for source in (SOURCE, SOURCE_INT8)
        }
        scores = compare_int8(
            *libraries.values(),
            list(training.recordings()),
            signals,
            training.definition.sample_rate,
        )
        for at, (source, weights) in enumerate(
            [(SOURCE, "float32"), (SOURCE_INT8, "int8")]
        ):
            for core, name in board.BOARDS.items():
                program = folder / f"{core}.elf"
                size = board.build(folder, program, core, source)
                runs = [board.emulate(program, core, s) for s in signals]
                found = {
                    "flash": size.flash,
                    "ram": size.ram + runs[0].stack,
                    "stack": runs[0].stack,
                    "instructions": runs[0].instructions,
                    **agreement([r.log_probabilities for r in runs], expected),
                    "host_difference": max(
                        float(np.abs(r.log_probabilities - h).max())
                        for r, h in zip(
                            runs,
                            map(libraries[source].classify, signals),
                            strict=True,
                        )
                    ),
                    "same_labels": [r.label for r in runs]
                    == [labels[e.argmax()] for e in expected],
                    "int8": scores._asdict(),
                }
                add(
                    report,
                    training.definition.model_name,
                    f"C, {name}",
                    weights,
                    found,
                    scores.scores.get("WA", (None, None))[at],
                )


def measure_tflite(report, python, modules, signals):
    """Adds a row for the model in TensorFlow Lite for Microcontrollers.

    It has no Fourier transform: it is given features, one window of them.

    Arguments
    ---------
    report : Report
    python : str
        Of the environment that has it.
    modules : dict
    signals : list of numpy.ndarray
        The first one is a window; others are cut or repeated to its length.
    """
    model = modules["embedding_model"]
    windows = [np.resize(samples, len(signals[0])) for samples in signals]
    expected = [speechbrain_says(modules, samples) for samples in windows]
    features = [compute_features(modules, samples) for samples in windows]
    program = torch.export.export(
        OneWindow(model, modules["classifier"]).eval(), (features[0],)
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        torch.export.save(program, folder / "program.pt2")
        np.save(folder / "features.npy", torch.stack(features).numpy())
        script = pathlib.Path(__file__).with_name("microcontroller_tflite.py")
        done = subprocess.run(
            [python, script, folder],
            capture_output=True,
            text=True,
            check=False,
        )
        result = folder / "result.json"
        if not result.is_file():
            raise RuntimeError(f"{script.name}: {done.stdout}{done.stderr}")
        found = json.loads(result.read_text(encoding="utf-8"))
    if "outputs" in found:
        outputs = map(np.array, found.pop("outputs"))
        found |= agreement(outputs, expected)
    # Its interpreter's code comes on top, and so does the front end.
    found |= {"flash": found["bytes"], "ram": found.get("arena")}
    add(report, type(model).__name__, "TFLM, features in", "float32", found)


class OneWindow(torch.nn.Module):
    """Features of one whole window to log-probabilities.

    Arguments
    ---------
    model, classifier : torch.nn.Module
    """

    def __init__(self, model, classifier):
        super().__init__()
        self.model, self.classifier = model, classifier

    def forward(self, feats):
        """[1, T, F] -> [1, C]

        Arguments
        ---------
        feats : torch.Tensor

        Returns
        -------
        torch.Tensor
        """
        return self.classifier(self.model(feats)).squeeze(1)


def agreement(found, expected):
    """How near log-probabilities are to SpeechBrain's.

    Arguments
    ---------
    found, expected : iterable of numpy.ndarray

    Returns
    -------
    dict
    """
    pairs = list(zip(found, expected, strict=True))
    return {
        "difference": max(float(np.abs(a - b).max()) for a, b in pairs),
        "labels": sum(int(a.argmax() == b.argmax()) for a, b in pairs),
        "n": len(pairs),
    }


def add(report, model, runs, weights, found, score=None):
    """Adds a row, its cells written as the table shows them.

    Arguments
    ---------
    report : Report
    model, runs, weights : str
    found : dict
    score : float, optional
        WA on the test set.
    """
    instructions = found.get("instructions")
    missing = re.search(r"Didn't find op .* '(\w+)'", found.get("error", ""))
    report.add(
        found,
        model,
        runs,
        weights,
        _kib(found.get("flash")),
        _kib(found.get("ram")),
        f"{instructions / 1e6:.0f} million ({instructions / HERTZ:.2f} s)"
        if instructions
        else f"does not run: no {missing[1]}"
        if missing
        else "",
        f"{found['difference']:.1e}" if "difference" in found else "",
        f"{found['labels']}/{found['n']}" if "labels" in found else "",
        "" if score is None else score_text(score),
        key=f"{model}, {runs}, {weights}",
    )


def on_device_rows(model):
    """What PyTorch and ONNX Runtime take, of ``on_device.py``'s last run.

    Arguments
    ---------
    model : str

    Yields
    ------
    tuple
        For ``Report.add``.
    """
    path = RESULTS / "on_device.json"
    figures = json.loads(path.read_text(encoding="utf-8"))["figures"]
    for engine, name in (("eager", "PyTorch"), ("ONNX", "ONNX Runtime")):
        size = figures[f"{model}, lightweight, {engine}, waveform"]["bytes"]
        memory = figures[f"{model}, lightweight, {engine}"]["peak_bytes"]
        cells = [f"{size / 1024:.0f} KiB (file)", f"{memory / 1e6:.0f} MB"]
        yield (
            {"flash": size, "ram": memory},
            *(model, name, "float32", *cells, "", "", "", ""),
        )


def _kib(size):
    return "" if size is None else f"{size / 1024:.1f} KiB"


if __name__ == "__main__":
    main()
