"""Texts of this repository, rewritten as SpeechBrain keeps its own.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import ast
import re

# Where our modules go; longer names first.
HOMES = {
    "speechbrain_hrf.lobes.models": "speechbrain.lobes.models.hrf",
    "speechbrain_hrf.distributed": "speechbrain.nnet.hrf.distributed",
    "speechbrain_hrf.nnet": "speechbrain.nnet.hrf",
    "speechbrain_hrf.apply_hrf": "speechbrain.nnet.hrf.apply_hrf",
    # What is imported from the top in examples is HRF itself.
    "from speechbrain_hrf import": "from speechbrain.nnet.hrf import",
}
AUTHORS = "The speechbrain_hrf authors"


def rewrite_module(text: str, cuts: tuple[str, ...] = ()) -> str:
    """A module of this package as one of SpeechBrain's, for Python 3.8.

    Arguments
    ---------
    text : str
        The module.
    cuts : tuple of str
        Regular expressions of what is left out; each is found once.

    Returns
    -------
    str

    Example
    -------
    >>> print(rewrite_module('"Doc."\\nx = zip([], [], strict=True)'))
    "Doc."
    from __future__ import annotations
    <BLANKLINE>
    x = zip([], [])
    """
    for cut in cuts:
        text, count = re.subn(cut, "", text)
        if count != 1:
            raise ValueError(f"{cut!r} is to be cut once, and is {count} times")
    return _for_python_38(_rename(text))


def _rename(text: str) -> str:
    for ours, theirs in HOMES.items():
        text = text.replace(ours, theirs)
    others = text.replace(AUTHORS, "")
    left = others.find("speechbrain_hrf")
    if left >= 0:
        raise ValueError(
            f"{others[left : left + 60]!r} is not in what goes upstream: add "
            "its home to HOMES, or cut it."
        )
    return text


def _for_python_38(text: str) -> str:
    tree = ast.parse(text)
    edits = []  # (line, column, end line, end column, new text)
    for node in tree.body:
        # The name of a type: Python 3.8 cannot compute it.
        if isinstance(node, ast.Assign) and _is_type(node.value):
            quoted = '"' + ast.unparse(node.value) + '"'
            edits.append((*_place(node.value), quoted))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(
            node.func, ast.Name
        ):
            continue
        if node.func.id == "isinstance":
            kinds = node.args[1]
            if isinstance(kinds, ast.BinOp):
                names = ast.unparse(kinds).replace(" | ", ", ")
                edits.append((*_place(kinds), f"({names})"))
        for keyword in node.keywords:
            if node.func.id == "zip" and keyword.arg == "strict":
                last = node.args[-1]
                start = (last.end_lineno, last.end_col_offset)
                end = (keyword.end_lineno, keyword.end_col_offset)
                edits.append((*start, *end, ""))
    lines = text.encode().splitlines(keepends=True)
    for line, column, end_line, end_column, new in sorted(edits, reverse=True):
        head = lines[line - 1][:column] + new.encode()
        tail = lines[end_line - 1][end_column:]
        lines[line - 1 : end_line] = [head + tail]
    if "from __future__ import annotations" not in text:
        at = tree.body[0].end_lineno or 0  # behind the docstring
        if at and not lines[at - 1].endswith(b"\n"):
            lines[at - 1] += b"\n"
        lines.insert(at, b"from __future__ import annotations\n\n")
    return b"".join(lines).decode()


def _is_type(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.BitOr)
    generics = ("Callable", "Mapping", "Sequence", "dict", "list", "tuple")
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in generics
    )


def _place(node: ast.expr) -> tuple[int, int, int, int]:
    return (
        node.lineno,
        node.col_offset,
        node.end_lineno or 0,
        node.end_col_offset or 0,
    )


def rewrite_yaml(text: str, dropped: set[str], replaced: dict[str, str]) -> str:
    """A recipe's YAML without what only this package has.

    Arguments
    ---------
    text : str
        The YAML; comments above a key belong to it.
    dropped : set of str
        Top-level keys.
    replaced : dict of str: str
        Top-level key to the text that stands for it.

    Returns
    -------
    str

    Example
    -------
    >>> print(rewrite_yaml("a: 1\\n# why\\nb: 2\\nc: 3\\n", {"b"}, {"c": "d: 4"}))
    a: 1
    d: 4
    <BLANKLINE>
    """
    blocks = re.findall(
        r"(?:(?:#.*)?\n)*[^\s#].*\n(?:[ ]+.*\n)*", text, re.MULTILINE
    )
    if "".join(blocks) != text:
        raise ValueError("a line of the YAML belongs to no key")
    known = {_key(block) for block in blocks}
    if missing := (dropped | replaced.keys()) - known:
        raise ValueError(f"the YAML has no {', '.join(sorted(missing))}")
    kept = []
    blank = False
    for block in blocks:
        key = _key(block)
        if key in dropped:
            # What follows starts a paragraph if this did.
            blank = blank or block.startswith("\n")
            continue
        if key in replaced:
            block = "\n" * block.startswith("\n") + replaced[key] + "\n"
        kept.append("\n" * (blank and not block.startswith("\n")) + block)
        blank = False
    return _rename("".join(kept))


def _key(block: str) -> str:
    line = re.search(r"^[^\s#].*", block, re.MULTILINE)
    return line.group().partition(":")[0] if line else ""


def insert_before(text: str, anchor: str, new: str) -> str:
    """A text with a piece put in front of another one that occurs once.

    Arguments
    ---------
    text : str
        Of a file of SpeechBrain's.
    anchor : str
        What occurs once in it.
    new : str
        What is put in front.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it does not occur exactly once.

    Example
    -------
    >>> insert_before("a c", "c", "b ")
    'a b c'
    """
    return replace_once(text, anchor, new + anchor)


def replace_once(text: str, old: str, new: str) -> str:
    """A text with a piece that occurs once replaced.

    Arguments
    ---------
    text : str
        Of a file of SpeechBrain's.
    old, new : str
        What occurs once, and what takes its place.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it does not occur exactly once.

    Example
    -------
    >>> replace_once("a b", "b", "c")
    'a c'
    """
    if text.count(old) != 1:
        raise ValueError(
            f"{old.strip()!r} is there {text.count(old)} times, not once"
        )
    return text.replace(old, new)
