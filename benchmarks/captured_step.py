"""What does a GPU gain when a training step is captured in a CUDA graph?

    python benchmarks/captured_step.py --device cuda [--models Conformer]
        [--batch 32] [--rounds 9]

Steps of SpeechBrain's Brain, as the recipes take them, on a batch that is on
the device already: the lightweight model's one by one and captured, and
captured ones with HRF (ratio 8), collapsed, chained, and by the default. Times
are ratios to the lightweight model's captured step. On a CPU nothing is
captured and nothing is kept: that only tries the script.

Authors
 * The speechbrain_hrf authors 2026
"""

from functools import partial

import speechbrain as sb
import torch
from interleaved import against, measure
from models import LIGHT, batch, build, run
from report import Report, ratio_text, read_options
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.nnet.losses import nll_loss

from speechbrain_hrf import apply_hrf
from speechbrain_hrf.training.allocator import keep_freed_memory
from speechbrain_hrf.training.cuda_graphs import WARM_UP, capture_steps

ONE_BY_ONE, CAPTURED, ALL = "one by one", "captured", "ALL, captured"
# row: (options of apply_hrf or None, whether it is captured)
ROWS = {
    CAPTURED: (None, True),
    ONE_BY_ONE: (None, False),
    ALL: ({"modules": ["ALL"]}, True),
    "ALL, captured, collapsed": ({"modules": ["ALL"], "chained": False}, True),
    "ALL, captured, chained": ({"modules": ["ALL"], "chained": True}, True),
    "normalised ALL + FRONT, captured": (
        {"modules": ["ALL", "FRONT"], "inner_norm": True},
        True,
    ),
    "normalised ALL + FRONT, captured, collapsed": (
        {"modules": ["ALL", "FRONT"], "inner_norm": True, "chained": False},
        True,
    ),
}
# What was aimed at.
FASTER, AT_MOST = 2.0, 1.10


class Emotions(sb.Brain):
    """The recipes' Brain, without what a step does not need."""

    def compute_forward(self, batch, stage):
        """Features to log-probabilities."""
        return run(self.modules, *batch.feats)

    def compute_objectives(self, predictions, batch, stage):
        """Negative log-likelihood."""
        return nll_loss(predictions, batch.label.data)


def arm(name, row, data, device):
    """A training step on one batch, again and again.

    Arguments
    ---------
    name : str
        ConvTransformer, Conformer or SpeechFormer.
    row : str
        Of ``ROWS``.
    data : PaddedBatch
    device : str

    Returns
    -------
    callable

    Raises
    ------
    RuntimeError
        If a GPU's step was to be captured and could not be.
    """
    options, is_captured = ROWS[row]
    torch.manual_seed(1)
    model = build(name)
    if options is not None:
        apply_hrf(model, **options)
    adamw = partial(torch.optim.AdamW, lr=1e-3, weight_decay=1e-6, fused=True)
    brain = Emotions(dict(model), adamw, run_opts={"device": device})
    capture_steps(brain, is_captured)
    brain.on_fit_start()
    brain.modules.train()
    for _ in range(WARM_UP + 1):  # the last one captures
        brain.fit_batch(data)
    if is_captured and device != "cpu":
        steps = brain.fit_batch.__self__
        if not any(shape.replay for shape in steps.shapes.values()):
            raise RuntimeError(f"The step of {name}, {row} was not captured.")
    return partial(brain.fit_batch, data)


def padded(size, device):
    """The benchmarks' batch, as SpeechBrain's loaders give it.

    Arguments
    ---------
    size : int
    device : str

    Returns
    -------
    PaddedBatch
    """
    feats, lens, labels = batch(size)
    frames = (lens * feats.shape[1]).long()
    return PaddedBatch(
        [
            {"feats": feats[k, : frames[k]], "label": labels[k : k + 1]}
            for k in range(size)
        ]
    ).to(device)


def verdicts(name, figures, device):
    """Sentences that compare a model's figures with what was aimed at.

    Arguments
    ---------
    name : str
    figures : dict
        row -> ratio to the captured step.
    device : str

    Returns
    -------
    list of str
    """
    if device == "cpu":
        return [f"{name}: nothing is captured on a CPU."]
    eager, hrf = figures[ONE_BY_ONE]["median"], figures[ALL]["median"]
    return [
        f"{name}: one by one a step takes {eager:.2f} times as long as "
        f"captured; aim: at least {FASTER}: {_reached(eager >= FASTER)}.",
        f"{name}: with ALL, ratio 8, a captured step takes {hrf:.2f} times as "
        f"long; aim: at most {AT_MOST}: {_reached(hrf <= AT_MOST)}.",
    ]


def _reached(yes):
    return "reached" if yes else "not reached"


def main(argv=None):
    """Measures, prints and, of a GPU, saves.

    Arguments
    ---------
    argv : list of str, optional
        Default: the command line.
    """
    options = read_options(
        __doc__,
        argv,
        models=list(LIGHT),
        batch=32,
        device="cuda",
        rounds=9,
        seconds=0.3,
    )
    on_cpu = options.device == "cpu"
    torch.set_num_threads(1)
    keep_freed_memory()

    data = padded(options.batch, options.device)
    synchronize = (lambda: None) if on_cpu else torch.cuda.synchronize
    report, said = Report(["model", "step", "time", "ratio"]), []
    for name in options.models:
        arms = {row: arm(name, row, data, options.device) for row in ROWS}
        times = measure(arms, options.rounds, options.seconds, synchronize)
        ratios = {row: against(times, row, CAPTURED) for row in ROWS}
        said += verdicts(name, ratios, options.device)
        for row, ratio in ratios.items():
            report.add(
                {"seconds": times[row], **ratio},
                name,
                row,
                f"{ratio['milliseconds']:.2f} ms",
                ratio_text(ratio) if row != CAPTURED else "1",
            )
    if not on_cpu:
        report.save("captured_step", options.device)
    print("\n".join(said))


if __name__ == "__main__":
    main()
