"""Two processes with half of each batch train as one with the whole.

In float64, so that nothing but the order of sums differs: steps of AdamW would
amplify what float32 rounds away.

Authors
 * The speechbrain_hrf authors 2026
"""

import socket

import pytest
import torch
from speechbrain.nnet.RNN import LiGRU
from torch import distributed, multiprocessing, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

import speechbrain_hrf as hrf

STEPS = 12
BATCH = 6
MODELS = ("ConvTransformer", "Conformer", "SpeechFormer", "Recurrent")


class Recurrent(nn.Module):
    """Convolutions, one of them transposed, and a layer called at each step."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv1d(78, 12, 4, stride=2)
        self.up = nn.ConvTranspose1d(12, 12, 4, stride=2)
        self.rnn = LiGRU(16, (None, None, 12), 1, normalization="layernorm")

    def forward(self, feats, lens):
        """[B, T, 78] to [B, 1, 16]."""
        hidden = self.up(torch.relu(self.down(feats.transpose(1, 2))))
        return self.rnn(hidden.transpose(1, 2))[0].mean(1, keepdim=True)


def build(name):
    torch.manual_seed(1)
    if name == "Recurrent":
        lobe, modules = Recurrent(), ["*"]
    else:
        lobe, modules = getattr(hrf, name)(), ["ALL"]
    model = nn.ModuleDict(
        {"lobe": lobe, "head": hrf.ClassifierHead(16, 4)}
    ).double()
    hrf.apply_hrf(model, modules, layers=2)
    return model


def train(name, rank=0, processes=1):
    """Weights after some steps, as SpeechBrain's Brain wraps and trains."""
    model = build(name)
    parts = dict(model)
    if processes > 1:
        parts = {
            key: DistributedDataParallel(
                nn.SyncBatchNorm.convert_sync_batchnorm(module)
            )
            for key, module in model.items()
        }
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    generator = torch.Generator().manual_seed(2)
    for _ in range(STEPS):
        feats = torch.randn(BATCH, 60, 78, generator=generator).double()
        lens = 0.2 + 0.8 * torch.rand(BATCH, generator=generator).double()
        labels = torch.randint(4, (BATCH,), generator=generator)
        mine = slice(rank, None, processes)  # as the sampler deals them out
        out = parts["head"](parts["lobe"](feats[mine], lens[mine]))
        F.nll_loss(out.squeeze(1), labels[mine]).backward()
        optimizer.step()
        optimizer.zero_grad()
    return {key: value.numpy() for key, value in model.state_dict().items()}


def work(rank, port, results):
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo",
        init_method=f"tcp://127.0.0.1:{port}",
        rank=rank,
        world_size=2,
    )
    results.put((rank, {name: train(name, rank, 2) for name in MODELS}))
    distributed.barrier()
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def of_two():
    """Rank -> model -> weights."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    workers = [
        context.Process(target=work, args=(rank, port, results))
        for rank in range(2)
    ]
    for worker in workers:
        worker.start()
    found = dict(results.get(timeout=300) for _ in workers)
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_two_processes_end_with_the_weights_of_one(of_two, name):
    start = {k: v.numpy() for k, v in build(name).state_dict().items()}
    # The mark of a transposed weight is an empty buffer.
    alone = {k: v for k, v in train(name).items() if v.size}
    for key, value in alone.items():
        for rank in range(2):
            difference = abs(of_two[rank][name][key] - value).max()
            assert difference < 1e-9, (key, rank)
    moved = [key for key in alone if abs(start[key] - alone[key]).max() > 1e-3]
    assert len(moved) > len(alone) / 2  # control: it did train
