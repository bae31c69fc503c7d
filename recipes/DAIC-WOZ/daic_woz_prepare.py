"""Manifests of DAIC-WOZ: clips of participants' speech, depressed or not.

The rule that gives the paper's 5084 + 1931 clips: of each interview of the
official training (107) and development (35) list, all rows of the transcript
with the speaker `Participant` are cut out of the audio and joined end to end;
windows of 10 s start every 9 s, full ones only; the label is the official
PHQ8_Binary. The development list is scored, as in the paper.

Clips are ranges of samples in the manifests; no audio is written. No text of a
transcript and no score leaves the data folder, not even in an error.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import csv
import io
import os
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from speechbrain_hrf.dataio.preparation import (
    PROTOCOLS,
    check_choice,
    check_number,
    check_share,
    list_some,
    make_entry,
    prepare_if_stale,
    warn_of_other_counts,
)
from speechbrain_hrf.dataio.recordings import refuse_folder
from speechbrain_hrf.dataio.sound.archive import (
    list_members,
    member_path,
    split_member,
)
from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio
from speechbrain_hrf.dataio.sound.probe import probe_all
from speechbrain_hrf.dataio.synthetic import is_synthetic
from speechbrain_hrf.dataio.text_file import read_text
from speechbrain_hrf.dataio.transcript import (
    cut_windows,
    read_transcript,
    remove_gap,
)

logger = get_logger(__name__)

STATES = ["not depressed", "depressed"]  # PHQ8_Binary 0 and 1
WINDOW_SECONDS = 10
HOP_SECONDS = 9
# 5084 and 1931 clips of 107 and 35 interviews.
PAPER_COUNTS = {
    "train": {"interviews": 107, "not depressed": 3651, "depressed": 1433},
    "dev": {"interviews": 35, "not depressed": 1155, "depressed": 776},
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
_SESSION = re.compile(r"\d{3}_p", re.ASCII)
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
# Options that correct known errors, and whom they are for.
CORRECTIONS = {
    "correct_offsets": OFFSETS,
    "cut_interruptions": INTERRUPTIONS,
    "correct_label_of_409": LABELS,
    "drop_sync_rows": None,  # all interviews
    "drop_tag_only_rows": None,
    "drop_rows_before_interviewer": None,
}
# What is said of rows that are not cut as they stand.
CLIPPED = "that end after the recording are clipped"
BEYOND = "that begin after the recording are left out"
EMPTY = "that do not end after they begin are left out"
UNKNOWN = "of neither Ellie nor the participant are left out"


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
    drop_rows_before_interviewer=False,
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
    drop_rows_before_interviewer : bool
        Leave out what participants say before the interviewer's first row,
        as public cleaning tools do; nothing where she has no row.

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
    >>> corpora = getfixture("corpora")
    >>> corpus = make_corpus("DAIC-WOZ", corpora)
    >>> folder = getfixture("tmpdir")
    >>> prepare_daic_woz(corpus, folder.join("manifests").strpath)
    >>> sorted(file.basename for file in folder.join("manifests").listdir())
    ['fingerprint.json', 'test.json', 'train.json']
    """
    corrections = {
        "correct_offsets": correct_offsets,
        "cut_interruptions": cut_interruptions,
        "correct_label_of_409": correct_label_of_409,
        "drop_sync_rows": drop_sync_rows,
        "drop_tag_only_rows": drop_tag_only_rows,
        "drop_rows_before_interviewer": drop_rows_before_interviewer,
    }
    check_choice("protocol", protocol, PROTOCOLS)
    check_number("held_out_part", held_out_part, PARTS)
    check_share(max_unusable)
    for name, value in corrections.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} is True or False, not {value!r}")
    if protocol == "paper":
        held_out_part = None

    data_folder = os.path.abspath(os.path.expanduser(data_folder))
    root, lists = find_root(data_folder)
    listed = {name: read_list(path) for name, path in lists.items()}
    _refuse_shared(listed)
    sessions = find_sessions(root, [*listed["train"], *listed["dev"]])
    on = {name for name, value in corrections.items() if value}
    _log_corrections(on, sessions)

    def make():
        clips = _cut_clips(sessions, on, max_unusable, data_folder)
        if not is_synthetic(root) and not on:
            _warn_if_not_the_papers(listed, clips)
        labels = {**listed["train"], **listed["dev"]}
        if "correct_label_of_409" in on:
            labels.update(LABELS)
        splits = dict.fromkeys(listed["train"], "train")
        splits.update(dict.fromkeys(listed["dev"], "test"))
        for who in choose_part(listed["train"], held_out_part):
            splits[who] = "valid"
        manifests = {split: {} for split in PROTOCOLS[protocol]}
        for who, entries in clips.items():
            for index, entry in enumerate(entries):
                entry["state"] = STATES[labels[who]]
                manifests[splits[who]][f"{who}_{index:03d}"] = entry
        return manifests

    options = {"protocol": protocol, "max_unusable": max_unusable}
    if held_out_part:
        options["held_out_part"] = held_out_part
    # Of what lies in an archive, the archive's size and time count; the
    # content of other transcripts does.
    files = [*lists.values()]
    files += [session.transcript for session in sessions.values()]
    labelling = {path for path in files if path and not split_member(path)[1]}
    files += [session.audio for session in sessions.values()]
    prepare_if_stale(
        "DAIC-WOZ",
        data_folder,
        save_folder,
        {**options, **corrections},
        PROTOCOLS[protocol],
        STATES,
        make,
        files={split_member(path)[0] for path in {*files} - {*labelling, None}},
        label_files=labelling,
        key="state",
    )


