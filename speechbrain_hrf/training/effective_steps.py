"""How far an optimiser's steps move the weights that will be shipped.

A step of AdamW moves every factor of a chain by about the learning rate; their
product moves further than the one weight that it stands for would. At the same
learning rate HRF therefore trains with longer steps, which has to be told from
what the factorisation itself does.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import statistics
import time

import torch
from speechbrain.utils.distributed import if_main_process
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils.hooks import RemovableHandle

from speechbrain_hrf.files import append_line
from speechbrain_hrf.nnet.merge import weight_matrices

STEPS = "steps.jsonl"
# The first ones show what initialisation and warm-up of AdamW do.
FIRST_STEPS = 5


def record_steps(
    model: torch.nn.Module, output_folder: str | os.PathLike[str], every: int
) -> list[RemovableHandle]:
    """Notes the length of every so many effective steps, until removed.

    One line per noted step goes to ``steps.jsonl``: ``step`` (from 1),
    ``seconds`` (median between two steps since the line before; null for the
    first), and for each weight matrix of the merged model the Frobenius norms
    of its change in this step and of the matrix before it.

    Arguments
    ---------
    model : torch.nn.Module
        After ``apply_hrf``, before training.
    output_folder : str
    every : int
        0 records nothing; n the first five steps and every n-th.

    Returns
    -------
    list of torch.utils.hooks.RemovableHandle
        Each has ``remove()``; a recipe's process just ends.

    Raises
    ------
    ValueError
        If ``every`` is negative.

    Example
    -------
    >>> import torch
    >>> from speechbrain_hrf.files import read_lines
    >>> model = torch.nn.Linear(2, 1)
    >>> folder = getfixture("tmpdir")
    >>> handles = record_steps(model, folder.strpath, every=1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    >>> model.weight.grad = torch.tensor([[3.0, 4.0]])
    >>> optimizer.step()
    >>> for handle in handles:
    ...     handle.remove()
    >>> [line] = read_lines(folder.join("steps.jsonl").strpath)
    >>> line["step"], round(line["layers"]["weight"][0], 5)
    (1, 5.0)
    """
    if every < 0:
        raise ValueError(
            f"record_steps is {every}: give 0 (off) or a number of steps."
        )
    if every == 0 or not if_main_process():
        return []
    recorder = _Recorder(model, pathlib.Path(output_folder, STEPS), every)
    return [
        register_optimizer_step_pre_hook(recorder.before),
        register_optimizer_step_post_hook(recorder.after),
    ]


class _Recorder:
    def __init__(self, model, path, every):
        self.model = model
        self.path = path
        self.every = every
        self.weights = None
        self.step = None
        self.last_end = None
        self.seconds = []

    def before(self, optimizer, args, kwargs):
        if self.step is None:  # the optimizer's own count outlives a resume
            self.step = _steps_done(optimizer)
        self.step += 1
        if self.step <= FIRST_STEPS or self.step % self.every == 0:
            self.weights = self._weights()

    def after(self, optimizer, args, kwargs):
        now = time.perf_counter()
        if self.last_end is not None:
            self.seconds.append(now - self.last_end)
        if self.weights is not None:
            self._write()
        # Not to count what was done here
        self.last_end = time.perf_counter()

    def _write(self):
        layers = {
            name: [
                float((after - self.weights[name]).norm()),
                float(self.weights[name].norm()),
            ]
            for name, after in self._weights().items()
        }
        seconds = statistics.median(self.seconds) if self.seconds else None
        append_line(
            self.path, {"step": self.step, "seconds": seconds, "layers": layers}
        )
        self.weights = None
        self.seconds = []

    def _weights(self):
        state_dict = self.model.state_dict()
        return {
            # Copies, since the optimizer writes into the plain ones
            name: weight.to(torch.float64, copy=True)
            for name, weight in weight_matrices(state_dict).items()
        }


def _steps_done(optimizer):
    for state in optimizer.state.values():
        if "step" in state:
            return int(state["step"])
    return 0
