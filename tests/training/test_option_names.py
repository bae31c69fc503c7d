"""What is no option, or has no value, does not start another run than meant.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest
from preparers import RECIPES

from speechbrain_hrf.training import parse_arguments
from speechbrain_hrf.training.launch import locate_hparams
from speechbrain_hrf.training.overrides import read_overrides

SCRIPT = str(RECIPES / "OwnData" / "train.py")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--label", "a.csv"], "no option label in .*: did you mean labels?"),
        (["--xyz", "1"], "no option xyz in .*convtransformer_hrf.yaml: look"),
        (["--labels"], "--labels needs a value: --labels VALUE"),
        (["--labels="], "--labels needs a value"),
        (["--labels", ""], "--labels needs a value"),
        (["--data_folder", "--seed", "1"], "--data_folder needs a value"),
        (["--seed"], "--seed needs a value"),
        (
            ["--corpus_name", "#1 calls"],
            "takes for a comment from # on: .*'\"#1",
        ),
        (["--corpus_name=calls #1"], "corpus_name is calls #1, which YAML ta"),
        (
            ["--corpus_licence", "CC BY: see x"],
            "CC BY: see x, which is no YAML",
        ),
        (["--classes", "[a,", "b"], "classes is \\[a, b, which is no YAML"),
        (["--xyz", "a: b: c"], "Overrides: 'xyz: a: b: c' is not valid YAML"),
    ],
)
def test_what_is_refused(given, message, tmp_path, monkeypatch):
    """Nothing is written, and no stand-in is announced."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        parse_arguments(["hparams/convtransformer_hrf.yaml", *given], SCRIPT)
    assert not list(tmp_path.iterdir())


def test_values_and_flags_are_taken(tmp_path, monkeypatch):
    """SpeechBrain's own options need none; a value may look like anything."""
    monkeypatch.chdir(tmp_path)
    given = ["--debug", "--seed", "-1", "--lr", "0.1", "--classes=[a,", "b=c]"]
    given += ["--noprogressbar", "--caution", "null", "--corpus_name", "'#1'"]
    given += ["--corpus_licence", "'CC BY: see x'", "--feature_folder=/a=1/#2"]
    _, run_opts, overrides = parse_arguments(
        ["hparams/convtransformer_hrf.yaml", *given], SCRIPT
    )
    assert run_opts["debug"] and run_opts["noprogressbar"]
    assert (
        read_overrides(overrides).items()
        >= {
            **{"seed": -1, "lr": 0.1, "caution": None, "corpus_name": "#1"},
            **{"corpus_licence": "CC BY: see x", "classes": ["a", "b=c"]},
            "feature_folder": "/a=1/#2",
        }.items()
    )


def test_a_yaml_has_to_be_named():
    """`--labels my.csv` alone would have the table read as one."""
    for argv in ([], ["--labels", "a.csv"]):
        with pytest.raises(
            FileNotFoundError, match="No YAML .*conformer_hrf.y"
        ):
            locate_hparams(argv, SCRIPT)
    assert locate_hparams(["--help"], SCRIPT) == ["--help"]
