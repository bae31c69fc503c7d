"""One source file that holds a model's classes, for use without this package.

SpeechBrain's ``foreign_class`` runs a Python file that lies in the model's
folder. ``bundle`` makes such a file: it follows, in the syntax trees, the
imports from one's own packages, starting at the classes that the model's YAML
names, and joins the modules it meets in the order in which they need each
other. Imports of anything else stay where they are.

The file's name ends in a hash of its content: two models whose files had one
name would silently share the code of the first one loaded.

Authors
 * The speechbrain_hrf authors 2026
"""

import ast
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import pathlib
import re
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from speechbrain_hrf.export.docstrings import drop_examples

CLASSNAME = "BundledEncoderClassifier"
HOOK = "load_strict"
_OWN_ROOT = __name__.partition(".")[0]

_HEADER = '''"""{title}, for SpeechBrain alone.

    from speechbrain.inference.interfaces import foreign_class

    classifier = foreign_class(
        source="path/to/this/folder",
        hparams_file="hyperparams_standalone.yaml",
        pymodule_file="<the name of this file>",
        classname="{classname}",
    )

Joined from the sources of the model by the export of speechbrain-hrf.
"""
'''
_FOOTER = '''\
import torch
from speechbrain.inference.classifiers import EncoderClassifier


def load_strict(obj, path):
    """Loads all parameters of a module, or raises."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    obj.load_state_dict(state, strict=True)


class {classname}(EncoderClassifier):
    """``EncoderClassifier`` for the model that this file defines."""
'''


class Bundle(NamedTuple):
    """A single-file source.

    Arguments
    ---------
    module : str
        Its unique module name; the file is ``<module>.py``.
    text : str
        Its content.
    names : dict
        Dotted name inside it by the dotted name of what was bundled.

    Example
    -------
    >>> Bundle("hrf_a_0", "class A: pass", {"my.A": "hrf_a_0.A"}).module
    'hrf_a_0'
    """

    module: str
    text: str
    names: dict[str, str]

    @property
    def holds_foreign_code(self) -> bool:
        """bool: Whether some of it is not this package's."""
        return any(name.partition(".")[0] != _OWN_ROOT for name in self.names)


def bundle(objects: Mapping[str, Any], model_name: str) -> Bundle | None:
    """Joins the sources of classes and functions into one file.

    Arguments
    ---------
    objects : dict
        Class or function by dotted name. Those that an installed package
        other than this one provides are left where they are.
    model_name : str
        Goes into the name of the file.

    Returns
    -------
    Bundle or None
        None if there is nothing to join: the model's YAML then loads
        wherever those other packages are installed.

    Raises
    ------
    ValueError
        The sources use their modules in a way that does not survive joining.

    Example
    -------
    >>> from speechbrain_hrf.lobes.models.classifier import ClassifierHead
    >>> name = "speechbrain_hrf.lobes.models.classifier.ClassifierHead"
    >>> single = bundle({name: ClassifierHead}, "Head")
    >>> single.module.rpartition("_")[0], "speechbrain_hrf" in single.text
    ('hrf_head', False)
    >>> single.names[name] == f"{single.module}.ClassifierHead"
    True
    >>> bundle({"torch.nn.Linear": __import__("torch").nn.Linear}, "Linear")
    """
    own = {
        name: found
        for name, found in objects.items()
        # Some functions that are written in C do not say their module.
        if is_own(getattr(found, "__module__", None) or "builtins")
    }
    if not own:
        return None
    _read.cache_clear()  # files may have changed since
    sources: dict[str, Any] = {}
    for found in own.values():
        _collect(found.__module__, sources)
    bound: dict[str, tuple[pathlib.Path, str]] = {}
    future: dict[str, None] = {}
    for part in sources.values():
        _refuse_two_meanings(part, bound)
        future |= dict.fromkeys(part.future)
    head = _HEADER.format(title=model_name, classname=CLASSNAME)
    text = "\n\n\n".join(
        [
            "\n".join([head, *future]).strip("\n"),
            *(part.body() for part in sources.values()),
            _FOOTER.format(classname=CLASSNAME),
        ]
    )
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    stem = re.sub(r"\W", "_", model_name).lower()
    module = f"hrf_{stem}_{digest}"
    names = {
        name: f"{module}.{found.__qualname__}" for name, found in own.items()
    }
    return Bundle(module, text, names)


def is_own(module: str) -> bool:
    """Whether a module goes into the file, or can be imported beside it.

    One's own are this package, and modules that no installed distribution
    provides, such as one that lies beside a recipe. SpeechBrain never is: it
    loads the file, and may be a checkout that is not installed.

    Arguments
    ---------
    module : str
        Dotted name.

    Returns
    -------
    bool

    Example
    -------
    >>> is_own("speechbrain_hrf.lobes"), is_own("torch.nn"), is_own("math")
    (True, False, False)
    >>> is_own("speechbrain.lobes.models.hrf")
    False
    """
    root = module.partition(".")[0]
    others = sys.stdlib_module_names | _installed_roots()
    # Where this code itself lies under speechbrain.*, its root is SpeechBrain's.
    return root != "speechbrain" and (root == _OWN_ROOT or root not in others)


@functools.cache
def _installed_roots() -> frozenset[str]:
    roots = set(importlib.metadata.packages_distributions())
    if sys.version_info < (3, 11):  # knows what top_level.txt lists, no more
        for distribution in importlib.metadata.distributions():
            for file in distribution.files or ():
                roots.add(file.parts[0].removesuffix(".py"))
    return frozenset(roots)


