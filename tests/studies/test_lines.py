"""What is read from a recipe's output folder."""

from speechbrain_hrf.studies.line import _curves, _rates, _shape
from speechbrain_hrf.studies.provenance import code_version


def history(epochs, **more):
    return [
        {"epoch": e, "lr": 0.1 if e < 50 else 0.05, "train_loss": 1 / e, **more}
        for e in range(1, epochs + 1)
    ]


def test_a_curve_keeps_its_first_and_its_last_epoch():
    curves = _curves(history(120, valid_UA=0.51234))
    assert curves["epoch"][0] == 1 and curves["epoch"][-1] == 120
    assert len(curves["epoch"]) == 25
    assert curves["epoch"][1:3] == [5, 10]
    assert curves["train_loss"][-1] == 0.00833
    assert set(curves["valid_UA"]) == {0.512}
    assert "lr" not in curves
    assert _curves(history(3))["epoch"] == [1, 2, 3]
    assert _curves([]) == {"epoch": []}


def test_rates_are_kept_where_they_change():
    assert _rates(history(60)) == [[1, 0.1], [50, 0.05]]


def test_a_shape_is_relative_to_the_largest_value():
    assert _shape([4.0, 2.0, 1.0]) == [1.0, 0.5, 0.25]
    assert _shape([2.0] * 80) == [1.0] * 9


def test_the_commit_of_a_checkout_is_told():
    commit, dirty = code_version()
    assert (commit is None) == (dirty is None)
    assert commit is None or len(commit) == 40
