"""YAML that others have written: its text, or one sentence that refuses it.

Nothing is built here, and no tag is obeyed.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import functools
import os
import pathlib
import re
from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from speechbrain_hrf.dataio.text_file import decode, shorten
from speechbrain_hrf.regular_file import why_no_file

# Aliases of aliases make a few lines as large as the memory.
_MOST_NODES = 10**6
_BRACKETS = re.compile(r"[\[\]{}]")
_DEEPEST = 200


def read_yaml_text(path: str | os.PathLike[str]) -> str:
    """A YAML file's text.

    Arguments
    ---------
    path : str or os.PathLike

    Returns
    -------
    str
        Without a byte order mark.

    Raises
    ------
    ValueError
        It is no file, no UTF-8, no YAML, nested too deeply, or would grow too
        large.
    OSError
        It is missing, or cannot be read.

    Example
    -------
    >>> path = getfixture("tmpdir").join("a.yaml")
    >>> path.write("a: [1")
    >>> read_yaml_text(path.strpath)
    Traceback (most recent call last):
        ...
    ValueError: ...a.yaml is not valid YAML (line 1: expected ',' or ']', ...
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no {path}: give a YAML's path.")
    why = why_no_file(path)
    if why:
        raise ValueError(f"{path}: {why}. Put the YAML file there.")
    return _checked(pathlib.Path(path), pathlib.Path(path).read_bytes())


# The steps of a start ask for one file again and again, and ruamel takes a tenth
# of a second each time.
@functools.lru_cache(maxsize=8)
def _checked(path: pathlib.Path, content: bytes) -> str:
    with explain_yaml(path):
        text = decode(path, content)
        _refuse_depth(text)
        size = _count_nodes(YAML().compose(text), {})
    if size > _MOST_NODES:
        raise ValueError(
            f"{path} has more than {_MOST_NODES:,} values, by aliases that "
            "name each other: write the values themselves."
        )
    return text


@contextlib.contextmanager
def explain_yaml(where: object) -> Iterator[None]:
    """Says in one sentence what is wrong with YAML that is read within.

    Arguments
    ---------
    where : object
        The file, for the error.

    Yields
    ------
    None

    Raises
    ------
    ValueError

    Example
    -------
    >>> with explain_yaml("a.yaml"):
    ...     YAML(typ="safe").load("a: 1\\na: 2")
    Traceback (most recent call last):
        ...
    ValueError: a.yaml is not valid YAML (line 2: found duplicate key "a" ...
    """
    try:
        yield
    except RecursionError:
        reason = "it is nested too deeply"
    except YAMLError as error:
        reason = _reason(error)
    except ValueError as error:
        # Python's or HyperPyYAML's, which know no file; or one that does.
        if str(where) in str(error):
            raise ValueError(str(error)) from None
        reason = str(error)
    else:
        return
    raise ValueError(
        f"{where} is not valid YAML ({shorten(reason, 200)}): correct or "
        "restore it."
    )


def _refuse_depth(text: str) -> None:
    # ruamel takes half a minute to find out by itself.
    depth = 0
    for bracket in _BRACKETS.findall(text):
        depth = max(depth + (1 if bracket in "[{" else -1), 0)
        if depth > _DEEPEST:
            raise RecursionError


def _reason(error: YAMLError) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", "")
    mark = getattr(error, "problem_mark", None)
    line = f"line {mark.line + 1}: " if mark else ""
    return line + str(problem or error).partition("\n")[0]


def _count_nodes(node: Node | None, known: dict[int, int]) -> int:
    """Values of a tree in which each alias is what it stands for."""
    if id(node) not in known:
        known[id(node)] = _MOST_NODES + 1  # of one that is within itself
        inner: list[Node] = []
        if isinstance(node, SequenceNode):
            inner = node.value
        elif isinstance(node, MappingNode):
            inner = [one for pair in node.value for one in pair]
        known[id(node)] = 1 + sum(_count_nodes(one, known) for one in inner)
    return known[id(node)]
