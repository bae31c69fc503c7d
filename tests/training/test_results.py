"""What a run writes about itself, with and without participants."""

import json

import pytest

from speechbrain_hrf.export.card import Facts, model_card
from speechbrain_hrf.training import results_text, write_results
from speechbrain_hrf.training.summary import summary_table


def scores(value, n):
    row = {"precision": value, "recall": value, "F1": value, "n": n // 2}
    return {
        **dict.fromkeys(("WA", "UA", "WF1", "MF1"), value),
        "confusion": [[n, 0], [0, n]],
        "per_class": {"no": row, "yes": row},
    }


@pytest.fixture()
def results():
    """Of a corpus whose clips belong to participants."""
    return {
        "dataset": "demo",
        "labels": ["no", "yes"],
        "split": "dev",
        "seed": 1,
        **scores(0.25, 8),
        "n_test": 16,
        "hrf_modules": [],
        "params_training": 9,
        "params_merged": 9,
        "params_lightweight": 9,
        "max_merge_difference": 0.0,
        "per_participant": {**scores(0.75, 2), "n": 4},
    }


def test_both_confusions_are_written(results, tmp_path):
    write_results(tmp_path, results)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "confusion_matrix.png",
        "confusion_matrix_participants.png",
        "test_metrics.json",
    ]
    assert json.loads((tmp_path / "test_metrics.json").read_text()) == results


def test_both_levels_are_shown(results):
    text = results_text(results)
    assert "Test set (dev), merged model: WA 0.2500" in text
    assert "MF1 0.2500 (16 utterances)" in text
    assert "MF1 0.7500 (4 participants)" in text
    assert text.count("true \\ found") == 2
    del results["per_participant"]
    assert "articipant" not in results_text(results)


def test_the_card_has_both_levels(results):
    facts = Facts("M", ["no", "yes"], 16000, 9, 9, {}, "C", 0.0, "-", "", "")
    card = model_card(facts, results)
    assert "| MF1 (macro F1) | 0.2500 |" in card
    assert "| MF1 (macro F1), per participant | 0.7500 |" in card
    assert "### Confusion matrix per participant" in card
    del results["per_participant"]
    assert "articipant" not in model_card(facts, results)


def test_the_summary_has_both_levels(results, tmp_path):
    for seed in 1, 2:
        folder = tmp_path / "arm" / str(seed)
        folder.mkdir(parents=True)
        write_results(folder, {**results, "seed": seed})
    head, _, row = summary_table(tmp_path).splitlines()
    assert "MF1 | MF1 per participant |" in head
    assert "| .250 ± .000 | .750 ± .000 |" in row
