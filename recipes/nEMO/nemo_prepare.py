"""Manifests of nEMO: 9 speakers, 6 emotions, 9 folds that leave one out.

The recordings of https://github.com/amu-cai/nEMO as they come (24 kHz WAV in
`samples`, with `data.tsv` beside it), or FLAC copies of them, and also a part
of them, such as every second sentence. A file's name says what it holds:
`{speaker}_{emotion}_{sentence}`. `data.tsv` lists the recordings; where it is
there, it must agree with the names.

All speakers read the same 90 sentences, so splits are made by speaker. Fold k
tests on the k-th speaker. Every fold should be run. MK0 has no "surprised".

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import csv
import io
import os
import re

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.preparation import (
    PROTOCOLS,
    check_choice,
    check_number,
    check_share,
    list_some,
    make_entry,
    prepare_if_stale,
    warn_of_some,
)
from speechbrain_hrf.dataio.recordings import find_recordings, split_folds
from speechbrain_hrf.dataio.sound.probe import probe_all
from speechbrain_hrf.dataio.synthetic import is_synthetic
from speechbrain_hrf.dataio.text_file import read_text

logger = get_logger(__name__)

# In this order always: label indices follow it. The corpus spells "surprised".
EMOTIONS = ["neutral", "anger", "fear", "happiness", "sadness", "surprised"]
# Speaker -> recordings in the whole corpus; fold k tests on the k-th one.
SPEAKERS = {
    "EB0": 539,
    "IC0": 540,
    "KD0": 540,
    "KS0": 540,
    "MK0": 450,
    "MP0": 256,
    "SM0": 538,
    "TP0": 539,
    "WR0": 539,
}
FOLDS = [[speaker] for speaker in SPEAKERS]  # studies count them
SENTENCES = 90
_HOME = "https://github.com/amu-cai/nEMO"
_FORM = "{speaker}_{emotion}_{sentence}, as in EB0_anger_1"
_LAYOUT = (
    "Expected: <data_folder>/samples with files such as EB0_anger_1.wav (or "
    f".flac), and data.tsv beside samples, from {_HOME}"
)
_SAMPLES = "samples"
_TABLE = "data.tsv"
_COLUMNS = ("file_id", "emotion", "speaker_id")
# samples/file, and one folder more above it.
_DEPTH = 2


def prepare_nemo(
    data_folder, save_folder, fold=1, protocol="paper", max_unusable=0.01
):
    """Writes `train.json`, `test.json` and, if asked for, `valid.json`.

    They are written again whenever an option or a file changed. Nothing
    depends on a seed or on the order of folders.

    Arguments
    ---------
    data_folder : str
        Folder of the corpus (`{data_root}` in the manifests).
    save_folder : str
        Where the manifests go.
    fold : int
        Which speaker to test on, 1 to 9, in alphabetical order.
    protocol : {"paper", "held_out"}
        "paper": the other 8 speakers train, nothing is held out, the last
        epoch is scored. "held_out": the next speaker (after the last one, the
        first) leaves the training set and becomes `valid.json`, which may
        choose the epoch.
    max_unusable : float
        Share of unreadable files above which preparation stops.

    Raises
    ------
    FileNotFoundError
        When the folder does not hold the corpus.
    ValueError
        When an option is out of range, `data.tsv` contradicts a file's name
        or cannot be understood, a speaker has no file, or too many files are
        unreadable.

    Example
    -------
    >>> from speechbrain_hrf.dataio.synthetic import make_corpus
    >>> corpora = getfixture("corpora")
    >>> corpus = make_corpus("nEMO", corpora)
    >>> folder = getfixture("tmpdir")
    >>> prepare_nemo(corpus, folder.join("manifests").strpath, fold=2)
    >>> sorted(file.basename for file in folder.join("manifests").listdir())
    ['fingerprint.json', 'test.json', 'train.json']
    """
    check_number("fold", fold, len(FOLDS))
    check_choice("protocol", protocol, PROTOCOLS)
    check_share(max_unusable)
    data_folder = os.path.abspath(os.path.expanduser(data_folder))
    files = find_recordings(
        "nEMO", data_folder, is_recording, _FORM, _LAYOUT, _DEPTH
    )
    tables = _find_tables(files)
    files, listed = check_labels(files, tables)
    _refuse_absent_speakers(files, data_folder, "file")

    def make():
        if not is_synthetic(data_folder):
            _log_what_is_there(files, listed)
        infos, _ = probe_all(files, max_unusable, what="nEMO files")
        _refuse_absent_speakers(infos, data_folder, "usable file")
        splits = split_folds(FOLDS, fold, protocol)
        for split, speakers in splits.items():
            logger.info("nEMO: %s: %s", split, " ".join(speakers))
        return {
            split: {
                name: make_entry(
                    files[name], data_folder, info.duration, **describe(name)
                )
                for name, info in infos.items()
                if describe(name)["speaker"] in speakers
            }
            for split, speakers in splits.items()
        }

    prepare_if_stale(
        "nEMO",
        data_folder,
        save_folder,
        {"fold": fold, "protocol": protocol, "max_unusable": max_unusable},
        PROTOCOLS[protocol],
        EMOTIONS,
        make,
        files=files.values(),
        label_files=tables,
    )


def is_recording(name):
    """Whether a file's name is that of a recording.

    Arguments
    ---------
    name : str
        Without extension.

    Returns
    -------
    bool or None
        True, or None if it does not follow the corpus's scheme.

    Example
    -------
    >>> is_recording("EB0_anger_90")
    True
    >>> is_recording("EB0_anger_91")  # all read the same 90 sentences
    """
    if not re.fullmatch(r"[^_]+_[^_]+_[1-9]\d?", name, re.ASCII):
        return None
    about = describe(name)
    return (
        about["speaker"] in SPEAKERS
        and about["emo"] in EMOTIONS
        and about["sentence"] <= SENTENCES
    ) or None


def describe(name):
    """What a recording's name says.

    Arguments
    ---------
    name : str
        Without extension.

    Returns
    -------
    dict

    Example
    -------
    >>> describe("EB0_anger_7")
    {'emo': 'anger', 'speaker': 'EB0', 'sentence': 7}
    """
    speaker, emotion, sentence = name.split("_")
    return {"emo": emotion, "speaker": speaker, "sentence": int(sentence)}


def check_labels(files, tables):
    """Holds the files' names against the tables that list them.

    A file that its table does not list is left out, with a warning. Without
    any table all files are taken as their names say.

    Arguments
    ---------
    files : dict
        Name -> path.
    tables : list of str
        Paths of the `data.tsv` files beside these.

    Returns
    -------
    files : dict
        Those that are listed.
    listed : int or None
        How many recordings the tables list, None without a table.

    Raises
    ------
    ValueError
        When a table contradicts a file's name, or cannot be understood.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> folder.join("data.tsv").write(
    ...     "file_id\\temotion\\tspeaker_id\\nEB0_fear_1.wav\\tanger\\t  EB0\\n")
    >>> path = folder.join("EB0_fear_1.wav").strpath
    >>> tables = [folder.join("data.tsv").strpath]
    >>> check_labels({"EB0_fear_1": path}, tables)
    Traceback (most recent call last):
    ...
    ValueError: ...: EB0_fear_1 (there: EB0, anger). Names ...
    """
    if not tables:
        logger.info(
            "nEMO: there is no %s: labels are from file names alone", _TABLE
        )
        return files, None
    listed = set()
    for table in tables:
        rows = _read_table(table)
        listed.update(name for name, _, _ in rows)
        contradicted = [
            f"{name} (there: {speaker}, {emotion})"
            for name, speaker, emotion in rows
            if name in files and not name.startswith(f"{speaker}_{emotion}_")
        ]
        if contradicted:
            raise ValueError(
                f"{table} contradicts the names of files: "
                f"{list_some(contradicted)}. Names are "
                "{speaker}_{emotion}_{sentence}: rename the file or restore "
                f"{_TABLE} from {_HOME}"
            )
        counts = collections.Counter(name for name, _, _ in rows)
        twice = [name for name in files if counts[name] > 1]
        if twice:
            raise ValueError(
                f"{table} lists recordings a second time: {list_some(twice)}. "
                f"Restore {_TABLE} from {_HOME} or remove the copies."
            )
    unlisted = [name for name in files if name not in listed]
    what = f"files left out, {_TABLE} does not list them"
    warn_of_some("nEMO", what, unlisted)
    return {n: path for n, path in files.items() if n in listed}, len(listed)


def _find_tables(files):
    """Each `data.tsv` beside a folder `samples`, or beside the files."""
    folders = {os.path.dirname(path) for path in files.values()}
    beside = {
        os.path.dirname(folder)
        if os.path.basename(folder) == _SAMPLES
        else folder
        for folder in folders
    }
    paths = (os.path.join(folder, _TABLE) for folder in sorted(beside))
    # What is no regular file is refused when it is read.
    return [path for path in paths if os.path.lexists(path)]


def _read_table(path):
    """(name, speaker, emotion) of each row."""
    advice = f"Restore {_TABLE} from {_HOME}"
    # Sentences are not quoted: a quotation mark is part of the text.
    table = csv.DictReader(
        io.StringIO(read_text(path), newline=""),
        delimiter="\t",
        quoting=csv.QUOTE_NONE,
    )
    rows = []
    try:
        names = list(table.fieldnames or ())
        odd = [x for x in _COLUMNS if names.count(x) != 1]
        if odd:
            raise ValueError(
                f"{path} has no column {', '.join(odd)}, or it has it twice. "
                f"{advice}"
            )
        for row in table:
            # Blanks stand before the speakers in the original.
            values = [(row[column] or "").strip() for column in _COLUMNS]
            if not all(values):
                raise ValueError(
                    f"{path}, line {table.line_num}: file_id, emotion or "
                    f"speaker_id is empty. {advice}"
                )
            file_id, emotion, speaker = values
            rows.append((os.path.splitext(file_id)[0], speaker, emotion))
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {table.line_num}: it cannot be read ({error}). "
            f"{advice}"
        ) from error
    return rows


def _count_files(names):
    """Speaker -> files, of all nine."""
    found = collections.Counter(describe(name)["speaker"] for name in names)
    return {speaker: found[speaker] for speaker in SPEAKERS}


def _refuse_absent_speakers(names, data_folder, what):
    """A fold is one speaker: without any of the nine, none is as intended."""
    absent = [speaker for speaker, n in _count_files(names).items() if n == 0]
    if absent:
        raise ValueError(
            f"{data_folder} has no {what} of the nEMO "
            f"speaker{'s' * (len(absent) > 1)} {', '.join(absent)}: each fold "
            f"needs all {len(SPEAKERS)}, one to test on and the others to "
            f"train on. Get the missing files from {_HOME}"
        )


def _log_what_is_there(files, listed):
    """How many are listed and there; a part of the corpus is taken as well."""
    whole = sum(SPEAKERS.values())
    totals = f"the whole corpus has {whole} recordings"
    if listed is not None:
        totals = f"{_TABLE} lists {listed} recordings"
        if listed != whole:
            totals += f" (the whole corpus has {whole})"
    totals += f", {len(files)} of them are there"
    if len(files) == whole:
        logger.info("nEMO: %s", totals)
        return
    odd = {describe(name)["sentence"] % 2 for name in files}
    if len(odd) == 1:
        which = "odd" if odd == {1} else "even"
        totals += f", those with {which} sentence numbers only"
    short = [
        f"{speaker} {n} of {SPEAKERS[speaker]}"
        for speaker, n in _count_files(files).items()
        if n < SPEAKERS[speaker]
    ]
    logger.warning(
        "nEMO: %s: %s. Results compare only with those on the same files.",
        totals,
        ", ".join(short),
    )
