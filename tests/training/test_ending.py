"""A process of several ends with the status that its work deserves.

Authors
 * The speechbrain_hrf authors 2026
"""

import subprocess
import sys

import pytest

SCRIPT = """
import atexit, sys
from torch import distributed
from speechbrain_hrf.training.ending import end_cleanly, work_is_done
end_cleanly()
atexit.register(print, "registered later, run earlier")
distributed.init_process_group(
    "gloo", init_method="file://" + sys.argv[1], rank=0, world_size=1)
"""


@pytest.mark.parametrize(
    "end, status",
    [("work_is_done()", 0), ("work_is_done(); 1 / 0", 1), ("1 / 0", 1)],
)
def test_status_is_that_of_the_work(tmp_path, end, status):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + end, str(tmp_path / "store")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stderr
    assert ("ZeroDivisionError" in done.stderr) == bool(status)
    assert "run earlier" in done.stdout
