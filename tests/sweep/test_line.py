"""What is read from a recipe's output folder."""

from speechbrain_hrf.sweep.line import _effective_steps, read_curves
from speechbrain_hrf.sweep.provenance import code_version

LOG = """\
epoch: 1, lr: 1.0000e-03 - train loss: 2.1000e+00 - valid WA: 3.0e-01, valid UA: 2.5e-01, valid loss: 2.0e+00
epoch: 2, lr: 1.0000e-03 - train loss: 1.9000e+00 - valid WA: 4.0e-01, valid UA: 3.5e-01, valid loss: 1.9e+00
Epoch loaded: 2 - test WA: 4.1e-01, test UA: 3.6e-01, test loss: 1.8e+00
"""


def test_curves_of_a_run_with_a_validation_set(tmp_path):
    path = tmp_path / "train_log.txt"
    path.write_text(LOG)
    assert read_curves(path) == {
        "epoch": [1, 2],
        "lr": [0.001, 0.001],
        "train_loss": [2.1, 1.9],
        "valid_WA": [0.3, 0.4],
        "valid_UA": [0.25, 0.35],
        "valid_loss": [2.0, 1.9],
    }


def test_an_epoch_that_was_trained_twice_counts_as_the_last(tmp_path):
    first, second, _ = LOG.splitlines(keepends=True)
    again = second.replace("1.9000e+00 -", "1.8000e+00 -")
    path = tmp_path / "train_log.txt"
    path.write_text(first + second + again)
    assert read_curves(path)["train_loss"] == [2.1, 1.8]


def test_a_loss_that_is_no_number_is_none(tmp_path):
    path = tmp_path / "train_log.txt"
    path.write_text(LOG.replace("2.1000e+00", "nan").replace("2.0e+00", "inf"))
    curves = read_curves(path)
    assert curves["train_loss"] == [None, 1.9]
    assert curves["valid_loss"] == [None, 1.9]


def test_a_step_that_was_noted_twice_counts_as_the_last():
    lines = [
        {"step": step, "seconds": None, "layers": {"a.weight": [length, 1.0]}}
        for step, length in ((1, 0.5), (20, 0.4), (20, 0.3), (40, 0.2))
    ]
    steps = _effective_steps(lines)
    assert steps["step"] == [1, 20, 40]
    assert steps["layers"]["a"]["length"] == [0.5, 0.3, 0.2]
    assert _effective_steps([]) is None


def test_the_commit_of_a_checkout_is_told():
    commit, dirty = code_version()
    assert (commit is None) == (dirty is None)
    assert commit is None or len(commit) == 40
