"""What follows from a table of labels: classes, length of segments, folders.

Authors
 * The speechbrain_hrf authors 2026
"""

import glob
import logging
import math
import os

import numpy as np
import soundfile as sf
from label_table import read_rows, sort_names, tidy_name
from voice_folds import split_rows

from speechbrain_hrf.dataio.recordings import refuse_folder
from speechbrain_hrf.dataio.sound.archive import open_audio
from speechbrain_hrf.dataio.synthetic.own_data import LABELS
from speechbrain_hrf.training.overrides import (
    as_overrides,
    read_overrides,
    resolved_yaml,
)
from speechbrain_hrf.training.stand_in import STAND_IN, SUFFIX

TABLE = "labels.csv"
_LAYOUT = (
    f"Expected: a table of labels, {TABLE} in this folder or in one of its own, "
    "or another one by --labels my.csv, whose first line is "
    "path,label,speaker and the others such as anna/001.wav,happy,anna"
)
CAUTION = (
    "Nobody said who speaks in these recordings. Voices of the test set may "
    "have been heard in training, so that new voices may be recognised less "
    "well than the scores say."
)
NAMELESS = "OwnData"
# A segment is as long as 95 % of utterances, in whole seconds within bounds.
PERCENTILE = 95
SHORTEST, LONGEST = 5, 30
# Headers that are read to find that out, of rows at even distances.
LOOKED_AT = 1000


def fill_in(hparams_file, overrides):
    """Options that follow from the table, unless they are given.

    `classes` and `n_classes`, `segment_seconds`, `data_folder`; `protocol`
    held_out and `split_name` where the table has splits; `caution` where it has
    no speakers. `data_folder` may be the table itself, or a folder that holds a
    `labels.csv`.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML.
    overrides : str
        As SpeechBrain's ``parse_arguments`` returns them.

    Returns
    -------
    str
        Overrides for ``load_hyperpyyaml``.

    Raises
    ------
    FileNotFoundError, ValueError
        For a table that cannot be used, see ``read_rows``, and a corpus_name
        of stand-in corpora.

    Example
    -------
    >>> from speechbrain_hrf.dataio.synthetic import make_corpus
    >>> folder = getfixture("tmpdir")
    >>> folder.join("x.yaml").write('''labels: null
    ... data_folder: synthetic
    ... corpus_name: OwnData
    ... classes: null''')
    >>> table = make_corpus("OwnData", getfixture("corpora")) / "labels.csv"
    >>> filled = fill_in(folder.join("x.yaml").strpath, f"labels: {table}")
    >>> read_overrides(filled)["classes"]
    ['angry', 'happy', 'neutral', 'sad']
    """
    resolved = resolved_yaml(hparams_file, overrides)
    given = read_overrides(overrides)
    labels, folder = resolved["labels"], resolved["data_folder"]
    if resolved["corpus_name"] is None:
        raise ValueError("corpus_name is null: give a name, or leave it out.")
    name = str(resolved["corpus_name"])
    if name.endswith(SUFFIX):
        raise ValueError(
            f"corpus_name is {name!r}: names that end in "
            f"{SUFFIX} are those of stand-in corpora. Give another one."
        )
    if resolved["corpus_name"] != name:
        given["corpus_name"] = name  # 2024 is one, too
    if not labels and folder == STAND_IN:
        if name != NAMELESS:
            raise ValueError(
                f"corpus_name is {name!r}, but there are no data: give "
                "--labels my.csv."
            )
        # The corpus that will be generated
        given |= {"classes": list(LABELS), "n_classes": len(LABELS)}
        return as_overrides(given)
    table, folder = find_table(labels, None if folder == STAND_IN else folder)
    given |= {"labels": table, "data_folder": folder}
    rows = read_rows(table, folder)
    given["classes"] = choose_classes(rows, resolved["classes"])
    given.setdefault("n_classes", len(given["classes"]))
    given.setdefault("segment_seconds", choose_seconds(rows))
    if name == NAMELESS:
        given.setdefault("dataset", f"{NAMELESS} (name not given)")
    if rows[0].split is not None:
        if any(row.split == "valid" for row in rows):
            given.setdefault("protocol", "held_out")
        protocol = given.get("protocol", resolved.get("protocol"))
        given.setdefault("split_name", f"own_split_{protocol}")
    if rows[0].speaker is None:
        given.setdefault("caution", CAUTION)
    try_split(rows, {**resolved, **given})
    return as_overrides(given)


