"""Overrides of a recipe's YAML, read, added to and written as text again.

Example
-------
>>> changed = read_overrides("seed: 1")
>>> changed["activation"] = tagged("!name:torch.nn.ReLU")
>>> print(as_overrides(changed))
seed: 1
activation: !name:torch.nn.ReLU

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import io
import pathlib
from collections.abc import Mapping
from typing import Any

from hyperpyyaml import resolve_references
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from speechbrain_hrf.yaml_text import explain_yaml, read_yaml_text


def resolved_yaml(hparams_file: str, overrides: str) -> dict[str, Any]:
    """A YAML's tree with overrides and references filled in, nothing built.

    Arguments
    ---------
    hparams_file : str
    overrides : str
        As SpeechBrain's ``parse_arguments`` returns them.

    Returns
    -------
    dict
        To be read alone: who asks again gets the same one.

    Example
    -------
    >>> yaml = getfixture("tmpdir").join("x.yaml")
    >>> yaml.write("a: 1\\nb: !ref <a>")
    >>> dict(resolved_yaml(yaml.strpath, "a: 2"))
    {'a': 2, 'b': 2}
    """
    path = pathlib.Path(hparams_file)
    return _resolve(path, read_yaml_text(path), overrides)


# The steps of a start ask one after the other.
@functools.lru_cache(maxsize=8)
def _resolve(
    path: pathlib.Path, content: str, overrides: str
) -> dict[str, Any]:
    # As a file, beside which those that it includes are looked for.
    with explain_yaml(path), open(path, encoding="utf-8-sig") as stream:
        text = resolve_references(stream, overrides, overrides_must_match=False)
        return YAML().load(text)


def read_overrides(overrides: str) -> dict[str, Any]:
    """Overrides as a mapping that keeps their tags.

    Arguments
    ---------
    overrides : str

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If they are no YAML.

    Example
    -------
    >>> read_overrides("")
    {}
    """
    with explain_yaml(f"Overrides: {overrides!r}"):
        return YAML().load(overrides or "") or {}


def read_option(key: str, text: str) -> Any:
    """What YAML makes of an option's text.

    Arguments
    ---------
    key : str
    text : str
        As on a command line.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        If it is no YAML, or YAML would pass over a part of it.

    Example
    -------
    >>> read_option("lr", "1e-3"), read_option("corpus_name", "'#1 calls'")
    (0.001, '#1 calls')
    >>> read_option("corpus_name", "#1 calls")
    Traceback (most recent call last):
        ...
    ValueError: corpus_name is #1 calls, which YAML takes for a comment from #
    on: put it into quotes of its own, --corpus_name '"#1 calls"'.
    """
    try:
        value = YAML().load(f"{key}: {text}")[key]
    except YAMLError as error:
        why = f"is no YAML ({getattr(error, 'problem', None) or error})"
    else:
        if "#" not in text or "#" in str(value):
            return value
        why = "YAML takes for a comment from # on"
    raise ValueError(
        f"{key} is {text}, which {why}: put it into quotes of its own, "
        f"--{key} '\"{text}\"'."
    )


def as_overrides(mapping: Mapping[str, Any]) -> str:
    """The inverse of ``read_overrides``.

    Arguments
    ---------
    mapping : dict

    Returns
    -------
    str

    Example
    -------
    >>> as_overrides({"seed": 1})
    'seed: 1'
    """
    stream = io.StringIO()
    YAML().dump(mapping, stream)
    return stream.getvalue().rstrip()


def tagged(text: str) -> Any:
    """A node with a tag, such as an object to be built.

    Arguments
    ---------
    text : str
        As it stands in a YAML.

    Returns
    -------
    object
        To be put into a mapping for ``as_overrides``.

    Example
    -------
    >>> as_overrides({"model": tagged("!new:torch.nn.Linear [2, 3]")})
    'model: !new:torch.nn.Linear [2, 3]'
    """
    return YAML().load(text)
