"""Whatever is killed: finished trials stay, the others end up finished once.

Real trials of the RAVDESS recipe on the stand-in corpus, one epoch each.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from speechbrain_hrf.results import RunResults
from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.study import load_study

pytest.importorskip("ray", reason="ray is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.path.isdir("/proc/self"), reason="processes are seen in /proc"
    ),
]
SECONDS = 300  # for what takes ten on a machine that does nothing else


@pytest.fixture
def start(hrf, real_study_yaml):
    """Starts the command; its output goes into a file beside the YAML."""

    def command(*options):
        with open(real_study_yaml.with_suffix(".log"), "ab") as log:
            return subprocess.Popen(
                [*hrf, "study", str(real_study_yaml), *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                # As in a terminal, where Ctrl-C reaches all that was started.
                start_new_session=True,
            )

    return command


def log_of(study_yaml):
    return study_yaml.with_suffix(".log").read_text()


def ends(process, study_yaml, status=0, seconds=SECONDS):
    assert process.wait(seconds) == status, log_of(study_yaml)


def wait_until(condition, process=None, seconds=SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None, "it ended too early"
        time.sleep(0.05)


def processes():
    """Process ids with parent and command line, of all that run."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        if stat[0] != "Z":
            found[int(folder.name)] = (int(stat[1]), command.decode())
    return found


def descendants(pid):
    table = processes()
    found, new = set(), {pid}
    while new:
        new = {p for p, (parent, _) in table.items() if parent in new} - found
        found |= new
    return {p: table[p][1] for p in found}


def trainings(study_folder, among=None):
    """Those of a study's recipes that run, all or of some processes."""
    table = among or {pid: text for pid, (_, text) in processes().items()}
    return [
        pid
        for pid, text in table.items()
        if "train.py" in text and f"{study_folder}/runs/" in text
    ]


def assert_each_trial_is_finished_once(study_yaml):
    study = load_study(study_yaml)
    text = (study.folder / "trials.jsonl").read_text()
    ids = [json.loads(line)["id"] for line in text.splitlines()]
    assert sorted(ids) == sorted(trial.id for trial in study.trials)
    left = {path.name for path in study.folder.iterdir()}
    assert left - {"ray.log"} == {
        *("features", "runs", "study.yaml", "test_sets.jsonl", "trials.jsonl"),
    }


def test_a_killed_driver_loses_nothing_and_leaves_nobody(
    real_study_yaml, start
):
    study = load_study(real_study_yaml)
    process = start()
    try:
        wait_until(lambda: read_lines(study.folder), process)
        wait_until(lambda: trainings(study.folder), process)
        driver = json.loads((study.folder / ".driver").read_text())
        assert driver["pid"] == process.pid
        family = set(descendants(process.pid))
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: not trainings(study.folder), seconds=30)
    wait_until(lambda: not family & set(processes()), seconds=120)
    finished = (study.folder / "trials.jsonl").read_text()
    assert 1 <= len(finished.splitlines()) < 4

    ends(start(), real_study_yaml, status=1)
    assert "Add --resume" in log_of(real_study_yaml)
    ends(start("--resume"), real_study_yaml)
    assert_each_trial_is_finished_once(real_study_yaml)
    assert (study.folder / "trials.jsonl").read_text().startswith(finished)

    for line in read_lines(study.folder):
        results = RunResults.read(study.run_folder(line["id"]))
        for key, score in line["test"].items():
            assert score == pytest.approx(getattr(results, key), rel=1e-3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_study_ends_in_seconds(real_study_yaml, start, number):
    study = load_study(real_study_yaml)
    process = start()
    try:
        wait_until(lambda: trainings(study.folder), process)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        ends(process, real_study_yaml, status=130, seconds=60)
    finally:
        process.kill()
        process.wait()
    text = log_of(real_study_yaml)
    assert "Interrupted. 0 of 4 trials are done" in text
    assert "--resume" in text and "Traceback" not in text
    wait_until(lambda: not trainings(study.folder), seconds=30)
    left = {path.name for path in study.folder.iterdir()}
    assert left <= {"features", "runs", "study.yaml", "ray.log"}


@pytest.fixture
def two_nodes(monkeypatch):
    """A cluster of two machines with a core each, both on this one."""
    from ray.cluster_utils import Cluster

    # Short, since sockets lie below it; and apart from any other Ray.
    folder = tempfile.mkdtemp(prefix="hrf-", dir="/tmp")
    monkeypatch.setenv("RAY_TMPDIR", folder)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    os.mkdir(os.path.join(folder, "ray"))
    node = {
        "num_cpus": 1,
        "include_dashboard": False,
        "object_store_memory": 80 * 2**20,
    }
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        yield cluster, cluster.add_node(**node)
    finally:
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_study_survives_a_killed_node(real_study_yaml, start, two_nodes):
    cluster, node = two_nodes
    study = load_study(real_study_yaml)
    raylet = node.all_processes["raylet"][0].process.pid
    process = start("--address", cluster.address)
    try:
        # Both nodes work; then all of one of them dies at once, but for the
        # training itself, which has to notice.
        wait_until(lambda: read_lines(study.folder), process)
        wait_until(
            lambda: trainings(study.folder, descendants(raylet)), process
        )
        family = descendants(raylet)
        orphans = trainings(study.folder, family)
        for pid in [raylet, *(set(family) - set(orphans))]:
            os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: not set(orphans) & set(trainings(study.folder)),
            seconds=30,
        )
        ends(process, real_study_yaml)
    finally:
        process.kill()
        process.wait()
    assert "(raylet)" not in log_of(real_study_yaml)
    assert_each_trial_is_finished_once(real_study_yaml)
