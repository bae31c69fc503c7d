"""Manifests of DAIC-WOZ: clips of participants' speech, depressed or not.

The rule that gives the paper's 5084 + 1931 clips: of each interview of the
official training (107) and development (35) list, all rows of the transcript
with the speaker `Participant` are cut out of the audio and joined end to end;
windows of 10 s start every 9 s, full ones only; the label is the official
PHQ8_Binary. The development list is scored: labels of the test list are not
public.

Clips are ranges of samples in the manifests; no audio is written. No text of a
transcript and no score leaves the data folder, not even in an error.

Authors
 * The speechbrain_hrf authors 2026
"""

import csv
import os
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from speechbrain_hrf.dataio.archive import (
    list_members,
    member_path,
    split_member,
)
from speechbrain_hrf.dataio.audio_files import UnusableAudio
from speechbrain_hrf.dataio.manifest import fingerprint
from speechbrain_hrf.dataio.preparation import (
    check_choice,
    check_number,
    check_share,
    find_other_counts,
    list_found,
    list_some,
    prepare_if_stale,
)
from speechbrain_hrf.dataio.probe import probe_all
from speechbrain_hrf.dataio.synthetic import is_synthetic
from speechbrain_hrf.dataio.transcript import (
    cut_windows,
    read_transcript,
    remove_gap,
)

logger = get_logger(__name__)

STATES = ["not depressed", "depressed"]  # PHQ8_Binary 0 and 1
WINDOW_SECONDS = 10
HOP_SECONDS = 9
# Not depressed, depressed; 5084 and 1931 clips, 107 and 35 interviews.
PAPER_COUNTS = {"train": (3651, 1433), "dev": (1155, 776)}
PAPER_INTERVIEWS = {"train": 107, "dev": 35}
PROTOCOLS = {
    "paper": ("train", "test"),
    "held_out": ("train", "valid", "test"),
}
PARTS = 5
LISTS = {
    "train": "train_split_Depression_AVEC2017.csv",
    "dev": "dev_split_Depression_AVEC2017.csv",
}
_LAYOUT = (
    f"Expected: a folder with {LISTS['train']}, {LISTS['dev']} and, for each "
    "participant in them, 300_P/300_AUDIO.wav and 300_P/300_TRANSCRIPT.csv or "
    "300_P.zip with both. DAIC-WOZ is licensed: https://dcapswoz.ict.usc.edu"
)
# Seconds by which the times of a transcript are too early.
OFFSETS = {
    "318": Decimal("34.319917"),
    "321": Decimal("3.8379167"),
    "341": Decimal("6.1892"),
    "362": Decimal("16.8582"),
}
# Somebody comes in: from, to, in seconds.
INTERRUPTIONS = {"373": (395, 428), "444": (286, 387)}
# The official label contradicts the participant's score.
LABELS = {"409": 1}


