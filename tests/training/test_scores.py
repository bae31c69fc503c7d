"""Scores against numbers worked out by hand."""

import pytest
import torch

from speechbrain_hrf.training.scores import SCORES, EmotionScores

LABELS = ["neu", "hap", "sad"]


def scores_of(references, predictions, labels=LABELS):
    scores = EmotionScores(labels)
    log_probabilities = torch.full((len(references), 1, len(labels)), -9.0)
    for row, found in enumerate(predictions):
        log_probabilities[row, 0, found] = -0.1
    scores.append(
        [str(k) for k in range(len(references))],
        log_probabilities,
        torch.tensor(references).unsqueeze(1),
    )
    return scores.summarize()


@pytest.mark.filterwarnings("error")  # of what is divided by zero
def test_by_hand():
    # neu: 3 of 4 found; hap: 1 of 2; sad: 0 of 1.
    summary = scores_of([0, 0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 1, 0, 0])
    assert summary["WA"] == pytest.approx(4 / 7)
    assert summary["UA"] == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    # F1: neu 2*3/(5+4) = 2/3, hap 2*1/(2+2) = 1/2, sad 0
    assert summary["WF1"] == pytest.approx((4 * 2 / 3 + 2 * 1 / 2) / 7)
    assert summary["MF1"] == pytest.approx((2 / 3 + 1 / 2) / 3)
    assert summary["confusion"] == [[3, 1, 0], [1, 1, 0], [1, 0, 0]]
    assert summary["n"] == 7
    assert summary["predicted"]["3"] == "hap"
    assert SCORES == ("WA", "UA", "WF1", "MF1")  # as tables show them


@pytest.mark.filterwarnings("error")
def test_a_class_that_does_not_occur_has_no_recall():
    summary = scores_of([0, 0], [0, 0])
    assert summary["UA"] == 1.0
    assert summary["MF1"] == pytest.approx(1 / 3)
    assert summary["confusion"] == [[2, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_plain_numbers_for_checkpoints():
    summary = scores_of([0, 1], [0, 0])
    assert {type(summary[key]) for key in ("WA", "UA", "WF1", "MF1")} == {float}
    assert type(summary["confusion"][0][0]) is int
    assert type(summary["per_class"]["neu"]["n"]) is int


def test_batches_add_up():
    whole, parts = EmotionScores(LABELS), EmotionScores(LABELS)
    outputs = torch.randn(10, 1, 3)
    references = torch.randint(3, (10, 1))
    ids = [str(k) for k in range(10)]
    whole.append(ids, outputs, references)
    parts.append(ids[:3], outputs[:3], references[:3])
    parts.append(ids[3:], outputs[3:], references[3:])
    assert whole.summarize() == parts.summarize()


def test_nothing_to_score():
    with pytest.raises(ValueError, match="the set is empty"):
        EmotionScores(LABELS).summarize()


def test_each_class_by_hand():
    summary = scores_of([0, 0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 1, 0, 0])
    assert summary["per_class"] == {
        "neu": {"precision": 3 / 5, "recall": 3 / 4, "F1": 2 / 3, "n": 4},
        "hap": {"precision": 1 / 2, "recall": 1 / 2, "F1": 1 / 2, "n": 2},
        "sad": {"precision": 0.0, "recall": 0.0, "F1": 0.0, "n": 1},
    }


def clips(log_probabilities, references):
    scores = EmotionScores(["no", "yes"])
    ids = [f"{person}{k}" for k, person in enumerate("aabbb")]
    scores.append(
        ids,
        torch.tensor(log_probabilities).unsqueeze(1),
        torch.tensor(references).unsqueeze(1),
    )
    return scores, {name: name[0] for name in ids}


def test_groups_are_judged_by_the_mean_of_log_posteriors():
    """Not by a vote: one sure clip of b outweighs two doubtful ones."""
    scores, group_of = clips(
        [[-0.7, -0.6], [-0.1, -9.0], [-0.7, -0.6], [-0.7, -0.6], [-0.1, -9.0]],
        [0, 0, 1, 1, 1],
    )
    assert scores.predictions == [1, 0, 1, 1, 0]
    people = scores.pooled(group_of)
    assert (people.ids, people.references) == (["a", "b"], [0, 1])
    assert people.predictions == [0, 0]
    assert people.log_probabilities[0] == pytest.approx([-0.4, -4.8])
    assert people.log_probabilities[0].shape == (2,)
    assert people.summarize()["confusion"] == [[1, 0], [1, 0]]
    assert people.summarize()["n"] == 2


def test_a_group_has_one_true_class():
    scores, group_of = clips([[-0.1, -2.0]] * 5, [0, 1, 1, 1, 1])
    with pytest.raises(ValueError, match="of a have different true classes"):
        scores.pooled(group_of)
