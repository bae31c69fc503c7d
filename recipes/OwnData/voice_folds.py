"""Who trains, validates and tests: as a table says, or in folds by speaker.

A speaker is in one set alone, or scores would be those of known voices. Where
no speaker is known, a recording is, with all that is cut out of it.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import warnings

from label_table import sort_names
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.preparation import check_number, list_some
from speechbrain_hrf.dataio.recordings import split_folds

logger = get_logger(__name__)

# What n_folds is called when each speaker is a fold.
BY_SPEAKER = "speaker"


def split_rows(rows, protocol="paper", n_folds=5, fold=1, fold_seed=1):
    """The set of every utterance.

    Arguments
    ---------
    rows : list of Row
        Of ``label_table.read_rows``.
    protocol : {"paper", "held_out"}
        Whether somebody is held out to choose the epoch.
    n_folds : int or "speaker"
        How many folds speakers are dealt to, each with about the same share of
        each class; "speaker": each speaker is a fold. Of no account where the
        table has splits.
    fold : int
        Which of them tests, from 1; the next one is held out.
    fold_seed : int
        Deals speakers in another way.

    Returns
    -------
    dict of str: list of Row
        train, test and, in the protocol held_out, valid.

    Raises
    ------
    ValueError
        When it cannot be done, or nobody trains a label: who or what is in
        the way.

    Example
    -------
    >>> from label_table import Row
    >>> rows = [
    ...     Row(f"{who}_{label}.wav", "", label, who, None, None, None)
    ...     for who in ("ann", "bob", "eve") for label in ("no", "yes")]
    >>> sets = split_rows(rows, n_folds="speaker", fold=2)
    >>> [row.speaker for row in sets["test"]]
    ['bob', 'bob']
    """
    counts = collections.Counter(row.label for row in rows)
    if len(counts) == 1:
        raise ValueError(
            f"All {len(rows)} rows have one label, {rows[0].label}: there is "
            "nothing to tell apart. Add rows of another label."
        )
    if rows[0].split is not None:
        sets = _as_said(rows, protocol, n_folds, fold, fold_seed)
    else:
        folds = make_folds(rows, n_folds, fold_seed, protocol)
        check_number("test_fold", fold, len(folds))
        sets = _pick(rows, split_folds(folds, fold, protocol))
    refuse_untrained(counts, {row.label for row in sets["train"]})
    for name, chosen in sets.items():
        voices = sort_names(row.voice for row in chosen)
        what = "speakers" if rows[0].speaker is not None else "recordings"
        logger.info("%s: %d %s: %s", name, len(voices), what, list_some(voices))
    return sets


def refuse_untrained(classes, trained):
    """Nothing can be learned that no training utterance has.

    Arguments
    ---------
    classes : iterable of str
    trained : set of str
        The labels of training utterances.

    Raises
    ------
    ValueError
        Naming the labels that are missing there.

    Example
    -------
    >>> refuse_untrained(["no", "yes"], {"yes"})
    Traceback (most recent call last):
    ...
    ValueError: No training utterance has the label no: choose another ...
    """
    absent = [label for label in classes if label not in trained]
    if absent:
        raise ValueError(
            f"No training utterance has the label {list_some(absent)}: "
            "choose another test_fold, fold_seed or n_folds, change the "
            "column split, or add recordings."
        )


def make_folds(rows, n_folds, fold_seed, protocol="paper"):
    """Deals speakers to folds.

    Arguments
    ---------
    rows : list of Row
    n_folds, fold_seed, protocol
        See ``split_rows``.

    Returns
    -------
    list of list of str
        Each fold's speakers, or recordings where no speaker is known.

    Raises
    ------
    ValueError
        When there are too few speakers.

    Example
    -------
    >>> from label_table import Row
    >>> rows = [
    ...     Row(f"{who}{label}.wav", "", label, who, None, None, None)
    ...     for who in "abcdef" for label in ("no", "yes")]
    >>> [len(fold) for fold in make_folds(rows, 3, fold_seed=1)]
    [2, 2, 2]
    """
    voices = sort_names(row.voice for row in rows)
    known = rows[0].speaker is not None
    what = "speakers" if known else "recordings"
    least = 3 if protocol == "held_out" else 2
    if n_folds == BY_SPEAKER:
        if not known:
            raise ValueError(
                f"n_folds is {BY_SPEAKER}, but the table has no column "
                "speaker: add it, or give a number of folds."
            )
        count = len(voices)
    elif type(n_folds) is int and n_folds >= least:
        count = n_folds
    else:
        raise ValueError(
            f"n_folds is {n_folds!r}: it must be {BY_SPEAKER} or a whole "
            f"number, {least} or more with protocol {protocol}."
        )
    if len(voices) < max(count, least):
        fix = "a smaller n_folds or " if len(voices) >= least else ""
        if len(voices) == 2 < least:
            fix = "n_folds 2 with protocol paper or "
        raise ValueError(
            f"There are {len(voices)} {what} ({list_some(voices)}), fewer than "
            f"{max(count, least)} folds: give {fix}more {what}."
        )
    _refuse_lonely_classes(rows, what, count)
    if n_folds == BY_SPEAKER:
        return [[voice] for voice in voices]
    labels = [row.label for row in rows]
    groups = [row.voice for row in rows]
    # By recordings of one utterance each both deal alike; this one is faster.
    alone = len(voices) == len(rows)
    kind = StratifiedKFold if alone else StratifiedGroupKFold
    dealer = kind(count, shuffle=True, random_state=fold_seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said above, by name
        dealt = list(dealer.split(labels, labels, groups))
    folds = [sort_names(groups[k] for k in places) for _, places in dealt]
    if not all(folds):
        raise ValueError(
            f"{count} folds of like shares cannot be made of these {what}: "
            f"give a smaller n_folds, or n_folds {BY_SPEAKER}."
        )
    return folds


def _as_said(rows, protocol, n_folds, fold, fold_seed):
    """The table's own splits; what to hold out by folds where it has none."""
    if fold != 1:
        raise ValueError(
            f"test_fold is {fold}, but the table says itself who tests (column "
            "split): leave test_fold out, or remove that column."
        )
    _refuse_shared_voices(rows)
    sets = {"train": [], "valid": [], "test": []}
    for row in rows:
        sets[row.split].append(row)
    for name in ("train", "test"):
        if not sets[name]:
            raise ValueError(
                f"The table's column split has no row of {name}: add some, or "
                "remove the column, and folds are made."
            )
    valid = sets["valid"] if protocol == "held_out" else sets.pop("valid")
    if valid and protocol == "paper":
        logger.warning(
            "%d rows of split valid are not used: with --protocol held_out "
            "they choose the epoch",
            len(valid),
        )
    if not valid and protocol == "held_out":
        train = sets["train"]
        folds = make_folds(train, n_folds, fold_seed)
        chosen = _pick(train, split_folds(folds, 1, "paper"))
        sets |= {"train": chosen["train"], "valid": chosen["test"]}
    return sets


