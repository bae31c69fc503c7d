"""Breaks a module in many small ways and counts what its tests notice.

    python tests/mutation.py
    python tests/mutation.py speechbrain_hrf/nnet/algebra.py \\
        --tests tests/nnet/test_algebra.py --names collapse

A mutant is the module with one change: another operator, a number plus one, an
argument left out, a text changed. mutmut's operators make them, of the names
given (functions, classes, constants) or of the whole module. Left as they are:
errors that are raised, calls of the log, annotations, decorators, docstrings,
and the arguments encoding, strict, what and desc.

Its tests and its own examples run against each mutant, in a process of its own
and a copy of the repository; those first that are fast or have noticed other
mutants. A mutant is killed when a test fails, or when they take several times
as long as they do otherwise, in seconds of the processor: others may use it
too. Without a module, ``CASES`` are tried.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import collections
import contextlib
import dataclasses
import difflib
import functools
import gc
import importlib
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import types
from typing import Any

import libcst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators
from tabulate import tabulate
from tqdm import tqdm

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
# Imported once, before the processes part.
LARGE = ("torch", "speechbrain.dataio.dataset", "sklearn.metrics", "soundfile")
# Arguments that no test need see: the encoding where it is the usual one anyway,
# the comparison of lengths where they are the same, words of messages.
_UNSEEN = re.compile(r",\s*(encoding|strict|what|desc)=[^,)]*|, (?=\))")
# What decides labels, splits, segments and scores.
# Module: (its tests, the names that decide; none: all of them)
CASES: dict[str, tuple[list[str], str]] = {
    "recipes/IEMOCAP/iemocap_prepare.py": (
        ["tests/recipes/test_iemocap_prepare.py"],
        "EMOTIONS LABELS TEST_SESSION _LABEL_LINE _RATER_LINE read_turns "
        "prepare_iemocap.make _label_lines _continues",
    ),
    "recipes/M3ED/m3ed_prepare.py": (
        ["tests/recipes/test_m3ed_prepare.py"],
        "EMOTIONS LISTS Utterance prepare_m3ed.make _read_splits "
        "_read_utterances _contents _find_audio",
    ),
    "recipes/DAIC-WOZ/daic_woz_prepare.py": (
        ["tests/recipes/test_daic_woz_prepare.py"],
        "STATES WINDOW_SECONDS HOP_SECONDS PARTS OFFSETS INTERRUPTIONS LABELS "
        "prepare_daic_woz.make choose_part read_list choose_rows "
        "participant_ranges",
    ),
    "recipes/RAVDESS/ravdess_prepare.py": (
        ["tests/recipes/test_ravdess_prepare.py"],
        "EMOTIONS FOLDS ACTORS prepare_ravdess.make is_speech describe",
    ),
    "recipes/nEMO/nemo_prepare.py": (
        ["tests/recipes/test_nemo_prepare.py"],
        "EMOTIONS SPEAKERS prepare_nemo.make is_recording describe "
        "check_labels",
    ),
    "speechbrain_hrf/dataio/recordings.py": (
        ["tests/dataio/test_recordings.py"],
        "find_recordings split_folds",
    ),
    "speechbrain_hrf/dataio/transcript.py": (
        ["tests/dataio/test_transcript.py"],
        "",
    ),
    "speechbrain_hrf/training/scores.py": (
        ["tests/training/test_scores.py"],
        "",
    ),
    "speechbrain_hrf/training/weights.py": (
        ["tests/training/test_weights.py"],
        "",
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
        if isinstance(target, libcst.Name):
            return target.value
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


class MutantLoop:
    """Runs the tests of a pytest session once for each mutant.

    The tests are collected once. Each mutant gets a process of its own, which
    parts from there, puts the changed code in the place of the module's and
    runs the tests until the first that fails.

    Arguments
    ---------
    path : pathlib.Path
        The module's file, which is written to.
    mutants : list of Mutant
    report : pathlib.Path
        Where the numbers of those that survive are written.
    """

    def __init__(
        self, path: pathlib.Path, mutants: list[Mutant], report: pathlib.Path
    ):
        self.path, self.mutants, self.report = path, mutants, report
        self.note = report.with_name("failed")
        self.durations = report.with_name("durations.json")
        self.seconds: dict[str, float] = {}  # of each test
        self.kills: collections.Counter[str] = collections.Counter()
        self.namespaces: list[dict[str, Any]] = []
        self.in_child, self.parent = False, os.getppid()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes how long each test takes, and the one that fails."""
        before = self.seconds.get(report.nodeid, 0.0)
        self.seconds[report.nodeid] = before + report.duration
        if report.failed:
            self.note.write_text(report.nodeid, encoding="utf-8")
            if self.in_child:
                os._exit(1)  # without whatever else ends a session

    def pytest_sessionfinish(self) -> None:
        """Keeps the times, for the order of tests."""
        if self.in_child and not self.durations.exists():
            self.durations.write_text(json.dumps(self.seconds), "utf-8")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Tries all mutants; in a mutant's process pytest's own loop goes on.

        Arguments
        ---------
        session : pytest.Session
            What was collected.
        """
        self.namespaces = find_namespaces(self.path)
        gc.freeze()  # memory that is not written to is shared
        start = _seconds_of_children()
        if self.is_killed(session, None, 600) is not False:
            if not self.in_child:
                self.report.write_text("null", encoding="utf-8")
            return None if self.in_child else True
        seconds = round(5 + 3 * (_seconds_of_children() - start))
        self.seconds = json.loads(self.durations.read_text("utf-8"))
        survivors = []
        bar = tqdm(total=len(self.mutants), desc=self.path.name, disable=None)
        for number, mutant in enumerate(self.mutants):
            killed = self.is_killed(session, mutant, seconds)
            if self.in_child:
                return None
            if os.getppid() != self.parent:  # the command was stopped
                return True
            if not killed:
                survivors.append(number)
            bar.update()
        self.report.write_text(json.dumps(survivors), encoding="utf-8")
        return True

    def is_killed(
        self, session: pytest.Session, mutant: Mutant | None, seconds: int
    ) -> bool | None:
        """Whether a test fails, or they take more than so many seconds.

        Arguments
        ---------
        session : pytest.Session
        mutant : Mutant or None
            None: the module as it is.
        seconds : int
            Of the processor; waiting may take ten times as long.

        Returns
        -------
        bool or None
            None in the child, which has the mutant's code from here on.
        """
        self.note.unlink(missing_ok=True)
        code = self.path.read_text(encoding="utf-8")
        if mutant:
            self.path.write_text(mutant.code, encoding="utf-8")
        child = os.fork()
        if not child:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            self.in_child = True
            # What is fast, or has noticed many, runs first.
            session.items.sort(
                key=lambda item: (
                    self.seconds.get(item.nodeid, 0.0)
                    / (1 + self.kills[item.nodeid])
                )
            )
            for (
                namespace
            ) in self.namespaces:  # also without a mutant: a control
                replace_code(
                    namespace, self.path, mutant.code if mutant else code
                )
            return None
        deadline, status = time.monotonic() + 10 * seconds, None
        while status is None:
            ended, found = os.waitpid(child, os.WNOHANG)
            if ended:
                status = found
            elif time.monotonic() > deadline:
                os.killpg(child, signal.SIGKILL)
                status = os.waitpid(child, 0)[1]
            else:
                time.sleep(0.01)
        self.path.write_text(code, encoding="utf-8")
        if self.note.is_file():
            self.kills[self.note.read_text(encoding="utf-8")] += 1
        return status != 0


def _seconds_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def find_namespaces(path: pathlib.Path) -> list[dict[str, Any]]:
    """The namespaces that were made of a file, however often it was loaded.

    Arguments
    ---------
    path : pathlib.Path
    """
    found = {
        id(each.__globals__): each.__globals__
        for each in gc.get_objects()
        if type(each) is types.FunctionType
        and each.__code__.co_filename == str(path)
    }
    return list(found.values())


def replace_code(
    namespace: dict[str, Any], path: pathlib.Path, code: str
) -> None:
    """Puts other code in the place of a module's, wherever it is in use.

    Others may hold its functions and classes, so these stay the same objects.

    Arguments
    ---------
    namespace : dict
        Of the module.
    path : pathlib.Path
        Its file.
    code : str
        What the file would hold.
    """
    changed = {"__name__": namespace["__name__"], "__file__": str(path)}
    exec(compile(code, str(path), "exec"), changed)
    before = dict(namespace)
    _replace_values(namespace, changed, namespace.__setitem__)
    replaced = {
        name: value
        for name, value in before.items()
        if namespace[name] is not value
    }
    for module in list(sys.modules.values()):  # `from module import CONSTANT`
        for name, value in replaced.items():
            if getattr(module, "__dict__", {}).get(name, changed) is value:
                setattr(module, name, namespace[name])


# What holds a function, and where.
_WRAPPERS = {
    property: "fget",
    classmethod: "__func__",
    staticmethod: "__func__",
}


def _replace_values(old, new, put):
    for name, value in new.items():
        before = old.get(name)
        for kind, inner in _WRAPPERS.items():
            if isinstance(value, kind) and isinstance(before, kind):
                before, value = getattr(before, inner), getattr(value, inner)
        if isinstance(value, types.FunctionType) and before:
            before.__code__ = value.__code__
            before.__defaults__ = value.__defaults__
            before.__kwdefaults__ = value.__kwdefaults__
        elif isinstance(value, type) and isinstance(before, type):
            if value is not before:
                _replace_values(
                    dict(vars(before)),
                    dict(vars(value)),
                    functools.partial(setattr, before),
                )
        elif not (name.startswith("__") and name.endswith("__")):
            put(name, value)


def copy_repository(folder: pathlib.Path) -> None:
    """Copies the files of the working tree that git does not ignore.

    Arguments
    ---------
    folder : pathlib.Path
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)


