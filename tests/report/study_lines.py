"""Lines of studies whose effects are known, for the tests of the report.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import json

import numpy as np

LABELS = ["neutral", "calm", "happy", "sad", "angry", "fearful"]
PAPER_ARMS = ["FFN1", "FFN2", "FFN1 & FFN2", "QKV", "Project", "CLS", "ALL"]
LAYERS = ["embedding_model.front_end.linear", "classifier.linear1"]
PER_CLASS = 20


def study(
    arms=("FFN2",),
    effects=None,
    models=("convtransformer",),
    folds=(1, 2, 3, 4, 5, 6),
    seeds=(1, 2, 3, 4, 5),
    rates=None,
    rate_effects=None,
    noise=0.02,
    fold_noise=0.0,
    random=0,
    **common,
):
    """Lines of a whole study.

    ``effects`` adds to an arm's scores, ``rate_effects`` to a learning rate's,
    ``noise`` to each run's, ``fold_noise`` to all of an arm's in one fold.
    """
    rng = np.random.default_rng(random)
    lines = []
    for model in models:
        base = 0.0005 if model == "speechformer" else 0.001
        for arm in ("Lightweight", *arms):
            of_fold = {fold: rng.normal(0, fold_noise) for fold in folds}
            for lr in rates or [base]:
                for fold in folds:
                    for seed in seeds:
                        score = 0.4 + (effects or {}).get(arm, 0)
                        score += (rate_effects or {}).get((arm, lr), 0)
                        score += of_fold[fold] + rng.normal(0, noise)
                        where = {"lr": lr, "fold": fold, "seed": seed}
                        lines.append(
                            line(model, arm, score, rng, **where, **common)
                        )
    return lines


def line(model, arm, score, rng=None, **changes):
    """One trial's line, with every key, of a given score."""
    rng = rng or np.random.default_rng(0)
    plain = arm in ("Lightweight", "Original")
    content = {
        "study": "demo",
        "recipe": "RAVDESS",
        "dataset": "RAVDESS",
        "synthetic": False,
        "protocol": "held_out",
        "model": model,
        "arm": arm,
        "modules": [] if plain else [arm],
        "ratio": None if plain else 8,
        "layers": None if plain else 1,
        "activation": "SiLU" if model == "conformer" else "ReLU",
        "lr": 0.001,
        "fold": 1,
        "seed": 1,
        "overrides": {"number_of_epochs": 10, "protocol": "held_out"},
        "metric": "UA",
        "labels": LABELS,
        "test": _test(score, rng),
        "valid": {"UA": score, "WA": score, "loss": 1 - score, "epoch": 9},
        "curves": _curves(score, rng),
        "steps_per_epoch": 30,
        "params": {
            "training": 8812 if plain else 11436,
            "merged": 8812,
            "lightweight": 8812,
        },
        "seconds": {"step": 0.05},
        "effective_steps": _steps(1.0 if plain else 3.0, rng),
        "spectra": {layer: _spectrum(rng) for layer in LAYERS},
        "versions": {"python": "3.11.7", "torch": "2.11.0"},
        "commit": "0f" * 20,
        "dirty": False,
        "threads": 1,
        "cpu": "a processor",
        "finished": "2026-11-20T16:20:00+00:00",
        **changes,
    }
    fold = str(content["fold"]).encode()
    digest = hashlib.sha256(fold).hexdigest()
    content.setdefault("split", {"train": digest, "test": digest[::-1]})
    identity = [
        content[key]
        for key in ("model", "arm", "ratio", "layers", "activation")
    ] + [content[key] for key in ("lr", "fold", "seed")]
    content.setdefault(
        "id", hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]
    )
    return content


def _test(score, rng):
    found = np.full((len(LABELS), len(LABELS)), 1)
    np.fill_diagonal(found, PER_CLASS - len(LABELS) + 1)
    row = {"precision": score, "recall": score, "F1": score, "n": PER_CLASS}
    return {
        "UA": score,
        "WA": score + rng.normal(0, 0.005),
        "WF1": score - 0.01,
        "MF1": score - 0.02,
        "n": PER_CLASS * len(LABELS),
        "confusion": found.tolist(),
        "per_class": dict.fromkeys(LABELS, row),
        "per_participant": None,
    }


def _curves(score, rng):
    epochs = np.arange(1, 11)
    loss = 2 / np.sqrt(epochs) + rng.normal(0, 0.05, len(epochs))
    return {
        "epoch": epochs.tolist(),
        "lr": [0.001] * len(epochs),
        "train_loss": loss.tolist(),
        "valid_loss": (loss + 0.1).tolist(),
        "valid_UA": (score * (1 - 1 / (1 + epochs))).tolist(),
    }


def _steps(factor, rng):
    steps = [1, 2, 3, 4, 5, 20, 40, 60]
    length = factor * (0.1 + rng.random(len(steps)) / 50)
    layer = {"length": length.tolist(), "weight": [1.0] * len(steps)}
    return {"step": steps, "layers": dict.fromkeys(LAYERS, layer)}


def _spectrum(rng):
    return sorted((rng.random(8) + 0.1).tolist(), reverse=True)


def write_study(folder, lines):
    """A study's folder with these lines; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "trials.jsonl").write_text(text, encoding="utf-8")
    return folder
