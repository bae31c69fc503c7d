"""Reading a study: what is refused, what is left out, what is warned of.

Authors
 * The speechbrain_hrf authors 2026
"""

import json

import pytest
from study_lines import line, study, write_study

from speechbrain_hrf.report.load import load_trials


def test_rows_are_named_and_ordered_as_in_the_paper(tmp_path):
    """Whatever order trials have finished in."""
    arms = ["FRONT", "ALL", "QKV", "FFN1"]
    lines = study(arms, folds=(1,), seeds=(1,))[::-1]
    table = load_trials(write_study(tmp_path, lines)).table
    names = ["Lightweight", "FFN1", "QKV", "ALL", "FRONT"]
    assert table["row"].tolist() == names
    families = ["lightweight", "paper", "paper", "paper", "extension"]
    assert table["family"].tolist() == families


def test_settings_are_named_where_there_are_several(tmp_path):
    """And an arm is compared with the lightweight model of its activation."""
    lines = [
        line("conformer", arm, 0.4, ratio=ratio, activation=activation)
        for activation in ("SiLU", "GELU")
        for arm, ratio in (("Lightweight", None), ("FFN2", 2), ("FFN2", 8))
    ]
    table = load_trials(write_study(tmp_path, lines)).table.set_index("row")
    assert table.loc["FFN2, ratio 2, Swish", "reference"] == (
        "Lightweight, Swish"
    )
    assert table.loc["FFN2, ratio 8, GELU", "reference"] == "Lightweight, GELU"


def test_settings_beyond_the_paper_are_extensions(tmp_path):
    """A ratio that it does not have is not its method."""
    lines = [
        line("conformer", "FFN2", 0.4, ratio=ratio, layers=layers)
        for ratio, layers in ((8, 1), (16, 1), (8, 4))
    ]
    table = load_trials(write_study(tmp_path, lines)).table
    assert table.set_index(["ratio", "layers"])["family"].to_dict() == {
        (8, 1): "paper",
        (16, 1): "extension",
        (8, 4): "extension",
    }


@pytest.mark.parametrize(
    "option",
    [
        {"hrf_inner_norm": True},
        {"hrf_init": "scaled"},
        {"hrf_lr_scale": 0.3},
        {"distil_from": "results/original"},
    ],
    ids=str,
)
def test_a_row_with_options_that_are_ours_is_an_extension(tmp_path, option):
    """Whatever it is called, it is not HRF as published."""
    plain = {
        "hrf_inner_norm": False,
        "hrf_init": "default",
        "hrf_lr_scale": 1.0,
        "distil_from": None,
    }
    lines = [
        line("conformer", "FFN2", 0.4, seed=seed, overrides={**plain, **more})
        for seed, more in enumerate(({}, option))
    ]
    table = load_trials(write_study(tmp_path, lines)).table
    assert table["family"].tolist() == ["paper", "extension"]


def test_a_row_of_another_model_is_an_extension(tmp_path):
    """The paper has no Macaron rows for SpeechFormer."""
    lines = [line(m, "FFN_M1", 0.4) for m in ("conformer", "speechformer")]
    table = load_trials(write_study(tmp_path, lines)).table
    assert table["family"].tolist() == ["paper", "extension"]


def test_no_folder_no_lines(tmp_path):
    """Named, with what to run."""
    with pytest.raises(FileNotFoundError, match="no folder .*none"):
        load_trials(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="speechbrain_hrf.sweep"):
        load_trials(tmp_path)
    write_study(tmp_path, [])
    with pytest.raises(FileNotFoundError, match="missing or empty"):
        load_trials(tmp_path)


def test_a_torn_last_line_is_left_out_and_told(tmp_path):
    """As a killed driver leaves it; whole lines give no warning."""
    lines = study(folds=(1,), seeds=(1,))
    folder = write_study(tmp_path, lines)
    assert load_trials(folder).warnings == []
    path = folder / "trials.jsonl"
    path.write_text(path.read_text()[:-50])
    trials = load_trials(folder)
    assert len(trials.table) == 1
    assert "ends within a line" in trials.warnings[0]


