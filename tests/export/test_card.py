"""The model card says what is known, to people and to the Hugging Face Hub.

Authors
 * The speechbrain_hrf authors 2026
"""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from speechbrain_hrf.export.card import model_card
from speechbrain_hrf.export.report import ExportReport
from speechbrain_hrf.results import RunResults

REPORT = ExportReport(
    folder=Path("/home/me/model"),
    checkpoint=Path("/home/me/save/CKPT+1"),
    model="Conformer",
    labels=["neutral", "sad"],
    sample_rate=16000,
    trained_parameters=300,
    merged_parameters=200,
    hrf={"modules": ["FFN_M1", "CLS"], "ratio": 8},
    max_difference=1.2e-7,
    audio="4 recordings of the test set",
    module="hrf_conformer_01234567",
)
RESULTS = RunResults(
    dataset="IEMOCAP",
    protocol="paper",
    split="session 5",
    labels=["neutral", "sad"],
    epoch=120,
    seed=1234,
    n_test=10,
    WA=0.61234,
    UA=0.6,
    WF1=0.59,
    confusion=[[4, 1], [2, 3]],
    params_lightweight=190,
    licence="IEMOCAP: licensed by USC, no redistribution",
)


def card_of(report=REPORT, **changes):
    """The card, its columns not aligned."""
    card = model_card(report, replace(RESULTS, **changes))
    return re.sub(r"(?<=\S) +", " ", card)


def test_everything_that_is_known():
    """Dataset, split, scores, confusion, sizes, labels, loading, licence."""
    card = card_of()
    for text in (
        "# Conformer trained on IEMOCAP\n",
        "2 labels out (neutral, sad)",
        'from_hparams(source="path/to/this/folder")\n',
        'pymodule_file="hrf_conformer_01234567.py"',
        "Give no `savedir`",
        "| Protocol | paper |",
        "| Split | session 5 |",
        "| WA (accuracy) | .612 |",
        "| UA (mean recall) | .600 |",
        "| WF1 (class-weighted F1) | .590 |",
        "| MF1 (macro F1) | not evaluated |",
        "| Test utterances | 10 |",
        "| | neutral | sad |",
        "| **sad** | 2 | 3 |",
        "| In training | 300 |",
        "| Merged (this folder) | 200 |",
        "| The same model, never expanded | 190 |",
        "Trained with HRF (high-rank factorization) without normalisation of",
        "(modules: FFN_M1, CLS; ratio: 8)",
        "(checkpoint `CKPT+1`) within 1.2e-07, on 4 recordings of the test set",
        "IEMOCAP: licensed by USC, no redistribution",
    ):
        assert text in card, text
    for text in ("ynthetic", "/home/me", "On a device", "articipant", "{"):
        assert text not in card
    assert re.findall("^## (.*)", card, re.MULTILINE) == [
        *("How to load", "Whom to trust", "Results", "Sizes"),
        "Check of this export",
        "Licence of the data",
    ]


def test_normalised_hrf_and_onnx():
    hrf = {**REPORT.hrf, "inner_norm": True}
    card = card_of(replace(REPORT, hrf=hrf, onnx="the sizes"))
    assert "Trained with normalised HRF" in card
    assert "inner_norm: True" in card
    assert "## On a device" in card and "```text\nthe sizes\n```" in card


def test_classes_that_are_nowhere_else():
    """One command, and it is the one that works everywhere."""
    card = card_of(replace(REPORT, only_bundled=True))
    assert card.count("classifier = ") == card.count("foreign_class(") == 1
    assert "It is run as code" in card and "Give no `savedir`" in card


