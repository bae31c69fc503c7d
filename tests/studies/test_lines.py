"""What is read from a recipe's output folder.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
from types import SimpleNamespace

import pytest
import torch

from speechbrain_hrf.results import RunResults
from speechbrain_hrf.studies.lines import (
    _curves,
    _rates,
    _test_set,
    trial_line,
)
from speechbrain_hrf.studies.trial import Trial


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


@pytest.mark.parametrize(
    ("who", "speaker", "unit"),
    [
        ({"speaker": 7}, "7", "speaker"),
        ({"participant": "302"}, "302", "participant"),
        ({"recording": "call.wav"}, "call.wav", "recording"),
        # A letter within a dialogue is nobody.
        ({"speaker": "A", "series": "anjia"}, "anjia", "series"),
        ({}, "Ses01F_impro01", "speaker"),  # by the utterance's name
    ],
)
def test_who_speaks_in_a_test_set(tmp_path, who, speaker, unit):
    name = "Ses01F_impro01_F000"
    (tmp_path / "manifests").mkdir()
    manifest = tmp_path / "manifests/test.json"
    manifest.write_text(json.dumps({name: {"emo": "sad", **who}}))
    results = RunResults(labels=["joy", "sad"], predicted={name: "joy"})
    trial = Trial("OwnData", "conformer", "ALL", {}, fold=1)
    test_set, predicted, found = _test_set(trial, tmp_path, results)
    assert (test_set["speakers"], found) == ([speaker], unit)
    assert (test_set["truth"], predicted) == ("1", "0")


@pytest.mark.parametrize("who", ["speaker", "recording", "series"])
def test_a_line_names_a_unit_that_is_no_speaker(tmp_path, run_results, who):
    (tmp_path / "manifests").mkdir()
    manifest = tmp_path / "manifests/test.json"
    manifest.write_text(json.dumps({"a_1": {"emo": "sad", who: "a"}}))
    for part in ("embedding_model", "classifier"):
        torch.save({}, tmp_path / f"{part}.ckpt")
    run_results.predicted = {"a_1": "sad"}
    run_results.checkpoint, run_results.epoch = ".", 1
    run_results.write(tmp_path)
    study = SimpleNamespace(
        keys=SimpleNamespace(name="small", metric="UA", fold_key="fold"),
        run_folder=lambda _: tmp_path,
    )
    trial = Trial("M3ED", "conformer", "ALL", {"seed": 1, "lr": 0.1})
    line, _ = trial_line(trial, study)
    assert line.get("unit", "speaker") == who
