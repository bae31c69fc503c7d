"""A training's output folder, as a recipe leaves it, small and untrained.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import functools
import json
import logging
import math
import os
import tempfile
import warnings

import numpy as np
import pytest
import soundfile
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.core import create_experiment_directory
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.inference.classifiers import EncoderClassifier
from yaml import safe_load

from speechbrain_hrf.export import export_pretrained, verify
from speechbrain_hrf.export.fresh_process import answer
from speechbrain_hrf.inference.safe import load
from speechbrain_hrf.nnet import apply_hrf

LABELS = ["neutral", "happy", "sad", "angry"]
RECIPE = """\
# A recipe in /somewhere/else
seed: {seed}
__set_seed: !apply:speechbrain.utils.seed_everything [!ref <seed>]
data_folder: {data_folder}
output_folder: {output_folder}
save_folder: !ref <output_folder>/save
sample_rate: 16000
n_classes: 4
d_model: 8
activation: !name:torch.nn.SiLU

compute_features: !new:speechbrain.lobes.features.Fbank
    sample_rate: !ref <sample_rate>
    n_mels: 26  # the paper's
    deltas: True
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: {norm_type}

embedding_model: !new:{model}
    d_model: !ref <d_model>
    activation: !ref <activation>
    # Windows of training.
    segment_frames: 200
classifier: !new:speechbrain_hrf.lobes.models.ClassifierHead
    d_model: !ref <d_model>
    n_classes: !ref <n_classes>
    activation: !ref <activation>

train_logger: !new:speechbrain.utils.train_logger.FileTrainLogger
    save_file: !ref <output_folder>/train_log.txt
checkpointer: !new:speechbrain.utils.checkpoints.Checkpointer
    checkpoints_dir: !ref <save_folder>
    recoverables:
        embedding_model: !ref <embedding_model>
        classifier: !ref <classifier>
        normalizer: !ref <mean_var_norm>
"""
METRICS = {
    "dataset": "RAVDESS",
    "synthetic": False,
    "protocol": "last epoch",
    "split": "fold 1",
    "labels": LABELS,
    "epoch": 3,
    "seed": 1,
    "n_test": 240,
    "WA": 0.5,
    "UA": 0.45,
    "WF1": 0.48,
    "confusion": [[3, 1, 0, 0], [0, 2, 2, 0], [1, 1, 2, 0], [0, 0, 0, 4]],
    "licence": "CC BY-NC-SA 4.0",
}


@pytest.fixture
def training_output(tmp_path):
    """Makes an output folder; gives its path."""
    return functools.partial(make_output, tmp_path)


@pytest.fixture
def quick(monkeypatch):
    """Loads exports in this process: for tests of something else."""
    monkeypatch.setattr(verify, "_ask", ask_here)


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """One export for all tests that only look at it: (output, report)."""
    root = tmp_path_factory.mktemp("exported")
    output = make_output(root)
    return output, export_pretrained(output, root / "model")


@pytest.fixture(scope="session")
def exported_onnx(tmp_path_factory):
    """One export with ONNX: (output, report, what else it did)."""
    root = tmp_path_factory.mktemp("exported_onnx")
    output = make_output(
        root,
        model="speechbrain_hrf.lobes.models.SpeechFormer",
        hrf_modules="[FFN1, CLS]",
    )
    torch.manual_seed(5)
    before = state_of_torch()
    with pytest.MonkeyPatch.context() as patch, printed() as lines:
        patch.setattr(verify, "_ask", ask_here)
        report = export_pretrained(output, root / "model", onnx=True)
    traces = {"before": before, "after": state_of_torch(), "printed": lines}
    return output, report, traces


@pytest.fixture(scope="session")
def by_licence(tmp_path_factory):
    """Exports by what they say of the licence of their data."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "_ask", ask_here)
        for licence in ("CC BY-NC-SA 4.0", "licensed by USC"):
            root = tmp_path_factory.mktemp("by_licence")
            about = {"licence": licence, "dataset": "My corpus"}
            output = make_output(root, metrics=METRICS | about)
            found[licence] = root / "model"
            export_pretrained(output, found[licence])
    return found


