"""A stand-in in the layout of DAIC-WOZ, pitfalls included.

12 training and 6 development interviews of 60 to 75 s of participant's speech,
some in folders and some in zip archives. Participants have numbers that the
corpus has not, transcripts hold a few names of colours and things, and the
questionnaires are made up.

Example
-------
>>> from speechbrain_hrf.dataio.synthetic import make_corpus
>>> folder = getfixture("corpora")
>>> root = make_corpus("DAIC-WOZ", folder)
>>> (root / "901_P" / "901_TRANSCRIPT.csv").read_text().splitlines()[0]
'start_time\\tstop_time\\tspeaker\\tvalue'

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import zipfile

import numpy as np
from numpy.typing import NDArray

from speechbrain_hrf.dataio.synthetic.content import (
    write_audio,
    write_leftover,
    write_lines,
)
from speechbrain_hrf.dataio.synthetic.voice import random_generator, synthesize

_RATE = 16000
# Participants and PHQ8_Binary; the last list has no labels and no interviews.
_TRAIN = dict(enumerate((0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0), start=901))
_DEV = dict(enumerate((0, 1, 1, 0, 0, 1), start=913))
_TEST = (919, 920)
_ZIPPED = {  # kind of archive, and the folder inside it
    903: (zipfile.ZIP_STORED, ""),
    908: (zipfile.ZIP_DEFLATED, "908_P/"),
    914: (zipfile.ZIP_DEFLATED, ""),
    917: (zipfile.ZIP_STORED, "917_P/"),
}
_WINDOWS_LINES = (901, 908, 915)
_BLANK_TAIL = (901, 904, 914)
_OVERLAP = (902, 911, 916)
_NO_INTERVIEWER = (907,)
_PAST_THE_END = (905,)
_SYNC = (906, 913)
_LOWER_CASE = (910,)
_EMPTY_ITEM = 909
_WORDS = "blue green river stone table window yellow bridge paper cloud".split()
_ITEMS = (
    "NoInterest Depressed Sleep Tired Appetite Failure Concentrating Moving"
)
_LIST = "{}_split_Depression_AVEC2017.csv"


def _write(root: pathlib.Path) -> None:
    for participant, label in {**_TRAIN, **_DEV}.items():
        _write_interview(root, participant, label)
    _write_list(root / _LIST.format("train"), _TRAIN)
    _write_list(root / _LIST.format("dev"), _DEV)
    lines = ["participant_ID,Gender", *(f"{who},{who % 2}" for who in _TEST)]
    write_lines(root / _LIST.format("test"), lines)
    write_leftover(root / _LIST.format("train"))
    write_leftover(root / "902_P" / "902_AUDIO.wav")
    write_leftover(root / "902_P" / "902_TRANSCRIPT.csv")


def _write_list(path: pathlib.Path, labels: dict[int, int]) -> None:
    """Label, score and items of made-up questionnaires."""
    names = ",".join(f"PHQ8_{item}" for item in _ITEMS.split())
    lines = [f"Participant_ID,PHQ8_Binary,PHQ8_Score,Gender,{names}"]
    for who, label in labels.items():
        items = ["2", "2", "1", "2", "1", "2", "1", "1"] if label else ["0"] * 8
        score = sum(map(int, items))
        if who == _EMPTY_ITEM:
            items[2] = ""
        lines.append(f"{who},{label},{score},{who % 2},{','.join(items)}")
    write_lines(path, lines, "\r\n")


def _write_interview(root: pathlib.Path, participant: int, label: int) -> None:
    rng = random_generator("DAIC-WOZ", participant)
    wave, rows = _interview(participant, label, rng)
    lines = ["start_time\tstop_time\tspeaker\tvalue"]
    lines += [f"{a:.3f}\t{b:.3f}\t{who}\t{text}" for a, b, who, text in rows]
    if participant in _BLANK_TAIL:
        lines += ["", ""]
    end = "\r\n" if participant in _WINDOWS_LINES else "\n"

    name = f"{participant}_P"
    files = f"{participant}_AUDIO.wav", f"{participant}_TRANSCRIPT.csv"
    if participant in _LOWER_CASE:
        name, files = name.lower(), (files[0].lower(), files[1].lower())
    write_audio(root / name / files[0], wave)
    write_lines(root / name / files[1], lines, end)
    if participant in _ZIPPED:
        _pack(root / name, files, *_ZIPPED[participant])


def _interview(
    participant: int, label: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], list[tuple[float, float, str, str]]]:
    """Samples, and rows of start, stop, speaker and text."""
    gender = "female" if participant % 2 else "male"
    pieces: list[tuple[float, NDArray[np.float32]]] = []
    rows: list[tuple[float, float, str, str]] = []
    clock = 1.0
    spoken, wanted = 0.0, rng.uniform(60, 75)
    while spoken < wanted:
        asked = round(rng.uniform(0.8, 1.5), 3)
        if participant not in _NO_INTERVIEWER:
            turn = f"{participant} {len(rows)}"
            wave = synthesize("happy", "Ellie", "female", turn, asked)
            pieces.append((clock, wave))
            rows.append((clock, clock + asked, "Ellie", _text(rng, 4)))
        clock += asked
        # Some answer before the question ends.
        clock += -0.3 if participant in _OVERLAP else rng.uniform(0.2, 0.6)
        clock = round(clock, 3)
        said = round(rng.uniform(4, 9), 3)
        manner = "sad" if label else "neutral"
        wave = synthesize(manner, f"{participant}", gender, len(rows), said)
        pieces.append((clock, wave))
        text = _text(rng, 8)
        if participant in _SYNC and spoken == 0:
            text = "<sync>"
        elif len(rows) == 5:
            text = "<laughter>"
        rows.append((clock, clock + said, "Participant", text))
        clock = round(clock + said + 0.2, 3)
        spoken += said
    wave = np.zeros(round(clock * _RATE), dtype=np.float32)
    for start, piece in pieces:
        begin = round(start * _RATE)
        wave[begin : begin + len(piece)] += piece
    if participant in _PAST_THE_END:
        wave = wave[: round((clock - 1.0) * _RATE)]
    return np.clip(wave, -0.99, 0.99), rows


def _text(rng: np.random.Generator, count: int) -> str:
    return " ".join(rng.choice(_WORDS, count))


def _pack(
    folder: pathlib.Path, files: tuple[str, ...], kind: int, inside: str
) -> None:
    """Replaces a folder by an archive of its files."""
    with zipfile.ZipFile(f"{folder}.zip", "w") as archive:
        for file in files:
            # Without a date, so that the bytes are always the same.
            info = zipfile.ZipInfo(inside + file)
            info.compress_type = kind
            archive.writestr(info, (folder / file).read_bytes())
            (folder / file).unlink()
    folder.rmdir()


# Its folder, its name and version, what fills the folder.
CORPUS = ("DAIC-WOZ", "DAIC-WOZ 1", _write)
