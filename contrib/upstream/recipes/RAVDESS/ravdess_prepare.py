"""Manifests of the speech files of RAVDESS (24 actors, 8 emotions).

Download `Audio_Speech_Actors_01-24.zip` from
https://zenodo.org/records/1188976 and extract it.

Everything is in a file's name, such as `03-01-06-01-02-01-12.wav`: modality
(03 = audio), channel (01 = speech), emotion, intensity, statement, repetition,
actor.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import re

from speechbrain.dataio.dataio import read_audio_info
from speechbrain.utils.data_utils import get_all_files
from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)

# In the order of the corpus's own codes, 01 to 08
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
N_ACTORS, ACTORS_PER_FOLD, N_FILES = 24, 4, 1440
N_FOLDS = N_ACTORS // ACTORS_PER_FOLD
SPEECH_FILE = re.compile(r"03-01-(\d\d)-\d\d-\d\d-\d\d-(\d\d)\.wav")


def prepare_ravdess(
    data_folder,
    save_json_train,
    save_json_valid,
    save_json_test,
    fold=1,
):
    """Writes the manifests. They depend on no seed.

    All actors say the same two sentences, so that splits are made by actor:
    fold k tests on actors 4k-3 to 4k.

    Arguments
    ---------
    data_folder : str
        Folder of the corpus, `{data_root}` in the manifests.
    save_json_train : str
        Where the manifest of the training set goes.
    save_json_valid : str or None
        Where that of the validation set goes: the next fold's actors. If it
        is None, they stay in the training set.
    save_json_test : str
        Where that of the test set goes.
    fold : int
        1 to 6.

    Example
    -------
    >>> prepare_ravdess("/path/to/RAVDESS", "train.json", None, "test.json")
    """
    if fold not in range(1, N_FOLDS + 1):
        raise ValueError(f"fold is 1 to {N_FOLDS}, not {fold!r}.")
    manifests = {save_json_train: {}, save_json_test: {}}
    if save_json_valid:
        manifests[save_json_valid] = {}
    paths = get_all_files(data_folder, match_and=[".wav"])
    for path in sorted(paths, key=os.path.basename):  # wherever they lie
        match = SPEECH_FILE.fullmatch(os.path.basename(path))
        if match is None:
            continue  # a song, or a video's sound
        emotion, actor = map(int, match.groups())
        name = os.path.splitext(match.group())[0]
        fold_of_actor = (actor - 1) // ACTORS_PER_FOLD + 1
        manifest = save_json_train
        if fold_of_actor == fold:
            manifest = save_json_test
        elif save_json_valid and fold_of_actor == fold % N_FOLDS + 1:
            manifest = save_json_valid
        info = read_audio_info(path)
        # The archive is also met with all actors in it a second time.
        manifests[manifest].setdefault(
            name,
            {
                "wav": os.path.join(
                    "{data_root}", os.path.relpath(path, data_folder)
                ),
                "duration": info.num_frames / info.sample_rate,
                "emo": EMOTIONS[emotion - 1],
                "spk_id": f"{actor:02d}",
            },
        )
    total = sum(map(len, manifests.values()))
    if total == 0:
        raise FileNotFoundError(
            f"{data_folder} has no file such as 03-01-06-01-02-01-12.wav. Give "
            "the folder of Audio_Speech_Actors_01-24 as data_folder."
        )
    if total != N_FILES:
        logger.warning("%d files, but RAVDESS has %d.", total, N_FILES)
    for path, manifest in manifests.items():
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(manifest, file, indent=2)
        logger.info("%s: %d utterances", path, len(manifest))