def prepare_daic_woz(
    data_folder,
    save_folder,
    protocol="paper",
    held_out_part=1,
    max_unusable=0.01,
    correct_offsets=False,
    cut_interruptions=False,
    correct_label_of_409=False,
    drop_sync_rows=False,
    drop_tag_only_rows=False,
):
    """Writes `train.json`, `test.json` and, if asked for, `valid.json`.

    They are written again whenever an option, a list, a transcript or an audio
    file changed. Nothing depends on a seed or on the order of folders.

    Arguments
    ---------
    data_folder : str
        Folder of the corpus or the one above it (`{data_root}` in the
        manifests).
    save_folder : str
        Where the manifests go.
    protocol : {"paper", "held_out"}
        "paper": the training list trains, the development list becomes
        `test.json`, the last epoch is scored: choosing it there would be
        leakage. "held_out": a fifth of the training participants becomes
        `valid.json`, which may choose the epoch.
    held_out_part : int
        Which fifth, 1 to 5; without effect on the paper's protocol.
    max_unusable : float
        Share of interviews with missing or unreadable audio or transcript
        above which preparation stops.
    correct_offsets : bool
        Shift the transcripts of 318, 321, 341 and 362, which are early.
    cut_interruptions : bool
        Leave out 395-428 s of 373 and 286-387 s of 444.
    correct_label_of_409 : bool
        Call 409 depressed: the official label contradicts the score.
    drop_sync_rows : bool
        Leave out the participants' rows that are nothing but `<sync>`.
    drop_tag_only_rows : bool
        Leave out those that are nothing but tags, such as `<laughter>`.

    Raises
    ------
    FileNotFoundError
        When the folder does not hold the corpus.
    ValueError
        When an option is out of range, a participant is listed twice, a row
        of a list or of a readable transcript is malformed, or too many
        interviews are missing or unreadable.

    Example
    -------
    >>> from speechbrain_hrf.dataio.synthetic import make_corpus
    >>> corpora = getfixture("tmp_path_factory").getbasetemp()
    >>> corpus = make_corpus("DAIC-WOZ", corpora)
    >>> folder = getfixture("tmpdir")
    >>> prepare_daic_woz(corpus, folder.join("manifests").strpath)
    >>> sorted(file.basename for file in folder.join("manifests").listdir())
    ['fingerprint.json', 'test.json', 'train.json']
    """
    corrections = Corrections(
        correct_offsets,
        cut_interruptions,
        correct_label_of_409,
        drop_sync_rows,
        drop_tag_only_rows,
    )
    check_share(max_unusable)
    options = _checked_options(protocol, held_out_part, corrections)
    options["max_unusable"] = max_unusable

    data_folder = os.path.abspath(data_folder)
    root, lists = find_root(data_folder)
    listed = {name: read_list(path) for name, path in lists.items()}
    _refuse_shared(listed)
    sessions = find_sessions(root, [*listed["train"], *listed["dev"]])
    made_from = _fingerprint(options, data_folder, lists, sessions)
    _log_corrections(corrections, sessions)

    def make():
        clips = _clips(sessions, corrections, max_unusable, data_folder)
        if not is_synthetic(root) and not any(corrections):
            _warn_if_not_the_papers(listed, clips)
        return _manifests(listed, clips, options, corrections)

    prepare_if_stale(
        "DAIC-WOZ",
        root,
        save_folder,
        made_from,
        PROTOCOLS[protocol],
        STATES,
        make,
        key="state",
    )


def _checked_options(protocol, held_out_part, corrections):
    """What the manifests depend on, besides the data."""
    check_choice("protocol", protocol, PROTOCOLS)
    check_number("held_out_part", held_out_part, PARTS)
    options = {"protocol": protocol}
    if protocol == "held_out":
        options["held_out_part"] = held_out_part
    for name, value in corrections._asdict().items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} is True or False, not {value!r}")
        options[name] = value
    return options


def _refuse_shared(listed):
    shared = sorted(listed["train"].keys() & listed["dev"].keys())
    if shared:
        raise ValueError(
            f"{', '.join(shared)}: in {LISTS['train']} and in {LISTS['dev']}. "
            "Who is trained on cannot be scored: restore the lists from the "
            "corpus."
        )


def _fingerprint(options, data_folder, lists, sessions):
    audio = {session.audio for session in sessions.values()}
    transcripts = {session.transcript for session in sessions.values()}
    transcripts.discard(None)
    alone = {path for path in transcripts if split_member(path)[1] is None}
    return fingerprint(
        options,
        data_folder,
        # Of what lies in an archive, the archive's size and time count.
        files={split_member(path)[0] for path in audio | transcripts - alone},
        label_files=[*lists.values(), *alone],
    )


def _log_corrections(corrections, sessions):
    """Says which corrections are on and whom they are for."""
    of_all = "all interviews"
    concerned = Corrections(OFFSETS, INTERRUPTIONS, LABELS, of_all, of_all)
    for name, whom in concerned._asdict().items():
        if getattr(corrections, name):
            if whom != of_all:
                there = [who for who in whom if who in sessions]
                whom = ", ".join(there) or "nobody: they are not in the lists"
            logger.info("DAIC-WOZ: %s is on, for %s", name, whom)


def _transcripts(sessions):
    """Participant -> rows, and participant -> why there are none."""
    transcripts, problems = {}, {}
    for who, session in sessions.items():
        if session.problem:
            problems[who] = session.problem
            continue
        try:
            transcripts[who] = read_transcript(session.transcript)
        except UnusableAudio as error:
            name = os.path.basename(session.transcript)
            problems[who] = f"{name}: {error.reason}"
    return transcripts, problems


