"""One Python module, taken apart so that it can be joined with others.

Authors
 * The speechbrain_hrf authors 2026
"""

import ast
import functools
import importlib
import importlib.metadata
import importlib.util
import pathlib
import re
import sys

_OWN_ROOT = __name__.partition(".")[0]


class Source:
    """What a module imports, what it defines, and the text of the latter.

    Arguments
    ---------
    module : str
        Its dotted name.

    Raises
    ------
    ValueError
        It imports whole modules of one's own packages, or all names of one:
        joined into one file, there are no such modules any more.

    Example
    -------
    >>> source = Source("speechbrain_hrf.lobes.models.classifier")
    >>> sorted(source.imports)
    ['from torch import nn', 'import torch']
    >>> sorted(source.bound)
    ['ClassifierHead', 'nn', 'torch']
    >>> source.body.split(chr(10))[0]
    'class ClassifierHead(nn.Module):'
    """

    def __init__(self, module):
        self.module = module
        self.path = pathlib.Path(importlib.import_module(module).__file__)
        self._lines = self.path.read_text(encoding="utf-8").splitlines()
        self._tree = ast.parse("\n".join(self._lines))
        self._edits = {}  # (first line, last line): the lines instead
        self._own_imports = []  # (node, whether it stands in a block)
        self.imports = set()  # of anything else, one name a line
        self.bound = {}  # top-level name: what it stands for
        for node in self._tree.body:
            self._read_top_level(node)
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._read_import(node, nested=node not in self._tree.body)
            elif isinstance(node, ast.ClassDef | ast.FunctionDef):
                self._drop_example(node)

    @property
    def needs(self):
        """list of str: The modules of one's own that it imports from."""
        return [
            self._source(node).origin(alias.name)[0]
            for node, _ in self._own_imports
            for alias in node.names
        ]

    @property
    def body(self):
        """str: The text without module docstring and top-level imports."""
        edits = dict(self._edits)
        for node, nested in self._own_imports:
            edits[node.lineno, node.end_lineno] = self._renamings(node, nested)
        lines = dict(enumerate(self._lines, start=1))
        for (first, last), instead in edits.items():
            for number in range(first, last + 1):
                del lines[number]
            if instead:
                lines[first] = "\n".join(instead)
        text = "\n".join(lines[number] for number in sorted(lines))
        return re.sub(r"\n{4,}", "\n\n\n", text.strip("\n"))

    def origin(self, name):
        """Where a name of this module is defined.

        Arguments
        ---------
        name : str
            As ``from <module> import <name>`` has it.

        Returns
        -------
        str
            The module; this one, or one that this one takes it from.
        str
            Its name there.
        """
        for node, _ in self._own_imports:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return self._source(node).origin(alias.name)
        if name not in self.bound:
            raise ValueError(
                f"{self.path} defines no {name} that could be bundled. If it "
                "is a module, import the names that you need from it."
            )
        return self.module, name

    def _read_top_level(self, node):
        is_docstring = isinstance(node, ast.Expr) and isinstance(
            node.value, ast.Constant
        )
        names = _names_bound(node)
        if is_docstring or names == ["__all__"]:
            self._edits[node.lineno, node.end_lineno] = []
            return
        for name in names:
            self.bound[name] = ast.dump(node)

    def _read_import(self, node, nested):
        if isinstance(node, ast.ImportFrom) and is_own(self._base(node)):
            if node.names[0].name == "*":
                raise self._refusal(f"from {self._base(node)} import *")
            self._own_imports.append((node, nested))
            return
        for alias in node.names:
            if isinstance(node, ast.Import) and is_own(alias.name):
                raise self._refusal(f"import {alias.name}")
            if not nested:
                self._hoist(node, alias)
        if not nested:
            self._edits[node.lineno, node.end_lineno] = []

    def _hoist(self, node, alias):
        renamed = f" as {alias.asname}" if alias.asname else ""
        here = alias.asname or alias.name
        if isinstance(node, ast.Import):
            self.imports.add(f"import {alias.name}{renamed}")
            if not alias.asname:
                # "import a.b" binds a, just as "import a.c" does.
                here = here.partition(".")[0]
            stands_for = alias.name if alias.asname else here
        else:
            base = self._base(node)
            self.imports.add(f"from {base} import {alias.name}{renamed}")
            stands_for = f"{base}.{alias.name}"
        self.bound[here] = f"import {stands_for}"

    def _renamings(self, node, nested):
        # All names live in one file; only another name needs a line.
        lines = []
        for alias in node.names:
            name = self._source(node).origin(alias.name)[1]
            here = alias.asname or alias.name
            if here != name:
                lines.append(f"{here} = {name}")
        if nested:
            lines = [" " * node.col_offset + line for line in lines or ["pass"]]
        return lines

    def _source(self, node):
        return source(self._base(node))

    def _base(self, node):
        is_package = self.path.stem == "__init__"
        package = self.module if is_package else self.module.rpartition(".")[0]
        relative = "." * node.level + (node.module or "")
        return importlib.util.resolve_name(relative, package)

    def _drop_example(self, node):
        # Examples import from the package, which is not there any more.
        if ast.get_docstring(node) is None:
            return
        text = node.body[0]
        lines = self._lines[text.lineno - 1 : text.end_lineno]
        underlined = [
            number
            for number, line in enumerate(lines)
            if re.fullmatch(r"\s*-{3,}\s*", line)
        ]
        for position, number in enumerate(underlined):
            if lines[number - 1].strip() == "Example":
                later = underlined[position + 1 :]
                # Up to the next heading, or the quotes that end the text.
                end = later[0] - 1 if later else len(lines) - 1
                first = text.lineno + number - 1
                blank = not lines[number - 2].strip() and not later
                self._edits[first - blank, text.lineno + end - 1] = []

    def _refusal(self, what):
        return ValueError(
            f"{self.path}: '{what}' cannot be bundled into one file. Import "
            "the names that you need from the module that defines them."
        )


def is_own(module):
    """Whether a module goes into the file, or can be imported beside it.

    One's own are this package, and modules that no installed distribution
    provides, such as one that lies beside a recipe.

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
    """
    root = module.partition(".")[0]
    if root == _OWN_ROOT:
        return True
    return (
        root not in sys.stdlib_module_names and root not in _installed_roots()
    )


@functools.cache
def source(module):
    """``Source(module)``, read once.

    Arguments
    ---------
    module : str
        Its dotted name.

    Returns
    -------
    Source

    Example
    -------
    >>> source("speechbrain_hrf.export") is source("speechbrain_hrf.export")
    True
    """
    return Source(module)


@functools.cache
def _installed_roots():
    return frozenset(importlib.metadata.packages_distributions())


def _names_bound(node):
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
