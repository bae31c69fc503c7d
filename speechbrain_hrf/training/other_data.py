"""A run goes on with the data that it began with, or not at all.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import json
import os
import pathlib

from speechbrain_hrf.files import write_whole
from speechbrain_hrf.strict_json import parse_json
from speechbrain_hrf.training.other_run import is_begun

TRAINED_ON = "trained_on.json"
# Where a file lies may change; what it is and which split it is in may not.
_PLACE = "wav"


def refuse_other_data(
    manifest_folder: str | os.PathLike[str],
    save_folder: str | os.PathLike[str],
) -> None:
    """Raises if checkpoints are of a run on other manifests.

    Preparers write manifests anew when a corpus has changed. SpeechBrain would
    take up the old checkpoints all the same, and score a model on utterances
    that it was trained on. To be called before they are read, whether they were
    prepared by this run or by hand; on the main process.

    Arguments
    ---------
    manifest_folder : str
        With train.json and the others.
    save_folder : str
        Where checkpoints go. What they are trained on is noted there.

    Raises
    ------
    ValueError
        Naming the splits that differ, and the fix.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> manifest = folder / "train.json"
    >>> _ = manifest.write_text('{"a": {"wav": "a.wav", "emo": "sad"}}')
    >>> refuse_other_data(folder, folder / "save")
    >>> (folder / "save" / "CKPT+1").mkdir()
    >>> _ = manifest.write_text('{"b": {"wav": "a.wav", "emo": "sad"}}')
    >>> refuse_other_data(folder, folder / "save")
    Traceback (most recent call last):
        ...
    ValueError: .../save holds checkpoints of a run on other data: the train...
    """
    now = {
        path.stem: _digest(path)
        for path in sorted(pathlib.Path(manifest_folder).glob("*.json"))
        if path.stem in ("train", "valid", "test")
    }
    save_folder = pathlib.Path(save_folder)
    note = save_folder / TRAINED_ON
    if is_begun(save_folder) and note.is_file():
        differing = differing_splits(read_trained_on(note), now)
        if differing:
            raise ValueError(
                f"{save_folder} holds checkpoints of a run on other data: the "
                f"{' and the '.join(differing)} set changed since. Its model "
                "may have been trained on what it would be scored on. Give "
                "this run its own --output_folder (or --arm), or remove that "
                "folder."
            )
        return
    save_folder.mkdir(parents=True, exist_ok=True)
    write_whole(note, json.dumps(now, indent=1) + "\n")


def read_trained_on(note: str | os.PathLike[str]) -> dict[str, str]:
    """What a run was trained, validated and tested on.

    Arguments
    ---------
    note : str or os.PathLike
        The file of that name, in ``save``.

    Returns
    -------
    dict
        A split's checksum, by its name.

    Raises
    ------
    ValueError
        If it is damaged.

    Example
    -------
    >>> note = pathlib.Path(getfixture("tmpdir"), TRAINED_ON)
    >>> _ = note.write_text("{")
    >>> read_trained_on(note)
    Traceback (most recent call last):
        ...
    ValueError: ...json is not valid JSON (...). Nobody can tell any more ...
    """
    fix = (
        "Nobody can tell any more on what its run was trained: give this one "
        "its own --output_folder (or --arm), or remove that run."
    )
    note = pathlib.Path(note)
    found = parse_json(note.read_bytes(), note, fix)
    if not isinstance(found, dict):
        raise ValueError(f"{note} is no JSON object. {fix}")
    return found


def differing_splits(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The splits that two runs do not have in common.

    Arguments
    ---------
    one, other : dict
        Of ``read_trained_on``.

    Returns
    -------
    list of str

    Example
    -------
    >>> differing_splits({"train": "a", "test": "b"}, {"train": "a"})
    ['test']
    """
    return [
        split
        for split in dict.fromkeys([*one, *other])
        if one.get(split) != other.get(split)
    ]


def _digest(path):
    entries = json.loads(path.read_text(encoding="utf-8"))
    kept = {
        name: {k: v for k, v in entry.items() if k != _PLACE}
        for name, entry in entries.items()
    }
    content = json.dumps(kept, sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()
