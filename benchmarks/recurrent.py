"""What does HRF cost where a layer is called at every time step?

    python benchmarks/recurrent.py [--steps 200] [--rounds 9]

SpeechBrain's LiGRU and attentional decoder, and a loop over a linear layer,
with all that can be expanded expanded (ratio 8): forward and backward, and
evaluation. Times are the processor's, with HRF as ratios to the plain model's.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import time
from functools import partial

import torch
from interleaved import against, measure
from report import Report, ratio_text, read_options
from speechbrain.nnet.RNN import AttentionalRNNDecoder, LiGRU
from torch import nn

from speechbrain_hrf import apply_hrf

BATCH = 8


class Loop(nn.Module):
    """A linear layer, again and again."""

    def __init__(self, steps):
        super().__init__()
        self.layer, self.steps = nn.Linear(64, 64), steps

    def forward(self, x):
        """[B, 64] to [B, 64]."""
        for _ in range(self.steps):
            x = torch.tanh(self.layer(x))
        return x


def models(steps):
    """Name to a model and its inputs.

    Arguments
    ---------
    steps : int

    Returns
    -------
    dict
    """
    frames = torch.randn(BATCH, steps, 40)
    return {
        "LiGRU": (LiGRU(64, frames.shape, num_layers=1), (frames,)),
        "attentional decoder": (
            AttentionalRNNDecoder(
                "gru", "location", 64, 64, 1, 40, 40, channels=8, kernel_size=5
            ),
            (torch.randn(BATCH, steps // 4, 40), frames, torch.ones(BATCH)),
        ),
        "a loop": (Loop(steps), (torch.randn(BATCH, 64),)),
    }


def train(model, inputs):
    """Forward and backward.

    Arguments
    ---------
    model : torch.nn.Module
    inputs : tuple of torch.Tensor
    """
    output = model.train()(*inputs)
    output = output[0] if isinstance(output, tuple) else output
    output.square().mean().backward()


@torch.no_grad()
def evaluate(model, inputs):
    """Forward.

    Arguments
    ---------
    model : torch.nn.Module
    inputs : tuple of torch.Tensor
    """
    model.eval()(*inputs)


def main():
    """Measures, prints and saves."""
    options = read_options(__doc__, steps=200, rounds=9, threads=1)
    torch.set_num_threads(options.threads)
    report = Report(["model", "", "plain", "with HRF"])
    for name, (plain, inputs) in models(options.steps).items():
        expanded = copy.deepcopy(plain)
        apply_hrf(expanded, ["*"])
        for what in train, evaluate:
            arms = {
                "plain": partial(what, plain, inputs),
                "HRF": partial(what, expanded, inputs),
            }
            times = measure(arms, options.rounds, clock=time.process_time)
            ratio = against(times, "HRF", "plain")
            milliseconds = against(times, "plain", "plain")["milliseconds"]
            report.add(
                {"seconds": times, **ratio},
                name,
                what.__name__,
                f"{milliseconds:.1f} ms",
                ratio_text(ratio),
            )
    report.save("recurrent")


if __name__ == "__main__":
    main()
