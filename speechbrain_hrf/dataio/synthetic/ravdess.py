"""A stand-in in the layout of RAVDESS, pitfalls included.

24 actors, 8 emotions, ten files each, named by the corpus's scheme. As in
the original some files are 48 kHz and one is stereo; a song and a `._*` file
lie among them.

Example
-------
>>> folder = getfixture("tmp_path_factory").getbasetemp()
>>> root = make_ravdess(folder)
>>> len(list(root.glob("Actor_*/03-01-*.wav")))
240

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib

import numpy as np

from speechbrain_hrf.dataio.synthetic.corpus import build_once, write_audio
from speechbrain_hrf.dataio.synthetic.voice import (
    MANNERS,
    random_generator,
    synthesize,
)

_GENERATOR = "RAVDESS 1"
_ACTORS = 24
_FILES_PER_ACTOR = 10
_FULL_RATE_ACTOR = 1  # one actor at the original's 48 kHz: enough to try it


def make_ravdess(folder):
    """Generates the stand-in, or finds the one generated before.

    Arguments
    ---------
    folder : str or os.PathLike
        Where to put the folder `RAVDESS`.

    Returns
    -------
    pathlib.Path
        Path of `RAVDESS`, with `Actor_01` to `Actor_24`: 240 files, 30 of
        each emotion, 2 to 4 s.

    Example
    -------
    >>> folder = getfixture("tmp_path_factory").getbasetemp()
    >>> make_ravdess(folder).name
    'RAVDESS'
    """
    root = pathlib.Path(folder) / "RAVDESS"
    return build_once(root, _GENERATOR, _write)


def _write(root):
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
    (folder / f"._{name}").write_bytes(b"\x00\x05\x16\x07" + bytes(60))


def _name(channel, emotion, index, actor):
    """The corpus's scheme; repetition 2 tells the last two files apart."""
    repetition = 1 + (index >= len(MANNERS))
    intensity = 1 if emotion == 1 else 1 + index % 2  # neutral is never strong
    statement = 1 + (index + actor) % 2
    codes = (3, channel, emotion, intensity, statement, repetition, actor)
    return "-".join(f"{code:02d}" for code in codes) + ".wav"


def _wave(emotion, actor, name, rate):
    gender = "male" if actor % 2 else "female"
    seconds = round(random_generator("RAVDESS", name).uniform(2, 4), 4)
    return synthesize(emotion, f"actor {actor}", gender, name, seconds, rate)
