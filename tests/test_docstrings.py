"""Docstrings of the package and the recipes follow SpeechBrain's form.

Examples of the package run as doctests of their own; those of the recipes,
which are no package and share file names, run here.

Authors
 * The speechbrain_hrf authors 2026
"""

import doctest
import importlib.util
import sys
from pathlib import Path

import pytest
from docstring_rules import docstring_violations

import speechbrain_hrf

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = Path(speechbrain_hrf.__file__).parent  # maybe installed elsewhere
RECIPE_FILES = sorted(REPOSITORY.glob("recipes/*/*.py"))
FILES = sorted(PACKAGE.glob("**/*.py")) + RECIPE_FILES


def _name(path):
    """A file's path as pytest prints it."""
    root = PACKAGE.parent if PACKAGE in path.parents else REPOSITORY
    return path.relative_to(root).as_posix()


HEAD, VOICE = "lobes/models/classifier.py", "dataio/synthetic/voice.py"
ARGUMENTS = "    Arguments\n    ---------\n"


@pytest.mark.parametrize(
    "name, old, new, reported",
    [
        (HEAD, '2026\n"""', '2026\n\nMore.\n"""', "does not end in Authors"),
        (HEAD, ">>>", "", "ClassifierHead: its Example shows no code"),
        (HEAD, ARGUMENTS + "    d_", "    d_", "ClassifierHead has no Argum"),
        (HEAD, "        Returns\n", "", "forward has no Returns"),
        (VOICE, ARGUMENTS + "    emo", "    emo", "synthesize has no Argume"),
        (VOICE, "    Example\n    -------\n    >>> one", "", "has no Example"),
        (VOICE, "def _tract(", "def tract(", "tract has no Arguments"),
    ],
)
def test_a_missing_part_is_reported(name, old, new, reported):
    """One change to a file that lacks nothing by the next test."""
    text = (PACKAGE / name).read_text("utf-8")
    assert old in text
    found = docstring_violations(text.replace(old, new))
    assert any(reported in violation for violation in found), found


def test_docstrings_are_complete():
    """The package's and the recipes' files follow the rules."""
    found = {
        _name(path): docstring_violations(
            path.read_text(encoding="utf-8"), examples=path.name != "train.py"
        )
        for path in FILES
    }
    assert {name: lacks for name, lacks in found.items() if lacks} == {}


@pytest.mark.parametrize("path", RECIPE_FILES, ids=_name)
def test_examples_of_recipes_run(path, monkeypatch, tmp_path, request):
    """What a recipe's docstrings show is what happens."""
    monkeypatch.syspath_prepend(path.parent)
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    try:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        result = doctest.testmod(
            module,
            # pytest gives its own doctests this function, too
            extraglobs={"getfixture": request.getfixturevalue},
            optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
        )
    finally:
        # Every recipe has a train.py: the next one must not meet this one's.
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).parent == path.parent:
                del sys.modules[name]
    assert result.failed == 0
