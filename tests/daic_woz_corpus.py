"""Small corpora in the layout of DAIC-WOZ, for the tests of its recipe.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import zipfile

import numpy as np
import soundfile as sf

HEADER = "start_time\tstop_time\tspeaker\tvalue"
LISTS = {
    "train": "train_split_Depression_AVEC2017.csv",
    "dev": "dev_split_Depression_AVEC2017.csv",
}
# What must never be found outside the data folder.
WORD = "sentinelword"
SCORE = "918273645546"
ITEM = "564738291019"
SENTINELS = [WORD, SCORE, ITEM]


def row(start, stop, speaker="Participant", text=WORD):
    """A line of a transcript."""
    return f"{start}\t{stop}\t{speaker}\t{text}"


def write_list(root, name, labels):
    """The official list `name` with sentinels for scores and items."""
    lines = ["Participant_ID,PHQ8_Binary,PHQ8_Score,Gender,PHQ8_NoInterest"]
    lines += [
        f"{who},{label},{SCORE},1,{ITEM}" for who, label in labels.items()
    ]
    root.mkdir(parents=True, exist_ok=True)
    (root / LISTS[name]).write_text("\n".join(lines) + "\n")


def write_interview(root, who, rows, audio, end="\n", rate=1000):
    """A folder with a transcript and audio: a path to link, or seconds."""
    folder = root / f"{who}_P"
    folder.mkdir(parents=True)
    text = "".join(line + end for line in [HEADER, *rows])
    (folder / f"{who}_TRANSCRIPT.csv").write_bytes(text.encode())
    path = folder / f"{who}_AUDIO.wav"
    if isinstance(audio, pathlib.Path):
        path.hardlink_to(audio)
    else:
        write_noise(path, audio, rate)
    return folder


def write_noise(path, seconds, rate=1000):
    """A recording; 1000 samples a second are enough for ranges."""
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, round(seconds * rate))
    sf.write(path, samples, rate, subtype="PCM_16")


def pack(folder, kind=zipfile.ZIP_STORED, inside=""):
    """Replaces a session's folder by an archive."""
    archive = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(archive, "w", kind) as file:
        for path in sorted(folder.iterdir()):
            file.write(path, inside + path.name)
            path.unlink()
    folder.rmdir()
    return archive
