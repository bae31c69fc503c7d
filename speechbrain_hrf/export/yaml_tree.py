"""Walking, copying and writing a HyperPyYAML document without running it.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import io
import os
from collections.abc import Iterator
from typing import Any

import ruamel.yaml
from hyperpyyaml import resolve_references
from ruamel.yaml.anchor import Anchor
from ruamel.yaml.comments import Comment
from ruamel.yaml.tag import Tag

from speechbrain_hrf.yaml_text import explain_yaml, read_yaml_text

_VERBS = ("!new:", "!name:", "!apply:")


def read(path: str | os.PathLike[str], overrides: str = "") -> Any:
    """Reads a file, its references resolved, nothing built.

    Arguments
    ---------
    path : str or os.PathLike
    overrides : str
        Values to replace, as YAML.

    Returns
    -------
    ruamel.yaml.comments.CommentedMap
        One node is one object, however often it is referred to.

    Raises
    ------
    ValueError
        The file is not YAML, has no keys, or none that is to be replaced.

    Example
    -------
    >>> path = getfixture("tmpdir") / "file.yaml"
    >>> _ = path.write_text("a: {b: 1}\\nc: !ref <a>\\n", "utf-8")
    >>> tree = read(path, "a: {b: 2}")
    >>> tree["c"] is tree["a"], tree["c"]["b"]
    (True, 2)
    """
    read_yaml_text(path)  # to refuse what is none
    try:
        # As a file, beside which those that it includes are looked for.
        with explain_yaml(path), open(path, encoding="utf-8-sig") as stream:
            text = resolve_references(stream, overrides, bool(overrides))
            tree = _yaml().load(text)
    except KeyError as error:  # of overrides; it names the key
        raise ValueError(f"{path}: {error.args[0]}") from error
    if not isinstance(tree, dict):
        raise ValueError(f"{path} has no keys: it is empty or a list.")
    return tree


def dump(tree: Any) -> str:
    """Writes a document as text.

    Arguments
    ---------
    tree : dict

    Returns
    -------
    str

    Example
    -------
    >>> dump({"a": [1, 2]})
    'a:\\n    - 1\\n    - 2\\n'
    """
    stream = io.StringIO()
    _yaml().dump(tree, stream)
    return stream.getvalue()


def strip(tree: Any) -> Any:
    """Copies a document without its comments and the names of its anchors.

    Arguments
    ---------
    tree : dict

    Returns
    -------
    dict

    Example
    -------
    >>> path = getfixture("tmpdir") / "file.yaml"
    >>> _ = path.write_text("a: 1  # of this training\\n", "utf-8")
    >>> dump(strip(read(path)))
    'a: 1\\n'
    """
    tree = copy.deepcopy(tree)
    for _, node in walk(tree):
        # ruamel names those anchors anew that are still needed.
        for attribute in (Comment.attrib, Anchor.attrib):
            if hasattr(node, attribute):
                delattr(node, attribute)
    return tree


def walk(node: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """All nodes of a document, each with its place.

    Arguments
    ---------
    node : object
        Where to begin.
    where : str
        Its place.

    Yields
    ------
    str
        Such as ``model.layers[2]``.
    object
        The node there.

    Example
    -------
    >>> [where for where, _ in walk({"a": [1, {"b": 2}]})]
    ['', 'a', 'a[0]', 'a[1]', 'a[1].b']
    """
    yield where, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, f"{where}.{key}" if where else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, f"{where}[{index}]")


def call(node: Any) -> tuple[str, str] | None:
    """What a node calls, if it does.

    Arguments
    ---------
    node : object

    Returns
    -------
    tuple of str or None
        Verb and dotted name.

    Example
    -------
    >>> path = getfixture("tmpdir") / "file.yaml"
    >>> _ = path.write_text("a: !new:torch.nn.Linear [2, 1]\\n", "utf-8")
    >>> call(read(path)["a"])
    ('!new:', 'torch.nn.Linear')
    """
    tag = getattr(getattr(node, "tag", None), "value", None) or ""
    for verb in _VERBS:
        if tag.startswith(verb):
            return verb, tag[len(verb) :]
    return None


def calls(tree: Any) -> list[tuple[Any, str, str]]:
    """All nodes of a document that call something, with verb and name.

    Arguments
    ---------
    tree : dict

    Returns
    -------
    list of tuple

    Example
    -------
    >>> calls({"a": 1})
    []
    """
    found = ((node, call(node)) for _, node in walk(tree))
    return [(node, *called) for node, called in found if called]


def set_call(node: Any, verb: str, name: str) -> None:
    """Makes a node call something else, with the arguments that it has.

    Arguments
    ---------
    node : object
        One that ``calls`` gives.
    verb, name : str
        As ``call`` gives them.

    Example
    -------
    >>> path = getfixture("tmpdir") / "file.yaml"
    >>> _ = path.write_text("a: !new:torch.nn.Linear [2, 1]\\n", "utf-8")
    >>> tree = read(path)
    >>> set_call(tree["a"], "!new:", "torch.nn.Bilinear")
    >>> dump(tree)
    'a: !new:torch.nn.Bilinear [2, 1]\\n'
    """
    node.yaml_set_ctag(Tag(suffix=verb + name))


def _yaml() -> Any:
    yaml = ruamel.yaml.YAML()
    yaml.indent(mapping=4, sequence=6, offset=4)
    return yaml