def _pick(rows, voices_of):
    """Set -> its rows, from set -> its speakers."""
    set_of = {voice: name for name, some in voices_of.items() for voice in some}
    sets = {name: [] for name in voices_of}
    for row in rows:
        sets[set_of[row.voice]].append(row)
    return sets


def _refuse_shared_voices(rows):
    splits = collections.defaultdict(set)
    for row in rows:
        splits[row.voice].add(row.split)
    shared = [
        f"{voice} ({' and '.join(sorted(found))})"
        for voice, found in splits.items()
        if len(found) > 1
    ]
    if shared:
        what = "speakers" if rows[0].speaker is not None else "recordings"
        raise ValueError(
            f"The table has {what} in more than one split: {list_some(shared)}."
            " Scores would be those of known voices: give all rows of one the "
            "same split."
        )


def _refuse_lonely_classes(rows, what, count):
    """A class needs somebody to train on and somebody to test on."""
    voices = collections.defaultdict(set)
    for row in rows:
        voices[row.label].add(row.voice)
    lonely = [label for label in sort_names(voices) if len(voices[label]) < 2]
    if lonely:
        raise ValueError(
            f"Only one of the {what} has the label {list_some(lonely)}: it "
            "cannot be both trained and tested. Remove or rename those rows, "
            "or add others' recordings."
        )
    few = [
        f"{label} {len(voices[label])}"
        for label in sort_names(voices)
        if len(voices[label]) < count
    ]
    if few:
        logger.warning(
            "Labels of fewer %s than the %d folds, so that some folds do not "
            "test them: %s",
            *(what, count, list_some(few)),
        )
