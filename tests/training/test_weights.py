"""Class weights: none, balanced, by hand, and what is refused."""

import json

import pytest
import torch

from speechbrain_hrf.training import class_weights

LABELS = ["no", "yes"]


@pytest.fixture()
def manifest(tmp_path):
    """Six utterances of one class and two of the other."""
    path = tmp_path / "train.json"
    entries = {str(k): {"state": LABELS[k > 5]} for k in range(8)}
    path.write_text(json.dumps(entries))
    return path


def test_balanced_weights_make_the_classes_count_alike(manifest):
    weights = class_weights(manifest, LABELS, "balanced", "state")
    assert torch.allclose(weights, torch.tensor([8 / 12, 8 / 4]))
    assert float(6 * weights[0] + 2 * weights[1]) == pytest.approx(8)


def test_none_and_a_list(manifest):
    assert class_weights(manifest, LABELS) is None
    assert class_weights(manifest, LABELS, [1, 2.5]).tolist() == [1, 2.5]


@pytest.mark.parametrize(
    "option",
    [
        "balance",
        [1],
        [1, 0],
        [1, -2],
        [1, "2"],
        [1, float("nan")],
        [1, float("inf")],
        2,
    ],
)
def test_other_options_are_refused(manifest, option):
    with pytest.raises(ValueError, match=r"class_weights is .*\(no, yes\)"):
        class_weights(manifest, LABELS, option)


def test_balanced_needs_every_class(manifest):
    with pytest.raises(ValueError, match="has no perhaps"):
        class_weights(manifest, [*LABELS, "perhaps"], "balanced", "state")
