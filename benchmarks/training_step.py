"""What does a training step with HRF cost, against the lightweight model's?

    python benchmarks/training_step.py [--models Conformer] [--device cuda]
        [--compile] [--precision bf16] [--batch 32] [--rounds 9]

Forward, loss, backward and AdamW on features that are already in memory:
lightweight, HRF collapsed and chained, and the original size with and without
HRF. Time and peak memory, each as the ratio to the plain model's.

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from interleaved import against, measure, peak_memory
from models import LIGHT, ORIGINAL, batch, build, run
from report import Report, ratio_text, read_options
from torch.nn import functional as F

from speechbrain_hrf.training.allocator import keep_freed_memory

# What a row is built with; see ``models.build``.
ALL, FFN2 = {"modules": ("ALL",)}, {"modules": ("FFN2",)}
ROWS = {
    "lightweight": {},
    "FFN2": FFN2,
    "FFN2, chained": {**FFN2, "chained": True},
    "FFN2, 3 extra layers": {**FFN2, "layers": 3},
    "FFN2, 3 extra layers, chained": {**FFN2, "layers": 3, "chained": True},
    "ALL": ALL,
    "ALL, chained": {**ALL, "chained": True},
    "ALL, 3 extra layers": {**ALL, "layers": 3},
    "ALL, 3 extra layers, chained": {**ALL, "layers": 3, "chained": True},
    "ALL + FRONT, normalised": {"modules": ("ALL", "FRONT"), "norm": True},
    "original": {},
    "original, ALL": ALL,
    "original, ALL, chained": {**ALL, "chained": True},
}


class Step:
    """One arm: a training step on one batch, again and again.

    Arguments
    ---------
    model : torch.nn.ModuleDict
    data : tuple of torch.Tensor
        Of ``models.batch``.
    precision : {"fp32", "bf16"}
    compiled : bool
        Whether the model goes through ``torch.compile``.
    """

    def __init__(self, model, data, precision="fp32", compiled=False):
        self.model = model.train().to(data[0].device)
        self.data = data
        self.precision = precision
        self.forward = torch.compile(run) if compiled else run
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=1e-3, weight_decay=1e-6, fused=True
        )

    def __call__(self):
        """Takes the step."""
        feats, lens, labels = self.data
        with torch.autocast(
            feats.device.type,
            dtype=torch.bfloat16,
            enabled=self.precision == "bf16",
        ):
            out = self.forward(self.model, feats, lens)
        loss = F.nll_loss(out.squeeze(1).float(), labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()


def is_original(row):
    """Whether a row is of the original's size.

    Arguments
    ---------
    row : str

    Returns
    -------
    bool
    """
    return row.startswith("original")


def main():
    """Measures, prints and saves."""
    options = read_options(
        __doc__,
        models=list(LIGHT),
        rows=list(ROWS),
        batch=32,
        device="cpu",
        precision="fp32",
        compile=False,
        returning=False,  # freed memory goes back, as without our recipes
        threads=1,
        rounds=9,
        name="training_step",
    )
    # One by default: on a machine that is shared, two threads wait for each
    # other for longer than they work, and ratios say nothing.
    torch.set_num_threads(options.threads)
    if not options.returning:
        keep_freed_memory()

    data = batch(options.batch, device=options.device)
    synchronize = (
        torch.cuda.synchronize if options.device != "cpu" else lambda: None
    )
    report = Report(["model", "row", "time", "", "peak memory", ""])
    for name in options.models:
        steps = {}
        for row in options.rows:
            torch.manual_seed(1)
            sizes = (ORIGINAL if is_original(row) else LIGHT)[name]
            model = build(name, sizes, **ROWS[row])
            steps[row] = Step(model, data, options.precision, options.compile)
        # The sizes are far apart: each with its own kind, so that a round's
        # turns lie close to each other in time.
        for size in (False, True):
            arms = {r: s for r, s in steps.items() if is_original(r) == size}
            if not arms:
                continue
            baseline = next(iter(arms))
            times = measure(arms, options.rounds, synchronize=synchronize)
            memory = {
                r: peak_memory(s, options.device) for r, s in arms.items()
            }
            for row in arms:
                ratio = against(times, row, baseline)
                share = memory[row] / memory[baseline]
                report.add(
                    {
                        "seconds": times[row],
                        **ratio,
                        "peak_bytes": memory[row],
                        "memory_ratio": share,
                        "baseline": row == baseline,
                    },
                    name,
                    row,
                    ratio_text(ratio) if row != baseline else "1",
                    f"{ratio['milliseconds']:.1f} ms",
                    f"{share:.2f}" if row != baseline else "1",
                    f"{memory[row] / 2**20:.1f} MiB",
                )
    short = _short(report.figures, options)
    report.save(options.name, options.device, short)


def _short(figures, options):
    """A row per arm, a column per model: ratio of time, of memory."""
    rows = []
    for row in options.rows:
        cells = [row]
        for name in options.models:
            cost = figures[f"{name}, {row}"]
            if cost["baseline"]:
                cells.append(
                    f"{cost['milliseconds']:.0f} ms, "
                    f"{cost['peak_bytes'] / 2**20:.0f} MiB"
                )
            else:
                cells.append(f"{ratio_text(cost)}, {cost['memory_ratio']:.2f}")
        rows.append(cells)
    return ["time, peak memory", *options.models], rows


if __name__ == "__main__":
    main()
