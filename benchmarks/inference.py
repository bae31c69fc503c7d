"""What does it cost to classify 5 s of audio, and where does the time go?

    python benchmarks/inference.py [--threads 1 2] [--batch 1 32] [--rounds 9]

The whole ``from_hparams`` pipeline, as a user calls it, split into features,
model and the rest: lightweight, merged, factorised and original, with
SpeechBrain's own ECAPA emotion model as the peer, beside the first model.
Ratios are to the lightweight model of the same kind.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import tempfile

import torch
from interleaved import against, measure
from models import LIGHT
from pipeline import ecapa, ours
from report import Report, ratio_text, read_options

SECONDS = 5
SIZES = {
    "lightweight": {},
    "merged": {"expand": True},
    "factorised": {"expand": True, "merge": False},
    "original": {"original": True},
}


def parts(classifier, wavs):
    """The pipeline as a whole, and its two large parts.

    Arguments
    ---------
    classifier : EncoderClassifier
    wavs : torch.Tensor
        [B, samples]

    Returns
    -------
    dict of str: callable
    """
    lens = torch.ones(len(wavs))
    with torch.no_grad():
        feats = classifier.mods.compute_features(wavs)

    def features():
        with torch.no_grad():
            classifier.mods.compute_features(wavs)

    def model():
        with torch.no_grad():
            embedding = classifier.mods.embedding_model(feats, lens)
            classifier.mods.classifier(embedding)

    def whole():
        with torch.no_grad():
            classifier.classify_batch(wavs, lens)

    return {"whole": whole, "features": features, "model": model}


def main():
    """Measures, prints and saves."""
    options = read_options(
        __doc__,
        threads=sorted({1, len(os.sched_getaffinity(0))}),
        batch=[1, 32],
        models=list(LIGHT),
        rounds=9,
    )
    head = "model threads batch size whole features rest ratio".split()
    head.insert(6, "model alone")
    report = Report(head)
    with tempfile.TemporaryDirectory() as folder:
        loaded = {
            (name, size): ours(f"{folder}/{name}-{size}", name, **how)
            for name in options.models
            for size, how in SIZES.items()
        }
        peer = ecapa(f"{folder}/ecapa")
        for threads in options.threads:
            torch.set_num_threads(threads)
            for batch in options.batch:
                generator = torch.Generator().manual_seed(1)
                shape = (batch, SECONDS * 16000)
                wavs = 0.1 * torch.randn(shape, generator=generator)
                for name in options.models:
                    arms = {
                        f"{size}, {part}": call
                        for size in SIZES
                        for part, call in parts(
                            loaded[name, size], wavs
                        ).items()
                    }
                    sizes = list(SIZES)
                    if name == options.models[0]:  # once: it takes long
                        sizes.append("ECAPA")
                        for part, call in parts(peer, wavs).items():
                            arms[f"ECAPA, {part}"] = call
                    times = measure(arms, options.rounds, seconds=0.1)
                    for size in sizes:
                        key = (
                            f"{name}, {threads} threads, batch {batch}, {size}"
                        )
                        cost = {
                            part: against(
                                times,
                                f"{size}, {part}",
                                f"lightweight, {part}",
                            )
                            for part in ("whole", "features", "model")
                        }
                        row = _row(name, threads, batch, size, cost)
                        report.add(cost, *row, key=key)
    first = [
        [row[0], *row[3:]]
        for row in report.rows
        if row[1] == options.threads[0] and row[2] == options.batch[0]
    ]
    report.save("inference", readme=([head[0], *head[3:]], first))


def _row(name, threads, batch, size, cost):
    whole, features, model = (
        cost[part]["milliseconds"] for part in ("whole", "features", "model")
    )
    return [
        name,
        threads,
        batch,
        size,
        f"{whole:.2f} ms",
        f"{features:.2f}",
        f"{model:.2f}",
        f"{max(0.0, whole - features - model):.2f}",
        ratio_text(cost["whole"]) if size != "lightweight" else "1",
    ]


if __name__ == "__main__":
    main()
