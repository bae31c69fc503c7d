"""What the screen says of trials that have ended.

Authors
 * The speechbrain_hrf authors 2026
"""

import io

from speechbrain_hrf.studies.lines import add_trial
from speechbrain_hrf.studies.screen import show_progress


def shown(study, reason):
    screen = io.StringIO()
    with show_progress(study, screen) as show:
        show(study.trials, reason)
    return screen.getvalue().splitlines()[0]


def test_what_becomes_of_a_trial_is_told_by_its_line(demo_study):
    label = "conformer ALL, lr 0.001, seed 1"
    demo_study.folder.mkdir()
    assert (
        shown(demo_study, "x\nfull") == f"0 of 1 trial: {label}: failed: full"
    )
    # A network file system shows a new line late.
    assert shown(demo_study, None) == f"0 of 1 trial: {label}: done"
    line = {"id": demo_study.trials[0].id, "valid": {"UA": 0.5}}
    add_trial(demo_study.folder, line, {"id": "test"})
    for reason in (None, "the worker was lost"):
        assert (
            shown(demo_study, reason) == f"1 of 1 trial: {label}: valid UA .500"
        )
