"""What every preparer promises, tried on each recipe's stand-in corpus.

Nothing depends on the seed or on the order in which folders are read, changed
options are noticed, and a preparation that is killed at any moment is done
again as if it had never begun.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import random

import pytest
from preparers import load_preparer

from speechbrain_hrf.dataio.synthetic import make_corpus

# Corpus: one option changed.
CHANGES = {
    "IEMOCAP": {"protocol": "held_out"},
    "M3ED": {"max_unusable": 0.5},
    "DAIC-WOZ": {"protocol": "held_out"},
    "RAVDESS": {"fold": 2},
    "nEMO": {"fold": 2},
}
KILLED = 137


def preparer(corpus):
    """The prepare function of a recipe."""
    module = load_preparer(corpus)
    return getattr(module, f"prepare_{corpus.lower().replace('-', '_')}")


@pytest.fixture(scope="module", params=CHANGES)
def case(request, tmp_path_factory):
    """(corpus, its prepare function, its stand-in)."""
    data = make_corpus(request.param, tmp_path_factory.getbasetemp())
    return request.param, preparer(request.param), str(data)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_neither_seed_nor_order_matters(case, tmp_path, monkeypatch):
    """The same bytes when the system lists folders in another order."""
    _, prepare, data = case
    random.seed(1)
    prepare(data, str(tmp_path / "a"))
    listdir, scandir = os.listdir, os.scandir

    class Shuffled(list):
        """A listing as scandir gives it."""

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def __next__(self):
            if not self:
                raise StopIteration
            return self.pop()

        def __iter__(self):
            return self

        def close(self):
            self.clear()

    def shuffled(entries):
        entries = sorted(entries, key=str)
        random.shuffle(entries)
        return Shuffled(entries)

    random.seed(2)
    monkeypatch.setattr(os, "listdir", lambda *a: list(shuffled(listdir(*a))))
    monkeypatch.setattr(os, "scandir", lambda *a: shuffled(scandir(*a)))
    prepare(data, str(tmp_path / "b"))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_changed_options_are_noticed(case, tmp_path):
    """Manifests of other options are never reused, the same ones are."""
    corpus, prepare, data = case
    folder = tmp_path / "manifests"
    prepare(data, str(folder))
    first = contents(folder)
    written = (folder / "train.json").stat().st_mtime_ns
    prepare(data, str(folder))
    assert (folder / "train.json").stat().st_mtime_ns == written
    prepare(data, str(folder), **CHANGES[corpus])
    assert contents(folder) != first
    prepare(data, str(folder))
    assert contents(folder) == first


def test_killed_at_any_moment(case, tmp_path):
    """A child process is killed before each change that it makes on disk."""
    _, prepare, data = case
    prepare(data, str(tmp_path / "whole"))
    expected = contents(tmp_path / "whole")
    for step in range(100):
        folder = tmp_path / str(step)
        if _run_and_kill(step, prepare, data, folder) != KILLED:
            break
        prepare(data, str(folder))  # as the next start of the recipe does
        found = contents(folder)
        assert {name: found[name] for name in expected} == expected
    assert 5 < step < 99, "the kills did not reach from start to end"
    assert contents(folder) == expected


def _run_and_kill(step, prepare, data, folder):
    """Forks; the child dies at its step-th change, without any clean-up."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    remaining = step

    def deadly(function):
        def wrapped(*args, **kwargs):
            nonlocal remaining
            remaining -= 1
            if remaining < 0:
                os._exit(KILLED)
            return function(*args, **kwargs)

        return wrapped

    try:
        for name in ("replace", "remove", "makedirs", "mkdir"):
            setattr(os, name, deadly(getattr(os, name)))
        prepare(data, str(folder))
    except BaseException:
        os._exit(1)
    os._exit(0)
