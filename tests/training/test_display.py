"""Scores as text and as a picture."""

import pytest
from matplotlib.image import imread

from speechbrain_hrf.training.display import (
    confusion_figure,
    confusion_text,
    report_text,
)

LABELS = ["neu", "hap", "sad"]


def test_confusion_text_lines_up():
    lines = confusion_text([[100, 1, 0], [0, 5, 0], [0, 0, 9]], LABELS)
    assert len({len(line) for line in lines.splitlines()}) == 1


@pytest.mark.parametrize("labels", [LABELS[:2], LABELS, list("abcdefgh")])
def test_confusion_picture_is_whole(tmp_path, labels):
    """Nothing, such as a long title, reaches the edge of the picture."""
    n = len(labels)
    confusion = [
        [10 * (row == column) for row in range(n)] for column in range(n)
    ]
    title = "DAIC-WOZ-synthetic, per participant\nWA 0.667, UA 0.667"
    path = tmp_path / "confusion.png"
    confusion_figure(confusion, labels, title, path)
    picture = imread(path)[..., :3]
    for edge in picture[0], picture[-1], picture[:, 0], picture[:, -1]:
        assert (edge == 1).all()
    assert (picture < 0.5).any()


def test_report_text_lines_up():
    row = {"precision": 1.0, "recall": 0.25, "F1": 0.4, "n": 4}
    lines = report_text({"neutral": row, "sad": {**row, "n": 1234}})
    assert len({len(line) for line in lines.splitlines()}) == 1
    assert "1234" in lines
