"""Manifests of one's own recordings, from a table `path,label,speaker,...`.

The table (see `label_table.py`) names files and says what they are; who is tested
comes from its column `split`, or from folds by speaker (see `voice_folds.py`).

Authors
 * The speechbrain_hrf authors 2026
"""

import glob
import json
import os

import numpy as np
from label_table import read_rows
from own_options import (
    CAUTION,
    PERCENTILE,
    choose_classes,
    find_table,
    try_split,
)
from speechbrain.utils.logger import get_logger
from voice_folds import refuse_untrained, split_rows

from speechbrain_hrf.dataio.preparation import (
    PROTOCOLS,
    check_choice,
    check_share,
    list_some,
    make_entry,
    prepare_if_stale,
    warn_of_some,
)
from speechbrain_hrf.dataio.sound.probe import probe_all
from speechbrain_hrf.training.overrides import resolved_yaml

logger = get_logger(__name__)

# What a stop may lie behind a file's end, in seconds: numbers are rounded.
_TOLERANCE = 0.1
# The options that say which table it is, and which fold of it.
_TABLE = ("labels", "data_folder", "classes")
_FOLDS = ("protocol", "n_folds", "fold", "fold_seed")


def prepare_owndata(
    data_folder,
    save_folder,
    labels=None,
    classes=None,
    n_folds=5,
    fold=1,
    fold_seed=1,
    protocol="paper",
    max_unusable=0.01,
):
    """Writes `train.json`, `test.json` and, if asked for, `valid.json`.

    They are written again whenever an option, the table or a file changed.
    Folds are dealt from the table alone: neither unusable files nor the order
    of rows changes them.

    Arguments
    ---------
    data_folder : str
        What paths in the table count from (`{data_root}` in the manifests).
    save_folder : str
        Where the manifests go.
    labels : str, optional
        The table. Default: `labels.csv` in the data folder, or below it.
    classes : list of str, optional
        The labels in the order of their indices, see ``choose_classes``.
    n_folds, fold, fold_seed, protocol
        See ``split_rows``.
    max_unusable : float
        Share of unusable files, and of utterances that end after their file
        does, above which preparation stops.

    Raises
    ------
    FileNotFoundError
        When there is no table, or none of its files.
    ValueError
        When an option is out of range, the table cannot be understood, or
        too many files are unusable.

    Example
    -------
    >>> from speechbrain_hrf.dataio.synthetic import make_corpus
    >>> corpus = make_corpus("OwnData", getfixture("corpora"))
    >>> folder = getfixture("tmpdir")
    >>> prepare_owndata(corpus, folder.join("manifests").strpath, fold=2)
    >>> sorted(file.basename for file in folder.join("manifests").listdir())
    ['fingerprint.json', 'test.json', 'train.json']
    """
    check_choice("protocol", protocol, PROTOCOLS)
    check_share(max_unusable)
    data_folder = os.path.abspath(os.path.expanduser(data_folder))
    table, folder = find_table(labels, data_folder)
    rows = read_rows(table, folder)
    classes = choose_classes(rows, classes)
    if rows[0].speaker is None:
        logger.warning("OwnData: %s has no column speaker. %s", table, CAUTION)

    def make():
        sets = split_rows(rows, protocol, n_folds, fold, fold_seed)
        paths = {row.name: row.path for row in rows}
        infos, _ = probe_all(paths, max_unusable, what="files")
        parts = _cut(rows, infos, max_unusable)
        manifests = {
            name: {
                row.id: _entry(row, data_folder, parts[row.id])
                for row in chosen
                if row.id in parts
            }
            for name, chosen in sets.items()
        }
        _check_classes(manifests, classes)
        seconds = [seconds for seconds, _ in parts.values()]
        logger.info(
            "OwnData: utterances last %.1f to %.1f s, %d %% of them at most "
            "%.1f s",
            *(min(seconds), max(seconds), PERCENTILE),
            np.percentile(seconds, PERCENTILE),
        )
        return manifests

    prepare_if_stale(
        "OwnData",
        data_folder,
        save_folder,
        {
            "n_folds": n_folds,
            "fold": fold,
            "fold_seed": fold_seed,
            "protocol": protocol,
            "max_unusable": max_unusable,
            "classes": classes,
        },
        PROTOCOLS[protocol],
        classes,
        make,
        files={row.path for row in rows},
        label_files=[table],
    )