def _clips(sessions, corrections, max_unusable, data_folder):
    """Participant -> entries, which lack the state only."""
    transcripts, problems = _transcripts(sessions)
    infos, _ = probe_all(
        {who: session.audio for who, session in sessions.items()},
        max_unusable,
        what="DAIC-WOZ interviews",
        known=problems,
    )
    clips = {}
    dropped = {"sync": 0, "only_tags": 0}
    for who, info in tqdm(
        infos.items(), desc="Cutting interviews", disable=None
    ):
        rate = info.sample_rate
        speech = participant_speech(
            who,
            transcripts[who],
            round(info.duration * rate),
            rate,
            corrections,
        )
        _warn_of_rows(sessions[who].transcript, speech)
        for name in dropped:
            dropped[name] += len(getattr(speech, name))
        path = os.path.relpath(sessions[who].audio, data_folder)
        clips[who] = [
            {
                "wav": f"{{data_root}}/{path.replace(os.sep, '/')}",
                "parts": parts,
                "duration": float(WINDOW_SECONDS),
                "participant": who,
            }
            for parts in cut_windows(
                speech.ranges, WINDOW_SECONDS * rate, HOP_SECONDS * rate
            )
        ]
        if not clips[who]:
            logger.warning(
                "DAIC-WOZ: %s gives no clip: the participant speaks for "
                "%.1f s and a clip takes %d s",
                who,
                speech.samples / rate,
                WINDOW_SECONDS,
            )
    if corrections.drop_sync_rows:
        logger.info("DAIC-WOZ: %d <sync> rows dropped", dropped["sync"])
    if corrections.drop_tag_only_rows:
        logger.info("DAIC-WOZ: %d tag-only rows dropped", dropped["only_tags"])
    return clips


def _warn_of_rows(path, speech):
    """Names rows that are not cut as they stand, never what they say."""
    for lines, what in (
        (speech.clipped, "that end after the recording are clipped"),
        (speech.beyond, "that begin after the recording are left out"),
        (speech.empty, "that do not end after they begin are left out"),
        (
            speech.unknown,
            "of neither Ellie nor the participant are left out",
        ),
    ):
        if lines:
            logger.warning(
                "DAIC-WOZ: %s: rows %s: line %s", path, what, list_some(lines)
            )


def _manifests(listed, clips, options, corrections):
    """Split -> {utterance -> entry}."""
    held_out = _part(listed["train"], options.get("held_out_part"))
    manifests = {split: {} for split in PROTOCOLS[options["protocol"]]}
    for who, entries in clips.items():
        label = {**listed["train"], **listed["dev"]}[who]
        if corrections.correct_label_of_409:
            label = LABELS.get(who, label)
        split = "valid" if who in held_out else "train"
        if who in listed["dev"]:
            split = "test"
        for index, entry in enumerate(entries):
            name = f"{who}_{index:03d}"
            manifests[split][name] = {**entry, "state": STATES[label]}
    return manifests


def _part(train, part):
    """A fifth of the participants of each official label: every fifth one."""
    if part is None:
        return set()
    return {
        who
        for label in range(len(STATES))
        for who in [who for who in train if train[who] == label][
            part - 1 :: PARTS
        ]
    }


def _warn_if_not_the_papers(listed, clips):
    """Names every count that differs from the paper's."""
    counts, paper = {}, {}
    for name, participants in listed.items():
        found = [who for who in participants if clips.get(who)]
        counts[name] = {"interviews": len(found), **dict.fromkeys(STATES, 0)}
        for who in found:
            counts[name][STATES[participants[who]]] += len(clips[who])
        clips_by_state = zip(STATES, PAPER_COUNTS[name], strict=True)
        paper[name] = {
            "interviews": PAPER_INTERVIEWS[name],
            **dict(clips_by_state),
        }
    differences = find_other_counts(counts, paper)
    if differences:
        logger.warning(
            "DAIC-WOZ: the counts are not the paper's, 5084 + 1931 clips of "
            "107 + 35 interviews: %s. Results will not compare with its.",
            ", ".join(differences),
        )


class Session(NamedTuple):
    """Where the files of an interview are, or what it lacks.

    Arguments
    ---------
    audio : str
        Path; where it ought to be if there is none.
    transcript : str or None
        Path.
    problem : str or None
        Why the interview cannot be used, whatever the audio holds.

    Example
    -------
    >>> Session("300_P/300_AUDIO.wav", None, "there is no transcript").problem
    'there is no transcript'
    """

    audio: str
    transcript: str | None
    problem: str | None


