"""Two drivers never run one study; a killed one leaves it free.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import platform
import signal
import subprocess
import sys
import threading

import pytest

from speechbrain_hrf.studies.cluster import remove_temporary, temporary_folder
from speechbrain_hrf.studies.owner import NAME, check_shared, owned

HOLD = """
import sys, time
from speechbrain_hrf.studies.owner import owned
with owned(sys.argv[1], sys.argv[2]):
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def other_driver(tmp_path):
    """A process that holds the study, and its temporary folder."""
    temporary = temporary_folder()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), str(temporary)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process, temporary
    process.kill()
    process.wait()
    process.stdout.close()
    remove_temporary(temporary)


def test_a_study_that_is_being_run_is_refused(tmp_path, other_driver):
    process, _ = other_driver
    with pytest.raises(ValueError, match=f"process {process.pid}"):
        with owned(tmp_path, "/tmp/hrf-00000000"):
            pass


def test_a_killed_driver_leaves_the_study_free(tmp_path, other_driver):
    """And what it could not remove is removed by the next one."""
    process, temporary = other_driver
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (tmp_path / NAME).exists() and temporary.exists()
    with owned(tmp_path, "/tmp/hrf-00000000", remove_temporary):
        assert not temporary.exists()
    assert list(tmp_path.iterdir()) == []


def test_what_a_driver_on_another_machine_has_left_is_not_touched(tmp_path):
    other = {"host": f"not-{platform.node()}", "temporary": "/tmp/hrf-12345678"}
    (tmp_path / NAME).write_text(json.dumps(other))
    removed = []
    with owned(tmp_path, "/tmp/hrf-00000000", removed.append):
        pass
    assert removed == []


def test_a_torn_note_of_a_killed_driver_is_no_obstacle(tmp_path):
    (tmp_path / NAME).write_text('{"host": "a')
    with owned(tmp_path, "/tmp/hrf-00000000") as token:
        check_shared(tmp_path, token, seconds=0)


def test_a_worker_tells_another_folder_from_the_driver_s(tmp_path):
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    with (
        owned(here, "/tmp/hrf-00000000") as token,
        owned(elsewhere, "/tmp/hrf-00000000"),
    ):
        check_shared(here, token, seconds=0)
        for folder in (elsewhere, tmp_path):
            with pytest.raises(OSError, match="does not see"):
                check_shared(folder, token, seconds=0)


def test_a_worker_waits_for_a_file_system_that_is_late(tmp_path):
    content = json.dumps({"token": "abc"})
    timer = threading.Timer(0.3, (tmp_path / NAME).write_text, [content])
    timer.start()
    check_shared(tmp_path, "abc", seconds=30)
    timer.join()
