"""Freed memory is kept: the next tensor of that size costs no page fault.

Authors
 * The speechbrain_hrf authors 2026
"""

import ctypes
import multiprocessing
import resource
import sys

import pytest
import torch

from speechbrain_hrf.training.allocator import (
    _MMAP_THRESHOLD,
    keep_freed_memory,
)


def _count(results):
    """Page faults while a tensor of 20 MB is made twenty times, twice."""
    torch.set_num_threads(1)
    # Each tensor gets pages of its own; glibc might have learnt to keep them.
    ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 100_000)
    results.put(_faults())
    results.put(_faults() if keep_freed_memory() else None)


def _faults():
    # In a heap with gaps the first ones may each find a new place.
    for _ in range(5):
        torch.ones(5_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.ones(5_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_page_faults_are_saved():
    # A process of its own, since what is set cannot be taken back.
    context = multiprocessing.get_context("fork")
    for _ in range(6):  # a busy system takes back pages by itself at times
        results = context.Queue()
        child = context.Process(target=_count, args=(results,))
        child.start()
        returned, kept = results.get(timeout=60), results.get(timeout=60)
        child.join()
        if returned < 20 * 1000:  # of 4 KB each it would be 97,000
            pytest.skip("pages are so large here that faults tell nothing")
        if kept is None:
            pytest.skip("another C library, or its settings are chosen")
        if kept < returned / 10:
            return
    pytest.fail(f"{kept} page faults instead of {returned}")
