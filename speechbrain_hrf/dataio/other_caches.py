"""What other feature caches of a split lie beside one.

Example
-------
>>> import pathlib
>>> place = pathlib.Path(getfixture("tmpdir").strpath, "train-0123")
>>> why_no_other_fits(place, {"options": {}})
'there are none yet'

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import json

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.feature_file import INDEX

logger = get_logger(__name__)


def why_no_other_fits(place, made_from):
    """In what the most similar ones differ.

    Arguments
    ---------
    place : pathlib.Path
        A cache, named by its split and key.
    made_from : dict
        What it is made from.

    Returns
    -------
    str

    Example
    -------
    >>> import pathlib
    >>> folder = pathlib.Path(getfixture("tmpdir").strpath)
    >>> (folder / "train-0123").mkdir()
    >>> _ = (folder / "train-0123" / INDEX).write_text(
    ...     '{"made_from": {"options": {"frames": 400}}}')
    >>> made_from = {"options": {"frames": 500}}
    >>> why_no_other_fits(folder / "train-4567", made_from)
    'those in train-0123 have other frames'
    """
    found = []
    for other in _others(place):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            index = (other / INDEX).read_text(encoding="utf-8")
            old = json.loads(index)["made_from"]
            differing = _differing(old["options"], made_from["options"])
            if old.get("data") != made_from.get("data"):
                differing.append("audio files")
            found.append((len(differing), other.name, differing))
    if not found:
        return "there are none yet"
    _, name, differing = min(found)
    return f"those in {name} have other {', '.join(differing)}"


def log_other_caches(place):
    """Says how many there are and how large: nothing else removes them.

    Arguments
    ---------
    place : pathlib.Path
        A cache, named by its split and key.

    Example
    -------
    >>> import pathlib
    >>> log_other_caches(pathlib.Path("nowhere", "train-0123"))
    """
    others = _others(place)
    if others:
        logger.info(
            "Other caches of %s in %s: %d, %.0f MB in all. What no run needs "
            "any more may be deleted.",
            _split(place),
            place.parent,
            len(others),
            sum(map(size_of, others)) / 1e6,
        )


def size_of(place):
    """Bytes of a cache.

    Arguments
    ---------
    place : pathlib.Path

    Returns
    -------
    int

    Example
    -------
    >>> import pathlib
    >>> place = pathlib.Path(getfixture("tmpdir").strpath)
    >>> (place / "features.npy").write_bytes(b"1234")
    4
    >>> size_of(place)
    4
    """
    size = 0
    for path in place.glob("*"):
        with contextlib.suppress(OSError):
            size += path.stat().st_size
    return size


def _others(place):
    found = place.parent.glob(f"{_split(place)}-*/{INDEX}")
    return [
        path.parent
        for path in sorted(found)
        if _split(path.parent) == _split(place) and path.parent != place
    ]


def _split(place):
    return place.name.rpartition("-")[0]


def _differing(old, new):
    return [name for name in {**old, **new} if old.get(name) != new.get(name)]
