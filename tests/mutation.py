"""Breaks a module in many small ways and counts what its tests notice.

    python tests/mutation.py
    python tests/mutation.py speechbrain_hrf/nnet/algebra.py \\
        --tests tests/nnet/test_algebra.py --names collapse

A mutant is the module with one change: another operator, a number plus one, an
argument left out, a text changed. mutmut's operators make them, of the names
given (functions, classes, constants) or of the whole module. Left as they are:
errors that are raised, calls of the log, annotations, decorators, docstrings,
and `encoding=` and `strict=`.

Its tests and its own examples run against each mutant in a copy of the
repository, in a process that has the libraries imported already; first of all
run the tests that have noticed other mutants. A mutant is killed when a test
fails, or when they take several times as long as they do otherwise. Without a
module, ``CASES`` are tried.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import contextlib
import dataclasses
import difflib
import importlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import libcst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators
from tabulate import tabulate
from tqdm import tqdm

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
# Arguments that no test can see the lack of: the encoding where it is the usual
# one anyway, the comparison of lengths where they are the same.
_UNSEEN = re.compile(r",\s*(encoding|strict)=[^,)]*|, (?=\))")
# What decides labels, splits, segments and scores.
# Module: (its tests, the names that decide; none: all of them)
CASES: dict[str, tuple[list[str], list[str]]] = {
    "speechbrain_hrf/training/scores.py": (
        ["tests/training/test_scores.py"],
        [],
    ),
    "speechbrain_hrf/training/weights.py": (
        ["tests/training/test_weights.py"],
        [],
    ),
}


@dataclasses.dataclass
class Mutant:
    """A module with one change, and where that is."""

    name: str
    line: int
    code: str


class MutantFinder(libcst.CSTVisitor):
    """Finds all changes of the code of some names.

    Arguments
    ---------
    names : list of str
        Functions, classes, `Class.method` or constants; none: all of them.
    """

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, names: list[str]):
        super().__init__()
        self.names = names
        self.inside: list[tuple[libcst.CSTNode, str]] = []
        self.changes: list[tuple] = []  # name, line, node, the changed node

    def on_visit(self, node: libcst.CSTNode) -> bool:
        """Collects a node's changes and says whether to go on below it."""
        if _is_left_alone(node):
            return False
        name = _name(node)
        if name and not (self.inside and isinstance(node, libcst.Assign)):
            self.inside.append((node, name))
        path = [name for _, name in self.inside]
        prefixes = {".".join(path[: k + 1]) for k in range(len(path))}
        if prefixes and (not self.names or prefixes & set(self.names)):
            line = self.get_metadata(PositionProvider, node).start.line
            self.changes += [
                (".".join(path), line, node, changed)
                for kind, operator in mutation_operators
                if isinstance(node, kind)
                for changed in operator(node)
            ]
        return True

    def on_leave(self, node: libcst.CSTNode) -> None:
        """Leaves a name's code."""
        if self.inside and self.inside[-1][0] is node:
            self.inside.pop()


def _name(node):
    if isinstance(node, libcst.FunctionDef | libcst.ClassDef):
        return node.name.value
    if isinstance(node, libcst.Assign | libcst.AnnAssign):
        target = node.target if hasattr(node, "target") else node.targets[0]
        target = getattr(target, "target", target)
        return getattr(target, "value", None)
    return None


def _is_left_alone(node):
    if isinstance(node, libcst.Expr):
        if isinstance(node.value, libcst.BaseString):  # a docstring
            return True
        called = getattr(node.value, "func", None)
        owner = getattr(called, "value", None)
        return isinstance(owner, libcst.Name) and owner.value == "logger"
    left_alone = libcst.Annotation | libcst.Decorator | libcst.Raise
    return isinstance(node, left_alone) or _name(node) == "logger"


def find_mutants(code: str, names: list[str]) -> list[Mutant]:
    """All mutants of a module's code.

    Arguments
    ---------
    code : str
    names : list of str
        See ``MutantFinder``.
    """
    wrapper = MetadataWrapper(libcst.parse_module(code))
    finder = MutantFinder(names)
    wrapper.visit(finder)
    mutants = [
        Mutant(name, line, wrapper.module.deep_replace(node, changed).code)
        for name, line, node, changed in finder.changes
    ]
    original = _UNSEEN.sub("", code)
    return [x for x in mutants if _UNSEEN.sub("", x.code) != original]