@pytest.mark.parametrize(
    "text, reported",
    [
        ('{"id": "a"}\n', "line 1 has another format: it lacks study, "),
        ("[1]\n", r"line 1 is no trial but \[1\]"),
        ("no\n", "line 1: not JSON"),
    ],
)
def test_other_formats_are_refused(tmp_path, text, reported):
    """With the file, the line, and what is wrong."""
    (tmp_path / "trials.jsonl").write_text(text)
    with pytest.raises(ValueError, match=reported):
        load_trials(tmp_path)


@pytest.mark.parametrize(
    "key, value, said",
    [
        ("test", None, "an object"),
        ("lr", "fast", "a number"),
        ("seed", True, "an integer"),
        ("arm", 3, "a text"),
        ("curves", [1], "an object"),
    ],
)
def test_damaged_lines_are_named(tmp_path, key, value, said):
    """With the file, the line, the key and the fix; no traceback."""
    lines = study(folds=(1,), seeds=(1,))
    lines[1][key] = value
    folder = write_study(tmp_path, lines)
    reported = f"line 2 is damaged: its {key} is .*, but has to be {said}"
    with pytest.raises(ValueError, match=reported):
        load_trials(folder)


@pytest.mark.parametrize("value", [float("nan"), None])
def test_a_trial_without_a_score_is_named(tmp_path, value):
    """Left out of everything, but not in silence."""
    lines = study(folds=(1, 2), seeds=(1,))
    lines[-1]["test"]["UA"] = value
    trials = load_trials(write_study(tmp_path, lines))
    assert len(trials.table) == 3
    [reason] = trials.unusable
    assert reason.startswith("convtransformer FFN2, lr 0.001, fold 2, seed 1")
    assert "UA" in reason
    with pytest.raises(ValueError, match="No trial in .* can be used"):
        load_trials(write_study(tmp_path, lines[-1:]))


def test_other_splits_cannot_be_paired(tmp_path):
    """The error names the fold, the trials and the fix."""
    lines = study(folds=(1, 2), seeds=(1, 2))
    lines[-1]["split"] = {"train": "another", "test": "one"}
    with pytest.raises(ValueError, match=f"fold 2 .*{lines[-1]['id']}.*Remove"):
        load_trials(write_study(tmp_path, lines))


@pytest.mark.parametrize("key", ["dataset", "metric", "labels", "synthetic"])
def test_two_studies_in_one_folder_are_refused(tmp_path, key):
    """They have nothing to do with each other."""
    other = {"dataset": "X", "metric": "WA", "labels": ["a"], "synthetic": True}
    lines = study(folds=(1,), seeds=(1,))
    lines[0][key] = other[key]
    with pytest.raises(ValueError, match=f"differ in {key}"):
        load_trials(write_study(tmp_path, lines))


@pytest.mark.parametrize(
    "change, warned",
    [
        ({"commit": "ee" * 20}, "2 commits of the code"),
        ({"dirty": True}, "changes that are not in a commit"),
        ({"versions": {"torch": "2.9.0"}}, "several torch"),
        ({"overrides": {"number_of_epochs": 3}}, "number_of_epochs is"),
    ],
)
def test_unequal_terms_are_told(tmp_path, change, warned):
    """They may be meant, so that they are no error."""
    lines = study(folds=(1,), seeds=(1,))
    lines[0] |= change
    warnings = load_trials(write_study(tmp_path, lines)).warnings
    assert any(warned in warning for warning in warnings)


def test_models_may_train_for_different_times(tmp_path):
    """They are not compared with each other."""
    lines = study(folds=(1,), seeds=(1,))
    lines += study(
        models=("conformer",),
        folds=(1,),
        seeds=(1,),
        overrides={"number_of_epochs": 3},
    )
    assert load_trials(write_study(tmp_path, lines)).warnings == []


def test_one_name_for_two_settings_is_refused(tmp_path):
    """Which of the two results would be the arm's?"""
    lines = study(folds=(1,), seeds=(1,))
    lines.append({**lines[-1], "id": "another"})
    with pytest.raises(ValueError, match="two sets of options"):
        load_trials(write_study(tmp_path, lines))


def test_a_repeated_trial_counts_once(tmp_path):
    """The first one, as when the study goes on."""
    lines = study(folds=(1,), seeds=(1,))
    again = json.loads(json.dumps(lines[0]))
    again["test"]["UA"] = 0.9
    trials = load_trials(write_study(tmp_path, [*lines, again]))
    assert trials.table["UA"].max() < 0.6
    assert "stand in trials.jsonl twice" in trials.warnings[0]
