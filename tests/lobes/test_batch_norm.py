"""Batch normalisation of the valid frames, in one process and in two.

Authors
 * The speechbrain_hrf authors 2026
"""

import socket

import pytest
import torch
from torch import distributed, multiprocessing, nn

from speechbrain_hrf.lobes.models.batch_norm import normalise_valid


def some_frames():
    generator = torch.Generator().manual_seed(1)
    x = 3 + 2 * torch.randn(4, 5, 7, generator=generator, dtype=torch.float32)
    mask = torch.arange(7) < torch.tensor([7, 3, 1, 5]).unsqueeze(1)
    return x, mask


def test_as_batch_norm_on_the_valid_frames_alone():
    """Values, gradients and running statistics; padding holds anything."""
    x, mask = some_frames()
    ours, theirs = nn.BatchNorm1d(5), nn.BatchNorm1d(5)
    outputs = []
    for norm, padding in (ours, 99.0), (theirs, 0.0):
        whole = x.masked_fill(~mask.unsqueeze(1), padding).requires_grad_()
        if norm is ours:
            valid = normalise_valid(whole, mask, norm).transpose(1, 2)[mask]
        else:
            valid = norm(whole.transpose(1, 2)[mask])
        valid.pow(3).sum().backward()
        gradient = whole.grad.transpose(1, 2)
        assert not gradient[~mask].any()
        outputs.append((valid, gradient[mask], norm.weight.grad))
    for mine, reference in zip(*outputs, strict=True):
        assert torch.allclose(mine, reference, rtol=1e-4, atol=1e-4)
    for key, value in theirs.state_dict().items():
        assert torch.allclose(ours.state_dict()[key], value, atol=1e-6), key


def test_one_frame_leaves_no_trace():
    norm = nn.BatchNorm1d(5)
    before = {k: v.clone() for k, v in norm.state_dict().items()}
    x = torch.randn(1, 5, 3)
    mask = torch.tensor([[True, False, False]])
    out = normalise_valid(x, mask, norm)
    assert torch.allclose(out, norm.eval()(x), atol=1e-6)
    for key, value in norm.state_dict().items():
        assert torch.equal(value, before[key])


def half(rank, port, results):
    """One of two processes: half of the batch."""
    distributed.init_process_group(
        "gloo",
        init_method=f"tcp://127.0.0.1:{port}",
        rank=rank,
        world_size=2,
    )
    x, mask = some_frames()
    norm = nn.BatchNorm1d(5)
    part = x[2 * rank : 2 * rank + 2].requires_grad_()
    out = normalise_valid(part, mask[2 * rank : 2 * rank + 2], norm)
    out.pow(3).mul(mask[2 * rank : 2 * rank + 2].unsqueeze(1)).sum().backward()
    results.put(
        (rank, out.detach(), part.grad, norm.running_mean, norm.running_var)
    )
    distributed.barrier()
    results.close()
    results.join_thread()
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_are_as_one():
    """Values, gradients and running statistics, on CPUs over gloo."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    workers = [
        context.Process(target=half, args=(rank, port, results))
        for rank in range(2)
    ]
    for worker in workers:
        worker.start()
    received = [results.get(timeout=120) for _ in workers]
    found = {rank: [x.clone() for x in tensors] for rank, *tensors in received}
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    x, mask = some_frames()
    norm, x = nn.BatchNorm1d(5), x.requires_grad_()
    out = normalise_valid(x, mask, norm)
    out.pow(3).mul(mask.unsqueeze(1)).sum().backward()
    joined = [
        torch.cat(pair) for pair in zip(found[0][:2], found[1][:2], strict=True)
    ]
    for mine, reference in zip(joined, (out.detach(), x.grad), strict=True):
        assert torch.allclose(mine, reference, rtol=1e-4, atol=1e-4)
    for rank in range(2):
        assert torch.allclose(found[rank][2], norm.running_mean, atol=1e-6)
        assert torch.allclose(found[rank][3], norm.running_var, atol=1e-6)
