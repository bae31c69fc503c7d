"""SpeechBrain's own gates, run on the branches of a checkout.

What is run is what its `tests/` and `.pre-commit-config.yaml` run, limited to
the files that a change set touches where that can be done. `speechbrain_hrf`
cannot be imported meanwhile.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from checkout import Checkout, branch_of

PASSED, FAILED, NOTHING = "passed", "FAILED", "-"
_RUFF = "0.12.4"  # the version that SpeechBrain pins
BLOCK = '''\
import sys


class Blocked:
    """Makes this package look as if it were not installed."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "speechbrain_hrf":
            raise ModuleNotFoundError(f"{name} is blocked", name=name)


sys.meta_path.insert(0, Blocked())
'''
_STAND_INS = pathlib.Path(__file__).with_name("import_with_stand_ins.py")
_PACKAGES = "speechbrain.nnet.hrf speechbrain.lobes.models.hrf"
_DOCSTRINGS = """\
import contextlib, io, sys
from tests.utils.check_docstrings import check_docstrings
said = io.StringIO()
with contextlib.redirect_stdout(said):
    passed = check_docstrings(".", ["speechbrain", "tools", "templates"])
print(*(x for x in said.getvalue().splitlines() if "ERROR" in x), sep="\\n")
sys.exit(not passed)
"""
_RECIPES = """\
import sys
from tests.utils.recipe_tests import run_recipe_tests
sys.exit(not run_recipe_tests(
    filters_fields=["Hparam_file"], filters=[sys.argv[1:]]))
"""


def commands(changed: list[str]) -> dict[str, list[str]]:
    """The command of each gate that has something to judge.

    Arguments
    ---------
    changed : list of str
        The files of a change set.

    Returns
    -------
    dict of str: list of str

    Example
    -------
    >>> list(commands(["recipes/A/hparams/a.yaml"]))
    ['yamllint', 'codespell', 'consistency', 'recipe runs']
    """
    python = [sys.executable, "-m"]
    pytest = [*python, "pytest", "-q", "-p", "no:cacheprovider"]
    modules = [x for x in changed if x.endswith(".py")]
    package = [x for x in modules if x.startswith("speechbrain/")]
    lobes = [x for x in package if "/hrf/" in x]
    units = [x for x in modules if x.startswith("tests/unittests/")]
    yamls = [x for x in changed if x.endswith(".yaml")]
    consistency = [f"tests/consistency/test_{x}.py" for x in ("recipe", "yaml")]
    gates = {
        "ruff check": (modules, [*python, "ruff", "check"]),
        "ruff format": (modules, [*python, "ruff", "format", "--check"]),
        "Python 3.8": (
            [x for x in modules if not x.startswith("tests/")],
            ["vermin", "-t=3.8-", "--violations", "--no-tips"],
        ),
        # Where there is one: what fails while a module is imported.
        "3.8 imports": (
            [x for x in (find_python_38(),) if x and lobes],
            ["sh", "-c", f'exec "$0" {_STAND_INS} . {_PACKAGES}'],
        ),
        "yamllint": (yamls, [*python, "yamllint", "--no-warnings"]),
        "codespell": (
            changed,
            ["codespell", "--ignore-words=.dict-speechbrain.txt"],
        ),
        "docstrings": (package, [sys.executable, "-c", _DOCSTRINGS]),
        "doctests": (
            [x for x in package if not x.endswith("__init__.py")],
            [*pytest, "--doctest-modules"],
        ),
        "unit tests": (units, pytest),
        "consistency": (yamls, [*pytest, *consistency]),
        "recipe runs": (yamls, [sys.executable, "-c", _RECIPES]),
    }
    # These two take no files: they judge the whole tree.
    whole = {"docstrings", "consistency"}
    return {
        name: command if name in whole else [*command, *files]
        for name, (files, command) in gates.items()
        if files
    }


def check(checkout: Checkout, names: list[str]) -> Mapping[str, dict[str, str]]:
    """Runs all gates on the branches, and prints what those that fail say.

    Arguments
    ---------
    checkout : Checkout
        With the branches.
    names : list of str
        Change sets.

    Returns
    -------
    dict of str: dict of str: str
        Gate to change set to PASSED or FAILED.
    """
    found: dict[str, dict[str, str]] = {}
    for name in names:
        changed = checkout.changed(name)
        with checkout.work_tree(branch_of(name)) as root:
            for gate, command in commands(changed).items():
                process = _run(command, root)
                outcome = FAILED if process.returncode else PASSED
                found.setdefault(gate, {})[name] = outcome
                print(f"{name}: {gate}: {outcome}", flush=True)
                if process.returncode:
                    print((process.stdout + process.stderr)[-4000:])
                    _show_recipe_errors(root)
    return found


def _run(
    command: list[str], root: pathlib.Path
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        block = pathlib.Path(folder)
        (block / "sitecustomize.py").write_text(BLOCK, encoding="utf-8")
        # SpeechBrain's recipe tests set PYTHONPATH themselves, and expect to be
        # installed: what they call is a python that knows the work tree.
        python = block / "python"
        python.write_text(
            "#!/bin/sh\n"
            f'PYTHONPATH="$PYTHONPATH:{root}:{block}" '
            f'exec "{sys.executable}" "$@"\n',
            encoding="utf-8",
        )
        python.chmod(0o755)
        return subprocess.run(
            command,
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "PYTHONPATH": f"{root}{os.pathsep}{block}",
                "PATH": os.pathsep.join(
                    [folder, os.path.dirname(sys.executable)]
                    + [os.environ["PATH"]]
                ),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )


def _show_recipe_errors(root: pathlib.Path) -> None:
    for log in root.glob("tests/tmp/*/std*.txt"):
        if not (log.parent / ".passed").exists():
            print(f"{log.parent.name}: {log.read_text('utf-8')[-2000:]}")


def table(found: Mapping[str, dict[str, str]], names: list[str]) -> str:
    """What the gates said, a gate a row and a change set a column.

    Arguments
    ---------
    found : dict
        See ``check``.
    names : list of str
        Change sets.

    Returns
    -------
    str

    Example
    -------
    >>> print(table({"ruff check": {"hrf": "passed"}}, ["hrf", "ravdess"]))
                 hrf    ravdess
    ruff check   passed -
    """
    rows = [["", *names]]
    for gate, outcomes in found.items():
        rows.append([gate, *(outcomes.get(name, NOTHING) for name in names)])
    width = max(map(len, found), default=0) + 2
    others = [max(6, len(name)) for name in names]
    return "\n".join(
        " ".join(map(str.ljust, row, [width, *others])).rstrip() for row in rows
    )


def find_python_38() -> str | None:
    """A Python 3.8 on this machine: pyenv's, or one on the path.

    Returns
    -------
    str or None
        Its path, if there is one.
    """
    places = pathlib.Path.home().glob(".pyenv/versions/3.8.*/bin/python")
    return next(map(str, places), None) or shutil.which("python3.8")


def ruff_warning() -> str:
    """What to say if this ruff is not the one that SpeechBrain pins.

    Returns
    -------
    str
        Empty if it is.
    """
    said = subprocess.run(
        [sys.executable, "-m", "ruff", "--version"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[-1]
    if said == _RUFF:
        return ""
    return f"ruff is {said}, and SpeechBrain's is {_RUFF}: install that one."
