"""The confusion matrix as a picture is whole."""

import pytest
from matplotlib.image import imread

from speechbrain_hrf.training.confusion import draw_confusion


@pytest.mark.parametrize("n", [2, 3, 8])
def test_nothing_reaches_the_edge(tmp_path, n):
    confusion = [
        [10 * (row == column) for row in range(n)] for column in range(n)
    ]
    title = (
        "DAIC-WOZ-synthetic, per participant\n"
        "WA .667, UA .667, WF1 .667, MF1 .667"
    )
    path = tmp_path / "confusion.png"
    draw_confusion(confusion, list("abcdefgh")[:n], title, path)
    picture = imread(path)[..., :3]
    for edge in picture[0], picture[-1], picture[:, 0], picture[:, -1]:
        assert (edge == 1).all()
    assert (picture < 0.5).any()