def check_runs(runs):
    """Raises what would stop runs of a study, before any of them starts.

    Arguments
    ---------
    runs : list of dict
        Options of each; those that are left out are the YAML's.

    Raises
    ------
    FileNotFoundError, ValueError
        When the table cannot be used, there is no such fold of it, or one
        in which nobody trains a label.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> folder.join("a.wav").write("")
    >>> table = folder.join("my.csv")
    >>> table.write("path,label\\na.wav,sad\\n")
    >>> check_runs([{"labels": table.strpath, "data_folder": folder.strpath}])
    Traceback (most recent call last):
    ...
    ValueError: All 1 rows have one label, sad: ...
    """
    here = os.path.dirname(os.path.abspath(__file__))
    yaml = glob.glob(os.path.join(glob.escape(here), "hparams", "*.yaml"))[0]
    defaults = {key: resolved_yaml(yaml, "")[key] for key in _TABLE + _FOLDS}
    folds = {}  # of each way of dealing
    for run in runs:
        options = {key: run.get(key, x) for key, x in defaults.items()}
        way = json.dumps({**options, "fold": None})
        folds.setdefault(way, set()).add(options["fold"])
    for way, some in folds.items():
        options = json.loads(way)
        labels, data_folder, classes = (options.pop(x) for x in _TABLE)
        rows = read_rows(*find_table(labels, data_folder))
        choose_classes(rows, classes)
        for fold in sorted(some, reverse=True):
            options["fold"] = fold
            try:
                try_split(rows, options)
            except ValueError as error:
                if "fold" not in str(error):
                    raise
                raise ValueError(
                    f"Fold {fold}: {str(error).rstrip('.')}. A study is given "
                    "folds and their number by "
                    '--folds "[1, 2, 3]" --overrides "{n_folds: 3}".'
                ) from None
        split_rows(rows, **options)  # once more, for its warnings


def _cut(rows, infos, max_unusable):
    """Id -> (seconds, its part in samples of the file or None for all)."""
    parts, beyond = {}, []
    for row in rows:
        if row.name not in infos:
            continue
        info = infos[row.name]
        start, stop = row.start or 0, row.stop or info.duration
        if start >= info.duration or stop > info.duration + _TOLERANCE:
            beyond.append(f"{row.id}: the file lasts {info.duration:.2f} s")
            continue
        if row.start is None and row.stop is None:
            parts[row.id] = info.duration, None
            continue
        frames = round(info.duration * info.sample_rate)
        first = min(round(start * info.sample_rate), frames - 1)
        last = min(max(round(stop * info.sample_rate), first + 1), frames)
        parts[row.id] = (last - first) / info.sample_rate, [[first, last]]
    if len(beyond) > max_unusable * len(rows):
        raise ValueError(
            f"{len(beyond)} of {len(rows)} utterances end after their file "
            f"does, more than max_unusable={max_unusable} allows: "
            f"{list_some(beyond)}. Are start and stop in seconds?"
        )
    what = "utterances left out, they end after their file does"
    warn_of_some("OwnData", what, beyond)
    return parts


def _entry(row, data_folder, cut):
    seconds, parts = cut
    who = {"recording": row.name}
    if row.speaker is not None:
        who = {"speaker": row.speaker}
    return make_entry(
        row.path, data_folder, seconds, parts=parts, emo=row.label, **who
    )


def _check_classes(manifests, classes):
    """As far as its files can be used, each set should have all."""
    for name, entries in manifests.items():
        found = {entry["emo"] for entry in entries.values()}
        absent = [label for label in classes if label not in found]
        if not absent or not entries:
            continue
        if name == "train":
            refuse_untrained(classes, found)
        logger.warning(
            "OwnData: the %s set has no utterance of %s: its UA is the mean "
            "over the other labels, and its MF1 counts these as 0",
            *(name, list_some(absent)),
        )
