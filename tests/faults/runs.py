"""Commands to disturb: a recipe, its export, an ensemble; what they leave.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import pathlib
import subprocess
import sys

import torch

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 240  # a command takes a few


class Forks:
    """``trial.py``, started once: runs commands with or without a fault."""

    def __init__(self, folder):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).with_name("trial.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def __call__(self, argv, log, fault=None):
        """Status of a command and what it said; negative: a signal's number."""
        start = log.stat().st_size if log.exists() else 0
        job = {
            "argv": [str(each) for each in argv],
            "cwd": str(self.folder),
            "fault": fault,
            "log": str(log),
            "seconds": SECONDS,
        }
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        status = json.loads(self.process.stdout.readline())
        said = log.read_bytes()[start:].decode(errors="replace")
        return status, said

    def stop(self):
        """Ends it."""
        self.process.stdin.close()
        self.process.wait()


def recipe(output, data, features, epochs=2, export=False, **options):
    """A recipe's command on the stand-in corpus."""
    options = {
        "output_folder": output,
        "data_folder": data,
        "feature_folder": features,
        "number_of_epochs": epochs,
        "device": "cpu",
        **({} if export else {"export_folder": "null"}),
        **options,
    }
    argv = [
        REPOSITORY / "recipes/RAVDESS/train.py",
        REPOSITORY / "recipes/RAVDESS/hparams/speechformer_hrf.yaml",
    ]
    for key, value in options.items():
        argv += [f"--{key}", value]
    return [*argv, "--noprogressbar"]


def training(folder, shared, own):
    """The command of a training in a folder of its own."""
    corpus, features = shared
    if own != "shared":
        features = folder / "features"
    data = "synthetic" if own == "own corpus" else corpus
    return recipe(folder / "run", data, features)


def result(output):
    """Weights, optimizer, history and scores that a run has left.

    The newest checkpoint is found by its epoch, as a clock may be wrong.
    """
    metrics = json.loads((output / "test_metrics.json").read_text())
    checkpoint = output / metrics.pop("checkpoint")
    files = {
        path.name: _content(path)
        for path in sorted(checkpoint.glob("*.ckpt"))
        if "dataloader" not in path.name
    }
    epochs = {}
    for line in (output / "history.jsonl").read_text().splitlines():
        epochs[json.loads(line)["epoch"]] = line
    return {"metrics": metrics, "files": files, "epochs": epochs}


def differences(a, b, where=""):
    """Places at which two results are not the same, bit for bit."""
    if isinstance(a, dict) and isinstance(b, dict):
        keys = sorted({*a, *b}, key=str)
        both = ((a.get(key), b.get(key), f"{where}/{key}") for key in keys)
        return [place for each in both for place in differences(*each)]
    return [] if same(a, b) else [where]


def same(a, b):
    """Whether two results are the same, bit for bit."""
    if isinstance(a, torch.Tensor):
        return (
            isinstance(b, torch.Tensor)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and a.numpy().tobytes() == b.numpy().tobytes()
        )
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def leftovers(folder):
    """What a killed or failed command has left half-written."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        # A stand-in corpus has such files on purpose.
        if "Actor_" not in str(path)
        and (
            ".partial" in path.name
            or path.name.startswith(".")
            or (path.name.startswith("CKPT+") and not any(path.iterdir()))
        )
    ]


def _content(path):
    content = path.read_bytes()
    if not content.startswith(b"PK"):  # no file of torch.save
        return content
    return torch.load(path, weights_only=False)