class KillersFirst:
    """Has pytest begin with tests that failed before, and notes new ones.

    Arguments
    ---------
    killers : list of str
        Tests by pytest's names; what comes last runs first.
    note : pathlib.Path
        Where the name of a test that fails is written.
    """

    def __init__(self, killers: list[str], note: pathlib.Path):
        self.killers, self.note = killers, note

    def pytest_collection_modifyitems(self, items: list) -> None:
        """Sorts the tests; the others keep their order."""
        rank = {name: k for k, name in enumerate(self.killers)}
        items.sort(key=lambda item: -rank.get(item.nodeid, -1))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes the test that fails."""
        if report.failed:
            self.note.write_text(report.nodeid, encoding="utf-8")


class Copy:
    """A copy of the repository in which tests run.

    Arguments
    ---------
    folder : pathlib.Path
        Where to put it.
    """

    def __init__(self, folder: pathlib.Path):
        self.root, self.note = folder / "copy", folder / "failed"
        self.imported, self.temporary = folder / "imported", folder / "tmp"
        self.killers: list[str] = []
        listed = subprocess.run(
            ["git", "ls-files", "-z", "-co", "--exclude-standard"],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (REPOSITORY / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / name, self.root / name)

    def is_killed(self, tests: list[str], seconds: float) -> bool:
        """Whether a test fails within so many seconds, or they do not suffice.

        Arguments
        ---------
        tests : list of str
            Files, from the repository's root.
        seconds : float
        """
        self.note.unlink(missing_ok=True)
        if self.imported.is_file():  # once, before the processes part
            for name in self.imported.read_text("utf-8").splitlines():
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
            self.imported.unlink()
        child = os.fork()
        if not child:
            self._run_tests(tests)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            time.sleep(0.02)
        else:
            os.killpg(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
        if self.note.is_file():
            name = self.note.read_text(encoding="utf-8")
            self.killers = [x for x in self.killers if x != name] + [name]
        return status != 0

    def _run_tests(self, tests):
        """In the child: ends it with pytest's status."""
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        status = 1
        try:
            os.chdir(self.root)
            sys.path[0] = str(self.root)
            os.environ["PYTHONPATH"] = str(self.root)
            status = pytest.main(
                ["-xq", "-p", "no:cacheprovider"]
                + [f"--basetemp={self.temporary}", *tests],
                plugins=[KillersFirst(self.killers, self.note)],
            )
            if not self.killers:
                self._note_libraries()
        finally:
            os._exit(status)

    def _note_libraries(self):
        libraries = sorted(
            name
            for name, module in sys.modules.items()
            if "site-packages" in (getattr(module, "__file__", None) or "")
        )
        self.imported.write_text("\n".join(libraries), encoding="utf-8")


def try_module(
    copy: Copy, module: str, tests: list[str], names: list[str]
) -> tuple[int, list[str]]:
    """Runs the tests against every mutant of a module.

    Arguments
    ---------
    copy : Copy
    module : str
        The file, from the repository's root.
    tests : list of str
        Files.
    names : list of str
        See ``MutantFinder``.

    Returns
    -------
    mutants : int
        How many there are.
    survivors : list of str
        What was changed in each that no test noticed.
    """
    path = copy.root / module
    code = path.read_text(encoding="utf-8")
    mutants = find_mutants(code, names)
    start = time.monotonic()
    if not mutants or copy.is_killed(tests, seconds=600):
        sys.exit(f"{module}: no mutants, or the tests fail without any")
    patience = 10 + 3 * (time.monotonic() - start)
    survivors = []
    try:
        for mutant in tqdm(mutants, desc=module, mininterval=5):
            path.write_text(mutant.code, encoding="utf-8")
            if not copy.is_killed(tests, patience):
                survivors.append(_describe(module, mutant, code))
    finally:
        path.write_text(code, encoding="utf-8")
    return len(mutants), survivors


def _describe(module, mutant, code):
    changed = [
        line
        for line in difflib.unified_diff(
            code.splitlines(), mutant.code.splitlines(), lineterm="", n=0
        )
        if not line.startswith(("---", "+++", "@@"))
    ]
    return "\n".join([f"{module}:{mutant.line} ({mutant.name})", *changed])


def main() -> None:
    """Tries one module or all, and prints the table and who survived."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("module", nargs="?", help="a file; default: all cases")
    parser.add_argument("--tests", nargs="+", help="files; default: as CASES")
    parser.add_argument("--names", nargs="+", help="default: as CASES, or all")
    options = parser.parse_args()
    cases = {options.module: CASES.get(options.module, ([], []))}
    if options.module is None:
        cases = CASES
    # A mutant has its original's size and perhaps its second of change.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

    rows, every = [], []
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(pathlib.Path(folder))
        for module, (tests, names) in cases.items():
            mutants, survivors = try_module(
                copy,
                module,
                [module, *(options.tests or tests)],
                options.names or names,
            )
            killed = mutants - len(survivors)
            share = f"{killed / mutants:.1%}"
            rows.append([module, mutants, killed, len(survivors), share])
            every += survivors
    print("\n\n".join(every))
    head = ["module", "mutants", "killed", "survived", "share"]
    print(tabulate(rows, head, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
