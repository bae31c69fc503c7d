"""A stand-in for a user's own recordings, with a table as Excel writes it.

8 speakers, 4 emotions, four utterances of 1.2 to 3.5 s each, 22.05 kHz, under
names that say nothing. `labels.csv` says what they are: with semicolons, a byte
order mark, backslashes in paths, a column that nobody asked for and rows in no
order. The last speaker's utterances lie in one file, end to end.

Example
-------
>>> from speechbrain_hrf.dataio.synthetic import make_corpus
>>> root = make_corpus("OwnData", getfixture("corpora"))
>>> print(*(root / "labels.csv").read_text("utf-8-sig").splitlines()[:2], sep="\\n")
Path;Label;Speaker;Start;Stop;Notes
audio\\rec_098.wav;neutral;Gus;;;"quiet; indoors"

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib

import numpy as np

from speechbrain_hrf.dataio.synthetic.content import write_audio, write_lines
from speechbrain_hrf.dataio.synthetic.voice import (
    random_generator,
    synthesize,
)

LABELS = ["angry", "happy", "neutral", "sad"]
_SPEAKERS = "Ada Bo Cleo Dan Eve Finn Gus Hal".split()
_MEN = {"Bo", "Dan", "Finn", "Gus", "Hal"}
_OF_EACH = 4
_RATE = 22050
_JOINED = "audio/joined.wav"


def _write(root: pathlib.Path) -> None:
    rows, number, joined, end = [], 0, [], 0
    for speaker in _SPEAKERS:
        gender = "male" if speaker in _MEN else "female"
        for label in LABELS * _OF_EACH:
            name = f"audio/rec_{number:03d}.wav"
            number += 1
            seconds = round(
                random_generator("OwnData", name).uniform(1.2, 3.5), 2
            )
            wave = synthesize(label, speaker, gender, name, seconds, _RATE)
            part = ("", "")
            if speaker == _SPEAKERS[-1]:
                joined.append(wave)
                start, end = end, end + len(wave)
                part = (f"{start / _RATE:.5f}", f"{end / _RATE:.5f}")
                name = _JOINED
            else:
                write_audio(root / name, wave, _RATE)
            path = name.replace("/", "\\")
            rows.append(";".join((path, label, speaker, *part, _NOTE)))
    write_audio(root / _JOINED, np.concatenate(joined), _RATE)
    random_generator("OwnData", "rows").shuffle(rows)
    header = "\ufeffPath;Label;Speaker;Start;Stop;Notes"
    write_lines(root / "labels.csv", [header, *rows], "\r\n")


_NOTE = '"quiet; indoors"'  # quoted, since it holds the delimiter

# Its folder, its name and version, what fills the folder.
CORPUS = ("OwnData", "OwnData 1", _write)
