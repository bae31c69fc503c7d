"""Training ends with the process that has started it, however that ends.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import signal
import subprocess
import sys
import time

import pytest

# Starts the script as run_attached does, and then does nothing.
PARENT = """
import os, subprocess, sys, time
subprocess.Popen(
    [sys.executable, "-m", "speechbrain_hrf.studies.attached", str(os.getpid()),
     *sys.argv[1:]],
    start_new_session=True)
time.sleep(120)
"""
# Has a child of its own, as feature extraction has.
SCRIPT = """
import pathlib, subprocess, sys, time
import beside
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
pathlib.Path(sys.argv[1]).write_text(
    f"{__name__} {beside.VALUE} {sys.argv[2]} {child.pid}")
time.sleep(120)
"""


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads /proc")
def test_a_script_and_its_children_die_with_a_killed_parent(tmp_path):
    script, note = tmp_path / "script.py", tmp_path / "note"
    script.write_text(SCRIPT)
    (tmp_path / "beside.py").write_text("VALUE = 'imported'")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(script), str(note), "--seed"]
    )
    try:
        wait_for(lambda: note.exists() and note.read_text())
        name, beside, option, child = note.read_text().split()
        assert (name, beside, option) == ("__main__", "imported", "--seed")
        assert is_alive(child)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        wait_for(lambda: not is_alive(child), seconds=10)
    finally:
        parent.kill()
        parent.wait()
