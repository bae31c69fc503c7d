"""Lines of studies whose effects are known, for the tests of the report.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import json

import numpy as np

from speechbrain_hrf.studies.trial import digest

LABELS = ["neutral", "calm", "happy", "sad", "angry", "fearful"]
LAYERS = ["embedding_model.front_end.linear", "classifier.linear1"]
RUN, SPEAKER, TALENT = 0.04, 0.02, 0.08  # standard deviations
ARMS = {
    "Lightweight": {"hrf_modules": []},
    "Original": {"hrf_modules": [], "d_model": 80},
    "ALL, normalised": {"hrf_modules": ["ALL"], "hrf_inner_norm": True},
    "ALL + FRONT, normalised": {
        "hrf_modules": ["ALL", "FRONT"],
        "hrf_inner_norm": True,
    },
    "ALL + FRONT, normalised, ratio 1": {
        "hrf_modules": ["ALL", "FRONT"],
        "hrf_inner_norm": True,
        "hrf_ratio": 1,
    },
    "BatchNorm only": {"hrf_modules": [], "batch_norm": True},
}


def study(
    arms=("FFN2",),
    effects=None,
    models=("convtransformer",),
    folds=6,
    speakers=4,
    seeds=2,
    rates=(0.001,),
    rate_effects=None,
    utterances=60,
    random=0,
    **common,
):
    """Lines and test sets of a whole study.

    ``effects`` adds to an arm's share of right answers, ``rate_effects`` to
    that of an arm at a rate. Speakers differ, runs differ, and so does what an
    arm does for a speaker, by the standard deviations above.
    """
    rng = np.random.default_rng(random)
    sets = [
        test_set(fold, speakers, utterances) for fold in range(1, folds + 1)
    ]
    talent = rng.normal(0.4, TALENT, (folds, speakers))
    lines = []
    for model in models:
        for arm in ("Lightweight", *arms):
            own = rng.normal(0, SPEAKER, (folds, speakers))
            for lr in rates:
                effect = (effects or {}).get(arm, 0)
                effect += (rate_effects or {}).get((arm, lr), 0)
                for k, of_fold in enumerate(sets):
                    for seed in range(1, seeds + 1):
                        chance = talent[k] + own[k] + effect
                        chance = chance + rng.normal(0, RUN)
                        lines.append(
                            line(
                                model, arm, of_fold, chance, rng, lr=lr,
                                seed=seed, **common,
                            )
                        )  # fmt: skip
    return lines, sets


def test_set(fold=1, speakers=4, utterances=60):
    """A test set: its speakers have equally many utterances of each class."""
    truth = [k % len(LABELS) for k in range(utterances)] * speakers
    who = [
        f"{speakers * (fold - 1) + k + 1:02d}"
        for k in range(speakers)
        for _ in range(utterances)
    ]
    content = {
        "fold": fold,
        "labels": LABELS,
        "utterances": [f"{x}-{k}" for k, x in enumerate(who)],
        "speakers": who,
        "truth": "".join(map(str, truth)),
    }
    return {"id": digest(content), **content}


test_set.__test__ = False  # its name is not a test's


def line(model, arm, of_fold, chance, rng=None, **changes):
    """One trial's line; ``chance``: of a right answer, per speaker or one."""
    rng = rng or np.random.default_rng(0)
    truth = np.array([int(x) for x in of_fold["truth"]])
    who = np.unique(of_fold["speakers"], return_inverse=True)[1]
    chances = np.broadcast_to(np.clip(chance, 0, 1), who.max() + 1)
    right = rng.random(len(truth)) < chances[who]
    wrong = (truth + rng.integers(1, len(LABELS), len(truth))) % len(LABELS)
    found = np.where(right, truth, wrong)
    score = float(right.mean())
    scores = {
        "WA": score,
        "UA": score,
        "WF1": score - 0.01,
        "MF1": score - 0.01,
    }
    options = ARMS.get(arm, {"hrf_modules": [arm], "hrf_ratio": 8})
    plain = not options["hrf_modules"]
    epochs = [1, 2, 3, *range(5, 125, 5)]
    loss = [1 + np.exp(-epoch / 15) for epoch in epochs]
    ends = {epoch: 1 - np.exp(-epoch / 20) for epoch in (30, 60, 90)}
    content = {
        "study": "demo",
        "recipe": "RAVDESS",
        "dataset": "RAVDESS",
        "synthetic": False,
        "protocol": "held_out",
        "scored_epoch": "last",
        "model": model,
        "arm": arm,
        "row": arm if options["hrf_modules"] == [arm] else None,
        "options": {"number_of_epochs": 120, **options},
        "lr": 0.001,
        "fold": of_fold["fold"],
        "seed": 1,
        "metric": "UA",
        "test_set": of_fold["id"],
        "epoch": 120,
        "test": scores,
        "predicted": "".join(map(str, found)),
        "test_at": {
            str(e): {k: round(v * x, 4) for k, v in scores.items()}
            for e, x in ends.items()
        },
        "valid": {"loss": 2 - score, "UA": score, "WA": score, "WF1": score},
        "curves": {
            "epoch": epochs,
            "train_loss": loss,
            "valid_loss": [x + 0.2 for x in loss],
            "valid_UA": [score * (2 - x) for x in loss],
        },
        "rates": [[1, 0.001], [55, 0.0005]],
        "params": {
            "training": 8812 if plain else 16000,
            "merged": 801000 if arm == "Original" else 8812,
            "lightweight": 8812,
        },
        "ranks": dict.fromkeys(LAYERS, 9.5 if plain else 8.1),
        "spectra": dict.fromkeys(LAYERS, [1.0, 0.7, 0.5, 0.3, 0.1]),
        "seconds": 260.1,
        "engine": "processes",
        "device": "a processor",
        "threads": 1,
        "versions": {"python": "3.11.7", "torch": "2.11.0"},
        "commit": "0f" * 20,
        "dirty": False,
        "finished": "2026-11-20T16:20:00+00:00",
        **changes,
    }
    if "options" in changes:
        content["options"] = {**options, **changes["options"]}
    keys = ("model", "arm", "options", "lr", "fold", "seed", "test_set")
    identity = json.dumps([content[key] for key in keys]).encode()
    content.setdefault("id", hashlib.sha256(identity).hexdigest()[:12])
    return content


def write_study(folder, lines, sets, plan=None):
    """A study's folder with these lines; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("trials", lines), ("test_sets", sets)):
        text = "".join(json.dumps(x) + "\n" for x in content)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    if plan:
        (folder / "study.yaml").write_text(plan, encoding="utf-8")
    return folder
