"""Freed memory is kept: the next tensor of that size costs no page fault.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import subprocess
import sys

import pytest

# Page faults while a tensor of 20 MB is made twenty times, one at a time.
CODE = """
import resource, sys
import torch
from speechbrain_hrf.training.allocator import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit("no glibc")
torch.ones(5_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(5_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how, **environment):
    done = subprocess.run(
        [sys.executable, "-c", CODE, how],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    if "no glibc" in done.stderr:
        pytest.skip("another C library than glibc, or its settings are chosen")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_page_faults_are_saved():
    settings = {"MALLOC_MMAP_THRESHOLD_": "100000"}
    returned = page_faults("return", **settings)  # the control
    if returned < 20 * 1000:  # of 4 KB each it would be 97,000
        pytest.skip("pages are so large here that faults tell nothing")
    # A busy system may take back pages by itself, now and then.
    # A busy system takes back pages by itself, now and then.
    assert any(page_faults("keep") < returned / 10 for _ in range(6))


def test_the_user_s_choice_stands(monkeypatch):
    from speechbrain_hrf.training.allocator import keep_freed_memory

    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000")
    assert not keep_freed_memory()
