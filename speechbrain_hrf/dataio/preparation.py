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
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.manifest import (
    Manifests,
    count_table,
    fingerprint,
    stale_reason,
    write_manifests,
)
from speechbrain_hrf.dataio.text_file import shorten

logger = get_logger(__name__)

# What may be done about choosing the epoch, and the manifests of each way.
PROTOCOLS = {
    "paper": ("train", "test"),
    "held_out": ("train", "valid", "test"),
}


def prepare_if_stale(
    corpus: str,
    data_folder: str | os.PathLike[str],
    save_folder: str | os.PathLike[str],
    options: dict[str, Any],
    splits: Iterable[str],
    labels: list[str],
    make: Callable[[], Manifests],
    files: Iterable[str],
    label_files: Iterable[str] = (),
    key: str = "emo",
) -> bool:
    """Writes a corpus's manifests unless those on the disk are current.

    Arguments
    ---------
    corpus : str
        Its name, for the log.
    data_folder : str or os.PathLike
        Where its files are.
    save_folder : str or os.PathLike
        Where the manifests go.
    options : dict
        What was asked for; values that JSON can hold.
    splits : iterable of str
        The manifests to write.
    labels : list of str
        The classes, in order.
    make : callable
        Takes nothing and returns split -> {utterance -> entry}. Called only
        if it is needed: it is what takes time.
    files, label_files : iterable of str
        What the manifests depend on, see ``fingerprint``.
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
    >>> folder = getfixture("tmpdir").strpath
    >>> def make():
    ...     entry = make_entry(f"{folder}/a.wav", folder, 1.5, emo="sad")
    ...     return {"train": {"a": entry}}
    >>> for _ in range(2):
    ...     prepare_if_stale(
    ...         "demo", folder, folder, {}, ["train"], ["sad"], make, files=[])
    True
    False
    """
    made_from = fingerprint(options, data_folder, files, label_files)
    reason = stale_reason(save_folder, splits, made_from)
    if reason is None:
        logger.info("%s: the manifests in %s are current", corpus, save_folder)
        return False
    logger.info("%s: preparing %s, because %s", corpus, save_folder, reason)
    what = ", ".join(f"{key} {value}" for key, value in options.items())
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


def make_entry(
    path: str,
    data_folder: str | os.PathLike[str],
    duration: float,
    **about: Any,
) -> dict[str, Any]:
    """A manifest's entry of an audio file.

    Arguments
    ---------
    path : str
        The file, in the data folder or not.
    data_folder : str or os.PathLike
        `{data_root}` in manifests, so that a corpus may move.
    duration : float
        Seconds.
    **about
        What else is known: label, speaker.

    Returns
    -------
    dict
        Braces are doubled, as SpeechBrain reads them.

    Example
    -------
    >>> make_entry("/data/a/b{1}.wav", "/data", 1.5, emo="sad")
    {'wav': '{data_root}/a/b{{1}}.wav', 'duration': 1.5, 'emo': 'sad'}
    """
    relative = os.path.relpath(path, data_folder).replace(os.sep, "/")
    wav = "{data_root}/" + _double_braces(relative)
    about = {key: _double_braces(value) for key, value in about.items()}
    return {"wav": wav, "duration": duration, **about}


def _double_braces(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.replace("{", "{{").replace("}", "}}")


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
    number = value if isinstance(value, int | float) else -1
    if isinstance(value, bool) or not 0 <= number <= 1:
        raise ValueError(
            f"{name} is a share, a number from 0 to 1, not {value!r}"
        )


def list_some(names: Sequence[Any], limit: int = 10) -> str:
    """The first few of many names, and how many more there are.

    Arguments
    ---------
    names : sequence
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
    return ", ".join(shorten(name, 300) for name in names[:limit]) + more


def warn_of_some(corpus: str, what: str, names: Sequence[Any]) -> None:
    """Warns of what is not used as it stands, if there is any of it.

    Arguments
    ---------
    corpus : str
        Its name.
    what : str
        What is wrong, and what becomes of it.
    names : sequence
        What it is true of.

    Example
    -------
    >>> warn_of_some("IEMOCAP", "turns that are left out", [])
    """
    if names:
        logger.warning(
            "%s: %s: %d (%s)", corpus, what, len(names), list_some(names)
        )


def warn_of_other_counts(
    corpus: str,
    totals: str,
    found: Mapping[str, Mapping[str, int]],
    paper: Mapping[str, Mapping[str, int]],
) -> None:
    """Names every count that is not the paper's in a warning.

    Arguments
    ---------
    corpus : str
        Its name.
    totals : str
        What the paper counts in all, in words.
    found, paper : dict of dict
        Part of the corpus -> {what is counted -> how many}. What `found`
        lacks counts as 0.

    Example
    -------
    >>> paper = {"train": {"sad": 839, "angry": 933}}
    >>> warn_of_other_counts("IEMOCAP", "1772 turns", paper, paper)
    """
    differences = [
        f"{part} {what} {found.get(part, {}).get(what, 0)} (paper {count})"
        for part, counts in paper.items()
        for what, count in counts.items()
        if found.get(part, {}).get(what, 0) != count
    ]
    if differences:
        logger.warning(
            "%s: the counts are not the paper's, %s: %s. Results will not "
            "compare with the paper's.",
            *(corpus, totals, ", ".join(differences)),
        )
