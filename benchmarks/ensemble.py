"""How many training steps a second do models take that are trained together?

    python benchmarks/ensemble.py --device cuda [--at_once 96]
        [--models Conformer] [--batch 32] [--rounds 9]

The step of a stack of models (``speechbrain_hrf.training.ensemble``), counted
as one step of each, against a single model's, as SpeechBrain's Brain takes it,
one by one on a batch that is on the device already. On a CPU nothing is kept:
that only tries the script.

Authors
 * The speechbrain_hrf authors 2026
"""

from functools import partial
from types import SimpleNamespace

import speechbrain as sb
import torch
from captured_step import padded
from interleaved import against, measure
from models import LIGHT, batch, build, run
from report import Report, ratio_text, read_options
from speechbrain.nnet.losses import nll_loss
from speechbrain.processing.features import InputNormalization

from speechbrain_hrf import apply_hrf
from speechbrain_hrf.training.allocator import keep_freed_memory
from speechbrain_hrf.training.ensemble.brain_tensors import tensors_of
from speechbrain_hrf.training.ensemble.snapshot import Snapshot
from speechbrain_hrf.training.ensemble.stack import Stack

ALONE, TOGETHER = "one by one", "together"
ARMS = {
    "lightweight": {"modules": []},
    "normalised ALL + FRONT": {"modules": ["ALL", "FRONT"], "inner_norm": True},
}
# What was aimed at for 96 models.
FASTER = {"ConvTransformer": 5.0, "Conformer": 8.0, "SpeechFormer": 12.0}
UTTERANCES = 256  # that batches are drawn from
LR = 1e-3


class Emotions(sb.Brain):
    """The recipes' Brain, without what a step does not need."""

    def compute_forward(self, batch, stage):
        """Features to log-probabilities."""
        feats, lens = batch.feats
        feats = self.modules.mean_var_norm(feats, lens, epoch=1)
        return run(self.modules, feats, lens)

    def compute_objectives(self, predictions, batch, stage):
        """Negative log-likelihood."""
        labels, _ = batch.label
        return nll_loss(predictions, labels)


def new_brain(name, arm, seed, device):
    """One model with its optimiser.

    Arguments
    ---------
    name : str
        ConvTransformer, Conformer or SpeechFormer.
    arm : str
        Of ``ARMS``.
    seed : int
    device : str

    Returns
    -------
    Emotions
    """
    torch.manual_seed(seed)
    model = build(name)
    apply_hrf(model, **ARMS[arm])
    norm = InputNormalization(update_until_epoch=1)
    norm.count, norm.glob_mean, norm.glob_std = (
        1,
        torch.zeros(78),
        torch.ones(78),
    )
    adamw = partial(torch.optim.AdamW, lr=LR, weight_decay=1e-6, fused=True)
    brain = Emotions(
        {"mean_var_norm": norm, **model}, adamw, run_opts={"device": device}
    )
    brain.on_fit_start()
    brain.modules.train()
    return brain


def together(name, arm, models, size, device):
    """A step of all models, again and again.

    Arguments
    ---------
    name, arm : str
        See ``new_brain``.
    models : int
    size : int
        Of each model's batch.
    device : str

    Returns
    -------
    callable
    """

    def variant(seed):
        brain = new_brain(name, arm, seed, device)
        norm = brain.modules["mean_var_norm"]
        return SimpleNamespace(
            brain=brain,
            hparams={"mean_var_norm": norm},
            snapshot=lambda layout: Snapshot(
                0, 0, LR, {}, tensors_of(brain, layout)
            ),
        )

    feats, lens, labels = batch(UTTERANCES, device=device)
    corpus = SimpleNamespace(feats=feats, lens=lens, labels=labels[:, None])
    stack = Stack([variant(seed) for seed in range(models)], corpus)
    rows = torch.randint(UTTERANCES, (models, size), device=device)
    everyone = torch.ones(models, dtype=torch.bool, device=device)
    return partial(stack.step, rows, everyone)


def verdict(name, arm, ratio, models, device):
    """A sentence that compares a figure with what was aimed at.

    Arguments
    ---------
    name, arm : str
    ratio : dict
        Of ``interleaved.against``.
    models : int
    device : str

    Returns
    -------
    str
    """
    found = f"{name}, {arm}: {models} together are {ratio['median']:.1f} times"
    if device == "cpu":
        return f"{found} as fast; on a CPU that says nothing."
    reached = "" if ratio["median"] >= FASTER[name] else "not "
    return f"{found} as fast; aim: {FASTER[name]:g}: {reached}reached."


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
        at_once=96,
        batch=32,
        device="cuda",
        rounds=9,
        seconds=0.3,
    )
    on_cpu = options.device == "cpu"
    torch.set_num_threads(1)
    keep_freed_memory()

    synchronize = (lambda: None) if on_cpu else torch.cuda.synchronize
    data = padded(options.batch, options.device)
    together_text = f"{options.at_once} together"
    head = ["model", "arm", "steps a second", together_text, "gain"]
    report, said = Report(head), []
    for name in options.models:
        for arm in ARMS:
            single = new_brain(name, arm, 0, options.device)
            steps = {
                ALONE: partial(single.fit_batch, data),
                TOGETHER: together(
                    name, arm, options.at_once, options.batch, options.device
                ),
            }
            times = measure(steps, options.rounds, options.seconds, synchronize)
            times[TOGETHER] = [t / options.at_once for t in times[TOGETHER]]
            gain = against(times, ALONE, TOGETHER)
            said.append(
                verdict(name, arm, gain, options.at_once, options.device)
            )
            per_second = [
                f"{1000 / against(times, how, how)['milliseconds']:.0f}"
                for how in (ALONE, TOGETHER)
            ]
            report.add(
                {"seconds": times, **gain},
                name,
                arm,
                *per_second,
                ratio_text(gain),
            )
            del steps  # a stack holds some GB
    if not on_cpu:
        report.save("ensemble", options.device)
    print("\n".join(said))


if __name__ == "__main__":
    main()
