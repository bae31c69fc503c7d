"""What a finished trial leaves: one line of JSON.

Authors
 * The speechbrain_hrf authors 2026
"""

import datetime
import json
import math
import pathlib
import platform
import re
import statistics
from importlib.metadata import version

import torch

from speechbrain_hrf.dataio.json_lines import read_lines
from speechbrain_hrf.metrics.scores import SCORES
from speechbrain_hrf.nnet.spectrum import spectra
from speechbrain_hrf.recipe.effective_steps import STEPS
from speechbrain_hrf.recipe.trained_on import TRAINED_ON
from speechbrain_hrf.sweep.provenance import cpu_name

_STATISTIC = re.compile(r"(?:(train|valid) )?(\w+): ([-+.\w]+)")


def trial_line(trial, study, output_folder, threads):
    """Collects what a recipe's run has left in its output folder.

    Arguments
    ---------
    trial : Trial
    study : Study
    output_folder : str or os.PathLike
        Of the recipe.
    threads : int
        That the run had.

    Returns
    -------
    dict
        Fits into JSON. Paths, names of machines and of users are not in it.
        ``commit``, ``dirty`` and the total of ``seconds`` (of the last start)
        are added by ``run_trial``.

    Raises
    ------
    FileNotFoundError
        If the run has not ended: there is no test_metrics.json.

    Example
    -------
    >>> trial_line(None, None, getfixture("tmpdir").strpath, 1)
    Traceback (most recent call last):
        ...
    FileNotFoundError: ...test_metrics.json...
    """
    folder = pathlib.Path(output_folder)
    results = _read_json(folder / "test_metrics.json")
    curves = read_curves(folder / "train_log.txt")
    steps = read_lines(folder / STEPS)
    return {
        "id": trial.id,
        "study": study.name,
        "recipe": trial.recipe,
        "dataset": results["dataset"],
        "synthetic": results["synthetic"],
        "protocol": results["protocol"],
        "model": trial.model,
        "arm": trial.arm,
        "modules": results["hrf_modules"],
        "ratio": results["hrf_ratio"] if trial.modules else None,
        "layers": results["hrf_layers"] if trial.modules else None,
        "activation": results.get("activation"),
        "lr": trial.lr,
        "fold": trial.fold,
        "seed": trial.seed,
        "overrides": trial.options,
        "metric": trial.metric,
        "split": _read_json(folder / "save" / TRAINED_ON),
        "labels": results["labels"],
        "test": {
            **{key: results[key] for key in SCORES},
            "n": results["n_test"],
            "confusion": results["confusion"],
            "per_class": results["per_class"],
            "per_participant": results.get("per_participant"),
        },
        "valid": _scored_epoch(curves, results["epoch"]),
        "curves": curves,
        "steps_per_epoch": _steps_per_epoch(folder),
        "params": {
            "training": results["params_training"],
            "merged": results["params_merged"],
            "lightweight": results["params_lightweight"],
        },
        "seconds": {
            "step": _median([line["seconds"] for line in steps]),
        },
        "effective_steps": _effective_steps(steps),
        "spectra": _spectra(folder / results["checkpoint"]),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "speechbrain": version("speechbrain"),
            "speechbrain_hrf": version("speechbrain-hrf"),
        },
        "threads": threads,
        "cpu": cpu_name(),
        "finished": datetime.datetime.now(datetime.timezone.utc).isoformat(
            timespec="seconds"
        ),
    }


def read_curves(train_log):
    """Loss, scores and learning rate by epoch, of a FileTrainLogger's file.

    An epoch that stands twice, since the run was stopped between its line and
    its checkpoint, counts as it was trained last.

    Arguments
    ---------
    train_log : str or os.PathLike

    Returns
    -------
    dict of str: list of float or None
        ``epoch``, ``lr``, ``train_loss``, and with a validation set
        ``valid_loss``, ``valid_UA`` and so on; None where it was not finite.

    Example
    -------
    >>> log = getfixture("tmpdir").join("train_log.txt")
    >>> log.write('''epoch: 1, lr: 1.00e-03 - train loss: 2.1
    ... epoch: 2, lr: 5.00e-04 - train loss: 1.9
    ... Epoch loaded: 2 - test WA: 4.2e-01, test loss: 2.0
    ... ''')
    >>> read_curves(log.strpath)
    {'epoch': [1, 2], 'lr': [0.001, 0.0005], 'train_loss': [2.1, 1.9]}
    """
    epochs = {}
    for line in pathlib.Path(train_log).read_text("utf-8").splitlines():
        if not line.startswith("epoch: "):
            continue
        stats = {
            f"{stage}_{name}" if stage else name: float(value)
            for stage, name, value in _STATISTIC.findall(line)
        }
        epochs[int(stats.pop("epoch"))] = stats
    names = list(epochs[max(epochs)]) if epochs else []
    return {
        "epoch": sorted(epochs),
        **{
            name: [_finite(epochs[e][name]) for e in sorted(epochs)]
            for name in names
        },
    }


def _finite(value):
    """A number, or None, since JSON knows no NaN."""
    return value if math.isfinite(value) else None


def _scored_epoch(curves, epoch):
    """Validation loss and scores of the epoch that was tested."""
    names = [name for name in curves if name.startswith("valid_")]
    if not names:
        return None
    row = curves["epoch"].index(epoch)
    scores = {name.removeprefix("valid_"): curves[name][row] for name in names}
    return {**scores, "epoch": epoch}


def _steps_per_epoch(folder):
    manifest = _read_json(folder / "manifests" / "train.json")
    hparams = (folder / "hyperparams.yaml").read_text(encoding="utf-8")
    batch_size = int(re.search(r"^batch_size: (\d+)", hparams, re.M)[1])
    return -(-len(manifest) // batch_size)


def _effective_steps(steps):
    if not steps:
        return None
    # A step that was noted before a stop and done again counts as done last.
    steps = {line["step"]: line["layers"] for line in steps}
    numbers = sorted(steps)
    return {
        "step": numbers,
        "layers": {
            name.removesuffix(".weight"): {
                "length": [_short(steps[k][name][0]) for k in numbers],
                "weight": [_short(steps[k][name][1]) for k in numbers],
            }
            for name in steps[numbers[0]]
        },
    }


def _spectra(checkpoint):
    values = {}
    for part in ("embedding_model", "classifier"):
        state_dict = torch.load(checkpoint / f"{part}.ckpt", weights_only=True)
        for name, weight_values in spectra(state_dict).items():
            layer = f"{part}.{name.removesuffix('.weight')}"
            values[layer] = [_short(value) for value in weight_values]
    return values


def _short(value):
    """Five digits: enough for a figure, and lines stay readable."""
    return float(f"{value:.5g}")


def _median(values):
    values = [value for value in values if value is not None]
    return _short(statistics.median(values)) if values else None


def _read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))