def _refuse_shared(listed):
    shared = sorted(listed["train"].keys() & listed["dev"].keys())
    if shared:
        raise ValueError(
            f"{', '.join(shared)}: in {LISTS['train']} and in {LISTS['dev']}. "
            "Who is trained on cannot be scored: restore the lists from the "
            "corpus."
        )


def _log_corrections(on, sessions):
    """Says which corrections are on and whom they are for."""
    for name, whom in CORRECTIONS.items():
        if name in on:
            there = ", ".join(who for who in whom or () if who in sessions)
            there = there or "nobody: they are not in the lists"
            logger.info(
                "DAIC-WOZ: %s is on, for %s",
                name,
                there if whom else "all interviews",
            )


def _read_transcripts(sessions):
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


def _cut_clips(sessions, on, max_unusable, data_folder):
    """Participant -> entries, which lack the state only."""
    transcripts, problems = _read_transcripts(sessions)
    infos, _ = probe_all(
        {who: session.audio for who, session in sessions.items()},
        max_unusable,
        what="DAIC-WOZ interviews",
        known=problems,
    )
    clips = {}
    dropped = 0
    for who, info in tqdm(
        infos.items(), desc="Cutting interviews", disable=None
    ):
        session, rate = sessions[who], info.sample_rate
        rows = choose_rows(transcripts[who], on)
        dropped += len(transcripts[who]) - len(rows)
        ranges, odd = participant_ranges(
            who, rows, round(info.duration * rate), rate, on
        )
        for what, lines in odd.items():
            logger.warning(
                "DAIC-WOZ: %s: rows %s: line %s",
                *(session.transcript, what, list_some(lines)),
            )
        windows = cut_windows(ranges, WINDOW_SECONDS * rate, HOP_SECONDS * rate)
        clips[who] = [
            make_entry(
                session.audio,
                data_folder,
                float(WINDOW_SECONDS),
                parts=parts,
                participant=who,
            )
            for parts in windows
        ]
        if not clips[who]:
            logger.warning(
                "DAIC-WOZ: %s gives no clip: the participant speaks for "
                "%.1f s and a clip takes %d s",
                who,
                sum(stop - start for start, stop in ranges) / rate,
                WINDOW_SECONDS,
            )
    drops = [name for name in CORRECTIONS if name in on and "drop" in name]
    if drops:
        logger.info("DAIC-WOZ: %d rows dropped: %s", dropped, ", ".join(drops))
    return clips


def choose_part(train, part):
    """A fifth of the participants of each official label: every fifth one.

    Arguments
    ---------
    train : dict of str: int
        Participant -> label, sorted.
    part : int or None
        Which fifth, from 1; None: nobody.

    Returns
    -------
    list of str

    Example
    -------
    >>> choose_part({str(300 + k): k % 2 for k in range(12)}, part=1)
    ['300', '310', '301', '311']
    """
    if part is None:
        return []
    return [
        who
        for label in range(len(STATES))
        for who in [who for who in train if train[who] == label][
            part - 1 :: PARTS
        ]
    ]


