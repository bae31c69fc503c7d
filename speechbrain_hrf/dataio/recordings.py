"""Corpora whose files' names say what they hold, in folds by who speaks.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from speechbrain_hrf.dataio.preparation import (
    PROTOCOLS,
    list_some,
    warn_of_some,
)
from speechbrain_hrf.dataio.sound.audio_files import find_audio

Speaker = TypeVar("Speaker")


def find_recordings(
    corpus: str,
    data_folder: str | os.PathLike[str],
    is_recording: Callable[[str], bool | None],
    form: str,
    layout: str,
    depth: int,
) -> dict[str, str]:
    """The WAV and FLAC files of a corpus, whatever the folders above them.

    `._*` files and other kinds of files are passed over. A warning lists audio
    files with other names, and files whose name another one has already.

    Arguments
    ---------
    corpus : str
        Its name, for messages.
    data_folder : str or os.PathLike
        Its folder.
    is_recording : callable
        Takes a name without its extension and says whether it is wanted:
        None if it is no name of the corpus's, which the warning lists.
    form : str
        What names look like, for the warning.
    layout : str
        What the folder should look like, for the error.
    depth : int
        How many folders to go down.

    Returns
    -------
    dict
        Name -> path, sorted by name.

    Raises
    ------
    FileNotFoundError
        When there is no such folder, or no recording in it.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> for name in "ann_sad.wav", "bob_sad.flac":
    ...     folder.join(name).write("")
    >>> files = find_recordings(
    ...     "demo", folder.strpath, lambda name: name.endswith("_sad"),
    ...     form="ann_sad", layout="Expected: files like ann_sad.wav", depth=1)
    >>> list(files)
    ['ann_sad', 'bob_sad']
    """
    files: dict[str, str] = {}
    malformed, copies = [], []
    for path in find_audio(data_folder, (".wav", ".flac"), depth):
        name = os.path.splitext(os.path.basename(path))[0]
        wanted = is_recording(name)
        if wanted is None:
            malformed.append(os.path.relpath(path, data_folder))
        elif wanted and name in files:
            copies.append(os.path.relpath(path, data_folder))
        elif wanted:
            files[name] = path
    what = f"audio files left out, their names are not of the form {form}"
    warn_of_some(corpus, what, malformed)
    warn_of_some(corpus, "copies left out, by their names", copies)
    if not files:
        refuse_folder(data_folder, f"holds no recording of {corpus}", layout)
    return dict(sorted(files.items()))


def refuse_folder(
    folder: str | os.PathLike[str], problem: str, layout: str
) -> NoReturn:
    """Says why a folder is not a corpus's, what was expected, what is there.

    Arguments
    ---------
    folder : str or os.PathLike
        Where the corpus was looked for.
    problem : str
        What is wrong, to go on after the folder's name.
    layout : str
        What was expected.

    Raises
    ------
    FileNotFoundError
        Always.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> folder.join("a.txt").write("")
    >>> refuse_folder(folder.strpath, "holds no wav", "Expected: wav files")
    Traceback (most recent call last):
    ...
    FileNotFoundError: ... holds no wav. Expected: wav files. Found: a.txt
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"No folder {folder}. {layout}")
    found = list_some(sorted(os.listdir(folder))) or "an empty folder"
    raise FileNotFoundError(f"{folder} {problem}. {layout}. Found: {found}")


def split_folds(
    folds: Sequence[list[Speaker]], fold: int, protocol: str
) -> dict[str, list[Speaker]]:
    """Who trains, validates and tests in one fold of a cross-validation.

    Arguments
    ---------
    folds : sequence of list
        Who is tested on in each fold.
    fold : int
        Which one tests, from 1.
    protocol : {"paper", "held_out"}
        "paper": all others train. "held_out": the next fold (after the last
        one, the first) validates instead of training.

    Returns
    -------
    dict of str: list
        Split -> who.

    Raises
    ------
    ValueError
        If nobody is left to train on.

    Example
    -------
    >>> split_folds([[1, 2], [3, 4], [5, 6]], fold=1, protocol="paper")
    {'train': [3, 4, 5, 6], 'test': [1, 2]}
    """
    splits: dict[str, list[Speaker]] = {x: [] for x in PROTOCOLS[protocol]}
    for number, speakers in enumerate(folds):
        split = "train"
        if number == fold - 1:
            split = "test"
        elif number == fold % len(folds) and "valid" in splits:
            split = "valid"
        splits[split] += speakers
    if not splits["train"]:
        raise ValueError(
            f"Of {len(folds)} folds none is left to train on in the protocol "
            f"{protocol}, which needs at least {len(splits)}: make more and "
            "smaller ones."
        )
    return splits
