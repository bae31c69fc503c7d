"""SpeechBrain's form of docstrings, as a function that lists violations.

Every file says what it holds and ends in its authors; every public class and
function says what it takes and returns and shows an example; methods say what
they take and return unless they fill in a hook that SpeechBrain or torch
documents.

Authors
 * The speechbrain_hrf authors 2026
"""

import ast
import re

import speechbrain as sb
import torch

HOOKS = (set(dir(sb.Brain)) | set(dir(torch.nn.Module))) - {"forward"}
AUTHORS = re.compile(r"\n\nAuthors\n(-+\n)?( \* .+\n?)+\s*\Z")


def docstring_violations(source, examples=True):
    """What the docstrings of one file's source lack.

    Scripts are run, not called: they may do without examples.
    """
    tree = ast.parse(source)
    found = []
    if not AUTHORS.search(ast.get_docstring(tree) or ""):
        found.append("the file's docstring does not end in Authors")
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found += _class_violations(node)
        elif _is_public_function(node):
            found += _missing(node, node.name, _headings(node) + ["Example"])
    if not examples:
        found = [text for text in found if not text.endswith("no Example")]
    return found


def _is_public_function(node):
    """Whether a node defines a function that others may call."""
    return isinstance(node, ast.FunctionDef) and node.name[0] != "_"


def _class_violations(node):
    """The same for a class and its public methods."""
    wanted = ["Example"]
    for part in node.body:
        if getattr(part, "name", None) == "__init__" and _takes(part):
            wanted.insert(0, "Arguments")
    decorators = " ".join(map(ast.unparse, node.decorator_list))
    if "dataclass" in decorators:
        wanted.insert(0, "Arguments")
    found = _missing(node, node.name, wanted)
    for part in node.body:
        if _is_public_function(part):
            decorators = " ".join(map(ast.unparse, part.decorator_list))
            inherits = part.name in HOOKS and node.bases
            free = inherits or re.search(r"property|setter", decorators)
            name = f"{node.name}.{part.name}"
            found += _missing(part, name, [] if free else _headings(part))
    return found


def _takes(function):
    """Whether a function takes anything but self."""
    a = function.args
    names = [arg.arg for arg in a.posonlyargs + a.args + a.kwonlyargs]
    names += [arg.arg for arg in (a.vararg, a.kwarg) if arg]
    return bool([name for name in names if name not in ("self", "cls")])


def _headings(function):
    """Headings that a function's docstring needs."""
    wanted = ["Arguments"] if _takes(function) else []
    waiting = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            continue  # what an inner function returns is its own affair
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return wanted + ["Yields"]
        if isinstance(node, ast.Return) and node.value is not None:
            if ast.unparse(node.value) != "None":
                return wanted + ["Returns"]
        waiting += ast.iter_child_nodes(node)
    return wanted


def _missing(node, name, headings):
    """Headings that a docstring lacks."""
    text = ast.get_docstring(node)
    if not text:
        return [f"{name} has no docstring"]
    found = []
    for heading in headings:
        # A generator's heading may be either, as numpy's guide allows.
        words = "Yields|Returns" if heading == "Yields" else heading
        section = re.search(
            rf"^(?:{words})\n-{{3,}}\n(.+?)(?=^\w+\n-{{3,}}\n|\Z)",
            text,
            re.MULTILINE | re.DOTALL,
        )
        if section is None:
            found.append(f"{name} has no {heading}")
        elif heading == "Example" and ">>>" not in section[1]:
            found.append(f"{name}: its Example shows no code")
    return found