def _warn_if_not_the_papers(listed, clips):
    """Names every count that differs from the paper's."""
    counts = {name: collections.Counter() for name in listed}
    for name, participants in listed.items():
        for who, label in participants.items():
            counts[name]["interviews"] += bool(clips.get(who))
            counts[name][STATES[label]] += len(clips.get(who, []))
    totals = "5084 + 1931 clips of 107 + 35 interviews"
    warn_of_other_counts("DAIC-WOZ", totals, counts, PAPER_COUNTS)


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
    roots = data_folder, os.path.join(data_folder, "DAIC-WOZ")
    # Beside the interviews, or else in a folder such as splits.
    places = [(root, _list_folder(root)) for root in roots]
    places += [
        (root, _list_folder(path))
        for root, there in places
        for path in there.values()
    ]
    for root, there in places:
        lists = {
            split: there[name.lower()]
            for split, name in LISTS.items()
            if name.lower() in there
        }
        if len(lists) == len(LISTS):
            return root, lists
    wanted = " and ".join(LISTS.values())
    refuse_folder(data_folder, f"does not hold both {wanted}", _LAYOUT)


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
    there = _list_folder(root)
    # Interviews may lie in a folder such as participants, and their files, too.
    for name, folder in list(there.items()):
        if not _SESSION.fullmatch(name):
            there = {**_list_folder(folder), **there}
    return {
        participant: _find_session(root, participant, there)
        for participant in sorted(participants)
    }


def _find_session(root, participant, there):
    name = f"{participant}_P"
    folder = there.get(name.lower(), os.path.join(root, name))
    archive = there.get(f"{name}.zip".lower(), "")
    wanted = [f"{participant}_AUDIO.wav", f"{participant}_TRANSCRIPT.csv"]
    audio, transcript = (name.lower() for name in wanted)
    problem = None
    missing = os.path.join(folder, wanted[0])  # is named if it is not there
    files = _list_folder(folder)
    # 300_P/300_P, as some programs unpack it, or no folder of its own at all
    nested = _list_folder(files.get(name.lower(), ""))
    for others in nested, there:
        if not {audio, transcript} <= files.keys() and (
            {audio, transcript} <= others.keys()
        ):
            files = others
    if os.path.isfile(archive) and not {audio, transcript} <= files.keys():
        missing = member_path(archive, wanted[0])
        files, problem = _list_archive(archive)
    elif files is not there and not os.path.isdir(folder):
        problem = f"there is neither a folder {name} nor {name}.zip"
    if problem is None and transcript not in files:
        problem = f"there is no {wanted[1]} beside it"
    return Session(files.get(audio, missing), files.get(transcript), problem)


def _list_folder(folder):
    """Lower-case name -> path of what lies in a folder."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return _by_lower_name((x, os.path.join(folder, x)) for x in names)


def _list_archive(archive):
    """The same for an archive, and why it cannot be read.

    Of a name that occurs in several of its folders, the topmost.
    """
    try:
        members = list_members(archive)
    except UnusableAudio as error:
        return {}, error.reason
    members = sorted(members, key=lambda member: (member.count("/"), member))
    return _by_lower_name(
        (os.path.basename(member), member_path(archive, member))
        for member in members
        if not member.startswith("__MACOSX/")
    ), None


def _by_lower_name(files):
    """The first of each name; none of a Macintosh's leftovers."""
    found = {}
    for name, path in files:
        if not name.startswith("._"):
            found.setdefault(name.lower(), path)
    return found


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
    file = io.StringIO(read_text(path, errors="replace"), newline=None)
    rows = [_read_row(path, *numbered) for numbered in enumerate(file, 1)]
    names = [name.lower() for name in rows[0]] if rows else []
    # full_test_split.csv calls it PHQ_Binary.
    names = ["phq8_binary" if x == "phq_binary" else x for x in names]
    if {names.count("participant_id"), names.count("phq8_binary")} != {1}:
        raise ValueError(
            f"{path}, line 1: the columns Participant_ID and PHQ8_Binary, "
            "separated by commas, are not there, or twice. Restore the file "
            "from the corpus."
        )
    found = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(row):
            continue
        cells = collections.defaultdict(str, zip(names, row, strict=False))
        # Lists that pandas has written hold 303.0 and 1.0.
        who, label = (
            re.sub(r"\.0+$", "", cells[name])
            for name in ("participant_id", "phq8_binary")
        )
        problem = None
        if not re.fullmatch(r"\d{3}", who, re.ASCII):
            problem = "Participant_ID is no number of three digits"
        elif label not in ("0", "1"):
            problem = "PHQ8_Binary is neither 0 nor 1"
        elif who in found:
            problem = f"{who} is listed a second time"
        if problem:
            raise _malformed(path, number, problem)
        found[who] = int(label)
    return dict(sorted(found.items()))