def ask_here(request, scratch):
    """What ``verify`` asks a fresh process."""
    with torch.random.fork_rng(devices=[]):
        classifier = EncoderClassifier.from_hparams(
            source=request["source"], run_opts={"device": "cpu"}
        )
    found = {"from_hparams": answer(classifier, request["files"])}
    if request["safe"]:
        found["safe"] = answer(load(request["source"]), request["files"])
    return found


def state_of_torch():
    """What an export must leave as it was."""
    return {
        "random numbers": torch.random.get_rng_state().tolist(),
        "gradients": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
        "type": torch.get_default_dtype(),
        "logging": logging.root.manager.disable,
        "warnings": list(warnings.filters),
    }


@contextlib.contextmanager
def printed():
    """Collects what this process writes, from C++ as well, and warnings."""
    lines, kept = [], [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile("w+") as sink, warnings.catch_warnings():
        warnings.simplefilter("always")
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            with (
                contextlib.redirect_stdout(sink),
                contextlib.redirect_stderr(sink),
            ):
                yield lines
        finally:
            sink.flush()
            for number, descriptor in enumerate(kept, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
            sink.seek(0)
            lines.extend(sink.read().splitlines())


def make_output(
    root,
    name="output",
    model="speechbrain_hrf.lobes.models.Conformer",
    hrf_modules="[FFN_M1, CLS, Project]",
    norm_type="sentence",
    metrics=METRICS,
    seed=1,
):
    """Writes what a training leaves behind."""
    folder, data = root / name, root / "data"
    yaml = root / "recipe.yaml"
    yaml.write_text(
        RECIPE.format(
            data_folder=data,
            output_folder=folder,
            model=model,
            norm_type=norm_type,
            seed=seed,
        )
    )
    create_experiment_directory(folder, yaml, save_env_desc=False)
    with open(yaml) as stream:
        hparams = load_hyperpyyaml(stream)
    encoder = CategoricalEncoder()
    encoder.update_from_iterable(LABELS)
    encoder.save(folder / "save" / "label_encoder.txt")
    write_recordings(data)
    entries = {
        str(i): {"wav": f"{{data_root}}/{i}.flac", "emo": "sad"}
        for i in range(3)
    }
    (folder / "manifests").mkdir()
    manifest = folder / "manifests" / "test.json"
    manifest.write_text(json.dumps(entries))
    checkpoint = save_checkpoint(hparams, safe_load(hrf_modules))
    if metrics is not None:
        metrics = {**metrics, "checkpoint": f"save/{checkpoint.name}"}
        (folder / "test_metrics.json").write_text(json.dumps(metrics))
    return folder


def save_checkpoint(hparams, hrf_modules):
    """Expands the model, moves it off its start, saves it.

    The YAML says nothing of HRF: a checkpoint is enough.
    """
    model = torch.nn.ModuleDict(
        {key: hparams[key] for key in ("embedding_model", "classifier")}
    )
    if hrf_modules:
        apply_hrf(model, hrf_modules, ratio=4, layers=2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    if hparams["mean_var_norm"].norm_type == "global":
        hparams["mean_var_norm"](3 + 2 * torch.randn(4, 50, 78))
    checkpointer = hparams["checkpointer"]
    checkpointer.add_recoverables(dict(model.items()))
    return checkpointer.save_checkpoint().path


def write_recordings(data):
    """Three signals: short, stereo at another rate, longer than a window."""
    data.mkdir(exist_ok=True)
    noise = np.random.default_rng(0)
    for number, (seconds, rate, channels) in enumerate(
        [(0.4, 16000, 1), (1.0, 44100, 2), (4.0, 16000, 1)]
    ):
        time = np.arange(int(seconds * rate)) / rate
        tone = 0.3 * np.sin(2 * math.pi * 150 * (number + 1) * time)
        samples = tone[:, None] + 0.02 * noise.standard_normal(
            (len(time), channels)
        )
        soundfile.write(data / f"{number}.flac", samples, rate)
