"""A stand-in in the layout of RAVDESS, pitfalls included.

24 actors, 8 emotions, ten files of 2 to 4 s each, named by the corpus's
scheme. As in the original some files are 48 kHz and one is stereo; a song and a `._*` file
lie among them.

Example
-------
>>> from speechbrain_hrf.dataio.synthetic import make_corpus
>>> folder = getfixture("corpora")
>>> root = make_corpus("RAVDESS", folder)
>>> len(list(root.glob("Actor_*/03-01-*.wav")))
240

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speechbrain_hrf.dataio.synthetic.content import write_audio, write_leftover
from speechbrain_hrf.dataio.synthetic.voice import (
    MANNERS,
    random_generator,
    synthesize,
)

_ACTORS = 24
_FILES_PER_ACTOR = 10
_FULL_RATE_ACTOR = 1  # one actor at the original's 48 kHz: enough to try it


def _write(root: pathlib.Path) -> None:
    for actor in range(1, _ACTORS + 1):
        rate = 48000 if actor == _FULL_RATE_ACTOR else 16000
        folder = root / f"Actor_{actor:02d}"
        for index in range(_FILES_PER_ACTOR):
            # All eight, then two more that change from actor to actor.
            emotion = (index + 2 * actor * (index >= len(MANNERS))) % 8
            name = _name(1, emotion + 1, index, actor)
            wave = _wave(list(MANNERS)[emotion], actor, name, rate)
            if actor == _FULL_RATE_ACTOR and index == 0:
                wave = np.stack([wave, 0.5 * wave], axis=1)
            write_audio(folder / name, wave, rate)
    song = _name(2, 3, 0, actor)
    write_audio(folder / song, _wave("happy", actor, song, rate), rate)
    write_leftover(folder / name)


def _name(channel: int, emotion: int, index: int, actor: int) -> str:
    """The corpus's scheme; repetition 2 tells the last two files apart."""
    repetition = 1 + (index >= len(MANNERS))
    intensity = 1 if emotion == 1 else 1 + index % 2  # neutral is never strong
    statement = 1 + (index + actor) % 2
    codes = (3, channel, emotion, intensity, statement, repetition, actor)
    return "-".join(f"{code:02d}" for code in codes) + ".wav"


def _wave(emotion: str, actor: int, name: str, rate: int) -> NDArray[Any]:
    gender = "male" if actor % 2 else "female"
    seconds = round(random_generator("RAVDESS", name).uniform(2, 4), 4)
    return synthesize(emotion, f"actor {actor}", gender, name, seconds, rate)


# Its folder, its name and version, what fills the folder.
CORPUS = ("RAVDESS", "RAVDESS 2", _write)
