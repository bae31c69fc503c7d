"""What do two processes (DDP over gloo, CPU) gain over one?

    python benchmarks/processes.py [--models Conformer] [--rounds 7]

Training steps on a batch of 32, ALL, by one process and by two with half of it
each, one thread each; fresh processes in every round, in turns.

Authors
 * The speechbrain_hrf authors 2026
"""

import socket
import time

import torch
from interleaved import against
from models import LIGHT, batch, build
from report import Report, ratio_text, read_options
from torch import distributed, multiprocessing
from torch.nn.parallel import DistributedDataParallel
from training_step import Step

from speechbrain_hrf.training.allocator import keep_freed_memory

STEPS = 15  # measured in a round
WARM_UP = 3


def work(rank, processes, port, name, results):
    """One of the processes; the first one reports seconds per step."""
    torch.set_num_threads(1)
    keep_freed_memory()
    distributed.init_process_group(
        "gloo",
        init_method=f"tcp://127.0.0.1:{port}",
        rank=rank,
        world_size=processes,
    )
    part = tuple(values[rank::processes] for values in batch(32))
    step = Step(build(name, modules=("ALL",)), part)
    step.model = {
        key: DistributedDataParallel(module)
        for key, module in step.model.items()
    }
    for k in range(WARM_UP + STEPS):
        if k == WARM_UP:
            distributed.barrier()
            start = time.perf_counter()
        step()
    if rank == 0:
        results.put((time.perf_counter() - start) / STEPS)
    distributed.barrier()
    distributed.destroy_process_group()


def seconds_per_step(name, processes):
    """Starts the processes and waits for what the first one measured."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    workers = [
        context.Process(
            target=work, args=(rank, processes, port, name, results)
        )
        for rank in range(processes)
    ]
    for worker in workers:
        worker.start()
    seconds = results.get(timeout=300)
    for worker in workers:
        worker.join()
    return seconds


def main():
    """Measures, prints and saves."""
    options = read_options(__doc__, models=list(LIGHT), rounds=7)
    report = Report(["model", "processes", "step", "ratio"])
    for name in options.models:
        times = {1: [], 2: []}
        for _ in range(options.rounds):
            for processes, found in times.items():
                found.append(seconds_per_step(name, processes))
        for processes in times:
            ratio = against(times, processes, 1)
            report.add(
                {"seconds": times[processes], **ratio},
                name,
                processes,
                f"{ratio['milliseconds']:.1f} ms",
                ratio_text(ratio) if processes > 1 else "1",
            )
    report.save("processes")


if __name__ == "__main__":
    main()
