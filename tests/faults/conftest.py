"""All tests here are slow; what they have tried is counted, for docs/faults.md.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import json
import os
import pathlib

import pytest
import runs
import tally

HERE = pathlib.Path(__file__).parent
# Commands, not tests; nobody imports them.
collect_ignore = [
    *("fuzz.py", "reading.py", "study_without_ray.py", "trial.py"),
    "conftest.py",  # of several in one process doctests find but one
]


def pytest_collection_modifyitems(items):
    """Marks all tests of this folder, and no others."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def forks(tmp_path_factory):
    """Runs commands in forks of a process that has imported PyTorch."""
    started = runs.Forks(tmp_path_factory.mktemp("forks"))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def shared(forks):
    """A stand-in corpus and its features, for all that do not make them."""
    from speechbrain_hrf.dataio.synthetic import make_corpus

    folder = forks.folder / "shared"
    return make_corpus("RAVDESS", folder / "corpus"), folder / "features"


@pytest.fixture(scope="session")
def undisturbed(forks, shared):
    """A run to which nothing happens: its folder, and what it wrote when.

    Takes "own corpus", "own features" or "shared", for what it makes itself.
    """
    made = {}

    def get(own):
        if own not in made:
            folder = forks.folder / f"undisturbed {own}"
            folder.mkdir()
            record = forks.folder / f"{own}.txt"
            fault = {"record": str(record), "under": f"{folder}/"}
            argv = runs.training(folder, shared, own)
            status, said = forks(argv, forks.folder / "log.txt", fault)
            assert status == 0, said[-3000:]
            made[own] = folder, record.read_text().splitlines()
        return made[own]

    return get


@pytest.fixture
def count(record_property):
    """Counts what was tried: ``count(part, tried=1, lost=0)``.

    Lost is what came out wrong; the table shows the sum over all tests.
    """

    def add(part, **numbers):
        record_property("faults", json.dumps([part, numbers]))

    return add


def pytest_terminal_summary(terminalreporter):
    """Prints the table, and writes it where HRF_FAULTS_TABLE says."""
    found = collections.defaultdict(collections.Counter)
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "faults" and report.when == "call":
                    part, numbers = json.loads(value)
                    found[part].update(numbers)
    if found:
        terminalreporter.section("faults and malformed input")
        terminalreporter.write_line(tally.table(found))
        if place := os.environ.get("HRF_FAULTS_TABLE"):
            tally.write(pathlib.Path(place), found)
