"""What does a model cost on the device: time, memory, file, start?

    python benchmarks/on_device.py [--models Conformer] [--rounds 15]

5 s of audio on one thread: lightweight, trained with HRF and merged, and
original; SpeechBrain's pipeline in PyTorch against ONNX Runtime, from the
waveform and from features. Start-up and memory are those of fresh processes:
from the start of Python to the first label, PyTorch's by
``EncoderClassifier``, ONNX Runtime's by ``python -m speechbrain_hrf.runtime``.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import statistics
import tempfile

import numpy as np
import onnxruntime
import soundfile
import torch
from first_label import ENGINES, start
from interleaved import against, single_calls
from models import LIGHT
from on_device_figure import draw
from pipeline import exported
from report import RESULTS, Report, ratio_text, read_options
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.runtime import Classifier
from speechbrain_hrf.runtime.session import open_session

SECONDS, RATE = 5, 16000
SIZES = {
    "lightweight": {},
    "merged": {"modules": ("ALL",)},
    "original": {"original": True},
}


def calls(folder, samples):
    """One call of each engine, from each input.

    Arguments
    ---------
    folder : pathlib.Path
    samples : numpy.ndarray

    Returns
    -------
    dict of str: callable
    """
    with tempfile.TemporaryDirectory() as savedir:
        classifier = EncoderClassifier.from_hparams(
            source=str(folder), savedir=savedir
        )
    mods, wavs, lens = classifier.mods, torch.tensor(samples), torch.ones(1)
    wavs = wavs.unsqueeze(0)
    with torch.no_grad():
        feats = mods.compute_features(wavs)
    runner = Classifier(folder)
    graph = folder / "model.features.onnx"
    session = open_session(graph.read_bytes(), graph.name)
    inputs = {"feats": feats.numpy(), "wav_lens": lens.numpy()}

    @torch.no_grad()
    def from_features():
        normal = mods.mean_var_norm(feats, lens)
        return mods.classifier(mods.embedding_model(normal, lens))

    return {
        "eager, waveform": lambda: classifier.classify_batch(wavs, lens),
        "eager, features": from_features,
        "ONNX, waveform": lambda: runner(samples, RATE),
        "ONNX, features": lambda: session.run(None, inputs),
    }


def file_bytes(folder):
    """What an engine has to be given: bytes of parameters or graph.

    Arguments
    ---------
    folder : pathlib.Path

    Returns
    -------
    dict of str: int
    """
    checkpoints = sorted(folder.glob("*.ckpt"))
    return {
        "eager, waveform": sum(path.stat().st_size for path in checkpoints),
        "ONNX, waveform": (folder / "model.onnx").stat().st_size,
        "ONNX, features": (folder / "model.features.onnx").stat().st_size,
    }


def latency(folders, samples, rounds, repeats):
    """Times the sizes of one model in turns.

    Arguments
    ---------
    folders : dict of str: pathlib.Path
        By size.
    samples : numpy.ndarray
    rounds, repeats : int

    Returns
    -------
    dict of str: dict
        By size, engine and input: median, percentile 95, real-time factor
        and the ratio to eager PyTorch from the same input.
    """
    arms = {
        f"{size}, {arm}": call
        for size, folder in folders.items()
        for arm, call in calls(folder, samples).items()
    }
    times = single_calls(arms, rounds, repeats)
    medians = {
        arm: [statistics.median(turn) for turn in turns]
        for arm, turns in times.items()
    }
    found = {}
    for arm, turns in times.items():
        every = [seconds for turn in turns for seconds in turn]
        size, _, given = arm.split(", ")
        found[arm] = {
            "median_ms": 1000 * statistics.median(every),
            "p95_ms": 1000 * float(np.percentile(every, 95)),
            "to_eager": against(medians, arm, f"{size}, eager, {given}"),
            "to_lightweight": against(
                medians, arm, arm.replace(size, next(iter(folders)))
            ),
        }
    return found


def main():
    """Measures, prints and saves."""
    options = read_options(
        __doc__,
        models=list(LIGHT),
        rounds=15,
        calls=20,
        starts=7,
        name="on_device",
    )
    torch.set_num_threads(1)
    torch.manual_seed(1)
    load = [os.getloadavg()[0]]
    figures, starts = {}, {}
    generator = np.random.default_rng(1)
    samples = 0.1 * generator.standard_normal(SECONDS * RATE, np.float32)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        file = scratch / "noise.wav"
        soundfile.write(file, samples, RATE)
        folders = {
            name: {
                size: exported(scratch / name / size, name, **how)
                for size, how in SIZES.items()
            }
            for name in options.models
        }
        for name, sizes in folders.items():
            found = latency(sizes, samples, options.rounds, options.calls)
            for arm, cost in found.items():
                size, engine, given = arm.split(", ")
                sizes_of_files = file_bytes(sizes[size])
                cost["bytes"] = sizes_of_files.get(f"{engine}, {given}")
                figures[f"{name}, {arm}"] = cost
                print(name, arm, f"{cost['median_ms']:.2f} ms", flush=True)
        load.append(os.getloadavg()[0])
        for _ in range(options.starts):
            for name, sizes in folders.items():
                for size, folder in sizes.items():
                    for engine in ENGINES:
                        key = f"{name}, {size}, {engine}"
                        starts.setdefault(key, []).append(
                            start(engine, folder, file)
                        )
            print(".", end="", flush=True)
    print()
    load.append(os.getloadavg()[0])
    for key, found in starts.items():
        seconds, memory = zip(*found, strict=True)
        figures[key] = {
            "start_s": list(seconds),
            "median_start_s": statistics.median(seconds),
            "peak_bytes": max(memory),
        }
    head, rows = _table(figures)
    report = Report(head)
    report.rows, report.figures = rows, figures
    figures["load"] = load  # before, between and after: 1 minute's average
    figures["onnxruntime"] = onnxruntime.__version__
    report.save(options.name)
    draw(figures, options.models, SIZES, RESULTS / f"{options.name}.png")


def _table(figures):
    rows = []
    for key, process in figures.items():
        if "peak_bytes" not in process:
            continue
        name, size, engine = key.split(", ")
        wave, feats = (
            figures[f"{key}, {given}"] for given in ("waveform", "features")
        )
        ratio = "1"
        if engine != "eager":
            ratio = ratio_text(wave["to_eager"])
        rows.append(
            [
                name,
                size,
                engine,
                f"{wave['bytes'] / 1024:.0f}",
                f"{wave['median_ms']:.2f}",
                f"{wave['p95_ms']:.2f}",
                ratio,
                f"{feats['median_ms']:.2f}",
                f"{process['median_start_s']:.2f}",
                f"{process['peak_bytes'] / 1e6:.0f}",
            ]
        )
    head = ["model", "size", "engine", "file [KiB]", "whole [ms]", "95th [ms]"]
    head += ["ratio", "features [ms]", "start [s]", "memory [MB]"]
    return head, rows


if __name__ == "__main__":
    main()
