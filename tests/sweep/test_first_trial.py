"""One trial of a fold computes its features, the others use them.

Authors
 * The speechbrain_hrf authors 2026
"""

import concurrent.futures
import threading
import time

import pytest

from speechbrain_hrf.sweep.first_trial import HAS_FEATURES, in_turn


class Trials:
    """Trials that note when they start, and go on when they are told to."""

    def __init__(self, folder):
        self.folder = folder
        self.started = []
        self.events = {}

    def run(self, name, fold, fails=False):
        output_folder = self.folder / "runs" / name
        with in_turn(self.folder / "folds", fold, output_folder):
            self.started.append(name)
            assert self.events.setdefault(name, threading.Event()).wait(60)
            if fails:
                raise ValueError(name)

    def end(self, name):
        self.events.setdefault(name, threading.Event()).set()

    def has_features(self, name):
        mark = self.folder / "runs" / name / HAS_FEATURES
        mark.parent.mkdir(parents=True)
        mark.touch()


@pytest.fixture
def trials(tmp_path):
    return Trials(tmp_path)


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        yield pool


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_others_of_a_fold_wait_for_features_and_no_longer(trials, pool):
    futures = [pool.submit(trials.run, "first", 1)]
    wait_for(lambda: trials.started == ["first"])
    futures += [pool.submit(trials.run, name, 1) for name in ("a", "b")]
    futures.append(pool.submit(trials.run, "other fold", 2))
    wait_for(lambda: len(trials.started) == 2)
    time.sleep(1)  # twice as long as they look away
    assert trials.started == ["first", "other fold"]
    trials.has_features("first")
    wait_for(lambda: len(trials.started) == 4)  # though it runs on
    for name in ("first", "a", "b", "other fold"):
        trials.end(name)
    assert [future.result() for future in futures] == [None] * 4
    # Later ones never wait.
    trials.end("late")
    trials.run("late", 1)


def test_a_first_trial_that_fails_lets_the_next_one_try(trials, pool):
    failing = pool.submit(trials.run, "first", 1, fails=True)
    wait_for(lambda: trials.started == ["first"])
    futures = [pool.submit(trials.run, name, 1) for name in ("a", "b")]
    trials.end("first")
    with pytest.raises(ValueError, match="first"):
        failing.result()
    wait_for(lambda: len(trials.started) == 2)
    time.sleep(1)
    assert len(trials.started) == 2  # one of both, and the other waits
    trials.has_features(trials.started[1])
    wait_for(lambda: len(trials.started) == 3)
    for name in ("a", "b"):
        trials.end(name)
    assert [future.result() for future in futures] == [None] * 2
