"""The model card, for people and for the Hugging Face Hub.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest
from huggingface_hub import ModelCard

from speechbrain_hrf.export.card import Facts, model_card

FACTS = Facts(
    model="Conformer",
    labels=["neutral", "sad"],
    sample_rate=16000,
    trained_parameters=300,
    merged_parameters=200,
    hrf={"modules": ["FFN_M1", "CLS"], "ratio": 8},
    checkpoint="CKPT+1",
    max_difference=1.2e-7,
    audio="4 recordings of the test set",
    load="first line\nsecond line",
    load_standalone="standalone lines",
)
METRICS = {
    "dataset": "IEMOCAP",
    "synthetic": False,
    "protocol": "paper",
    "split": "session 5",
    "labels": ["neutral", "sad"],
    "epoch": 120,
    "seed": 1234,
    "n_test": 10,
    "WA": 0.61234,
    "UA": 0.6,
    "WF1": 0.59,
    "confusion": [[4, 1], [2, 3]],
    "params_lightweight": 200,
    "licence": "IEMOCAP: licensed by USC, no redistribution",
}


def test_everything_that_is_known():
    """Dataset, split, metrics, confusion, sizes, labels, loading, licence."""
    card = model_card(FACTS, METRICS)
    for line in (
        "# Conformer trained on IEMOCAP",
        "first line\nsecond line",
        "standalone lines",
        "| Protocol | paper |",
        "| Split | session 5 |",
        "| WA (accuracy) | 0.6123 |",
        "| UA (mean recall) | 0.6000 |",
        "| WF1 (class-weighted F1) | 0.5900 |",
        "| Test utterances | 10 |",
        "|  | neutral | sad |",
        "| **sad** | 2 | 3 |",
        "| In training | 300 |",
        "| Merged (this folder) | 200 |",
        "modules: FFN_M1, CLS; ratio: 8",
        "within 1.2e-07",
        "IEMOCAP: licensed by USC, no redistribution",
    ):
        assert line in card
    assert "ynthetic" not in card
    assert "savedir" in card  # the trap is explained


def test_it_says_which_form_of_hrf_it_was():
    plain = model_card(FACTS, METRICS)
    assert "with HRF (high-rank factorization) without normalisation" in plain
    hrf = {**FACTS.hrf, "inner_norm": True}
    normalised = model_card(FACTS._replace(hrf=hrf), METRICS)
    assert "Trained with normalised HRF" in normalised
    assert "inner_norm: True" in normalised


def test_the_hub_reads_it():
    """The metadata parses, scores included."""
    data = ModelCard(model_card(FACTS, METRICS)).data
    assert data.library_name == "speechbrain"
    assert data.pipeline_tag == "audio-classification"
    assert data.license == "other"
    assert data.license_name == "iemocap-licensed-by-usc-no-redistribution"
    assert "high-rank-factorization" in data.tags
    scores = {result.metric_type: result for result in data.eval_results}
    assert scores["accuracy"].metric_value == 0.6123
    assert scores["accuracy"].dataset_name == "IEMOCAP"
    assert scores["accuracy"].dataset_split == "session 5"


@pytest.mark.parametrize(
    "licence, identifier",
    [
        ("CC BY-NC-SA 4.0", "cc-by-nc-sa-4.0"),
        ("RAVDESS: CC BY-NC-SA 4.0 (zenodo.org)", "cc-by-nc-sa-4.0"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("CC0 1.0", "cc0-1.0"),
        ("ask us", "other"),
        (None, "other"),
    ],
)
def test_licence(licence, identifier):
    """A licence that the Hub knows gets the Hub's identifier."""
    card = model_card(FACTS, dict(METRICS, licence=licence))
    assert ModelCard(card).data.license == identifier
    assert (licence or "Not stated") in card


def test_synthetic():
    """It says so on top, and no figure reaches a leaderboard."""
    card = model_card(FACTS, dict(METRICS, synthetic=True))
    assert card.index("Trained on synthetic signals") < card.index("## How")
    assert "mean nothing" in card
    assert "USC" not in card and "no corpus's licence applies" in card
    data = ModelCard(card).data
    assert "synthetic-data" in data.tags
    assert data.eval_results is None


def test_nothing_is_known():
    """Every missing figure is said to be missing."""
    card = model_card(FACTS._replace(hrf={}, load_standalone=""), {})
    assert card.count("not evaluated") == 4
    assert "| Split | unknown |" in card
    assert "Confusion" not in card
    assert "foreign_class" not in card and "plugin" not in card
    assert "without high-rank factorization" in card
    data = ModelCard(card).data
    assert data.eval_results is None
    assert "high-rank-factorization" not in data.tags


def test_odd_labels_do_not_break_the_table():
    """A bar in a label is no column."""
    card = model_card(FACTS, dict(METRICS, labels=["a|b", "c"]))
    assert r"|  | a\|b | c |" in card


def test_another_task_and_its_caution():
    """A recipe that recognises something else says so, and warns."""
    clinical = {
        **METRICS,
        "task": "Depression detection",
        "caution": "No diagnosis.",
        "corrections": ["drop_sync_rows"],
    }
    card = model_card(FACTS, clinical)
    data = ModelCard(card).data
    assert "depression-detection" in data.tags
    assert {r.task_name for r in data.eval_results} == {"Depression detection"}
    assert "> No diagnosis." in card
    assert "| Corrections of the corpus | drop_sync_rows |" in card
    assert "emotion" not in card.lower()
    plain = model_card(FACTS, METRICS)
    assert "Corrections" not in plain
    assert "speech-emotion-recognition" in ModelCard(plain).data.tags
