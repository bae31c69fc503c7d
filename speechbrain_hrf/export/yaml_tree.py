"""Walking, copying and writing a HyperPyYAML document without running it.

Authors
 * The speechbrain_hrf authors 2026
"""

import copy
import io
import pydoc

import ruamel.yaml
from hyperpyyaml import resolve_references
from ruamel.yaml.comments import Anchor, Comment

_VERBS = ("!new:", "!name:", "!apply:")


def read(path):
    """Reads a file, its references resolved, nothing built.

    Arguments
    ---------
    path : str or os.PathLike

    Returns
    -------
    ruamel.yaml.comments.CommentedMap
        One node is one object, however often it is referred to.

    Raises
    ------
    ValueError
        The file is not YAML, or has no keys.

    Example
    -------
    >>> path = getfixture("tmpdir") / "file.yaml"
    >>> _ = path.write_text("a: {b: 1}\\nc: !ref <a>\\n", "utf-8")
    >>> tree = read(path)
    >>> tree["c"] is tree["a"]
    True
    """
    try:
        with open(path, encoding="utf-8") as stream:
            tree = _yaml().load(resolve_references(stream))
    except ruamel.yaml.error.YAMLError as error:
        raise ValueError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(tree, dict):
        raise ValueError(f"{path} has no keys: it is empty or a list.")
    return tree


def dumped(tree):
    """Writes a document as text.

    Arguments
    ---------
    tree : dict

    Returns
    -------
    str

    Example
    -------
    >>> dumped({"a": [1, 2]})
    'a:\\n    - 1\\n    - 2\\n'
    """
    stream = io.StringIO()
    _yaml().dump(tree, stream)
    return stream.getvalue()


def stripped(tree):
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
    >>> dumped(stripped(read(path)))
    'a: 1\\n'
    """
    tree = copy.deepcopy(tree)
    for _, node in walk(tree):
        # ruamel names those anchors anew that are still needed.
        for attribute in (Comment.attrib, Anchor.attrib):
            if hasattr(node, attribute):
                delattr(node, attribute)
    return tree


def walk(node, where=""):
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


def strings(tree):
    """All strings of a document, each with its place.

    Arguments
    ---------
    tree : dict

    Yields
    ------
    str
        The place.
    str
        The string.

    Example
    -------
    >>> list(strings({"a": [1, "x"]}))
    [('a[1]', 'x')]
    """
    for where, node in walk(tree):
        value = getattr(node, "value", node)  # of a tagged scalar
        if isinstance(value, str):
            yield where, value


def call(node):
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


def calls(tree):
    """All nodes of a document that call something.

    Arguments
    ---------
    tree : dict

    Returns
    -------
    list

    Example
    -------
    >>> calls({"a": 1})
    []
    """
    return [node for _, node in walk(tree) if call(node)]


def set_call(node, verb, name):
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
    >>> dumped(tree)
    'a: !new:torch.nn.Bilinear [2, 1]\\n'
    """
    node.yaml_set_ctag(ruamel.yaml.Tag(suffix=verb + name))


def importable_name(name, found):
    """The name by which anybody can import what a name stands for.

    An alias that one package puts into another's namespace exists only once
    the first one is imported; the object's own name always imports.

    Arguments
    ---------
    name : str
        Dotted name.
    found : object
        What it stands for.

    Returns
    -------
    str

    Example
    -------
    >>> import torch
    >>> importable_name("torch.nn.Linear", torch.nn.Linear)
    'torch.nn.Linear'
    >>> importable_name("speechbrain.alias.Linear", torch.nn.Linear)
    'torch.nn.modules.linear.Linear'
    """
    module = getattr(found, "__module__", None)
    own = f"{module}.{getattr(found, '__qualname__', '')}"
    if (
        module
        and module.partition(".")[0] != name.partition(".")[0]
        and pydoc.locate(own) is found
    ):
        return own
    return name


def _yaml():
    yaml = ruamel.yaml.YAML()
    yaml.indent(mapping=4, sequence=6, offset=4)
    return yaml
