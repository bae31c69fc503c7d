"""Every number and every boolean of every recipe's YAML refuses text."""

import pathlib

import pytest
from ruamel.yaml import YAML

from speechbrain_hrf.training import option_kinds
from speechbrain_hrf.training.option_kinds import (
    BOOLEANS,
    NUMBERS,
    OR_NULL,
    refuse_other_kinds,
)
from speechbrain_hrf.training.overrides import resolved_yaml

RECIPES = pathlib.Path(__file__).parents[2] / "recipes"
YAMLS = sorted(
    path
    for name in ("IEMOCAP", "M3ED", "DAIC-WOZ", "RAVDESS", "nEMO", "OwnData")
    for path in (RECIPES / name).glob("hparams/speechformer_hrf.yaml")
)


@pytest.mark.parametrize("yaml", YAMLS, ids=lambda path: path.parts[-3])
def test_text_is_refused_by_name(yaml):
    options = YAML().load(yaml)

    def refuse(text):  # the file is read once
        option_kinds.compare_kinds(options, YAML(typ="safe").load(text))

    booleans = {k for k, v in options.items() if isinstance(v, bool)}
    assert booleans <= BOOLEANS
    for key in sorted(BOOLEANS & set(options)):
        refuse(f"{key}: True")
        refuse(f"{key}: False")
        for text in ("no", "off", "yes", "1", "'False'"):
            with pytest.raises(ValueError, match=f"^{key} is .*True or False"):
                refuse(f"{key}: {text}")
    refuse("hrf_chained: null")
    for key in ("lr", "batch_size", "number_of_epochs", "seed", "dropout"):
        assert key in NUMBERS
        for text in ("abc", "null", "True", "nan"):
            with pytest.raises(ValueError, match=f"^{key} is .* a number"):
                refuse(f"{key}: {text}")


def test_the_names_are_those_of_the_recipes():
    """None is left of an option that was renamed."""
    options = {}
    for yaml in YAMLS:
        options |= resolved_yaml(yaml, "")
    for names, kind in (BOOLEANS - OR_NULL, bool), (NUMBERS, int | float):
        for name in names:
            assert isinstance(options[name], kind), name


def test_a_word_that_stands_for_a_number():
    yaml = RECIPES / "OwnData/hparams/speechformer_hrf.yaml"
    refuse_other_kinds(yaml, "n_folds: speaker")
    with pytest.raises(ValueError, match="a number, such as 5, or speaker"):
        refuse_other_kinds(yaml, "n_folds: speakers")
    with pytest.raises(ValueError, match="^fold_seed is 'speaker': it must"):
        refuse_other_kinds(yaml, "fold_seed: speaker")


def test_an_edited_yaml_is_read_alike(tmp_path):
    yaml = tmp_path / "x.yaml"
    yaml.write_text("lr: abc\n")
    with pytest.raises(ValueError, match="lr is 'abc': it must be a number"):
        refuse_other_kinds(yaml, "")
    yaml.write_text("hrf_inner_bias: no\n")
    with pytest.raises(ValueError, match="hrf_inner_bias is 'no'"):
        refuse_other_kinds(yaml, "")
