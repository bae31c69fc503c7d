"""Two drivers never run one study; a killed one leaves it free.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import pytest

from speechbrain_hrf.studies.owner import NAME, check_shared, owned

HOLD = """
import sys, time
from speechbrain_hrf.studies.owner import owned
with owned(sys.argv[1]) as driver:
    print(driver.temporary, flush=True)
    time.sleep(120)
"""


@pytest.fixture
def other_driver(tmp_path):
    """A process that holds the study, and its temporary folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    temporary = pathlib.Path(process.stdout.readline().strip())
    yield process, temporary
    process.kill()
    process.wait()
    process.stdout.close()
    shutil.rmtree(temporary, ignore_errors=True)


def test_a_study_that_is_being_run_is_refused(tmp_path, other_driver):
    process, _ = other_driver
    with pytest.raises(ValueError, match=f"process {process.pid}"):
        with owned(tmp_path):
            pass


def test_a_killed_driver_leaves_the_study_free(tmp_path, other_driver):
    """And what it could not remove is removed by the next one."""
    process, temporary = other_driver
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (tmp_path / NAME).exists() and temporary.exists()
    with owned(tmp_path):
        assert not temporary.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "host, name, is_removed",
    [
        (platform.node(), "hrf-", True),
        (f"not-{platform.node()}", "hrf-", False),
        (platform.node(), "mine", False),
    ],
)
def test_nothing_else_is_removed(tmp_path, host, name, is_removed):
    """What a driver on another machine has left, whatever the note says."""
    left = tempfile.mkdtemp(prefix=name, dir="/tmp")
    (tmp_path / NAME).write_text(json.dumps({"host": host, "temporary": left}))
    try:
        with owned(tmp_path):
            assert os.path.exists(left) != is_removed
    finally:
        shutil.rmtree(left, ignore_errors=True)


def test_temporary_files_have_short_paths(tmp_path, monkeypatch):
    """Below them are sockets of Ray's, whose paths may not be long."""
    long = tmp_path / ("x" * 50)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with owned(tmp_path) as driver:
        assert len(driver.temporary) <= 40
        assert os.listdir(driver.temporary) == []
    assert not os.path.exists(driver.temporary)


def test_a_torn_note_of_a_killed_driver_is_no_obstacle(tmp_path):
    (tmp_path / NAME).write_text('{"host": "a')
    with owned(tmp_path) as driver:
        check_shared(tmp_path, driver.token, seconds=0)


def test_a_worker_tells_another_folder_from_the_driver_s(tmp_path):
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    with owned(here) as driver, owned(elsewhere):
        check_shared(here, driver.token, seconds=0)
        for folder in (elsewhere, tmp_path):
            with pytest.raises(OSError, match="does not see"):
                check_shared(folder, driver.token, seconds=0)


def test_a_worker_waits_for_a_file_system_that_is_late(tmp_path):
    content = json.dumps({"token": "abc"})
    timer = threading.Timer(0.3, (tmp_path / NAME).write_text, [content])
    timer.start()
    check_shared(tmp_path, "abc", seconds=30)
    timer.join()
