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

REPOSITORY = Path(__file__).resolve().parents[1]
RECIPE_FILES = sorted(REPOSITORY.glob("recipes/*/*.py"))
FILES = sorted(REPOSITORY.glob("speechbrain_hrf/**/*.py")) + RECIPE_FILES


def _name(path):
    """A file's path as pytest prints it."""
    return path.relative_to(REPOSITORY).as_posix()


GOOD = '''"""Adds.

Authors
 * The speechbrain_hrf authors 2026
"""


class Sum(torch.nn.Module):
    """A running sum.

    Arguments
    ---------
    start : int
        First value.

    Example
    -------
    >>> Sum(1).forward(2)
    3
    """

    def __init__(self, start):
        self.value = start

    def forward(self, x):
        """Adds.

        Arguments
        ---------
        x : int
            What to add.

        Returns
        -------
        int
            The sum.
        """
        return self.value + x

    def extra_repr(self):
        """A hook that torch documents."""
        return str(self.value)

    @property
    def double(self):
        """Twice the value."""
        return 2 * self.value


def add(a, b):
    """Adds two numbers.

    Arguments
    ---------
    a : int
        One.
    b : int
        The other.

    Returns
    -------
    int
        The sum.

    Example
    -------
    >>> add(1, 2)
    3
    """
    return a + b


def _inner(a):
    return a
'''


def test_good_docstrings_pass():
    """Without this, the cases below would prove nothing."""
    assert docstring_violations(GOOD) == []


@pytest.mark.parametrize(
    "old, new, reported",
    [
        ('2026\n"""', '2026\n\nMore.\n"""', "does not end in Authors"),
        (">>> Sum(1).forward(2)", "Sum", "Sum: its Example shows no code"),
        (
            "    Arguments\n    ---------\n    start",
            "    start",
            "Sum has no A",
        ),
        ('"""A hook that torch documents."""', "", "extra_repr has no doc"),
        ("    Arguments\n    ---------\n    a :", "    a :", "add has no Arg"),
        ("    Example\n    -------\n    >>> add", "    add", "add has no Exa"),
        ("def _inner", "def outer", "outer has no docstring"),
    ],
)
def test_a_missing_part_is_reported(old, new, reported):
    """One change to the good file, one rule broken."""
    assert old in GOOD
    found = docstring_violations(GOOD.replace(old, new))
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
