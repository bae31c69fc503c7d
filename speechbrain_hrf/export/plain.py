"""From a YAML that builds objects to plain data that only names them.

``!new:a.B {c: 1}`` becomes ``{"class": "a.B", "arguments": {"c": 1}}``, and
``!name:a.B`` becomes ``{"name": "a.B"}``. ``inference/safe.py`` builds from
that, and only what it knows.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
from collections.abc import Mapping
from typing import Any

from ruamel.yaml.comments import TaggedScalar
from ruamel.yaml.scalarbool import ScalarBoolean

from speechbrain_hrf.export import yaml_tree
from speechbrain_hrf.inference.allowed import NAMES

_KEYS = {"!new:": "class", "!name:": "name", "!apply:": "apply"}


def to_plain(node: Any, objects: Mapping[str, Any]) -> Any:
    """Describes a node of a document.

    Arguments
    ---------
    node : object
    objects : dict
        What it calls, by dotted name.

    Returns
    -------
    object
        It fits into JSON.

    Example
    -------
    >>> import pathlib, torch
    >>> path = pathlib.Path(getfixture("tmpdir")) / "file.yaml"
    >>> _ = path.write_text("a: !new:torch.nn.Linear {in_features: 2}\\n")
    >>> tree = yaml_tree.read(path)
    >>> to_plain(tree["a"], {"torch.nn.Linear": torch.nn.Linear})
    {'class': 'torch.nn.Linear', 'arguments': {'in_features': 2}}
    """
    called = yaml_tree.call(node)
    if called is None:
        return _copy(node, objects)
    verb, name = called
    # One name for a class, however many it can be imported by.
    found = objects[name]
    known = NAMES.get(found, name) if isinstance(found, type) else name
    described = {_KEYS[verb]: known}
    if not isinstance(node, TaggedScalar):
        described["arguments"] = _copy(node, objects)
    return described


def _copy(node: Any, objects: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        return {str(k): to_plain(value, objects) for k, value in node.items()}
    if isinstance(node, list):
        return [to_plain(value, objects) for value in node]
    if isinstance(node, TaggedScalar):  # such as !tuple
        return {"tag": str(node.tag.value), "value": str(node.value)}
    # ruamel's own kinds of numbers become Python's.
    if isinstance(node, bool | ScalarBoolean):
        return bool(node)
    if isinstance(node, float) and not math.isfinite(node):
        return {"tag": "float", "value": str(node)}  # JSON has none
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return None if node is None else str(node)
