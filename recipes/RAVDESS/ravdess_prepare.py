"""Manifests of RAVDESS: 24 actors, 8 emotions, 6 folds by actor.

The speech files of https://zenodo.org/records/1188976 as they come
(`Audio_Speech_Actors_01-24`: `Actor_XX/*.wav`, 48 kHz, a few stereo), or FLAC
copies of them. Everything is in a file's name, `03-01-06-01-02-01-12`:
modality (03 = audio), channel (01 = speech), emotion, intensity, statement,
repetition, actor (odd = male).

All actors say the same two sentences, so splits are made by actor. Fold k
tests on actors 4k-3 ... 4k, two men and two women. Every fold should be run.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import re

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.audio_files import find_audio
from speechbrain_hrf.dataio.manifest import fingerprint
from speechbrain_hrf.dataio.preparation import (
    check_choice,
    check_number,
    check_share,
    list_found,
    list_some,
    prepare_if_stale,
)
from speechbrain_hrf.dataio.probe import probe_all
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
FOLDS = 6
ACTORS = 24
FILES_PER_ACTOR = 60
PROTOCOLS = {
    "paper": ("train", "test"),
    "held_out": ("train", "valid", "test"),
}
_LAYOUT = (
    "Expected: <data_folder>/Actor_01 ... Actor_24 with files such as "
    "03-01-06-01-02-01-12.wav (or .flac), from Audio_Speech_Actors_01-24.zip "
    "of https://zenodo.org/records/1188976"
)
_NAME = re.compile(r"\d\d(-\d\d){6}")
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
    >>> corpora = getfixture("tmp_path_factory").getbasetemp()
    >>> corpus = make_corpus("RAVDESS", corpora)
    >>> folder = getfixture("tmpdir")
    >>> prepare_ravdess(corpus, folder.join("manifests").strpath, fold=2)
    >>> sorted(file.basename for file in folder.join("manifests").listdir())
    ['fingerprint.json', 'test.json', 'train.json']
    """
    check_number("fold", fold, FOLDS)
    check_choice("protocol", protocol, PROTOCOLS)
    check_share(max_unusable)
    data_folder = os.path.abspath(data_folder)
    files = find_files(data_folder)

    options = {
        "fold": fold,
        "protocol": protocol,
        "max_unusable": max_unusable,
    }
    made_from = fingerprint(options, data_folder, files.values())

    def make():
        if not is_synthetic(data_folder):
            _warn_if_incomplete(files)
        infos, _ = probe_all(files, max_unusable, what="RAVDESS files")
        return {
            split: {
                name: _entry(name, files[name], info, data_folder)
                for name, info in infos.items()
                if _actor(name) in actors
            }
            for split, actors in _splits(fold, protocol).items()
        }

    prepare_if_stale(
        "RAVDESS",
        data_folder,
        save_folder,
        made_from,
        PROTOCOLS[protocol],
        EMOTIONS,
        make,
    )


def find_files(data_folder):
    """The speech files of a folder, whatever the layout above them.

    Songs, videos, `._*` files and other kinds of files are passed over; audio
    files whose names do not follow the scheme are listed in a warning.

    Arguments
    ---------
    data_folder : str
        Folder of the corpus.

    Returns
    -------
    dict
        Name (`03-01-...`) -> path, sorted by name.

    Raises
    ------
    FileNotFoundError
        When there is no such folder, or no such file in it.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> for name in "03-01-06-01-02-01-12.wav", "03-02-06-01-02-01-12.wav":
    ...     folder.join(name).write("")
    >>> list(find_files(folder.strpath))
    ['03-01-06-01-02-01-12']
    """
    if not os.path.isdir(data_folder):
        raise FileNotFoundError(f"No folder {data_folder}. {_LAYOUT}")
    files, malformed, copies = {}, [], []
    for path in find_audio(data_folder, (".wav", ".flac"), _DEPTH):
        name = os.path.splitext(os.path.basename(path))[0]
        if not _is_valid(name):
            malformed.append(os.path.relpath(path, data_folder))
        elif not name.startswith("03-01-"):
            continue  # song, or the sound of a video
        elif name in files:
            copies.append(os.path.relpath(path, data_folder))
        else:
            files[name] = path
    if malformed:
        logger.warning(
            "RAVDESS: %d audio files are left out, their names are not of "
            "the form 03-01-06-01-02-01-12: %s",
            len(malformed),
            list_some(malformed),
        )
    if copies:
        logger.warning(
            "RAVDESS: %d files have the name of another one and are left "
            "out: %s",
            len(copies),
            list_some(copies),
        )
    if not files:
        raise FileNotFoundError(
            f"{data_folder} holds no RAVDESS speech file. {_LAYOUT}. "
            f"{list_found(data_folder)}"
        )
    return dict(sorted(files.items()))


def _is_valid(name):
    if not _NAME.fullmatch(name):
        return False
    _, _, emotion, _, _, _, actor = map(int, name.split("-"))
    return 1 <= emotion <= len(EMOTIONS) and 1 <= actor <= ACTORS


def _actor(name):
    return int(name[-2:])


def _splits(fold, protocol):
    """Split -> set of actors."""

    def actors(fold):
        return set(range(4 * fold - 3, 4 * fold + 1))

    test = actors(fold)
    valid = actors(fold % FOLDS + 1) if protocol == "held_out" else set()
    train = set(range(1, ACTORS + 1)) - test - valid
    splits = {"train": train, "valid": valid, "test": test}
    return {name: splits[name] for name in PROTOCOLS[protocol]}


def _entry(name, path, info, data_folder):
    relative = os.path.relpath(path, data_folder).replace(os.sep, "/")
    actor = _actor(name)
    return {
        "wav": f"{{data_root}}/{relative}",
        "duration": info.duration,
        "emo": EMOTIONS[int(name[6:8]) - 1],
        "speaker": f"{actor:02d}",
        "actor": actor,
    }


def _warn_if_incomplete(files):
    """Says which actors lack files; the splits are made all the same."""
    counts = dict.fromkeys(range(1, ACTORS + 1), 0)
    for name in files:
        counts[_actor(name)] += 1
    absent = [f"{actor:02d}" for actor, n in counts.items() if n == 0]
    short = [
        f"actor {actor:02d} has {n} files, not {FILES_PER_ACTOR}"
        for actor, n in counts.items()
        if n not in (0, FILES_PER_ACTOR)
    ]
    if absent:
        short.insert(0, f"there are no files of actors {' '.join(absent)}")
    if short:
        logger.warning(
            "RAVDESS: %d files, and the whole corpus has %d: %s. Results will "
            "not compare with others'.",
            len(files),
            ACTORS * FILES_PER_ACTOR,
            ", ".join(short),
        )
