"""JSON that others have written: read as it was meant, or refused.

Of a key that an object holds twice Python takes the last value, in silence.
Such a file was joined from two, or written by hand. What is no finite number
(``NaN``, ``1e400``) passes: its reader knows whether there may be one.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import reprlib
from typing import Any


def parse_json(content: bytes, where: object, fix: str) -> Any:
    """What JSON says.

    Arguments
    ---------
    content : bytes
        UTF-8; a byte order mark at its start is passed over.
    where : object
        The file, and the line if it has several, for the error.
    fix : str
        What to do if it is damaged, a sentence.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        It is not JSON, is nested too deeply, or holds a key twice.

    Example
    -------
    >>> parse_json(b'{"a": 1, "a": 2}', "a.json", "Restore it.")
    Traceback (most recent call last):
        ...
    ValueError: a.json is not valid JSON ('a' stands there twice). Restore it.
    """
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_parse_object)
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is no UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)
    raise ValueError(f"{where} is not valid JSON ({reason}). {fix}") from None


def _parse_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{reprlib.repr(twice)} stands there twice")
    return found
