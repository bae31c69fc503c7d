"""Manifests of IEMOCAP: four emotions, sessions 1-4 against session 5.

Neutral, happy (with excited), sad and angry turns of the full release, 5531
in all (Table I of the paper), split by session and so by speaker. Labels come
from `Session?/dialog/EmoEvaluation/*.txt`, audio from
`Session?/sentences/wav/<dialogue>/<turn>.wav`.

Names need care: in `Ses03M_impro05a_F002` the first letter is the actor who
wears the motion-capture markers, the last one is who speaks; and a dialogue's
name may end in a letter. So the dialogue is `turn[:-5]`, the speaker's gender
`turn[-4]` and the session `turn[4]`.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import glob
import os
import re

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.preparation import (
    PROTOCOLS,
    check_choice,
    check_number,
    check_share,
    make_entry,
    prepare_if_stale,
    warn_of_other_counts,
)
from speechbrain_hrf.dataio.probe import probe_all
from speechbrain_hrf.dataio.recordings import refuse_folder
from speechbrain_hrf.dataio.synthetic import is_synthetic

logger = get_logger(__name__)

EMOTIONS = ["neu", "hap", "sad", "ang"]  # label indices follow this order
# The corpus's labels, all of them; None: the turn is left out.
LABELS = {
    "neu": "neu",
    "hap": "hap",
    "exc": "hap",
    "sad": "sad",
    "ang": "ang",
    **dict.fromkeys(["fru", "sur", "fea", "dis", "oth", "xxx"]),
}
SESSIONS = (1, 2, 3, 4, 5)
TEST_SESSION = 5
# Table I; per session 1085, 1023, 1151, 1031, 1241.
PAPER_COUNTS = {
    "train": {"neu": 1324, "hap": 1194, "sad": 839, "ang": 933},
    "test": {"neu": 384, "hap": 442, "sad": 245, "ang": 170},
}
_RELEASE = "IEMOCAP_full_release"
_LAYOUT = (
    f"Expected: {_RELEASE} (or the folder that holds it) with Session1 ... "
    "Session5, each with dialog/EmoEvaluation/*.txt and "
    "sentences/wav/<dialogue>/<turn>.wav. IEMOCAP is licensed: "
    "https://sail.usc.edu/iemocap"
)
# [6.2901 - 8.2357]<TAB>Ses01F_impro01_F000<TAB>neu<TAB>[2.5, 2.5, 2.5]
_LABEL_LINE = re.compile(
    r"\[\d+(?:\.\d+)? - \d+(?:\.\d+)?\]\t"
    r"(?P<turn>Ses0[1-5][FM]_\w+_[FM]\w{3})\t"
    rf"(?P<label>{'|'.join(LABELS)})\t"
    r"\[[^\]]+\]"
)
# One rater's opinion, C-E2 (categories) or A-F1 (valence and so on).
_RATER_LINE = re.compile(r"[AC]-\w+:")


def prepare_iemocap(
    data_folder,
    save_folder,
    protocol="paper",
    valid_session=4,
    max_unusable=0.01,
):
    """Writes `train.json`, `test.json` and, if asked for, `valid.json`.

    They are written again whenever an option, a label file or an audio file
    changed. Nothing depends on a seed or on the order of folders.

    Arguments
    ---------
    data_folder : str
        `IEMOCAP_full_release` or the folder above it (`{data_root}` in the
        manifests).
    save_folder : str
        Where the manifests go.
    protocol : {"paper", "held_out"}
        "paper": sessions 1-4 train, session 5 tests, the last epoch is
        scored: choosing it on session 5 would be leakage. "held_out": one
        training session becomes `valid.json`, which may choose the epoch.
    valid_session : int
        That session, 1 to 4; without effect on the paper's protocol.
    max_unusable : float
        Share of missing or unreadable audio files above which preparation
        stops.

    Raises
    ------
    FileNotFoundError
        When the folder does not hold the corpus, or not all of it.
    ValueError
        When an option is out of range, a label line is malformed, or too many
        audio files are missing or unreadable.

    Example
    -------
    >>> from speechbrain_hrf.dataio.synthetic import make_corpus
    >>> corpora = getfixture("corpora")
    >>> corpus = make_corpus("IEMOCAP", corpora)
    >>> folder = getfixture("tmpdir")
    >>> prepare_iemocap(corpus, folder.join("manifests").strpath)
    >>> sorted(file.basename for file in folder.join("manifests").listdir())
    ['fingerprint.json', 'test.json', 'train.json']
    """
    check_choice("protocol", protocol, PROTOCOLS)
    check_number("valid_session", valid_session, 4, "a training session")
    check_share(max_unusable)
    options = {"protocol": protocol, "max_unusable": max_unusable}
    if protocol == "held_out":
        options["valid_session"] = valid_session

    data_folder = os.path.abspath(data_folder)
    release = _find_release(data_folder)
    label_files = _find_label_files(release)
    turns = read_turns(label_files)
    paths = {
        name: os.path.join(
            release,
            f"Session{name[4]}/sentences/wav/{name[:-5]}/{name}.wav",
        )
        for name in turns
    }

    def make():
        infos, _ = probe_all(paths, max_unusable, what="IEMOCAP turns")
        manifests = {split: {} for split in PROTOCOLS[protocol]}
        for name, info in infos.items():
            session = int(name[4])
            split = "test" if session == TEST_SESSION else "train"
            if session == options.get("valid_session"):
                split = "valid"
            manifests[split][name] = make_entry(
                paths[name],
                data_folder,
                info.duration,
                emo=turns[name],
                speaker=f"{name[:5]}{name[-4]}",
                session=session,
            )
        if not is_synthetic(release):
            _warn_if_not_table_1(manifests)
        return manifests

    prepare_if_stale(
        "IEMOCAP",
        data_folder,
        save_folder,
        options,
        PROTOCOLS[protocol],
        EMOTIONS,
        make,
        files=paths.values(),
        label_files=label_files,
    )


def _find_release(data_folder):
    """The folder with the five sessions: the one given, or one below it."""
    release = os.path.join(data_folder, _RELEASE)
    if not os.path.isdir(release):
        release = data_folder
    parts = [
        f"Session{session}/{part}"
        for session in SESSIONS
        for part in ("dialog/EmoEvaluation", "sentences/wav")
    ]
    missing = [x for x in parts if not os.path.isdir(f"{release}/{x}")]
    if missing:
        refuse_folder(release, f"lacks {', '.join(missing)}", _LAYOUT)
    return release


def _find_label_files(release):
    """The label files of all sessions, sorted.

    Only `*.txt` of `EmoEvaluation` itself: its subfolders hold the raters'
    own files, and `._*.txt`, which `*` passes over, are leftovers of a
    Macintosh.
    """
    files = []
    for session in SESSIONS:
        folder = os.path.join(release, f"Session{session}/dialog/EmoEvaluation")
        found = glob.glob(os.path.join(glob.escape(folder), "*.txt"))
        if not found:
            refuse_folder(folder, "holds no *.txt", _LAYOUT)
        files += sorted(found)
    return files


def read_turns(label_files):
    """The emotion of all turns that are kept.

    Arguments
    ---------
    label_files : list of str
        Of the corpus's `EmoEvaluation` folders.

    Returns
    -------
    dict of str: str
        Turn -> one of ``EMOTIONS``, sorted by turn.

    Raises
    ------
    ValueError
        When a line is malformed, or a turn is labelled twice.

    Example
    -------
    >>> path = getfixture("tmpdir").join("Ses01F_impro01.txt")
    >>> lines = [
    ...     f"[6.29 - 8.23]\\tSes01F_impro01_{turn}\\t{label}\\t[2.5, 2.5, 2.5]"
    ...     for turn, label in [("M001", "exc"), ("F000", "neu"), ("F001", "fru")]
    ... ]
    >>> path.write("\\n".join(lines))
    >>> read_turns([path.strpath])
    {'Ses01F_impro01_F000': 'neu', 'Ses01F_impro01_M001': 'hap'}
    """
    labels, places = {}, {}
    for path in label_files:
        for number, name, label in _label_lines(path):
            place = f"{path}, line {number}"
            if name in labels:
                raise ValueError(
                    f"{place}: {name} is labelled a second time, after "
                    f"{places[name]}. Remove one of the two."
                )
            labels[name], places[name] = LABELS[label], place
    kept = {name: labels[name] for name in sorted(labels) if labels[name]}
    logger.info("IEMOCAP: %d turns, %d kept", len(labels), len(kept))
    return kept


def _label_lines(path):
    """Yields line number, turn and label of each label line of a file."""
    in_comment = False
    # A rater's comment may hold any byte, a label line only ASCII.
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            line = line.strip()
            match = _LABEL_LINE.fullmatch(line)
            if match:
                in_comment = False
                yield number, match["turn"], match["label"]
            elif _RATER_LINE.match(line):
                # Raters typed their comments; one may run over several lines.
                in_comment = line.count("(") > line.count(")")
            elif line and line[0] != "%" and not _continues(in_comment, line):
                raise ValueError(
                    f"{path}, line {number}: not a label line: {line!r}. "
                    f"Expected, separated by tabs: [6.2901 - 8.2357], turn, "
                    f"one of {' '.join(LABELS)}, [2.5, 2.5, 2.5]. Restore the "
                    f"file from the corpus or repair the line."
                )


def _continues(in_comment, line):
    """Whether a line is the rest of a rater's comment, not a broken label."""
    return in_comment and not re.search(r"^\[|Ses0\d[FM]_", line)


def _warn_if_not_table_1(manifests):
    """Names every count that differs from the paper's."""
    found = {split: collections.Counter() for split in PAPER_COUNTS}
    for split, entries in manifests.items():
        part = "test" if split == "test" else "train"  # valid is cut from it
        found[part].update(entry["emo"] for entry in entries.values())
    totals = "4290 + 1241 = 5531 turns (Table I)"
    warn_of_other_counts("IEMOCAP", totals, found, PAPER_COUNTS)
