"""A source without the examples in its docstrings.

Authors
 * The speechbrain_hrf authors 2026
"""

import ast
import contextlib
import re

# Up to the docstring's next heading, or to the quotes that end it.
_EXAMPLE = re.compile(
    r"\n\n([ ]*)Example\n\1-{3,}\n"
    r".*?(?=\n\n\1\w+\n\1-{3,}\n|\s*(?:\"{3}|'{3})\Z)",
    re.DOTALL,
)
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def drop_examples(source: str) -> str:
    """Takes the section Example out of all docstrings.

    A docstring that shares its lines with anything else keeps it.

    Arguments
    ---------
    source : str
        Python.

    Returns
    -------
    str

    Example
    -------
    >>> text = "def f():\\n    '''One.\\n\\n    Example\\n    -------\\n"
    >>> print(drop_examples(text + "    >>> f()\\n    1'''\\n    return 1"))
    def f():
        '''One.'''
        return 1
    """
    # Not splitlines: for Python a form feed ends no line.
    lines = source.split("\n")
    texts = [
        node.body[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, _DOCUMENTED)
        if ast.get_docstring(node, clean=False) is not None
        if isinstance(node.body[0], ast.Expr)
    ]
    # From the last one on: what is above keeps its line numbers.
    for text in sorted(texts, key=lambda text: -text.lineno):
        place = slice(text.lineno - 1, text.end_lineno)
        before = "\n".join(lines[place])
        after = _EXAMPLE.sub("", before)
        if before.strip() == ast.get_source_segment(source, text):
            with contextlib.suppress(SyntaxError):  # quotes of two kinds
                ast.parse(after.strip())
                lines[place] = after.split("\n")
    return "\n".join(lines)
