"""A stand-in in the layout of M3ED, pitfalls included.

Ten series of three dialogues, 24 annotated utterances of all seven emotions
each. Two files have 114 samples, one is missing, one has its extension in
upper case; one utterance is not annotated. Ages and genders are as dirty as
the original's, keys in no order, and a list of series has Windows line ends.

Example
-------
>>> folder = getfixture("tmp_path_factory").getbasetemp()
>>> root = make_m3ed(folder)
>>> sorted(path.name for path in root.iterdir())
['SYNTHETIC.txt', 'annotation.json', 'modality_speech', 'splitInfo']

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import pathlib

import numpy as np

from speechbrain_hrf.dataio.synthetic.corpus import build_once, write_audio
from speechbrain_hrf.dataio.synthetic.voice import random_generator, synthesize

_GENERATOR = "M3ED 1"
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
_MANNERS = {
    "Neutral": "neutral",
    "Happy": "happy",
    "Sad": "sad",
    "Anger": "angry",
    "Surprise": "surprised",
    "Disgust": "disgust",
    "Fear": "fearful",
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
_APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(48)


def make_m3ed(folder):
    """Generates the stand-in, or finds the one generated before.

    Arguments
    ---------
    folder : str or os.PathLike
        Where to put the folder `M3ED`.

    Returns
    -------
    pathlib.Path
        Path of `M3ED`: 240 annotated utterances, 239 of them with a file of
        16 kHz mono, 7 ms to 6 s.

    Example
    -------
    >>> folder = getfixture("tmp_path_factory").getbasetemp()
    >>> len(list((make_m3ed(folder) / "modality_speech").glob("[AB]_*_1_?.wav")))
    79
    """
    root = pathlib.Path(folder) / "M3ED"
    return build_once(root, _GENERATOR, _write)


def _write(root):
    annotation = {}
    for split, names in _SERIES.items():
        for series in names.split():
            annotation[series] = _write_series(root, series)
        # One list has Windows line ends and a blank line at the end.
        end = "\r\n" if split == "val" else "\n"
        _write_text(
            root / "splitInfo" / f"movie_list_{split}.txt",
            end.join(names.split()) + (2 * end if split == "val" else ""),
        )
    text = json.dumps(annotation, ensure_ascii=False, indent=1)
    _write_text(root / "annotation.json", text)
    for speaker in _ROLES:
        path = root / "modality_speech" / f"._{speaker}_{_MISSING}.wav"
        path.write_bytes(_APPLE_DOUBLE)


def _write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    # newline: the same bytes on every system, for the corpus's digest
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def _write_series(root, series):
    """Audio of a series; returns its part of the annotation."""
    rng = random_generator("M3ED", series)
    labels = [
        label for label, count in _UTTERANCES.items() for _ in range(count)
    ]
    labels = [str(label) for label in rng.permutation(labels)]
    dialogues = {}
    for number, part in zip(
        _DIALOGUES, np.array_split(labels, len(_DIALOGUES)), strict=True
    ):
        dialog, clock = {}, 0.0
        for index in rng.permutation(len(part)):  # in no order
            key = f"{series}_{number}_{index + 1}"
            speaker = "AB"[rng.integers(2)]
            seconds = float(np.clip(rng.lognormal(0.25, 0.5), 0.3, 6))
            if key in _TINY:
                seconds = _TINY_SAMPLES / 16000
            _write_wav(root, series, speaker, key, str(part[index]), seconds)
            dialog[key] = _utterance(speaker, str(part[index]), clock, seconds)
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


def _write_wav(root, series, speaker, key, emotion, seconds):
    if key == _MISSING:
        return
    gender, _ = _ROLES[speaker]
    wave = synthesize(
        _MANNERS[emotion], f"{series} {speaker}", gender, key, seconds
    )
    extension = "WAV" if key == _UPPER_CASE else "wav"
    name = f"{speaker}_{key}.{extension}"
    write_audio(root / "modality_speech" / name, wave)


def _utterance(speaker, emotion, start, seconds):
    content = {
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


def _time(seconds):
    """hh:mm:ss:frames, at 25 frames a second."""
    frames = round(seconds * 25)
    minutes, rest = divmod(frames, 60 * 25)
    return f"00:{minutes:02d}:{rest // 25:02d}:{rest % 25:02d}"
