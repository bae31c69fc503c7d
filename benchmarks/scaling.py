"""How do time and memory grow with audio, batch and model width?

    python benchmarks/scaling.py [--models Conformer] [--rounds 7]

Inference of the merged model on features of 5 s to 10 min (windows of the
training segment: linear, with bounded memory), training steps at batch sizes
1 to 128, and at widths 16 to 128. Ratios are to the first row of each kind,
divided by how much larger the work is: 1 means linear.

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from interleaved import against, measure, peak_memory
from models import FRAMES, LIGHT, batch, build, run
from report import Report, ratio_text, read_options
from training_step import Step

import speechbrain_hrf as hrf
from speechbrain_hrf.training.allocator import keep_freed_memory

SECONDS = (5, 30, 60, 300, 600)
BATCHES = (1, 8, 32, 128)
WIDTHS = (16, 32, 64, 128)


def audio_length(name):
    """Inference at growing lengths, batch 1.

    Arguments
    ---------
    name : str

    Returns
    -------
    dict of str: (callable, float)
        Arm to what it does and how much work that is.
    """
    model = build(name, modules=("ALL",))
    model["embedding_model"].segment_frames = FRAMES
    model = hrf.merge_hrf(model).eval()

    def at(seconds):
        feats, lens, _ = batch(1, frames=100 * seconds)

        @torch.no_grad()
        def call():
            run(model, feats, lens)

        return call

    return {f"{s} s of audio": (at(s), s / SECONDS[0]) for s in SECONDS}


def batch_size(name):
    """Training steps at growing batch sizes, ALL, ratio 8."""
    return {
        f"batch {n}": (Step(build(name, modules=("ALL",)), batch(n)), n)
        for n in BATCHES
    }


def width(name):
    """Training steps at growing widths, ALL, ratio 8, batch 8."""

    return {
        f"width {d}": (
            Step(
                build(name, {"d_model": d, "d_ffn": d // 4}, ("ALL",)), batch(8)
            ),
            d / WIDTHS[0],
        )
        for d in WIDTHS
    }


def main():
    """Measures, prints and saves."""
    options = read_options(__doc__, models=list(LIGHT), threads=1, rounds=7)
    torch.set_num_threads(options.threads)
    keep_freed_memory()

    report = Report(["model", "arm", "time", "time / work", "peak memory"])
    for name in options.models:
        for kind in (audio_length, batch_size, width):
            torch.manual_seed(1)
            arms = kind(name)
            calls = {arm: call for arm, (call, _) in arms.items()}
            times = measure(calls, options.rounds, seconds=0.1)
            first = next(iter(arms))
            for arm, (call, work) in arms.items():
                ratio = against(times, arm, first)
                for key in ("median", "low", "high"):
                    ratio[key] /= work
                memory = peak_memory(call)
                report.add(
                    {
                        "seconds": times[arm],
                        "time_over_work": ratio,
                        "peak_bytes": memory,
                    },
                    name,
                    arm,
                    f"{ratio['milliseconds']:.1f} ms",
                    ratio_text(ratio) if arm != first else "1",
                    f"{memory / 2**20:.1f} MiB",
                )
    report.save("scaling")


if __name__ == "__main__":
    main()
