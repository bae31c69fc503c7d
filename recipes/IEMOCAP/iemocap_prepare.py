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
    warn_of_other_counts,
    warn_of_some,
)
from speechbrain_hrf.dataio.recordings import refuse_folder
from speechbrain_hrf.dataio.sound.audio_files import find_audio
from speechbrain_hrf.dataio.sound.probe import probe_all
from speechbrain_hrf.dataio.synthetic import is_synthetic
from speechbrain_hrf.dataio.text_file import quote, read_text

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
_LABELS = "dialog/EmoEvaluation"
_AUDIO = "sentences/wav"
_DEPTH = 2  # folders that the search for the sessions goes down
_LAYOUT = (
    f"Expected: {_RELEASE} (or the folder that holds it) with Session1 ... "
    f"Session5, each with {_LABELS}/*.txt and "
    f"{_AUDIO}/<dialogue>/<turn>.wav (or .flac). IEMOCAP is licensed: "
    "https://sail.usc.edu/iemocap"
)
_TURN = r"Ses0[1-5][FM]_\w+_[FM]\w{3}"
_LABEL_FILE = re.compile(r"Ses0[1-5][FM]_\w+\.txt", re.I)
# [6.2901 - 8.2357]<TAB>Ses01F_impro01_F000<TAB>neu<TAB>[2.5, 2.5, 2.5]
_LABEL_LINE = re.compile(
    r"\[\d+(?:\.\d+)? - \d+(?:\.\d+)?\]\t"
    rf"(?P<turn>{_TURN})\t"
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
        Share of turns above which preparation stops: those whose audio is
        missing or unreadable, and those without a label line, of which a
        label file that is missing, empty or cut leaves many.

    Raises
    ------
    FileNotFoundError
        When the folder does not hold the corpus, or not all of it.
    ValueError
        When an option is out of range, a label line is malformed, or too many
        turns have no label line or no usable audio.

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

    data_folder = os.path.abspath(os.path.expanduser(data_folder))
    release, sessions = _find_release(data_folder)
    label_files = _find_label_files(sessions)
    labels = read_turns(label_files)
    turns = {name: label for name, label in labels.items() if label}
    audio = _find_audio(sessions)
    labelled = {name.lower() for name in labels}
    unlabelled = {
        _stem(path): path
        for name, path in sorted(audio.items())
        if name not in labelled
    }
    paths = {name: _audio_path(name, audio, sessions) for name in turns}
    paths.update(unlabelled)

    def make():
        logger.info("IEMOCAP: %d turns, %d kept", len(labels), len(turns))
        _name_dialogues(unlabelled, audio)
        infos, _ = probe_all(
            paths,
            max_unusable,
            what="IEMOCAP turns",
            known=dict.fromkeys(unlabelled, "no label file has a line of it"),
        )
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
    """The folder with the sessions, and session -> folder of each of its parts.

    It is the folder given, one in it, or one in one of these; upper and lower
    case do not matter.
    """
    top = glob.escape(data_folder)
    folders = [
        path
        for depth in range(_DEPTH + 1)
        for path in sorted(glob.glob(os.path.join(top, *"*" * depth, "")))
    ]
    most = max((len(_list(path)) for path in folders), default=0)
    found = [path for path in folders if len(_list(path)) == most > 0]
    # A folder of this name goes before its copies.
    found = [x for x in found if x.endswith(f"{_RELEASE}{os.sep}")] or found
    if len(found) > 1:
        raise ValueError(
            f"There are several releases: {list_some(found)}. Give as data "
            "folder the one that is meant."
        )
    release = os.path.normpath(found[0]) if found else data_folder
    there = _list(release)
    sessions = {
        session: {
            part: _enter(there[session], part) for part in (_LABELS, _AUDIO)
        }
        if session in there
        else dict.fromkeys((_LABELS, _AUDIO))
        for session in SESSIONS
    }
    missing = [
        f"Session{session}/{part}"
        for session, parts in sessions.items()
        for part, folder in parts.items()
        if folder is None
    ]
    if missing:
        refuse_folder(release, f"lacks {', '.join(missing)}", _LAYOUT)
    return release, sessions


def _list(folder):
    """Session -> its folder, of those that lie in a folder."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    matches = (re.fullmatch(r"session([1-5])", name, re.I) for name in names)
    return {
        int(match[1]): os.path.join(folder, match[0])
        for match in matches
        if match
    }


def _enter(folder, names):
    """A folder below another one, by its names in any case; or None."""
    for name in names.split("/"):
        if not os.path.isdir(folder):
            return None
        same = [x for x in os.listdir(folder) if x.lower() == name.lower()]
        if not same:
            return None
        folder = os.path.join(folder, name if name in same else min(same))
    return folder if os.path.isdir(folder) else None


def _find_label_files(sessions):
    """The label files of all sessions, sorted.

    Only `Ses*.txt` of `EmoEvaluation` itself: its subfolders hold the raters'
    own files, and `._*.txt` are leftovers of a Macintosh.
    """
    files, others = [], []
    for parts in sessions.values():
        folder = parts[_LABELS]
        names = [x for x in sorted(os.listdir(folder)) if x[0] != "."]
        found = [x for x in names if _LABEL_FILE.fullmatch(x)]
        if not found:
            refuse_folder(folder, "holds no *.txt", _LAYOUT)
        files += [os.path.join(folder, name) for name in found]
        others += [
            os.path.join(folder, name)
            for name in names
            if name.lower().endswith(".txt") and name not in found
        ]
    what = "text files without the name of a dialogue, not read"
    warn_of_some("IEMOCAP", what, others)
    return files


def _find_audio(sessions):
    """Turn, in lower case -> path, of all audio files.

    They lie in a folder of their dialogue, or all in one, as wav or flac. Of
    several files of a turn, the first in this order is taken.
    """
    audio, copies, others = {}, [], []
    for parts in sessions.values():
        found = find_audio(parts[_AUDIO], (".wav", ".flac"), depth=1)
        by_kind = [
            *(path for path in found if path.lower().endswith(".wav")),
            *(path for path in found if path.lower().endswith(".flac")),
        ]
        for path in by_kind:
            if not re.fullmatch(_TURN, _stem(path), re.I):
                others.append(path)
            elif audio.setdefault(_stem(path).lower(), path) != path:
                copies.append(path)
    warn_of_some("IEMOCAP", "copies left out, by their names", copies)
    what = "audio files without the name of a turn, left out"
    warn_of_some("IEMOCAP", what, others)
    return audio


def _stem(path):
    return os.path.splitext(os.path.basename(path))[0]


def _audio_path(name, audio, sessions):
    """Path of a turn's audio; where there is none, of where it belongs."""
    folder = sessions[int(name[4])][_AUDIO]
    usual = os.path.join(folder, name[:-5], f"{name}.wav")
    return audio.get(name.lower(), usual)


def _name_dialogues(unlabelled, audio):
    """Names all dialogues with fewer label lines than audio files."""
    files = collections.Counter(name[:-5] for name in audio)
    without = collections.Counter(name[:-5] for name in unlabelled)
    if without:
        logger.warning(
            "IEMOCAP: %d turns of %d dialogues have audio and no label line: "
            "%s. Restore the label files in dialog/EmoEvaluation.",
            *(without.total(), len(without)),
            ", ".join(
                f"{name} ({count} of {files[name.lower()]})"
                for name, count in sorted(without.items())
            ),
        )


def read_turns(label_files):
    """The emotion of all turns, those that are left out as well.

    Arguments
    ---------
    label_files : list of str
        Of the corpus's `EmoEvaluation` folders.

    Returns
    -------
    dict of str: str
        Turn -> one of ``EMOTIONS``, or None; sorted by turn.

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
    {'Ses01F_impro01_F000': 'neu', 'Ses01F_impro01_F001': None, ...}
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
    return dict(sorted(labels.items()))


def _label_lines(path):
    """Yields line number, turn and label of each label line of a file."""
    in_comment = False
    # A rater's comment may hold any byte, a label line only ASCII.
    lines = io.StringIO(read_text(path, errors="replace"), newline=None)
    for number, line in enumerate(map(str.strip, lines), start=1):
        match = _LABEL_LINE.fullmatch(line)
        if match:
            in_comment = False
            yield number, match["turn"], match["label"]
        elif _RATER_LINE.match(line):
            # Raters typed their comments; one may run over several lines.
            in_comment = line.count("(") > line.count(")")
        elif line and line[0] != "%" and not _continues(in_comment, line):
            raise ValueError(
                f"{path}, line {number}: not a label line: {quote(line)}. "
                f"Expected, separated by tabs: [6.2901 - 8.2357], turn, one "
                f"of {' '.join(LABELS)}, [2.5, 2.5, 2.5]. Restore the file "
                "from the corpus or repair the line."
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
