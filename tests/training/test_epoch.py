"""All processes of a distributed run anneal by the same loss."""

import os

import pytest
import torch
import torch.multiprocessing as mp
from speechbrain import Brain
from speechbrain.nnet.schedulers import ReduceLROnPlateau
from speechbrain.utils.checkpoints import Checkpointer
from speechbrain.utils.train_logger import FileTrainLogger

from speechbrain_hrf.training.epoch import end_epoch, mean_over_processes


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
    # Forked: two that are spawned import all of PyTorch for one sum.
    mp.start_processes(
        _process, args=(str(tmp_path),), nprocs=2, start_method="fork"
    )
    assert [(tmp_path / f"{k}.txt").read_text() for k in (0, 1)] == ["0.5"] * 2


def test_one_process_keeps_its_own():
    assert mean_over_processes(0.25) == 0.25


@pytest.mark.parametrize(("max_key", "best"), [("UA", 2), ("WF1", 1)])
def test_the_best_epoch_is_kept_besides_the_newest(tmp_path, max_key, best):
    brain = Brain(
        {"model": torch.nn.Linear(2, 2)},
        lambda parameters: torch.optim.AdamW(parameters, lr=0.1),
        {
            "lr_annealing": ReduceLROnPlateau(),
            "train_logger": FileTrainLogger(str(tmp_path / "log.txt")),
        },
        checkpointer=Checkpointer(tmp_path / "save"),
    )
    brain.init_optimizers()
    brain.train_loss = 1.0
    for epoch, (ua, wf1) in enumerate([(0.3, 0.5), (0.4, 0.2), (0.1, 0.1)], 1):
        valid = {"loss": 1.0, "UA": ua, "WF1": wf1}
        end_epoch(brain, epoch, valid, max_key=max_key)
    kept = brain.checkpointer.list_checkpoints()
    assert {checkpoint.meta["epoch"] for checkpoint in kept} == {best, 3}
    found = brain.checkpointer.find_checkpoint(max_key=max_key)
    assert found.meta["epoch"] == best