def try_module(
    copy: pathlib.Path,
    module: str,
    tests: list[str],
    names: list[str],
    share: float = 1,
) -> tuple[int, list[str]]:
    """Runs the tests against every mutant of a module.

    Arguments
    ---------
    copy : pathlib.Path
        Of the repository.
    module : str
        The file, from the repository's root.
    tests : list of str
        Files.
    names : list of str
        See ``MutantFinder``.
    share : float
        Of all mutants, drawn with seed 0.

    Returns
    -------
    mutants : int
        How many were tried.
    survivors : list of str
        What was changed in each that no test noticed.
    """
    path, report = copy / module, copy.with_name("survivors.json")
    copy.with_name("durations.json").unlink(missing_ok=True)
    code = path.read_text(encoding="utf-8")
    mutants = find_mutants(code, names)
    mutants = random.Random(0).sample(mutants, round(share * len(mutants)))
    child = os.fork()
    if not child:
        _run_tests(copy, [*tests, module], MutantLoop(path, mutants, report))
    os.waitpid(child, 0)
    survivors = json.loads(report.read_text(encoding="utf-8"))
    if not mutants or survivors is None:
        sys.exit(f"{module}: no mutants, or its tests fail without any")
    return len(mutants), [
        _describe(module, mutants[number], code) for number in survivors
    ]


