"""An arm's trials trained together leave what they would leave alone.

Real recipes on the stand-in corpus, on the CPU.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest

from speechbrain_hrf.studies.groups import run_group
from speechbrain_hrf.studies.lines import read_lines, read_test_sets
from speechbrain_hrf.studies.run import TrialFailed, run_trial
from speechbrain_hrf.studies.study import load_study

pytestmark = pytest.mark.slow
MORE = """
modules: [FFN2]
folds: [1, 2]
seeds: [1]
score_at: [1]
overrides: {protocol: held_out, number_of_epochs: 2}
"""


def test_lines_are_those_of_trials_by_themselves(real_study_yaml, tmp_path):
    together = load_study(real_study_yaml, MORE)
    run_group(together.trials, together, device="cpu")
    alone = load_study(
        real_study_yaml, f"{MORE}output_folder: {tmp_path}/alone"
    )
    for trial in alone.trials:
        run_trial(trial, alone)
    assert read_test_sets(alone.folder) == read_test_sets(together.folder)
    expected = {line["id"]: line for line in read_lines(alone.folder)}
    found = {line["id"]: line for line in read_lines(together.folder)}
    assert found.keys() == expected.keys() and len(found) == 2
    for name, line in found.items():
        other = expected[name]
        assert (line["engine"], other["engine"]) == ("ensemble", "processes")
        assert (line["together"], "together" in other) == (2, False)
        for key in ("test_set", "epoch", "options", "params", "rates"):
            assert line[key] == other[key]
        assert line["test_at"].keys() == other["test_at"].keys() == {"1"}
        losses = other["curves"]["train_loss"]
        assert line["curves"]["train_loss"] == pytest.approx(losses, abs=0.01)
        assert line["test"]["UA"] == pytest.approx(other["test"]["UA"], abs=0.1)
    # One that has ended stays ended; nothing is added.
    lines = (together.folder / "trials.jsonl").read_text()
    run_group(together.trials[:1], together, device="cpu")
    assert (together.folder / "trials.jsonl").read_text() == lines


def test_one_that_diverges_ends_alone(real_study_yaml):
    study = load_study(
        real_study_yaml, f"{MORE}learning_rates: [0.001, 1.0e+30]"
    )
    with pytest.raises(TrialFailed, match="not finite"):
        run_group(study.trials, study, device="cpu")
    assert [line["lr"] for line in read_lines(study.folder)] == [0.001, 0.001]
