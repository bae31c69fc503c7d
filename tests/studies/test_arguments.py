"""The command's own options, and all others as keys of the study.

Authors
 * The speechbrain_hrf authors 2026
"""

import re

import pytest
from ruamel.yaml import YAML

from speechbrain_hrf.studies.arguments import OWN, read_arguments


def test_other_options_are_overrides_in_yaml():
    options, overrides = read_arguments(
        [
            *("--seeds", "[1, 2]", "x.yaml", "--retries", "0"),
            *("--overrides={lr: 0.1, activation: !name:torch.nn.ReLU }",),
            *("--data_folder", "/path/with space", "--dry_run"),
        ]
    )
    assert (options.study, options.retries) == ("x.yaml", 0)
    assert options.dry_run and not options.resume
    read = YAML().load(overrides)
    assert read["seeds"] == [1, 2]
    assert read["overrides"]["lr"] == 0.1
    assert read["data_folder"] == "/path/with space"


@pytest.mark.parametrize(
    "argv, reported",
    [
        ([], "study"),
        (["x.yaml", "y.yaml"], "unrecognized arguments: y.yaml"),
        (["x.yaml", "--seeds"], "--seeds needs a value"),
        (["x.yaml", "--seeds", "--resume"], "--seeds needs a value"),
        (["x.yaml", "--trials", "0"], "must be 1 or more"),
        (["x.yaml", "--max_minutes", "-1"], "must be above 0"),
        (["x.yaml", "--retries", "-1"], "must be 0 or more"),
        (["x.yaml", "--address", "auto", "--cores", "2"], "--cores"),
    ],
)
def test_what_cannot_be_meant_is_refused(argv, reported, capsys):
    with pytest.raises(SystemExit):
        read_arguments(argv)
    assert reported in capsys.readouterr().err


def test_an_option_that_is_cut_short_is_a_key_of_the_study():
    """--re is not --resume: the study will say that it has no such key."""
    options, overrides = read_arguments(["x.yaml", "--re", "1"])
    assert not options.resume
    assert overrides == "re: 1"


def test_every_option_of_its_own_is_known(capsys):
    with pytest.raises(SystemExit):
        read_arguments(["--help"])
    shown = set(re.findall(r"--\w+", capsys.readouterr().out))
    examples = {"--seeds", "--data_folder", "--overrides"}
    assert shown - examples == OWN