def _run_tests(copy, tests, loop):
    """In a process of its own, which ends here."""
    status = 1
    try:
        os.chdir(copy)
        sys.path[0] = os.environ["PYTHONPATH"] = str(copy)
        with open(os.devnull, "w") as nothing:
            with contextlib.redirect_stdout(nothing):
                status = pytest.main(
                    [
                        "-xqs",
                        "-n0",
                        "--tb=no",
                        "--assert=plain",
                        "-pno:cacheprovider",
                    ]
                    + [f"--basetemp={copy.with_name('tmp')}", *tests],
                    plugins=[loop],
                )
    finally:
        os._exit(status)


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
    parser.add_argument(
        "--share", type=float, default=1, help="of the mutants, drawn by chance"
    )
    options = parser.parse_args()
    cases = {options.module: CASES.get(options.module, ([], ""))}
    if options.module is None:
        cases = CASES
    # A mutant has its original's size and perhaps its second of change.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

    for name in LARGE:
        importlib.import_module(name)

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "copy"
        copy_repository(copy)
        for module, (tests, names) in cases.items():
            mutants, survivors = try_module(
                copy,
                module,
                options.tests or tests,
                options.names or names.split(),
                options.share,
            )
            killed = mutants - len(survivors)
            part = f"{killed / mutants:.1%}"
            rows.append([module, mutants, killed, len(survivors), part])
            print(*survivors, f"{module}: {part}", sep="\n\n", flush=True)
    head = ["module", "tried", "killed", "survived", "share"]
    print(tabulate(rows, head, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
