"""Scores as text and as a picture."""

from speechbrain_hrf.metrics import (
    confusion_figure,
    confusion_text,
    report_text,
)

LABELS = ["neu", "hap", "sad"]


def test_confusion_text_lines_up():
    lines = confusion_text([[100, 1, 0], [0, 5, 0], [0, 0, 9]], LABELS)
    assert len({len(line) for line in lines.splitlines()}) == 1


def test_confusion_picture_is_a_picture(tmp_path):
    path = tmp_path / "confusion.png"
    confusion_figure([[3, 1, 0], [1, 1, 0], [0, 0, 0]], LABELS, "demo", path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 5000


def test_report_text_lines_up():
    row = {"precision": 1.0, "recall": 0.25, "F1": 0.4, "n": 4}
    lines = report_text({"neutral": row, "sad": {**row, "n": 1234}})
    assert len({len(line) for line in lines.splitlines()}) == 1
    assert "1234" in lines