class _Source:
    """A module's text without what joining makes superfluous."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.path = pathlib.Path(str(importlib.import_module(module).__file__))
        # Their imports from the package would be of what is not there.
        text = drop_examples(
            importlib.util.decode_source(self.path.read_bytes())
        )
        self.future: list[str] = []  # the lines of such imports
        self.bound: dict[str, str] = {}  # top-level name: what it stands for
        self._lines = text.split("\n")
        self._dropped: list[ast.stmt] = []
        self._own_imports: list[tuple[ast.ImportFrom, bool]] = []  # is nested
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._read_import(node, is_nested=node not in tree.body)
        for statement in tree.body:
            names = _find_names(statement)
            is_text = isinstance(statement, ast.Expr) and isinstance(
                statement.value, ast.Constant
            )
            if is_text or names == ["__all__"]:
                self._dropped.append(statement)
            else:
                self.bound |= dict.fromkeys(names, ast.dump(statement))

    def needs(self) -> list[str]:
        """The modules of one's own that it imports from."""
        return [
            _read(self._base(node)).origin(alias.name)[0]
            for node, _ in self._own_imports
            for alias in node.names
        ]

    def body(self) -> str:
        """The text without module docstring and imports of one's own."""
        edits = [(node, list[str]()) for node in self._dropped] + [
            (node, self._renamings(node, is_nested))
            for node, is_nested in self._own_imports
        ]
        lines = list(self._lines)
        for node, instead in sorted(edits, key=lambda e: -e[0].lineno):
            self._refuse_company(node)
            start = node.lineno - 1
            while not instead and start and not lines[start - 1].strip():
                start -= 1
            lines[start : node.end_lineno] = instead
        return "\n".join(lines).strip("\n")

    def origin(self, name: str) -> tuple[str, str]:
        """Module and name under which something imported here is defined."""
        for node, _ in self._own_imports:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _read(self._base(node)).origin(alias.name)
        if name not in self.bound:
            raise ValueError(
                f"{self.path} defines no {name} that could be bundled. If it "
                "is a module, import the names that you need from it."
            )
        return self.module, name

    def _read_import(
        self, node: ast.Import | ast.ImportFrom, is_nested: bool
    ) -> None:
        base = self._base(node)
        is_from_own = isinstance(node, ast.ImportFrom) and is_own(base)
        for alias in node.names:
            if alias.name == "*" if is_from_own else is_own(base or alias.name):
                raise ValueError(
                    f"{self.path}: '{ast.unparse(node)}' cannot be bundled "
                    "into one file. Import the names that you need from the "
                    "module that defines them."
                )
            if not is_nested and not is_from_own:
                # "import a.b" binds a, just as "import a.c" does.
                whole = base or alias.asname
                name = alias.name if whole else alias.name.partition(".")[0]
                stands_for = ".".join(filter(None, (base, name)))
                self.bound[alias.asname or name] = f"import {stands_for}"
        if isinstance(node, ast.ImportFrom) and is_from_own:
            self._own_imports.append((node, is_nested))
        elif base == "__future__":
            self.future.append(ast.unparse(node))
            self._dropped.append(node)

    def _renamings(self, node: ast.ImportFrom, is_nested: bool) -> list[str]:
        # All names live in one file; only another name needs a line.
        lines = []
        for alias in node.names:
            name = _read(self._base(node)).origin(alias.name)[1]
            if alias.asname not in (None, name) or alias.name != name:
                lines.append(f"{alias.asname or alias.name} = {name}")
        if is_nested:
            lines = [" " * node.col_offset + line for line in lines or ["pass"]]
        return lines

    def _refuse_company(self, node: ast.stmt) -> None:
        # Of what is left out with its lines. Columns count bytes.
        lines = self._lines[node.lineno - 1 : node.end_lineno]
        before = lines[0].encode()[: node.col_offset]
        after = lines[-1].encode()[node.end_col_offset :]
        if before.strip() or not re.fullmatch(rb"[\s;]*(#.*)?", after):
            raise ValueError(
                f"{self.path}: '{ast.unparse(node)}' shares its line with "
                "other code, and cannot be bundled into one file. Give it a "
                "line of its own."
            )

    def _base(self, node: ast.Import | ast.ImportFrom) -> str:
        # What names are imported from; "" where modules are.
        if isinstance(node, ast.Import):
            return ""
        is_package = self.path.stem == "__init__"
        package = self.module if is_package else self.module.rpartition(".")[0]
        relative = "." * node.level + (node.module or "")
        return importlib.util.resolve_name(relative, package)


@functools.cache
def _read(module: str) -> _Source:
    return _Source(module)


def _collect(module: str, sources: dict[str, Any]) -> None:
    # Depth first: what a module needs stands before it.
    if module in sources:
        return
    sources[module] = None  # a cycle ends here
    for need in _read(module).needs():
        _collect(need, sources)
    del sources[module]  # so that it stands behind those
    sources[module] = _read(module)


def _refuse_two_meanings(
    part: _Source, bound: dict[str, tuple[pathlib.Path, str]]
) -> None:
    for name, stands_for in part.bound.items():
        other, known = bound.setdefault(name, (part.path, stands_for))
        if known != stands_for:
            raise ValueError(
                f"{name} is one thing in {other} and another in "
                f"{part.path}: the two cannot be bundled into one file. "
                "Rename one of them."
            )


def _find_names(node: ast.stmt) -> list[str]:
    # Those that a statement binds, but an import.
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    return [
        name.id
        for target in targets
        if target is not None
        for name in ast.walk(target)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    ]