def find_root(data_folder):
    """The folder that holds the lists: the one given, or `DAIC-WOZ` in it.

    Arguments
    ---------
    data_folder : str

    Returns
    -------
    root : str
    lists : dict of str: str
        "train" and "dev" -> path.

    Raises
    ------
    FileNotFoundError
        Saying what was expected and what is there.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> for name in LISTS.values():
    ...     folder.join("DAIC-WOZ", name).write("", ensure=True)
    >>> root, lists = find_root(folder.strpath)
    >>> os.path.basename(root), os.path.basename(lists["dev"])
    ('DAIC-WOZ', 'dev_split_Depression_AVEC2017.csv')
    """
    if not os.path.isdir(data_folder):
        raise FileNotFoundError(f"No folder {data_folder}. {_LAYOUT}")
    for root in data_folder, os.path.join(data_folder, "DAIC-WOZ"):
        files = _by_lower_name(root)
        lists = {
            split: files[name.lower()]
            for split, name in LISTS.items()
            if name.lower() in files
        }
        if len(lists) == len(LISTS):
            return root, lists
    raise FileNotFoundError(
        f"{data_folder} does not hold both {' and '.join(LISTS.values())}. "
        f"{_LAYOUT}. {list_found(data_folder)}"
    )


def find_sessions(root, participants):
    """The interview of each participant.

    Arguments
    ---------
    root : str
        Folder of the corpus.
    participants : iterable of str
        Their numbers.

    Returns
    -------
    dict of str: Session
        Sorted by number.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> folder.join("300_p", "300_audio.WAV").write("", ensure=True)
    >>> for session in find_sessions(folder.strpath, ["301", "300"]).values():
    ...     print(session.problem)
    there is no 300_TRANSCRIPT.csv beside it
    there is neither a folder 301_P nor 301_P.zip
    """
    there = _by_lower_name(root)
    return {
        participant: _find_session(root, participant, there)
        for participant in sorted(participants)
    }


def _find_session(root, participant, there):
    name = f"{participant}_P"
    folder = there.get(name.lower(), os.path.join(root, name))
    archive = there.get(f"{name}.zip".lower(), "")
    audio = os.path.join(folder, f"{participant}_AUDIO.wav")
    files, problem = {}, f"there is neither a folder {name} nor {name}.zip"
    if os.path.isdir(folder):
        files, problem = _by_lower_name(folder), None
    wanted = {f"{participant}_audio.wav", f"{participant}_transcript.csv"}
    if os.path.isfile(archive) and not wanted <= files.keys():
        audio = member_path(archive, f"{participant}_AUDIO.wav")
        files, problem = _in_archive(archive, name)
    transcript = files.get(f"{participant}_transcript.csv")
    if problem is None and transcript is None:
        problem = f"there is no {participant}_TRANSCRIPT.csv beside it"
    audio = files.get(f"{participant}_audio.wav", audio)
    return Session(audio, transcript, problem)


def _by_lower_name(folder):
    """Lower-case name -> path of what lies in a folder."""
    if not os.path.isdir(folder):
        return {}
    found = {}
    for name in sorted(os.listdir(folder)):
        if not name.startswith("._"):
            found.setdefault(name.lower(), os.path.join(folder, name))
    return found


def _in_archive(archive, name):
    """The same for an archive, and why it cannot be read."""
    try:
        names = list_members(archive)
    except UnusableAudio as error:
        return {}, error.reason
    found = {}
    for member in names:
        folder, _, file = member.rpartition("/")
        if folder.lower() in ("", name.lower()) and not file.startswith("._"):
            found.setdefault(file.lower(), member_path(archive, member))
    return found, None


def read_list(path):
    """Who is in a list, and the official label. No other column is looked at.

    Arguments
    ---------
    path : str
        A file with the columns Participant_ID and PHQ8_Binary, among others.

    Returns
    -------
    dict of str: int
        Participant -> PHQ8_Binary, sorted.

    Raises
    ------
    ValueError
        When a row is malformed or a participant is listed twice. It names file
        and line and quotes nothing: of a shifted row it might be a score.

    Example
    -------
    >>> path = getfixture("tmpdir").join("train.csv")
    >>> path.write("Participant_ID,PHQ8_Binary,Gender\\n303,0,0\\n302,1,1\\n")
    >>> read_list(path.strpath)
    {'302': 1, '303': 0}
    """
    rows = _rows(path)
    names = [name.lower() for name in next(rows, (1, []))[1]]
    if not {"participant_id", "phq8_binary"} <= set(names):
        raise ValueError(
            f"{path}, line 1: the columns Participant_ID and PHQ8_Binary, "
            "separated by commas, are not there. Restore the file from the "
            "corpus."
        )
    who, label = names.index("participant_id"), names.index("phq8_binary")
    found = {}
    for number, row in rows:
        if not any(row):
            continue
        row += [""] * len(names)  # a row that is cut short
        problem = None
        if not re.fullmatch(r"\d{3}", row[who], re.ASCII):
            problem = "Participant_ID is no number of three digits"
        elif row[label] not in ("0", "1"):
            problem = "PHQ8_Binary is neither 0 nor 1"
        elif row[who] in found:
            problem = f"{row[who]} is listed a second time"
        if problem:
            raise _malformed(path, number, problem)
        found[row[who]] = int(row[label])
    return dict(sorted(found.items()))


