"""What the tests and the package's doctests share.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import json
import os
import types

import numpy as np
import pytest

from speechbrain_hrf.results import RunResults

if "PYTEST_XDIST_WORKER" in os.environ:
    # A thread for each of the processes; before torch is imported.
    os.environ["OMP_NUM_THREADS"] = "1"


# What takes longest goes first, so that the processes end together. Tests of a
# folder here share a browser or an export: they stay in one process.
FIRST = ("tests/export/", "tests/demo/", "tests/training/test_ensemble_")


def pytest_collection_modifyitems(items):
    """Others stay in their order; doctests come last, since they are short."""
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Deals out folders and files instead of files alone."""
    if config.option.dist != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            for folder in FIRST:
                if folder.endswith("/") and nodeid.startswith(folder):
                    return folder
            return super()._split_scope(nodeid)

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def corpora(tmp_path_factory):
    """A folder for the stand-in corpora, made once for all test processes.

    Not right above the tests' own folders: one that holds a stand-in corpus
    counts as synthetic itself.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # this process has a folder of its own in it
    folder = root / "corpora"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def demo_study(tmp_path):
    """A study of one trial, whose recipe finds no data."""
    from speechbrain_hrf.studies.study import Study, StudyFile
    from speechbrain_hrf.studies.trial import Trial

    (tmp_path / "train.py").write_text("raise SystemExit('no data')")
    options = {"hrf_modules": ["ALL"], "lr": 0.001, "number_of_epochs": 3}
    trial = Trial("X", "conformer", "ALL", {**options, "seed": 1})
    keys = StudyFile(
        name="demo",
        output_folder="x",
        recipe="X",
        data_folder="/data/X",
        score_at=[1, 3],
    )
    return Study(tmp_path / "study", tmp_path, [trial], keys)


@pytest.fixture(scope="session")
def onnx_folder(tmp_path_factory):
    """A folder as the export writes it, with an untrained graph by hand.

    Made in milliseconds, for what runs graphs and does not care which. It
    takes waveforms: a convolution with a frame's length and hop, the mean of
    what it finds, a linear layer. Where a real model matters, the tests export
    one.
    """
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    folder = tmp_path_factory.mktemp("onnx_folder")
    graph = _graph(onnx.helper, onnx.numpy_helper)
    content = graph.SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    manifest = {
        "format": 1,
        "model": "Tiny",
        "labels": ["neutral", "happy", "sad", "angry"],
        "parameters": 3236,
        "sample_rate": 16000,
        "window": {"frames": 201, "samples": 32000, "hop_samples": 8000},
        "graphs": {
            "model.onnx": {
                "precision": "float32",
                "opset": 18,
                "inputs": {"wavs": ["batch", "samples"], "wav_lens": ["batch"]},
                "outputs": {"log_probabilities": ["batch", 4]},
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def scored_run(tmp_path, run_results):
    """The Brain, the hparams and HRF's report of a run that was scored."""
    import torch

    from speechbrain_hrf import ClassifierHead, SpeechFormer, apply_hrf
    from speechbrain_hrf.inference import MergedClassifier

    model = torch.nn.ModuleList([SpeechFormer(), ClassifierHead(16, 2)])
    report = apply_hrf(model, ["CLS"])
    names = ("WA", "UA", "WF1", "MF1", "confusion", "per_class")
    brain = types.SimpleNamespace(
        test_results={name: getattr(run_results, name) for name in names}
        | {"n": 2, "predicted": {}},
        scores=types.SimpleNamespace(labels=run_results.labels),
        deployed=MergedClassifier(*model),
        checkpoint=types.SimpleNamespace(
            path=tmp_path / "save" / "CKPT+1", meta={"epoch": 3}
        ),
        debug=False,
    )
    hparams = {
        **{"output_folder": tmp_path, "data_folder": tmp_path},
        **{"corpus": "demo", "fold": 2, "hrf_modules": ["CLS"]},
        "compute_features": None,
    }
    return brain, hparams, report


@pytest.fixture
def run_results():
    """Of a run on two utterances."""
    row = {"precision": 0.5, "recall": 0.5, "F1": 0.5, "n": 1}
    return RunResults(
        **{"dataset": "demo", "split": "fold 1", "labels": ["neu", "sad"]},
        **{"WA": 0.5, "UA": 0.5, "WF1": 0.5, "MF1": 0.5, "n_test": 2},
        confusion=[[1, 1], [0, 0]],
        per_class={"neu": row, "sad": row},
        params_training=9,
        params_merged=6,
        params_lightweight=6,
        max_merge_difference=1e-7,
    )


def _graph(helper, numpy_helper):
    random = np.random.default_rng(0)
    constants = {
        "frames": random.standard_normal((8, 1, 400)),
        "weight": 4 * random.standard_normal((8, 4)),
        "bias": random.standard_normal(4),
    }
    nodes = [
        ("Unsqueeze", ["wavs", "one"], "mono", {}),
        (
            "Conv",
            ["mono", "frames"],
            "found",
            {"strides": [160], "pads": [200, 200]},
        ),
        ("Relu", ["found"], "heard", {}),
        ("ReduceMean", ["heard", "two"], "mean", {"keepdims": 0}),
        ("Unsqueeze", ["wav_lens", "one"], "lens", {}),
        # Not what lengths are for, but so that nobody can leave them out.
        ("Mul", ["mean", "lens"], "scaled", {}),
        ("Gemm", ["scaled", "weight", "bias"], "scores", {}),
        ("LogSoftmax", ["scores"], "log_probabilities", {}),
    ]
    float32 = 1  # onnx.TensorProto.FLOAT

    def values(**shapes):
        return [
            helper.make_tensor_value_info(name, float32, shape)
            for name, shape in shapes.items()
        ]

    graph = helper.make_graph(
        [
            helper.make_node(kind, inputs, [output], **attributes)
            for kind, inputs, output, attributes in nodes
        ],
        "tiny",
        values(wavs=["batch", "samples"], wav_lens=["batch"]),
        values(log_probabilities=["batch", 4]),
        [
            *(
                numpy_helper.from_array(value.astype(np.float32), name)
                for name, value in constants.items()
            ),
            numpy_helper.from_array(np.array([1]), "one"),
            numpy_helper.from_array(np.array([2]), "two"),
        ],
    )
    opset = helper.make_opsetid("", 18)
    return helper.make_model(graph, opset_imports=[opset], ir_version=10)
