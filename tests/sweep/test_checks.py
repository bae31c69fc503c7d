"""What a study may not say is refused before any trial runs, with the fix.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest

from speechbrain_hrf.sweep.__main__ import main
from speechbrain_hrf.sweep.study import load_study


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("seeds", "3", "such as [1, 2, 3]"),
        ("seeds", "[a]", "such as [1, 2, 3]"),
        ("models", "conformer", "such as [conformer]"),
        ("modules", "FFN2", "such as [Lightweight, FFN2]"),
        ("folds", "1", "must be a list"),
        ("ratios", "8", "must be a list"),
        ("ratios", "[0.5]", "at least 1"),
        ("layers", "[0]", "at least 1"),
        ("learning_rates", "0.1", "must be a list"),
        ("learning_rates", "[high]", "must be a list"),
        ("learning_rates", "[0]", "above 0"),
        ("grids", "[3]", "must be a list"),
        ("arms", "[a]", "must be a mapping"),
        ("arms", "{a: 3}", "must be a mapping"),
        ("arms", "{a: {hrf_modulez: [ALL]}}", "does not have"),
        ("overrides", "5", "must be a mapping"),
        ("overrides", "{epochs: 5}", "does not have"),
        ("overrides", "{seed: 5}", "give seeds"),
        ("metric", "ua", "one of WA, UA, WF1, MF1"),
        ("threads_per_trial", "0", "at least 1"),
        ("pair_folds_with_seeds", "maybe", "True or False"),
        ("recipe", "3", "must be a text"),
    ],
)
def test_wrong_values_are_named(study_yaml, capsys, key, value, said):
    assert main([str(study_yaml), "--dry_run", f"--{key}", value]) == 1
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error
    if key not in ("ratios", "layers", "arms", "overrides"):
        assert f"{key} is" in error


@pytest.mark.parametrize("text", ["", "- 1\n", "seeds: [1\nname: x\n"])
def test_what_is_no_study_is_refused(tmp_path, capsys, text):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    assert main([str(path), "--dry_run"]) == 1
    assert capsys.readouterr().err


def test_a_tag_has_to_be_quoted(study_yaml):
    text = study_yaml.read_text() + "arms: {a: {activation: %s }}\n"
    tag = "!name:torch.nn.GELU"
    study_yaml.write_text(text % tag)
    with pytest.raises(ValueError, match="put it into quotes"):
        load_study(study_yaml)
    study_yaml.write_text(text % f"'{tag}'")
    assert load_study(study_yaml).trials[2].options["activation"] == tag
