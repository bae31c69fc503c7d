"""Manifests of RAVDESS: 24 actors, 8 emotions, 6 folds by actor.

The speech files of https://zenodo.org/records/1188976 as they come
(`Audio_Speech_Actors_01-24`: `Actor_XX/*.wav`, 48 kHz, a few stereo), or FLAC
copies of them. Everything is in a file's name, `03-01-06-01-02-01-12`:
modality (03 = audio), channel (01 = speech), emotion, intensity, statement,
repetition, actor (odd = male).

All actors say the same two sentences, so splits are made by actor. Fold k
tests on actors 4k-3 ... 4k, two men and two women. Every fold should be run.
These are not EmoBox's folds, whose actors are others.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import os
import re

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.preparation import (
    PROTOCOLS,
    check_choice,
    check_number,
    check_share,
    make_entry,
    prepare_if_stale,
)
from speechbrain_hrf.dataio.recordings import find_recordings, split_folds
from speechbrain_hrf.dataio.sound.probe import probe_all
from speechbrain_hrf.dataio.synthetic import is_synthetic

logger = get_logger(__name__)

# In the order of the corpus's own codes, 01 to 08: label indices follow it.
EMOTIONS = [
    "neutral",
    "calm",
    "happy",
    "sad",
    "angry",
    "fearful",
    "disgust",
    "surprised",
]
FOLDS = [list(range(first, first + 4)) for first in range(1, 25, 4)]
ACTORS = sum(FOLDS, [])
FILES_PER_ACTOR = 60
_FORM = "03-01-06-01-02-01-12"
_LAYOUT = (
    f"Expected: <data_folder>/Actor_01 ... Actor_24 with files such as {_FORM}"
    ".wav (or .flac), from Audio_Speech_Actors_01-24.zip of "
    "https://zenodo.org/records/1188976"
)
# Actor_XX/file, Audio_Speech_Actors_01-24/Actor_XX/file, one more above them.
_DEPTH = 3


def prepare_ravdess(
    data_folder, save_folder, fold=1, protocol="paper", max_unusable=0.01
):
    """Writes `train.json`, `test.json` and, if asked for, `valid.json`.

    They are written again whenever an option or a file changed. Nothing
    depends on a seed or on the order of folders.

    Arguments
    ---------
    data_folder : str
        Folder of the corpus (`{data_root}` in the manifests).
    save_folder : str
        Where the manifests go.
    fold : int
        Which 4 actors to test on, 1 to 6.
    protocol : {"paper", "held_out"}
        "paper": the other 20 actors train, nothing is held out, the last
        epoch is scored. "held_out": the 4 actors of the next fold leave the
        training set and become `valid.json`, which may choose the epoch.
    max_unusable : float
        Share of unreadable files above which preparation stops.

    Raises
    ------
    FileNotFoundError
        When the folder does not hold the corpus.
    ValueError
        When an option is out of range or too many files are unreadable.

    Example
    -------
    >>> from speechbrain_hrf.dataio.synthetic import make_corpus
    >>> corpora = getfixture("corpora")
    >>> corpus = make_corpus("RAVDESS", corpora)
    >>> folder = getfixture("tmpdir")
    >>> prepare_ravdess(corpus, folder.join("manifests").strpath, fold=2)
    >>> sorted(file.basename for file in folder.join("manifests").listdir())
    ['fingerprint.json', 'test.json', 'train.json']
    """
    check_number("fold", fold, len(FOLDS))
    check_choice("protocol", protocol, PROTOCOLS)
    check_share(max_unusable)
    data_folder = os.path.abspath(os.path.expanduser(data_folder))
    files = find_recordings(
        "RAVDESS", data_folder, is_speech, _FORM, _LAYOUT, _DEPTH
    )

    def make():
        if not is_synthetic(data_folder):
            _warn_if_incomplete(files)
        infos, _ = probe_all(files, max_unusable, what="RAVDESS files")
        return {
            split: {
                name: make_entry(
                    files[name], data_folder, info.duration, **describe(name)
                )
                for name, info in infos.items()
                if describe(name)["actor"] in actors
            }
            for split, actors in split_folds(FOLDS, fold, protocol).items()
        }

    prepare_if_stale(
        "RAVDESS",
        data_folder,
        save_folder,
        {"fold": fold, "protocol": protocol, "max_unusable": max_unusable},
        PROTOCOLS[protocol],
        EMOTIONS,
        make,
        files=files.values(),
    )


def is_speech(name):
    """Whether a file's name is that of speech: not song, not a video's sound.

    Arguments
    ---------
    name : str
        Without extension.

    Returns
    -------
    bool or None
        None if it does not follow the corpus's scheme at all.

    Example
    -------
    >>> [is_speech(f"03-{channel}-06-01-02-01-12") for channel in ("01", "02")]
    [True, False]
    >>> is_speech("03-01-09-01-02-01-12")  # there are 8 emotions
    """
    if not re.fullmatch(r"\d\d(-\d\d){6}", name, re.ASCII):
        return None
    emotion, actor = int(name[6:8]), int(name[-2:])
    if not 1 <= emotion <= len(EMOTIONS) or actor not in ACTORS:
        return None
    return name.startswith("03-01-")


def describe(name):
    """What the name of a speech file says.

    Arguments
    ---------
    name : str
        Without extension.

    Returns
    -------
    dict

    Example
    -------
    >>> describe("03-01-06-01-02-01-02")
    {'emo': 'fearful', 'speaker': '02', 'actor': 2}
    """
    emotion = EMOTIONS[int(name[6:8]) - 1]
    return {"emo": emotion, "speaker": name[-2:], "actor": int(name[-2:])}


def _warn_if_incomplete(files):
    """Says which actors lack files; the splits are made all the same."""
    counts = collections.Counter(describe(name)["actor"] for name in files)
    short = [
        f"actor {actor:02d} has {counts[actor]}"
        for actor in ACTORS
        if counts[actor] != FILES_PER_ACTOR
    ]
    if short:
        logger.warning(
            "RAVDESS: %d files, and the whole corpus has %d, %d of each actor: "
            "%s. Results will not compare with others'.",
            len(files),
            len(ACTORS) * FILES_PER_ACTOR,
            FILES_PER_ACTOR,
            ", ".join(short),
        )
