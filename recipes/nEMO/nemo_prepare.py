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

import csv
import os
import re

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.audio_files import find_audio
from speechbrain_hrf.dataio.manifest import fingerprint
from speechbrain_hrf.dataio.preparation import (
    check_choice,
    check_number,
    check_share,
    list_found,
    list_some,
    prepare_if_stale,
)
from speechbrain_hrf.dataio.probe import probe_all
from speechbrain_hrf.dataio.synthetic import is_synthetic

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
FOLDS = 9  # a speaker each
SENTENCES = 90
PROTOCOLS = {
    "paper": ("train", "test"),
    "held_out": ("train", "valid", "test"),
}
_LAYOUT = (
    "Expected: <data_folder>/samples with files such as EB0_anger_1.wav (or "
    ".flac), and data.tsv beside samples, from https://github.com/amu-cai/nEMO"
)
_NAME = re.compile(r"([^_]+)_([^_]+)_([1-9]\d?)")
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
    >>> corpora = getfixture("tmp_path_factory").getbasetemp()
    >>> corpus = make_corpus("nEMO", corpora)
    >>> folder = getfixture("tmpdir")
    >>> prepare_nemo(corpus, folder.join("manifests").strpath, fold=2)
    >>> sorted(file.basename for file in folder.join("manifests").listdir())
    ['fingerprint.json', 'test.json', 'train.json']
    """
    check_number("fold", fold, FOLDS)
    check_choice("protocol", protocol, PROTOCOLS)
    check_share(max_unusable)
    data_folder = os.path.abspath(data_folder)
    files = find_files(data_folder)
    tables = _tables(files)
    files, listed = check_labels(files, tables)
    _refuse_absent_speakers(files, data_folder, "file")

    options = {
        "fold": fold,
        "protocol": protocol,
        "max_unusable": max_unusable,
    }
    made_from = fingerprint(options, data_folder, files.values(), tables)

    def make():
        if not is_synthetic(data_folder):
            _say_what_is_there(files, listed)
        infos, _ = probe_all(files, max_unusable, what="nEMO files")
        _refuse_absent_speakers(infos, data_folder, "usable file")
        splits = _splits(fold, protocol)
        for split, speakers in splits.items():
            logger.info("nEMO: %s: %s", split, " ".join(speakers))
        return {
            split: {
                name: _entry(name, files[name], info, data_folder)
                for name, info in infos.items()
                if _parts(name)[0] in speakers
            }
            for split, speakers in splits.items()
        }

    prepare_if_stale(
        "nEMO",
        data_folder,
        save_folder,
        made_from,
        PROTOCOLS[protocol],
        EMOTIONS,
        make,
    )


def find_files(data_folder):
    """The recordings of a folder, in `samples` or not.

    `._*` files and other kinds of files are passed over; audio files whose
    names do not follow the scheme are listed in a warning.

    Arguments
    ---------
    data_folder : str
        Folder of the corpus.

    Returns
    -------
    dict
        Name (`EB0_anger_1`) -> path, sorted by name.

    Raises
    ------
    FileNotFoundError
        When there is no such folder, or no such file in it.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> folder.join("samples", "EB0_anger_1.flac").write("", ensure=True)
    >>> list(find_files(folder.strpath))
    ['EB0_anger_1']
    """
    if not os.path.isdir(data_folder):
        raise FileNotFoundError(f"No folder {data_folder}. {_LAYOUT}")
    files, malformed, copies = {}, [], []
    for path in find_audio(data_folder, (".wav", ".flac"), _DEPTH):
        name = os.path.splitext(os.path.basename(path))[0]
        if not _is_valid(name):
            malformed.append(os.path.relpath(path, data_folder))
        elif name in files:
            copies.append(os.path.relpath(path, data_folder))
        else:
            files[name] = path
    if malformed:
        logger.warning(
            "nEMO: %d audio files are left out, their names are not of the "
            "form {speaker}_{emotion}_{sentence}, as in EB0_anger_1: %s",
            len(malformed),
            list_some(malformed),
        )
    if copies:
        logger.warning(
            "nEMO: %d files have the name of another one and are left out: %s",
            len(copies),
            list_some(copies),
        )
    if not files:
        raise FileNotFoundError(
            f"{data_folder} holds no nEMO recording. {_LAYOUT}. "
            f"{list_found(data_folder)}"
        )
    return dict(sorted(files.items()))


def check_labels(files, tables):
    """Holds the files' names against the tables that list them.

    A file that its table does not list is left out, with a warning. Without
    any table all files are taken as their names say.

    Arguments
    ---------
    files : dict
        Name -> path, see `find_files`.
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
            if name in files and _parts(name)[:2] != (speaker, emotion)
        ]
        if contradicted:
            raise ValueError(
                f"{table} contradicts the names of files: "
                f"{list_some(contradicted)}. Names are "
                "{speaker}_{emotion}_{sentence}: rename the file or restore "
                f"{_TABLE} from https://github.com/amu-cai/nEMO"
            )
    unlisted = [name for name in files if name not in listed]
    if unlisted:
        logger.warning(
            "nEMO: %d files are left out, %s does not list them: %s",
            len(unlisted),
            _TABLE,
            list_some(unlisted),
        )
    return {n: path for n, path in files.items() if n in listed}, len(listed)


