"""Modules that have moved still answer to their former names."""

import importlib
import runpy
import sys

import pytest

import speechbrain_hrf  # noqa: F401  registers the names


@pytest.mark.parametrize(
    "former, now",
    [
        ("recipe", "training"),
        ("recipe.checkpoints", "training.checkpoints"),
        ("recipe.overrides", "training.overrides"),
        ("metrics", "training"),
        ("metrics.scores", "training.scores"),
        ("onnx.sizes", "export.onnx.sizes"),
        ("synthetic.voice", "dataio.synthetic.voice"),
        ("nnet.linear", "nnet.kinds.linear"),
        ("dataio.feature_cache", "dataio.features.cache"),
    ],
)
def test_a_former_name_gives_the_module_itself(former, now):
    module = importlib.import_module(f"speechbrain_hrf.{former}")
    assert module is importlib.import_module(f"speechbrain_hrf.{now}")


def test_no_other_name_is_answered():
    for name in ("recipe.nothing", "recipes", "metrics2"):
        with pytest.raises(ModuleNotFoundError, match=name):
            importlib.import_module(f"speechbrain_hrf.{name}")


def test_a_former_command_still_runs(monkeypatch, capsys):
    """As ``python -m`` runs it."""
    monkeypatch.setattr(sys, "argv", ["summary", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("speechbrain_hrf.recipe.summary", run_name="__main__")
    assert ended.value.code == 0 and "usage:" in capsys.readouterr().out
