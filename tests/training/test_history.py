"""A run's epochs as lines, whatever has interrupted them."""

import pytest

from speechbrain_hrf.training.history import HISTORY, append_epoch, read_history


def test_an_epoch_that_was_trained_again_counts_as_trained_last(tmp_path):
    for epoch, loss in ((1, 2.0), (2, 1.9), (2, 1.8), (3, 1.7)):
        append_epoch(tmp_path, epoch, 0.001, loss)
    assert [line["train_loss"] for line in read_history(tmp_path)] == [
        2.0,
        1.8,
        1.7,
    ]


def test_a_torn_last_line_is_left_out_and_cut_off(tmp_path):
    append_epoch(tmp_path, 1, 0.001, 2.0)
    with open(tmp_path / HISTORY, "a") as stream:
        stream.write('{"epoch": 2, "lr"')
    assert [line["epoch"] for line in read_history(tmp_path)] == [1]
    append_epoch(tmp_path, 2, 0.001, 1.9)
    assert [line["epoch"] for line in read_history(tmp_path)] == [1, 2]


@pytest.mark.parametrize(
    "line, said",
    [
        ('{"lr": 0.1, "train_loss": 1}', "has no 'epoch'"),
        ('{"epoch": "1", "lr": 0.1, "train_loss": 1}', "epoch cannot be '1'"),
        ('{"epoch": 1.0, "lr": 0.1, "train_loss": 1}', "epoch cannot be 1.0"),
        ('{"epoch": 0, "lr": 0.1, "train_loss": 1}', "epoch cannot be 0"),
        ('{"epoch": 1, "lr": [], "train_loss": 1}', "lr cannot be"),
        (
            '{"epoch": 1, "lr": 1, "train_loss": NaN}',
            "train_loss cannot be nan",
        ),
        ("[1]", "is no JSON object"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, said):
    append_epoch(tmp_path, 1, 0.001, float("nan"))
    with open(tmp_path / HISTORY, "a") as stream:
        stream.write(f"{line}\n")
    said = rf"history.jsonl, line 2(:| ).*{said}.*Remove that line"
    with pytest.raises(ValueError, match=said):
        read_history(tmp_path)
