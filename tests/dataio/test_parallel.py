"""Results come in order, from several processes, a few at a time."""

import logging
import os
import re
import time
import tracemalloc

import numpy as np
import pytest
import torch

from speechbrain_hrf.dataio import parallel
from speechbrain_hrf.dataio.parallel import computed_in_order, cores
from speechbrain_hrf.dataio.unusable import UnusableAudio


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
    results = list(computed_in_order(number_and_process, calls, "", 2))
    numbers, processes, threads = zip(*results, strict=True)
    assert list(numbers) == list(range(100))
    assert len(set(processes)) == 2 and os.getpid() not in processes
    assert set(threads) == {1}


def test_no_process_is_started_for_a_few():
    calls = [(number,) for number in range(40)]
    results = list(computed_in_order(number_and_process, calls, ""))
    assert {process for _, process, _ in results} == {os.getpid()}


def test_as_many_processes_as_cores():
    if cores() == 1:
        pytest.skip("this process may use one core only")
    calls = [(number,) for number in range(40 * cores())]
    results = list(computed_in_order(number_and_process, calls, ""))
    assert len({process for _, process, _ in results}) == cores()


@pytest.mark.parametrize("processes", [0, 2])
def test_an_unusable_file_is_named(processes):
    calls = [(number,) for number in range(9)]
    with pytest.raises(UnusableAudio, match="^three.wav: the file is empty$"):
        list(computed_in_order(refuse_three, calls, "", processes))


def test_few_results_are_held():
    calls = [(number,) for number in range(100)]
    tracemalloc.start()
    try:
        for result in computed_in_order(megabyte, calls, "", 0):
            assert len(result) == 2**20
        assert tracemalloc.get_traced_memory()[1] < 25 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("processes", [0, 2])
def test_the_caller_s_random_numbers_are_left_alone(processes):
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    list(computed_in_order(abs, [(1,)] * 9, "", processes))
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("limit, announced", [(1, 1), (1000, 0)])
def test_what_takes_long_is_announced(caplog, monkeypatch, limit, announced):
    monkeypatch.setattr(parallel, "_MEASURED_SECONDS", 0.1)
    monkeypatch.setattr(parallel, "_LONG_SECONDS", limit)
    logger = logging.getLogger("speechbrain_hrf.dataio.parallel")
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.INFO)
    try:
        calls = [(0.01,)] * 1000
        results = computed_in_order(time.sleep, calls, "naps", 0)
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
