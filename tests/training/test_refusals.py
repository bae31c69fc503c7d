"""A refusal is shown as its sentence, a fault with all that led to it.

Authors
 * The speechbrain_hrf authors 2026
"""

import sys

import pytest
from preparers import load_module

from speechbrain_hrf.nnet.algebra import collapse
from speechbrain_hrf.training.launch import locate_hparams
from speechbrain_hrf.training.refusals import show_refusals


@pytest.fixture
def shown(monkeypatch, repository, capsys):
    """Gives a function: what is shown of the error that another one raises."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    script = repository / "recipes" / "OwnData" / "train.py"
    show_refusals(script)

    def show(function, *arguments):
        try:
            function(*arguments)
        except Exception:
            sys.excepthook(*sys.exc_info())
        return capsys.readouterr().err.splitlines()

    return show


def test_refusals(shown, tmp_path):
    """Of the package, and of the recipe."""
    (line,) = shown(locate_hparams, ["x.yaml"], "train.py")
    assert line.startswith("FileNotFoundError: There is no x.yaml, neither")
    table = tmp_path / "my.csv"
    table.write_text("path;emotion\n")
    first, *example = shown(
        load_module("OwnData", "label_table").read_rows, str(table)
    )
    assert first.startswith(f"ValueError: {table}: its first line has no")
    assert example[0] == "path,label,speaker"


def a_fault():
    raise ValueError("not of the package")


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(a_fault, []), (collapse, [5, []]), (locate_hparams, [5, "train.py"])],
)
def test_faults(shown, function, arguments):
    """Of others; and of Python, within the package."""
    first, *_ = shown(function, *arguments)
    assert first == "Traceback (most recent call last):"
