"""Segments have exactly the paper's frames, alone, in a batch or many at once.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import logging
import os
import re
import time
import tracemalloc

import numpy as np
import pytest
import soundfile as sf
import torch
from speechbrain.lobes.features import Fbank
from torch.utils.data import DataLoader

from speechbrain_hrf.dataio import segments
from speechbrain_hrf.dataio.segments import (
    SegmentBatch,
    SegmentFeatures,
    compute_in_order,
    cores,
)
from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio

try:
    import resource
except ImportError:  # Windows
    resource = None


@pytest.fixture(scope="module")
def fbank():
    return Fbank(n_mels=26, deltas=True)


def write(path, seconds, rate=16000, channels=1):
    samples = 0.1 * np.random.default_rng(0).standard_normal(
        (int(seconds * rate), channels)
    )
    sf.write(path, samples, rate)
    return str(path)


@pytest.mark.parametrize("frames", [500, 400, 1000])
def test_long_audio_is_cut_to_exactly(fbank, tmp_path, frames):
    path = write(tmp_path / "a.wav", 12.3)
    assert SegmentFeatures(fbank, frames)(path).shape == (frames, 78)


@pytest.mark.parametrize(
    ("seconds", "frames"), [(0.01, 2), (0.585, 59), (4.98, 499), (4.99, 500)]
)
def test_short_audio_keeps_its_frames(fbank, tmp_path, seconds, frames):
    path = write(tmp_path / "a.wav", seconds)
    assert len(SegmentFeatures(fbank, 500)(path)) == frames


def test_parts_are_cut_out_and_joined(fbank, tmp_path):
    path = write(tmp_path / "a.wav", 3.0)
    samples, _ = sf.read(path, dtype="float32")
    joined = np.concatenate([samples[100:9000], samples[20000:40001]])
    with torch.no_grad():
        expected = fbank(torch.from_numpy(joined).unsqueeze(0))[0]
    segment = SegmentFeatures(fbank, 500)
    parts = [[100, 9000], [20000, 40001]]
    assert torch.equal(segment(path, parts), expected)
    assert not torch.equal(segment(path)[: len(expected)], expected)


def test_joined_parts_are_cut_to_the_segment(fbank, tmp_path):
    path = write(tmp_path / "a.wav", 12.0)
    segment = SegmentFeatures(fbank, 500)
    assert torch.equal(segment(path, [[0, 160000]]), segment(path))


def test_a_module_may_have_other_frames(tmp_path):
    class Blocks(torch.nn.Module):
        """Frames of 100 samples that do not overlap."""

        def samples_for(self, frames):
            return 100 * frames

        def forward(self, wavs):
            return wavs.unfold(1, 100, 100)

    path = write(tmp_path / "a.wav", 3.0)
    assert SegmentFeatures(Blocks(), 40)(path).shape == (40, 100)


def test_the_caller_s_threads_are_left_alone(fbank, tmp_path):
    seen = []

    class Counting(torch.nn.Module):
        def forward(self, wavs):
            seen.append(torch.get_num_threads())
            return fbank(wavs)

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        SegmentFeatures(Counting(), 500)(write(tmp_path / "a.wav", 1.0))
        assert seen == [1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_cutting_the_file_is_cutting_the_audio(fbank, tmp_path):
    """What training sees is what inference sees of the same cut audio."""
    path = write(tmp_path / "a.wav", 7.0)
    samples, _ = sf.read(path, dtype="float32")
    cut = torch.from_numpy(samples[: 499 * 160]).unsqueeze(0)
    with torch.no_grad():
        expected = fbank(cut)[0]
    assert torch.equal(SegmentFeatures(fbank, 500)(path), expected)


def test_zero_fill():
    examples = [
        {"id": "a", "feats": torch.ones(301, 78), "label": torch.tensor([1])},
        {"id": "b", "feats": torch.ones(200, 78), "label": torch.tensor([3])},
    ]
    batch = SegmentBatch(examples, frames=500)
    feats, lens = batch.feats
    assert feats.shape == (2, 500, 78)
    assert (lens * 500).round().tolist() == [301, 200]
    assert feats[0, 301:].abs().sum() == feats[1, 200:].abs().sum() == 0
    assert feats.sum() == 501 * 78
    assert batch.id == ["a", "b"]
    assert batch.label.data.tolist() == [[1], [3]]
    with pytest.raises(ValueError, match="301 frames do not fit into 300"):
        SegmentBatch(examples, frames=300)


@pytest.mark.skipif(resource is None, reason="a limit for files is POSIX's")
@pytest.mark.parametrize("pages", [0, 64])
def test_full_shared_memory_is_named_and_ends_training(pages):
    """By a limit for files, which /dev/shm holds, in a worker of its own."""
    examples = [{"id": str(k), "feats": torch.ones(400, 78)} for k in range(4)]
    loader = DataLoader(
        examples,
        batch_size=2,
        collate_fn=functools.partial(SegmentBatch, frames=400),
        num_workers=1,
        timeout=60,  # without the mend it would wait for ever
        worker_init_fn=functools.partial(limit_files, 4096 * pages),
    )
    if pages:  # enough for these batches
        assert [batch.id for batch in loader] == [["0", "1"], ["2", "3"]]
        return
    said = r"no room for a batch .*</torch_.*: set num_workers to 0, or enlarge"
    with pytest.raises(RuntimeError, match=said):
        next(iter(loader))


def limit_files(size, _=None):
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


@pytest.mark.skipif(resource is None, reason="a limit for files is POSIX's")
@pytest.mark.filterwarnings("ignore:Exception ignored")  # PyTorch's half loader
def test_no_room_for_processes_is_named():
    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    computed = compute_in_order(torch.eye, [(1,), (2,)], "features", 2)
    limit_files(0)
    try:
        with pytest.raises(OSError, match="Processes for features .*/dev/shm"):
            next(computed)
    finally:
        limit_files(soft)


def number_and_process(number):
    return number, os.getpid(), torch.get_num_threads()


def refuse_three(number):
    if number == 3:
        raise UnusableAudio("three.wav", "the file is empty")
    return number


def megabyte(number):
    return np.full(2**20, number % 256, dtype="uint8")


def test_several_processes_of_one_thread_each():
    calls = [(number,) for number in range(100)]
    results = list(compute_in_order(number_and_process, calls, "", 2))
    numbers, processes, threads = zip(*results, strict=True)
    assert list(numbers) == list(range(100))
    assert len(set(processes)) == 2 and os.getpid() not in processes
    assert set(threads) == {1}


def test_as_many_processes_as_cores():
    few = compute_in_order(number_and_process, [(n,) for n in range(40)], "")
    assert {process for _, process, _ in few} == {os.getpid()}
    if cores() == 1:
        pytest.skip("this process may use one core only")
    calls = [(number,) for number in range(40 * cores())]
    results = list(compute_in_order(number_and_process, calls, ""))
    assert len({process for _, process, _ in results}) == cores()


@pytest.mark.parametrize("processes", [0, 2])
def test_an_unusable_file_is_named(processes):
    calls = [(number,) for number in range(9)]
    with pytest.raises(UnusableAudio, match="^three.wav: the file is empty$"):
        list(compute_in_order(refuse_three, calls, "", processes))


def test_few_results_are_held():
    calls = [(number,) for number in range(100)]
    tracemalloc.start()
    try:
        for result in compute_in_order(megabyte, calls, "", 0):
            assert len(result) == 2**20
        assert tracemalloc.get_traced_memory()[1] < 25 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("processes", [0, 2])
def test_the_caller_s_random_numbers_are_left_alone(processes):
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    list(compute_in_order(abs, [(1,)] * 9, "", processes))
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("limit, announced", [(1, 1), (1000, 0)])
def test_what_takes_long_is_announced(caplog, monkeypatch, limit, announced):
    monkeypatch.setattr(segments, "_MEASURED_SECONDS", 0.1)
    monkeypatch.setattr(segments, "_LONG_SECONDS", limit)
    logger = logging.getLogger("speechbrain_hrf.dataio.segments")
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.INFO)
    try:
        calls = [(0.01,)] * 1000
        results = compute_in_order(time.sleep, calls, "naps", 0)
        for _ in range(40):
            next(results)
        results.close()
    finally:
        logger.removeHandler(caplog.handler)
    # A message may come twice, by this handler and by pytest's own.
    found = set(caplog.messages)
    assert len(found) == announced
    for message in found:
        assert re.match(r"naps: (8|16) of 1000 after 0 s, so all", message)