def test_the_hub_reads_it():
    """The metadata parses, scores included."""
    data = ModelCard(card_of()).data
    assert data.library_name == "speechbrain"
    assert data.pipeline_tag == "audio-classification"
    assert data.license == "other"
    assert data.license_name == "iemocap-licensed-by-usc-no-redistribution"
    assert data.tags[2:] == [
        *("speech-emotion-recognition", "Conformer"),
        "high-rank-factorization",
    ]
    assert data.metrics == ["accuracy", "recall", "f1"]
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
        ("cc-by-nc-sa-3.0.", "cc-by-nc-sa-3.0"),
        ("RAVDESS: CC BY-NC-ND 4.0 (https://a.org/b)", "cc-by-nc-nd-4.0"),
        ("CC0 1.0", "cc0-1.0"),
        ("ask us", "other"),
        ("RAVDESS: CC BY-NC-SA 4.0; TESS: CC BY-NC-ND 4.0", "other"),
        ("TESS: CC BY 4.0", "other"),
        ("CC BY 4.0 (CC-BY-ND-4.0)", "other"),
        ("CC BY 4.0 (audio alone)", "other"),
        ("not CC BY 4.0", "other"),
        ("CC BY 4.0, licensed by USC", "other"),
        ("CC BY 4.0\nND", "other"),
        (None, "other"),
    ],
)
def test_licence(licence, identifier):
    """A licence that the Hub knows, and that stands alone, gets its name."""
    card = card_of(licence=licence, dataset="RAVDESS")
    assert ModelCard(card).data.license == identifier
    assert (licence or "Not stated") in card


def test_licences_of_the_recipes(repository):
    """What they write is understood."""
    found = {}
    for path in (repository / "recipes").glob("*/hparams/*.yaml"):
        text = path.read_text(encoding="utf-8")
        licence = re.search('^licence: "(.+)"$', text, re.MULTILINE)
        corpus = re.search("^corpus: (.+)$", text, re.MULTILINE)
        if licence:
            card = card_of(licence=licence[1], dataset=corpus[1])
            found[corpus[1]] = ModelCard(card).data.license
    assert found == {
        **dict.fromkeys(("RAVDESS", "nEMO"), "cc-by-nc-sa-4.0"),
        **dict.fromkeys(("IEMOCAP", "M3ED", "DAIC-WOZ"), "other"),
    }


def test_synthetic():
    """It says so on top, and no figure reaches a leaderboard."""
    card = card_of(synthetic=True)
    assert card.index("Trained on synthetic signals") < card.index("## How")
    assert "mean nothing" in card
    assert "USC" not in card and "no corpus's licence applies" in card
    data = ModelCard(card).data
    assert "synthetic-data" in data.tags
    assert data.eval_results is None


def test_nothing_is_known():
    """Every missing figure is said to be missing."""
    unknown = {
        field.name: getattr(RunResults(), field.name)
        for field in fields(RunResults)
    }
    card = card_of(replace(REPORT, hrf={}, module=""), **unknown)
    assert "trained on an unnamed corpus" in card
    assert card.count("not evaluated") == 4
    assert "| Split | unknown |" in card
    assert "Confusion" not in card
    assert "foreign_class" not in card and "plugin" not in card
    assert "Trained without high-rank factorization" in card
    data = ModelCard(card).data
    assert data.eval_results is None
    assert "high-rank-factorization" not in data.tags


def test_a_bar_in_a_label_is_no_column():
    assert r"| | a\|b | c |" in card_of(labels=["a|b", "c"])


def test_another_task_its_caution_and_participants():
    """A recipe that recognises something else says so, and warns."""
    card = card_of(
        task="Depression detection",
        caution="No diagnosis.",
        corrections=["drop_sync_rows"],
        per_participant={"MF1": 0.75, "confusion": [[2, 0], [0, 2]]},
    )
    data = ModelCard(card).data
    assert "depression-detection" in data.tags
    assert {r.task_name for r in data.eval_results} == {"Depression detection"}
    assert "\n> No diagnosis.\n" in card
    assert "| Corrections of the corpus | drop_sync_rows |" in card
    assert "| MF1 (macro F1), per participant | .750 |" in card
    assert "### Confusion matrix per participant" in card
    assert "emotion" not in card.lower()