def try_split(rows, options):
    """Raises now what would stop the run once its folder is made.

    Arguments
    ---------
    rows : list of Row
    options : dict
        Those of ``split_rows`` are passed on.

    Raises
    ------
    ValueError
        See ``split_rows``, whose warnings are not shown.

    Example
    -------
    >>> from label_table import Row
    >>> rows = [Row(x, x, "sad", None, None, None, None) for x in "ab"]
    >>> try_split(rows, {"n_folds": 2, "seed": 1})
    Traceback (most recent call last):
    ...
    ValueError: All 2 rows have one label, sad: ...
    """
    names = ("protocol", "n_folds", "fold", "fold_seed")
    logging.disable(logging.WARNING)  # preparation says the rest
    try:
        split_rows(rows, **{x: options[x] for x in names if x in options})
    finally:
        logging.disable(logging.NOTSET)


def find_table(labels, data_folder):
    """The table, and the folder that its paths count from.

    Arguments
    ---------
    labels : str or None
        The table; None looks for `labels.csv` in the data folder or in one
        of its folders.
    data_folder : str or None
        The audio's folder, or the table itself. None: the table's folder.

    Returns
    -------
    table, folder : str
        Absolute.

    Raises
    ------
    FileNotFoundError
        When there is none, or several in a data folder's folders.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> folder.join("mine", "labels.csv").write("", ensure=True)
    >>> table, audio = find_table(None, folder.strpath)
    >>> os.path.relpath(table, folder), os.path.relpath(audio, folder)
    ('mine/labels.csv', 'mine')
    """
    labels, folder = (
        x and os.path.abspath(os.path.expanduser(x))
        for x in (labels, data_folder)
    )
    if folder and os.path.isfile(folder) and labels in (None, folder):
        labels, folder = folder, None
    if not labels:
        found = [os.path.join(folder, TABLE)]
        if not os.path.isfile(found[0]):
            below = os.path.join(glob.escape(folder), "*", TABLE)
            found = sorted(glob.glob(below))
        if len(found) != 1:
            problem = f"holds {len(found) or 'no'} {TABLE}"
            refuse_folder(folder, problem, _LAYOUT)
        (labels,), folder = found, None
    return labels, folder or os.path.dirname(labels)


def choose_classes(rows, classes=None):
    """The labels in the order of their indices.

    Arguments
    ---------
    rows : list of Row
    classes : list, optional
        An order of one's own. Default: numbers by value, else by text.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        When the order given does not have just the table's labels.

    Example
    -------
    >>> from label_table import Row
    >>> rows = [Row(x, x, x, None, None, None, None) for x in ("10", "9")]
    >>> choose_classes(rows), choose_classes(rows, [10, 9])
    (['9', '10'], ['10', '9'])
    """
    found = sort_names(row.label for row in rows)
    if classes is None:
        return found
    chosen = [tidy_name(str(label)) for label in classes]
    if sorted(chosen) != sorted(found):
        raise ValueError(
            f"classes is [{', '.join(chosen)}], and the table's labels are "
            f"{', '.join(found)}: give each of these once, numbers with "
            "leading zeros in quotes (\"['02', '01']\"), or leave classes out."
        )
    return chosen


def choose_seconds(rows):
    """How long training segments are, so that they hold most utterances.

    Arguments
    ---------
    rows : list of Row

    Returns
    -------
    int
        The 95th percentile of durations, rounded up to whole seconds, but 5 at
        least and 30 at most. Files that cannot be read do not count.

    Example
    -------
    >>> from label_table import Row
    >>> choose_seconds([Row("a", "a", "sad", None, None, 1.0, 9.5)])
    9
    """
    some = rows[:: math.ceil(len(rows) / LOOKED_AT)]
    seconds = [x for x in map(_duration, some) if x is not None]
    if not seconds:
        return SHORTEST
    most = math.ceil(np.percentile(seconds, PERCENTILE))
    return min(max(most, SHORTEST), LONGEST)


def _duration(row):
    """Seconds of an utterance by its file's header, None if it has none."""
    stop = row.stop
    if stop is None:
        try:
            with sf.SoundFile(open_audio(row.path)) as file:
                stop = file.frames / file.samplerate
        except (sf.SoundFileError, OSError, ValueError):
            return None
    return stop - (row.start or 0)