def _rows(path):
    """Yields line number and cells of each row of a list."""
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file, skipinitialspace=True, strict=True)
        number = 1
        while True:
            try:
                row = next(reader, None)
            except csv.Error:
                row = ["\n"]
            if row is None:
                return
            # Left open, a quotation mark would swallow the rows below it.
            if any("\n" in cell or "\r" in cell for cell in row):
                raise _malformed(
                    path, number, "the quotation marks are not in pairs"
                )
            yield number, [cell.strip() for cell in row]
            number = reader.line_num + 1


def _malformed(path, number, problem):
    return ValueError(
        f"{path}, line {number}: {problem}. Restore the file from the "
        "corpus or repair the line."
    )


class Corrections(NamedTuple):
    """Which known errors are corrected.

    Example
    -------
    >>> any(Corrections()), any(Corrections(cut_interruptions=True))
    (False, True)
    """

    correct_offsets: bool = False
    cut_interruptions: bool = False
    correct_label_of_409: bool = False
    drop_sync_rows: bool = False
    drop_tag_only_rows: bool = False


CORRECTIONS = Corrections._fields


class Speech(NamedTuple):
    """What a participant says, and the rows that are not whole in it.

    Arguments
    ---------
    ranges : list of (int, int)
        First sample and the one after the last, in the rows' order.
    clipped, beyond, empty, unknown : list of int
        Lines of rows that end after the recording, begin after its end, end
        before they begin, are of somebody unknown.
    sync, only_tags : list of int
        Lines of rows that the corrections dropped.

    Example
    -------
    >>> Speech([(0, 16000), (32000, 40000)], [], [], [], [], [], []).samples
    24000
    """

    ranges: list
    clipped: list
    beyond: list
    empty: list
    unknown: list
    sync: list
    only_tags: list

    @property
    def samples(self):
        """How much it is when joined."""
        return sum(stop - start for start, stop in self.ranges)


def participant_speech(participant, rows, frames, rate, corrections):
    """Cuts the participant's rows out of an interview.

    Arguments
    ---------
    participant : str
        Number; some corrections are for a few participants only.
    rows : list of speechbrain_hrf.dataio.transcript.Row
        The whole transcript.
    frames : int
        Samples of the recording.
    rate : int
        Its samples per second.
    corrections : Corrections

    Returns
    -------
    Speech

    Example
    -------
    >>> from speechbrain_hrf.dataio.transcript import Row
    >>> rows = [
    ...     Row(2, Decimal("0.5"), Decimal("1.0"), "participant", False, False),
    ...     Row(3, Decimal("0.8"), Decimal("2.0"), "ellie", False, False),
    ...     Row(4, Decimal("1.5"), Decimal("9.0"), "participant", False, False),
    ... ]
    >>> speech = participant_speech("300", rows, 32000, 16000, Corrections())
    >>> speech.ranges, speech.clipped
    ([(8000, 16000), (24000, 32000)], [4])
    """
    offset = OFFSETS.get(participant, 0) if corrections.correct_offsets else 0
    speech = Speech([], [], [], [], [], [], [])
    for row in rows:
        if not row.speaker:
            speech.unknown.append(row.line)
        if row.speaker != "participant":
            continue
        if corrections.drop_sync_rows and row.sync:
            speech.sync.append(row.line)
            continue
        if corrections.drop_tag_only_rows and row.only_tags:
            speech.only_tags.append(row.line)
            continue
        start = _sample(row.start + offset, rate)
        stop = _sample(row.stop + offset, rate)
        if stop <= start:
            speech.empty.append(row.line)
        elif start >= frames:
            speech.beyond.append(row.line)
        else:
            if stop > frames:
                speech.clipped.append(row.line)
            speech.ranges.append((start, min(stop, frames)))
    if corrections.cut_interruptions and participant in INTERRUPTIONS:
        gap = [second * rate for second in INTERRUPTIONS[participant]]
        speech = speech._replace(ranges=remove_gap(speech.ranges, gap))
    return speech


def _sample(seconds, rate):
    """The nearest sample; exact, as the times are decimal numbers."""
    return int((seconds * rate).to_integral_value(ROUND_HALF_UP))
