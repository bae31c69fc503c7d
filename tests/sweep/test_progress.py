"""Counts, rows and the time to go, by hand.

Authors
 * The speechbrain_hrf authors 2026
"""

import itertools

import pytest

from speechbrain_hrf.sweep.progress import Progress
from speechbrain_hrf.sweep.table import as_table
from speechbrain_hrf.sweep.trial import Trial


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def trials_of(models, **options):
    """A trial per model, seed and given options."""
    return [
        Trial(
            "X",
            model,
            "FFN2",
            {"seed": seed, **dict(zip(options, values, strict=True))},
            "UA",
        )
        for model, seed, values in itertools.product(
            models, (1, 2), list(itertools.product(*options.values()))
        )
    ]


def test_states_add_up():
    trials = trials_of(["a", "b"])
    progress = Progress(trials, [], "UA", 2, {"seed"})
    for trial in trials[:3]:
        progress.started(trial.id)
    progress.finished(trials[0].id, 0.5, 10)
    progress.failed(trials[1].id, "why")
    expected = {"done": 1, "running": 1, "waiting": 1, "failed": 1}
    assert progress.counts() == expected
    assert progress.failures == {trials[1]: "why"}
    progress.stopped(trials[2].id)
    assert progress.counts()["waiting"] == 2


def test_time_to_go_knows_models_and_places():
    """Finished: a in 10 s. Left: a (5 s of it spent), two of b at 30 s."""
    clock = Clock()
    trials = trials_of(["a", "b"])
    progress = Progress(trials, [], "UA", 2, {"seed"}, now=clock)
    assert progress.seconds_to_go() is None
    progress.finished(trials[0].id, None, 10)
    assert progress.seconds_to_go() == 15  # three of 10 s on two places
    line = {"id": trials[2].id, "valid": None, "seconds": {"total": 30}}
    progress = Progress(trials, [line], "UA", 2, {"seed"}, now=clock)
    progress.finished(trials[0].id, None, 10)
    progress.started(trials[1].id)
    clock.now = 5
    assert progress.seconds_to_go() == 30  # the longest one, not 35 / 2
    progress.places = 1
    assert progress.seconds_to_go() == 35


def test_only_what_is_to_be_run_now_counts_as_waiting():
    trials = trials_of(["a", "b"])
    line = {"id": trials[0].id, "valid": {"UA": 0.4}, "seconds": {"total": 8}}
    unknown = {"id": "another study's", "valid": None, "seconds": {}}
    progress = Progress(trials, [line, unknown], "UA", 1, {"seed"}, to_run=1)
    assert progress.counts()["done"] == 1
    assert progress.counts()["waiting"] == 1
    assert progress.seconds_to_go() == 8
    progress.finished(trials[1].id, 0.5, 8)
    assert progress.counts()["waiting"] == 0


@pytest.mark.parametrize(
    "options, told",
    [
        ({"lr": [0.1]}, {""}),
        ({"lr": [0.1, 0.2]}, {"lr 0.1", "lr 0.2"}),
        ({"hrf_ratio": [2, 8]}, {"ratio 2", "ratio 8"}),
        (
            {"activation": ["!name:torch.nn.ReLU", "!name:torch.nn.GELU"]},
            {"activation ReLU", "activation GELU"},
        ),
    ],
)
def test_rows_tell_what_differs_and_nothing_else(options, told):
    progress = Progress(trials_of(["a"], **options), [], "UA", 1, {"seed"})
    assert {row.name[2] for row in progress.rows()} == told
    assert {row.total for row in progress.rows()} == {2}
    assert ("options" in as_table(progress)) == (told != {""})


def test_a_single_score_has_no_deviation():
    trials = trials_of(["a"])
    progress = Progress(trials, [], "UA", 1, {"seed"})
    progress.finished(trials[0].id, 0.5, 1)
    assert as_table(progress).splitlines()[-1].endswith("1/2   .500")
    progress.finished(trials[1].id, 0.7, 1)
    assert as_table(progress).splitlines()[-1].endswith("2/2   .600 ± .141")
