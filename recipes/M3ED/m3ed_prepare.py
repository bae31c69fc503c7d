"""Manifests of M3ED: seven emotions of Chinese TV dialogues, split by series.

Labels come from `annotation.json` (`final_main_emo` of every annotated
utterance), the split from `splitInfo/movie_list_{train,val,test}.txt`, audio
from `<speaker>_<utterance>.wav`, wherever these files lie. Everything else in
the annotation is left alone: names, ages and genders of roles are incomplete
and misspelt, texts do not belong into manifests, and the times are of no use
to wav files that are already cut.

The public release lacks usable audio for 12 of its 24,449 utterances, and its
shortest file has 114 samples. So missing files are listed and left out, and no
file is left out for being short: what is shorter than a segment is
zero-filled.

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import difflib
import glob
import json
import os
from typing import NamedTuple

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.manifest import count_table
from speechbrain_hrf.dataio.preparation import (
    check_choice,
    check_share,
    list_some,
    make_entry,
    prepare_if_stale,
    warn_of_other_counts,
    warn_of_some,
)
from speechbrain_hrf.dataio.recordings import refuse_folder
from speechbrain_hrf.dataio.sound.audio_files import find_audio
from speechbrain_hrf.dataio.sound.probe import probe_all
from speechbrain_hrf.dataio.synthetic import is_synthetic
from speechbrain_hrf.dataio.text_file import quote, read_text, shorten

logger = get_logger(__name__)

# Label indices follow this order.
EMOTIONS = ["Neutral", "Happy", "Sad", "Anger", "Surprise", "Disgust", "Fear"]
LISTS = {
    "train": "movie_list_train.txt",
    "valid": "movie_list_val.txt",
    "test": "movie_list_test.txt",
}
# Annotated utterances: 17,427, 2,821 and 4,201.
PAPER_COUNTS = {
    split: dict(zip(EMOTIONS, counts, strict=True))
    for split, counts in {
        "train": (7130, 1626, 2734, 3816, 696, 1145, 280),
        "valid": (1043, 303, 489, 682, 120, 134, 50),
        "test": (1855, 358, 734, 736, 235, 218, 65),
    }.items()
}
UNUSABLE_IN_RELEASE = 12
_DEPTH = 4  # folders that the search for wav files goes down
_LAYOUT = (
    "Expected: annotation.json and, beside it, splitInfo with "
    f"{', '.join(LISTS.values())} in the data folder or a folder in it, and "
    f"wav files such as A_anjia_1_1.wav at most {_DEPTH} folders below it (or "
    "below audio_folder). M3ED is licensed: "
    "https://github.com/AIM3-RUC/RUCM3ED"
)


class Utterance(NamedTuple):
    """One annotated utterance; `name` is that of its wav file.

    Example
    -------
    >>> Utterance("anjia_1_1", "anjia", "A", "Neutral", "train").name
    'A_anjia_1_1'
    """

    key: str
    series: str
    speaker: str
    emotion: str
    split: str

    @property
    def name(self):
        """Speaker and key: unlike the key it says who speaks."""
        return f"{self.speaker}_{self.key}"


def prepare_m3ed(
    data_folder,
    save_folder,
    protocol="official",
    audio_folder=None,
    max_unusable=0.005,
):
    """Writes `train.json`, `valid.json` and `test.json`.

    They are written again whenever an option, the annotation, a list or an
    audio file changed. Nothing depends on a seed or on the order of folders.

    Arguments
    ---------
    data_folder : str
        Folder of the corpus (`{data_root}` in the manifests).
    save_folder : str
        Where the manifests go.
    protocol : {"official"}
        The corpus's own split, by series; there is no other.
    audio_folder : str, optional
        Folder of the wav files, from `data_folder` or absolute. Without it
        they are searched for below `data_folder`. Either way the search
        goes down four folders.
    max_unusable : float
        Share of missing or unreadable audio files above which preparation
        stops.

    Raises
    ------
    FileNotFoundError
        When a part of the corpus is not there.
    ValueError
        When the annotation or a list is broken or the two do not agree, a
        file's name occurs twice, or too many files are unusable.

    Example
    -------
    >>> from speechbrain_hrf.dataio.synthetic import make_corpus
    >>> corpora = getfixture("corpora")
    >>> corpus = make_corpus("M3ED", corpora)
    >>> folder = getfixture("tmpdir")
    >>> prepare_m3ed(corpus, folder.join("manifests").strpath)
    >>> sorted(file.basename for file in folder.join("manifests").listdir())
    ['fingerprint.json', 'test.json', 'train.json', 'valid.json']
    """
    check_choice("protocol", protocol, ["official"])
    check_share(max_unusable)
    data_folder = os.path.abspath(os.path.expanduser(data_folder))
    annotation = _find_annotation(data_folder)
    lists = _find_lists(os.path.dirname(annotation))
    utterances = _read_utterances(annotation, _read_splits(lists))
    paths = _find_audio(
        os.path.join(data_folder, os.path.expanduser(audio_folder or "")),
        utterances,
    )

    def make():
        annotated = {split: {} for split in LISTS}
        for name, utterance in utterances.items():
            annotated[utterance.split][name] = {"emo": utterance.emotion}
        logger.info("M3ED, annotated:\n%s", count_table(annotated, EMOTIONS))
        infos, unusable = probe_all(paths, max_unusable, "M3ED utterances")
        logger.info(
            "M3ED: %d utterances are annotated, %d of them have usable audio",
            len(utterances),
            len(infos),
        )
        if not is_synthetic(os.path.dirname(annotation)):
            _warn_if_not_the_papers(annotated, len(unusable))
        manifests = {split: {} for split in LISTS}
        for name, info in infos.items():
            utterance = utterances[name]
            manifests[utterance.split][name] = make_entry(
                paths[name],
                data_folder,
                info.duration,
                emo=utterance.emotion,
                series=utterance.series,
                speaker=utterance.speaker,
            )
        return manifests

    prepare_if_stale(
        "M3ED",
        data_folder,
        save_folder,
        {"protocol": protocol, "max_unusable": max_unusable},
        LISTS,
        EMOTIONS,
        make,
        files=paths.values(),
        label_files=[annotation, *lists.values()],
    )


def _find_annotation(data_folder):
    """Path of annotation.json: in the data folder, or in one folder of it."""
    top = glob.escape(data_folder)
    found = [
        path
        for folder in ("", "*")
        for path in sorted(
            glob.glob(os.path.join(top, folder, "annotation.json"))
        )
    ]
    if not found:
        refuse_folder(data_folder, "holds no annotation.json", _LAYOUT)
    if len(found) > 1:
        raise ValueError(
            f"There are several annotations: {', '.join(found)}. Give as data "
            "folder the one that is meant, or remove the others."
        )
    return found[0]


def _find_lists(folder):
    """Split -> path of its list of series."""
    lists = {
        split: os.path.join(folder, "splitInfo", name)
        for split, name in LISTS.items()
    }
    missing = [path for path in lists.values() if not os.path.isfile(path)]
    if missing:
        refuse_folder(folder, f"lacks {', '.join(missing)}", _LAYOUT)
    return lists


def _read_splits(lists):
    """Series -> split. A series in two splits would be leakage."""
    splits = {}
    for split, path in lists.items():
        lines = [line.strip() for line in read_text(path).splitlines()]
        if not any(lines):
            raise ValueError(f"{path} is empty: expected one series per line")
        for series in filter(None, lines):
            if splits.setdefault(series, split) != split:
                raise ValueError(
                    f"{path}: {shorten(series)} also stands in "
                    f"{lists[splits[series]]}. Its speakers would be in both "
                    "sets: remove it from one of the lists."
                )
    return splits


def _read_utterances(path, splits):
    """Name -> Utterance of all annotated utterances, sorted by name."""
    annotation = _read_json(path)
    _compare_series(annotation, splits, path)
    utterances, without_label = {}, []
    unknown = collections.defaultdict(list)
    for series, key, content in _contents(annotation, splits, path):
        labels = _mapping(content.get("EmoAnnotation") or {}, path, key)
        emotion, speaker = labels.get("final_main_emo"), content.get("Speaker")
        if not emotion:
            without_label.append(key)
            continue
        if emotion not in EMOTIONS:
            unknown[quote(emotion)].append(shorten(key))
            continue
        if not isinstance(speaker, str) or not speaker:
            raise ValueError(
                f"{path}: {shorten(key)} has the Speaker {quote(speaker)}. "
                "Expected a letter such as A, with which the name of its wav "
                "file begins."
            )
        utterance = Utterance(key, series, speaker, emotion, splits[series])
        if utterance.name in utterances:
            raise ValueError(
                f"{path}: {shorten(utterance.name)} is annotated twice, in "
                f"{shorten(utterances[utterance.name].series)} and in "
                f"{shorten(series)}. Remove one of the two."
            )
        utterances[utterance.name] = utterance
    if unknown:
        raise ValueError(
            f"{path}: unknown final_main_emo: "
            + list_some(
                [
                    f"{label} ({len(keys)} times, first {keys[0]}"
                    f"{_name_nearest(label.strip(chr(39)), EMOTIONS)})"
                    for label, keys in unknown.items()
                ]
            )
            + f". The labels are {', '.join(EMOTIONS)}."
        )
    what = "not annotated (no final_main_emo) and left out"
    warn_of_some("M3ED", what, without_label)
    return {name: utterances[name] for name in sorted(utterances)}


def _compare_series(annotation, splits, path):
    """Refuses a series that is not there, names one that is in no list."""
    absent = [series for series in splits if series not in annotation]
    if absent:
        near = _name_nearest(absent[0], annotation)
        raise ValueError(
            f"{path} has no series {list_some(absent)}, which the lists in "
            f"splitInfo name{near}. Correct the lists, or restore the "
            "annotation."
        )
    unlisted = [series for series in annotation if series not in splits]
    what = "series that no list in splitInfo names, left out"
    warn_of_some("M3ED", what, unlisted)


class _Mapping(dict):
    """A JSON object that remembers which of its keys stand there twice."""

    def __init__(self, pairs):
        super().__init__(pairs)
        counts = collections.Counter(key for key, _ in pairs)
        self.repeated = [key for key, count in counts.items() if count > 1]


def _read_json(path):
    """The annotation, a mapping of series."""
    text = read_text(path)
    try:
        annotation = json.loads(text, object_pairs_hook=_Mapping)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {error.lineno}, column {error.colno}: this is no "
            f"JSON ({error.msg}). Restore the file from the corpus."
        ) from error
    except (RecursionError, ValueError) as error:  # or a number too long
        raise ValueError(
            f"{path} is nested too deep, or holds a number too long, to be an "
            "annotation. Restore the file from the corpus."
        ) from error
    if not isinstance(annotation, dict):
        raise ValueError(f"{path} holds no mapping of series. {_LAYOUT}")
    return _mapping(annotation, path, "the file")


def _contents(annotation, splits, path):
    """Yields series, key and content of every utterance of the splits."""
    for series in splits:
        dialogues = _mapping(annotation[series], path, series)
        for dialogue, parts in dialogues.items():
            where = f"{series}, {dialogue}"
            dialog = _mapping(parts, path, where).get("Dialog")
            for key, content in _mapping(dialog, path, where).items():
                yield series, key, _mapping(content, path, key)


def _mapping(value, path, where):
    where = shorten(where)
    if not isinstance(value, dict):
        raise ValueError(
            f"{path}: {where} holds {quote(value)}. Expected mappings: "
            "series, dialogue, Dialog, utterance, EmoAnnotation. Restore the "
            "file from the corpus."
        )
    repeated = getattr(value, "repeated", None)
    if repeated:  # JSON's readers keep the last one, in silence
        raise ValueError(
            f"{path}: {where} holds {list_some(repeated)} twice. Join the "
            "two or remove one: only the last one would be read."
        )
    return value


def _find_audio(folder, utterances):
    """Name -> path of its wav file; where there is none, of where it belongs.

    Upper and lower case do not matter.
    """
    files = collections.defaultdict(list)
    for path in find_audio(folder, depth=_DEPTH):
        files[os.path.basename(path)[: -len(".wav")].lower()].append(path)
    found = {name: files.get(name.lower(), []) for name in utterances}
    copies = [paths for paths in found.values() if len(paths) > 1]
    if copies:
        raise ValueError(
            f"{len(copies)} utterances have several wav files, for example "
            f"{' and '.join(copies[0])}. Name the folder to use by "
            "audio_folder, or remove the copies."
        )
    places = [os.path.dirname(paths[0]) for paths in found.values() if paths]
    if not places:
        problem = f"holds no wav file of the {len(utterances)} utterances"
        refuse_folder(folder, problem, f"Correct audio_folder. {_LAYOUT}")
    _name_other_speakers(found, utterances, files)
    usual = collections.Counter(places).most_common(1)[0][0]
    return {
        name: paths[0] if paths else os.path.join(usual, f"{name}.wav")
        for name, paths in found.items()
    }


def _name_other_speakers(found, utterances, files):
    """Says which missing files are there under another speaker's letter."""
    without = {stem.partition("_")[2]: paths for stem, paths in files.items()}
    others = [
        f"{name}.wav, but {without[key][0]}"
        for name, paths in found.items()
        if not paths and (key := utterances[name].key.lower()) in without
    ]
    what = (
        "missing files that are there under another speaker (rename or link "
        "them if they are the right ones)"
    )
    warn_of_some("M3ED", what, others)


def _warn_if_not_the_papers(annotated, unusable):
    """Names every count that differs from the paper's."""
    found = {
        split: collections.Counter(entry["emo"] for entry in entries.values())
        for split, entries in annotated.items()
    }
    totals = "17427 + 2821 + 4201 = 24449 annotated utterances"
    warn_of_other_counts("M3ED", totals, found, PAPER_COUNTS)
    if unusable > UNUSABLE_IN_RELEASE:
        logger.warning(
            "M3ED: %d utterances are without usable audio; in the public "
            "release it is %d. Results will not compare with others'.",
            unusable,
            UNUSABLE_IN_RELEASE,
        )


def _name_nearest(name, names):
    near = difflib.get_close_matches(shorten(name), names, n=1)
    return f", perhaps {near[0]}" if near else ""
