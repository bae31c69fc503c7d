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

import os
import re
from typing import NamedTuple

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.manifest import fingerprint
from speechbrain_hrf.dataio.preparation import (
    check_choice,
    check_number,
    check_share,
    find_other_counts,
    list_found,
    prepare_if_stale,
)
from speechbrain_hrf.dataio.probe import probe_all
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
PROTOCOLS = {
    "paper": ("train", "test"),
    "held_out": ("train", "valid", "test"),
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


class Turn(NamedTuple):
    """One labelled turn that is kept.

    Example
    -------
    >>> turn = Turn("Ses03M_impro05a_F002", "sad", "a.wav", "Ses03.txt:4")
    >>> turn.session, turn.speaker
    (3, 'Ses03F')
    """

    name: str
    emotion: str
    path: str
    source: str

    @property
    def session(self):
        """1 to 5."""
        return int(self.name[4])

    @property
    def speaker(self):
        """Who speaks: the session and the last letter, not the first one."""
        return f"{self.name[:5]}{self.name[-4]}"


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
    >>> corpora = getfixture("tmp_path_factory").getbasetemp()
    >>> corpus = make_corpus("IEMOCAP", corpora)
    >>> folder = getfixture("tmpdir")
    >>> prepare_iemocap(corpus, folder.join("manifests").strpath)
    >>> sorted(file.basename for file in folder.join("manifests").listdir())
    ['fingerprint.json', 'test.json', 'train.json']
    """
    check_choice("protocol", protocol, PROTOCOLS)
    check_number("valid_session", valid_session, 4, "a training session")
    check_share(max_unusable)
    options = {
        "protocol": protocol,
        "max_unusable": max_unusable,
    }
    if protocol == "held_out":
        options["valid_session"] = valid_session

    data_folder = os.path.abspath(data_folder)
    release = _find_release(data_folder)
    label_files = _find_label_files(release)
    turns = _read_turns(label_files)
    made_from = fingerprint(
        options,
        data_folder,
        files=[turn.path for turn in turns.values()],
        label_files=label_files,
    )

    def make():
        paths = {name: turn.path for name, turn in turns.items()}
        infos, _ = probe_all(paths, max_unusable, what="IEMOCAP turns")
        manifests = {split: {} for split in PROTOCOLS[protocol]}
        for name, info in infos.items():
            split = _split(turns[name].session, options.get("valid_session"))
            manifests[split][name] = _entry(turns[name], info, data_folder)
        if not is_synthetic(release):
            _warn_if_not_table_1(manifests)
        return manifests

    prepare_if_stale(
        "IEMOCAP",
        release,
        save_folder,
        made_from,
        PROTOCOLS[protocol],
        EMOTIONS,
        make,
    )


def _find_release(data_folder):
    """The folder with the five sessions: the one given, or one below it."""
    if not os.path.isdir(data_folder):
        raise FileNotFoundError(f"No folder {data_folder}. {_LAYOUT}")
    release = os.path.join(data_folder, _RELEASE)
    if not os.path.isdir(release):
        release = data_folder
    missing = [
        os.path.join(f"Session{session}", part)
        for session in SESSIONS
        for part in ("dialog/EmoEvaluation", "sentences/wav")
        if not os.path.isdir(os.path.join(release, f"Session{session}", part))
    ]
    if missing:
        raise FileNotFoundError(
            f"{release} lacks {', '.join(missing)}. {_LAYOUT}. "
            f"{list_found(release)}"
        )
    return release


def _find_label_files(release):
    """The label files of all sessions, sorted.

    Only `*.txt` of `EmoEvaluation` itself: its subfolders hold the raters'
    own files, and `._*.txt` are leftovers of a Macintosh.
    """
    files = []
    for session in SESSIONS:
        folder = os.path.join(
            release, f"Session{session}", "dialog", "EmoEvaluation"
        )
        found = [
            os.path.join(folder, name)
            for name in sorted(os.listdir(folder))
            if name.endswith(".txt") and not name.startswith("._")
        ]
        if not found:
            raise FileNotFoundError(f"{folder} holds no *.txt. {_LAYOUT}")
        files += found
    return files


def _read_turns(label_files):
    """Turn's name -> Turn of all turns that are kept, sorted by name."""
    turns = {}
    for path in label_files:
        session_folder = os.path.dirname(os.path.dirname(os.path.dirname(path)))
        for number, name, label in _label_lines(path):
            source = f"{path}, line {number}"
            if name in turns:
                raise ValueError(
                    f"{source}: {name} is labelled a second time, after "
                    f"{turns[name].source}. Remove one of the two."
                )
            wav = os.path.join(
                session_folder, "sentences", "wav", name[:-5], f"{name}.wav"
            )
            turns[name] = Turn(name, LABELS[label], wav, source)
    kept = {name: turns[name] for name in sorted(turns) if turns[name].emotion}
    logger.info("IEMOCAP: %d turns, %d kept", len(turns), len(kept))
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


def _split(session, valid_session):
    if session == TEST_SESSION:
        return "test"
    return "valid" if session == valid_session else "train"


def _entry(turn, info, data_folder):
    relative = os.path.relpath(turn.path, data_folder).replace(os.sep, "/")
    return {
        "wav": f"{{data_root}}/{relative}",
        "duration": info.duration,
        "emo": turn.emotion,
        "speaker": turn.speaker,
        "session": turn.session,
    }


def _warn_if_not_table_1(manifests):
    """Names every count that differs from the paper's."""
    found = {split: dict.fromkeys(EMOTIONS, 0) for split in PAPER_COUNTS}
    for split, entries in manifests.items():
        part = "test" if split == "test" else "train"  # valid is cut from it
        for entry in entries.values():
            found[part][entry["emo"]] += 1
    differences = find_other_counts(found, PAPER_COUNTS)
    if differences:
        logger.warning(
            "IEMOCAP: the counts are not those of Table I, 4290 + 1241 = "
            "5531 turns: %s. Results will not compare with the paper's.",
            ", ".join(differences),
        )
