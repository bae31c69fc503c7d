"""What all preparers share: do nothing, or write all manifests.

A preparer reads its corpus's labels and knows its rules; whether the manifests
on the disk still fit, what is logged, and that no set comes out empty is the
same for all. So are the checks of options, before any work (they come from a
YAML file or a command line, where `0.1` may turn out to be text, and `True`
counts as 1 in Python), and the words of messages.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.manifest import (
    count_table,
    stale_reason,
    write_manifests,
)

logger = get_logger(__name__)


def prepare_if_stale(
    corpus: str,
    data_folder: str | os.PathLike,
    save_folder: str | os.PathLike,
    made_from: dict[str, Any],
    splits: Iterable[str],
    labels: list[str],
    make: Callable[[], dict[str, dict[str, dict]]],
    key: str = "emo",
) -> bool:
    """Writes a corpus's manifests unless those on the disk are current.

    Arguments
    ---------
    corpus : str
        Its name, for the log.
    data_folder : str or os.PathLike
        Where its files are, for messages.
    save_folder : str or os.PathLike
        Where the manifests go.
    made_from : dict
        Options and data, see ``fingerprint``.
    splits : iterable of str
        The manifests to write.
    labels : list of str
        The classes, in order.
    make : callable
        Takes nothing and returns split -> {utterance -> entry}. Called only
        if it is needed: it is what takes time.
    key : str
        The entries' key that holds the label.

    Returns
    -------
    bool
        Whether anything was written.

    Raises
    ------
    ValueError
        When a split has no utterance.

    Example
    -------
    >>> from speechbrain_hrf.dataio.manifest import fingerprint
    >>> folder = getfixture("tmpdir").strpath
    >>> made_from = fingerprint({"fold": 1}, folder, files=[])
    >>> def make():
    ...     return {"train": {"a": {"wav": "{data_root}/a.wav", "emo": "sad"}}}
    >>> arguments = ("demo", folder, folder, made_from, ["train"], ["sad"])
    >>> prepare_if_stale(*arguments, make), prepare_if_stale(*arguments, make)
    (True, False)
    """
    reason = stale_reason(save_folder, splits, made_from)
    if reason is None:
        logger.info("%s: the manifests in %s are current", corpus, save_folder)
        return False
    logger.info("%s: preparing %s, because %s", corpus, save_folder, reason)
    what = ", ".join(f"{k} {v}" for k, v in made_from["options"].items())
    manifests = make()
    for split in splits:
        if not manifests.get(split):
            raise ValueError(
                f"{data_folder} has no usable audio for the {split} set of "
                f"{corpus} ({what}). Is it the whole corpus?"
            )
    write_manifests(save_folder, manifests, made_from)
    table = count_table(manifests, labels, key)
    logger.info("%s (%s):\n%s", corpus, what, table)
    return True


def check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Refuses what is not one of a few words.

    Arguments
    ---------
    name : str
        What the option is called.
    value : object
        What was given.
    choices : iterable of str
        What may be given.

    Raises
    ------
    ValueError

    Example
    -------
    >>> check_choice("protocol", "random", ["paper", "held_out"])
    Traceback (most recent call last):
    ...
    ValueError: protocol is one of paper, held_out, not 'random'
    """
    if value not in tuple(choices):
        raise ValueError(
            f"{name} is one of {', '.join(choices)}, not {value!r}"
        )


def check_number(
    name: str, value: object, last: int, what: str = "a whole number"
) -> None:
    """Refuses what is no whole number from 1 on: 1.0 and True are none.

    Arguments
    ---------
    name : str
        What the option is called.
    value : object
        What was given.
    last : int
        The largest that may be given.
    what : str
        What it is the number of, for the error.

    Raises
    ------
    ValueError

    Example
    -------
    >>> check_number("fold", 6, 6)
    >>> check_number("fold", True, 6)
    Traceback (most recent call last):
    ...
    ValueError: fold is a whole number, 1 to 6, not True
    """
    if type(value) is not int or not 1 <= value <= last:
        raise ValueError(f"{name} is {what}, 1 to {last}, not {value!r}")


def check_share(value: object, name: str = "max_unusable") -> None:
    """Refuses what is no share of a whole.

    Arguments
    ---------
    value : object
        What was given.
    name : str
        What the option is called.

    Raises
    ------
    ValueError

    Example
    -------
    >>> check_share(0.01), check_share(0), check_share(1)
    (None, None, None)
    >>> check_share("0.1")
    Traceback (most recent call last):
    ...
    ValueError: max_unusable is a share, a number from 0 to 1, not '0.1'
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise ValueError(
            f"{name} is a share, a number from 0 to 1, not {value!r}"
        )


def list_some(names: list, limit: int = 10) -> str:
    """The first few of many names, and how many more there are.

    Arguments
    ---------
    names : list
        Anything with a text.
    limit : int
        How many are shown.

    Returns
    -------
    str

    Example
    -------
    >>> list_some(["a", "b"]), list_some([1, 2, 3, 4], limit=2)
    ('a, b', '1, 2 and 2 more')
    """
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(str, names[:limit])) + more


def list_found(folder: str | os.PathLike) -> str:
    """What is in a folder that does not hold what was expected.

    Arguments
    ---------
    folder : str or os.PathLike
        A folder.

    Returns
    -------
    str
        A sentence without its full stop.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> list_found(folder.strpath)
    'Found: an empty folder'
    >>> folder.join("a.txt").write("")
    >>> list_found(folder.strpath)
    'Found: a.txt'
    """
    names = list_some(sorted(os.listdir(folder)))
    return f"Found: {names or 'an empty folder'}"


def find_other_counts(
    found: dict[str, dict[str, int]], paper: dict[str, dict[str, int]]
) -> list[str]:
    """Every count that is not the paper's.

    Arguments
    ---------
    found, paper : dict of dict
        Part of the corpus -> {what is counted -> how many}. What `found`
        lacks counts as 0.

    Returns
    -------
    list of str
        In the order of `paper`.

    Example
    -------
    >>> paper = {"train": {"sad": 839, "angry": 933}}
    >>> find_other_counts({"train": {"sad": 839, "angry": 900}}, paper)
    ['train angry 900 (paper 933)']
    """
    return [
        f"{part} {what} {found.get(part, {}).get(what, 0)} (paper {count})"
        for part, counts in paper.items()
        for what, count in counts.items()
        if found.get(part, {}).get(what, 0) != count
    ]
