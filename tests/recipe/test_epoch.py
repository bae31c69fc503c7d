"""All processes of a distributed run anneal by the same loss."""

import os

import torch
import torch.multiprocessing as mp

from speechbrain_hrf.recipe.epoch import mean_over_processes


def _process(rank, folder):
    torch.distributed.init_process_group(
        "gloo",
        init_method=f"file://{folder}/store",
        rank=rank,
        world_size=2,
    )
    mean = mean_over_processes(float(rank))
    with open(os.path.join(folder, f"{rank}.txt"), "w") as file:
        file.write(str(mean))
    torch.distributed.destroy_process_group()


def test_two_processes_get_the_mean(tmp_path):
    mp.spawn(_process, args=(str(tmp_path),), nprocs=2)
    assert [(tmp_path / f"{k}.txt").read_text() for k in (0, 1)] == ["0.5"] * 2


def test_one_process_keeps_its_own():
    assert mean_over_processes(0.25) == 0.25
