"""How far a long list of recordings has been classified.

By tqdm, where it is installed: the runner alone does without.

Authors
 * The speechbrain_hrf authors 2026
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

try:
    from tqdm import tqdm
except ImportError:
    tqdm: Any = None  # type: ignore[no-redef]

# Fewer are done before a bar can be read.
_FEW = 20


def follow(names: Iterable[str]) -> Iterator[str]:
    """Goes through names; shows how many are done and what the rest takes.

    Only where results go to a file or a program, and somebody looks at a
    terminal: results on the terminal show it themselves.

    Arguments
    ---------
    names : iterable of str

    Yields
    ------
    str

    Example
    -------
    >>> list(follow(["a.wav", "b.wav"]))
    ['a.wav', 'b.wav']
    """
    is_seen = sys.stderr is not None and sys.stderr.isatty()
    if tqdm is None or not is_seen or sys.stdout.isatty():
        yield from names
        return
    listed = list(names)
    few = len(listed) < _FEW
    yield from tqdm(listed, "classifying", unit="file", disable=few)


def say(text: str) -> None:
    """Prints to standard error, a bar or not; nowhere if that is closed.

    Arguments
    ---------
    text : str

    Example
    -------
    >>> say("Error: no.wav: there is no such file")
    """
    if sys.stderr is None:
        return  # or both would print to standard output, among the results
    if tqdm is None:
        print(text, file=sys.stderr, flush=True)
    else:
        tqdm.write(text, file=sys.stderr)