def _read_row(path, number, line):
    """The cells of a line: a quotation mark left open swallows no other one."""
    reader = csv.reader([line], skipinitialspace=True, strict=True)
    try:
        return [cell.strip() for cell in next(reader, [])]
    except csv.Error:
        # What csv says itself would quote the line.
        problem = "the quotation marks are not in pairs"
        if len(line) > csv.field_size_limit():
            problem = "it is too long for a list of participants"
        raise _malformed(path, number, problem) from None


def _malformed(path, number, problem):
    return ValueError(
        f"{path}, line {number}: {problem}. Restore the file from the "
        "corpus or repair the line."
    )


def choose_rows(rows, on):
    """A transcript's rows without those that corrections drop.

    Arguments
    ---------
    rows : list of speechbrain_hrf.dataio.transcript.Row
        The whole transcript.
    on : set of str
        Corrections that are on, see ``CORRECTIONS``.

    Returns
    -------
    list of speechbrain_hrf.dataio.transcript.Row

    Example
    -------
    >>> from speechbrain_hrf.dataio.transcript import Row
    >>> sync = Row(2, Decimal(0), Decimal(1), "participant", True, True)
    >>> choose_rows([sync], {"drop_sync_rows"}), len(choose_rows([sync], set()))
    ([], 1)
    """
    # Where she has no row, all lie before it and none is dropped.
    first = next((row.line for row in rows if row.speaker == "ellie"), 0)
    if "drop_rows_before_interviewer" not in on:
        first = 0
    return [
        row
        for row in rows
        if row.speaker != "participant"
        or not (
            row.line < first
            or ("drop_sync_rows" in on and row.sync)
            or ("drop_tag_only_rows" in on and row.only_tags)
        )
    ]


def participant_ranges(participant, rows, frames, rate, on):
    """What a participant says in an interview, in samples of the recording.

    Arguments
    ---------
    participant : str
        Number; some corrections are for a few participants only.
    rows : list of speechbrain_hrf.dataio.transcript.Row
        Of the transcript.
    frames : int
        Samples of the recording.
    rate : int
        Its samples per second.
    on : set of str
        Corrections that are on, see ``CORRECTIONS``.

    Returns
    -------
    ranges : list of (int, int)
        First sample and the one after the last, in the rows' order.
    odd : dict of str: list of int
        What is said of rows that are not whole in the ranges -> their lines.

    Example
    -------
    >>> from speechbrain_hrf.dataio.transcript import Row
    >>> rows = [
    ...     Row(2, Decimal("0.5"), Decimal("1.0"), "participant", False, False),
    ...     Row(3, Decimal("0.8"), Decimal("2.0"), "ellie", False, False),
    ...     Row(4, Decimal("1.5"), Decimal("9.0"), "participant", False, False),
    ... ]
    >>> ranges, odd = participant_ranges("300", rows, 32000, 16000, set())
    >>> ranges
    [(8000, 16000), (24000, 32000)]
    >>> dict(odd)
    {'that end after the recording are clipped': [4]}
    """
    offset = OFFSETS.get(participant, 0) if "correct_offsets" in on else 0
    ranges, odd = [], collections.defaultdict(list)
    for row in rows:
        if not row.speaker:
            odd[UNKNOWN].append(row.line)
        if row.speaker != "participant":
            continue
        start, stop = (
            # Exact, as the times are decimal numbers.
            int(((time + offset) * rate).to_integral_value(ROUND_HALF_UP))
            for time in (row.start, row.stop)
        )
        if stop <= start:
            odd[EMPTY].append(row.line)
        elif start >= frames:
            odd[BEYOND].append(row.line)
        else:
            if stop > frames:
                odd[CLIPPED].append(row.line)
            ranges.append((start, min(stop, frames)))
    if "cut_interruptions" in on and participant in INTERRUPTIONS:
        first, last = INTERRUPTIONS[participant]
        ranges = remove_gap(ranges, (first * rate, last * rate))
    return ranges, odd