def _tables(files):
    """Each `data.tsv` beside a folder `samples`, or beside the files."""
    folders = {os.path.dirname(path) for path in files.values()}
    beside = {
        os.path.dirname(folder)
        if os.path.basename(folder) == _SAMPLES
        else folder
        for folder in folders
    }
    paths = (os.path.join(folder, _TABLE) for folder in sorted(beside))
    return [path for path in paths if os.path.isfile(path)]


def _read_table(path):
    """(name, speaker, emotion) of each row."""
    advice = f"Restore {_TABLE} from https://github.com/amu-cai/nEMO"
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            # Sentences are not quoted: a quotation mark is part of the text.
            table = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            missing = [x for x in _COLUMNS if x not in (table.fieldnames or ())]
            if missing:
                raise ValueError(
                    f"{path} has no column {', '.join(missing)}. {advice}"
                )
            rows = []
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
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 ({error}). {advice}") from error
    return rows


def _parts(name):
    """Speaker, emotion and sentence, None for what is no recording's name."""
    match = _NAME.fullmatch(name)
    return match and (match[1], match[2], int(match[3]))


def _is_valid(name):
    parts = _parts(name)
    if parts is None:
        return False
    speaker, emotion, sentence = parts
    return speaker in SPEAKERS and emotion in EMOTIONS and sentence <= SENTENCES


def _splits(fold, protocol):
    """Split -> speakers."""
    speakers = list(SPEAKERS)
    test = speakers[fold - 1]
    valid = speakers[fold % FOLDS] if protocol == "held_out" else None
    splits = {
        "train": [x for x in speakers if x not in (test, valid)],
        "valid": [valid],
        "test": [test],
    }
    return {name: splits[name] for name in PROTOCOLS[protocol]}


def _entry(name, path, info, data_folder):
    relative = os.path.relpath(path, data_folder).replace(os.sep, "/")
    speaker, emotion, sentence = _parts(name)
    return {
        "wav": f"{{data_root}}/{relative}",
        "duration": info.duration,
        "emo": emotion,
        "speaker": speaker,
        "sentence": sentence,
    }


def _counts(names):
    """Speaker -> files, of all nine."""
    counts = dict.fromkeys(SPEAKERS, 0)
    for name in names:
        counts[_parts(name)[0]] += 1
    return counts


def _refuse_absent_speakers(names, data_folder, what):
    """A fold is one speaker: without any of the nine, none is as intended."""
    absent = [speaker for speaker, n in _counts(names).items() if n == 0]
    if absent:
        raise ValueError(
            f"{data_folder} has no {what} of the nEMO "
            f"speaker{'s' * (len(absent) > 1)} {', '.join(absent)}: each fold "
            f"needs all {FOLDS}, one to test on and the others to train on. "
            "Get the missing files from https://github.com/amu-cai/nEMO"
        )


def _say_what_is_there(files, listed):
    """How many are listed and there; a part of the corpus is taken as well."""
    whole = sum(SPEAKERS.values())
    if listed is None:
        totals = f"the whole corpus has {whole} recordings"
    else:
        totals = f"{_TABLE} lists {listed} recordings"
        if listed != whole:
            totals += f" (the whole corpus has {whole})"
    totals += f", {len(files)} of them are there"
    if len(files) == whole:
        logger.info("nEMO: %s", totals)
        return
    odd = {_parts(name)[2] % 2 for name in files}
    if len(odd) == 1:
        which = "odd" if odd == {1} else "even"
        totals += f", those with {which} sentence numbers only"
    short = [
        f"{speaker} {n} of {SPEAKERS[speaker]}"
        for speaker, n in _counts(files).items()
        if n < SPEAKERS[speaker]
    ]
    logger.warning(
        "nEMO: %s: %s. Results compare only with those on the same files.",
        totals,
        ", ".join(short),
    )
