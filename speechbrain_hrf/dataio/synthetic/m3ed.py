"""A stand-in in the layout of M3ED, pitfalls included.

Ten series of three dialogues, 24 annotated utterances of all seven emotions
each, up to 6 s. Two files have 114 samples, one is missing, one has its extension in
upper case; one utterance is not annotated. Ages and genders are as dirty as
the original's, keys in no order, and a list of series has Windows line ends.

Example
-------
>>> from speechbrain_hrf.dataio.synthetic import make_corpus
>>> folder = getfixture("corpora")
>>> root = make_corpus("M3ED", folder)
>>> sorted(path.name for path in root.iterdir())
['SYNTHETIC.txt', 'annotation.json', 'modality_speech', 'splitInfo']

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import pathlib
from collections import Counter
from typing import Any

import numpy as np

from speechbrain_hrf.dataio.synthetic.content import (
    deal_out,
    write_leftover,
    write_lines,
    write_speech,
)
from speechbrain_hrf.dataio.synthetic.voice import random_generator

_SERIES = {
    "train": "hechengyi hechenger hechengsan hechengsi hechengwu hechengliu",
    "val": "hechengqi hechengba",
    "test": "hechengjiu hechengshi",
}
# Per series; proportions like those of the corpus.
_UTTERANCES = {
    "Neutral": 8,
    "Happy": 3,
    "Sad": 4,
    "Anger": 4,
    "Surprise": 2,
    "Disgust": 2,
    "Fear": 1,
}
_DIALOGUES = ("10", "1", "2")  # the corpus's keys are in no order either
_TINY = {"hechenger_1_3", "hechengshi_2_4"}
_TINY_SAMPLES = 114
_MISSING = "hechengsan_10_2"
_UPPER_CASE = "hechengba_1_1"
_NOT_ANNOTATED = "hechengliu_2_9"
# Speaker: (gender of the voice, what the annotation says of the role).
_ROLES = {
    "A": ("female", {"Age": "Yong", "Gender": "Femal", "OtherName": ""}),
    "B": ("male", {"Age": "Mid ", "Gender": "Male"}),
}


def _write(root: pathlib.Path) -> None:
    annotation = {}
    for split, names in _SERIES.items():
        for series in names.split():
            annotation[series] = _write_series(root, series)
        # One list has Windows line ends and a blank line at the end, the others
        # not even an end of the last line.
        path = root / "splitInfo" / f"movie_list_{split}.txt"
        if split == "val":
            write_lines(path, [*names.split(), ""], "\r\n")
        else:
            write_lines(path, ["\n".join(names.split())], "")
    text = json.dumps(annotation, ensure_ascii=False, indent=1)
    write_lines(root / "annotation.json", [text], "")
    for speaker in _ROLES:
        write_leftover(root / "modality_speech" / f"{speaker}_{_MISSING}.wav")


def _write_series(root: pathlib.Path, series: str) -> dict[str, Any]:
    """Audio of a series; returns its part of the annotation."""
    rng = random_generator("M3ED", series)
    labels = Counter(_UTTERANCES).elements()
    dialogues = {}
    for number, part in deal_out(labels, _DIALOGUES, rng):
        dialog: dict[str, Any] = {}
        clock = 0.0
        for index in rng.permutation(len(part)):  # in no order
            key = f"{series}_{number}_{index + 1}"
            speaker = "AB"[rng.integers(2)]
            seconds = float(np.clip(rng.lognormal(0.25, 0.5), 0.3, 6))
            if key in _TINY:
                seconds = _TINY_SAMPLES / 16000
            _write_wav(root, series, speaker, key, part[index], seconds)
            dialog[key] = _utterance(speaker, part[index], clock, seconds)
            clock += seconds + rng.uniform(0.2, 2)
        key = f"{series}_{number}_{len(part) + 1}"
        if key == _NOT_ANNOTATED:
            _write_wav(root, series, "A", key, "Neutral", 1.0)
            dialog[key] = _utterance("A", None, clock, 1.0)
        dialogues[f"{series}_{number}"] = {
            "SpeakerInfo": {
                speaker: {"Name": f"{series} {speaker}", **info}
                for speaker, (_, info) in _ROLES.items()
            },
            "Dialog": dialog,
        }
    return dialogues


def _write_wav(
    root: pathlib.Path,
    series: str,
    speaker: str,
    key: str,
    emotion: str,
    seconds: float,
) -> None:
    if key == _MISSING:
        return
    gender, _ = _ROLES[speaker]
    extension = "WAV" if key == _UPPER_CASE else "wav"
    path = root / "modality_speech" / f"{speaker}_{key}.{extension}"
    voice = f"{series} {speaker}"
    write_speech(path, emotion, voice, gender, seconds, utterance=key)


def _utterance(
    speaker: str, emotion: str | None, start: float, seconds: float
) -> dict[str, Any]:
    content: dict[str, Any] = {
        "StartTime": _time(start),
        "EndTime": _time(start + seconds),
        "Text": "合成语音",  # synthetic speech
        "Speaker": speaker,
    }
    if emotion is not None:
        content["EmoAnnotation"] = {
            "EmoAnnotator1": emotion,
            "EmoAnnotator2": "Neutral",
            "EmoAnnotator3": emotion,
            "final_mul_emo": emotion,
            "final_main_emo": emotion,
        }
    return content


def _time(seconds: float) -> str:
    """hh:mm:ss:frames, at 25 frames a second."""
    frames = round(seconds * 25)
    minutes, rest = divmod(frames, 60 * 25)
    return f"00:{minutes:02d}:{rest // 25:02d}:{rest % 25:02d}"


# Its folder, its name and version, what fills the folder.
CORPUS = ("M3ED", "M3ED 1", _write)
