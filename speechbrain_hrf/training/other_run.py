"""A run goes on with the options and data that it began with, or not at all.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import json
import os
import pathlib

from ruamel.yaml import YAML
from ruamel.yaml.comments import TaggedScalar

from speechbrain_hrf.files import write_whole
from speechbrain_hrf.strict_json import parse_json
from speechbrain_hrf.training.overrides import resolved_yaml
from speechbrain_hrf.yaml_text import explain_yaml, read_yaml_text

TRAINED_ON = "trained_on.json"
# Where a file lies may change; what it is and which split it is in may not.
_PLACE = "wav"
# What may be another in a run that goes on: it trains longer, elsewhere, or
# computes the same in another way.
MAY_CHANGE = {
    "number_of_epochs",
    "epoch_counter",
    "checkpointer",  # holds epoch_counter; its other parts stand by themselves
    "data_folder",
    "audio_folder",
    "labels",  # a table that moved; its content is in the manifests
    "max_unusable",  # other manifests are refused by refuse_other_data
    "licence",
    "corpus_licence",
    "cache_features",
    "feature_folder",
    "export_folder",
    "record_steps",
    "hrf_chained",
    "cuda_graphs",
    "apply_hrf",  # holds hrf_chained; its other options stand by themselves
    # The options of these stand by themselves.
    "distillation",
    "hrf_optimizer",
    "run_notes",
    "segment_features",
    "training_class_weights",
    # How data are read, not what
    "skip_prep",
    "num_workers",
    "valid_batch_size",
    "valid_dataloader_opts",
}


def refuse_other_options(hparams_file: str, overrides: str) -> None:
    """Raises if the output folder holds a run with other options.

    SpeechBrain would take up its checkpoints all the same: score the old model
    on the new split, say, which it may have been trained on. To be called
    before anything is written into the folder.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML, with ``output_folder`` and ``save_folder``.
    overrides : str
        For ``load_hyperpyyaml``.

    Raises
    ------
    ValueError
        Naming the folder, the options that differ, and the fix.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> yaml = folder.join("x.yaml")
    >>> yaml.write(f'''lr: 0.001
    ... output_folder: {folder}
    ... save_folder: {folder}/save''')
    >>> refuse_other_options(yaml.strpath, "")
    >>> folder.join("save", "CKPT+1", "CKPT.yaml").write("", ensure=True)
    >>> folder.join("hyperparams.yaml").write(yaml.read())
    >>> refuse_other_options(yaml.strpath, "lr: 0.5")
    Traceback (most recent call last):
        ...
    ValueError: /... holds a run with other options: lr is 0.5, was 0.001. ...
    """
    new = resolved_yaml(hparams_file, overrides)
    folder = pathlib.Path(new["output_folder"])
    earlier = folder / "hyperparams.yaml"
    if not any(pathlib.Path(new["save_folder"]).glob("CKPT*")):
        return
    if not earlier.is_file():
        return
    text = read_yaml_text(earlier)
    with explain_yaml(earlier):
        old = YAML().load(text)
    differing = [
        key
        for key in dict.fromkeys([*new, *old])
        if key not in MAY_CHANGE
        and _plain(new.get(key)) != _plain(old.get(key))
    ]
    if differing:
        shown = ", ".join(
            f"{key} is {_plain(new.get(key))}, was {_plain(old.get(key))}"
            for key in differing[:3]
        )
        raise ValueError(
            f"{folder} holds a run with other options: {shown}"
            + (f" and {len(differing) - 3} more" if differing[3:] else "")
            + ". Give this run its own --output_folder (or --arm), or remove "
            "that folder."
        )


def refuse_other_data(
    manifest_folder: str | os.PathLike[str],
    save_folder: str | os.PathLike[str],
) -> None:
    """Raises if checkpoints are of a run on other manifests.

    Preparers write manifests anew when a corpus has changed. SpeechBrain would
    take up the old checkpoints all the same, and score a model on utterances
    that it was trained on. To be called after preparation, on the main process.

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
    if any(save_folder.glob("CKPT*")) and note.is_file():
        then = read_trained_on(note)
        differing = [
            split
            for split in dict.fromkeys([*then, *now])
            if then.get(split) != now.get(split)
        ]
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


def _plain(node):
    """A node of a YAML tree as values that compare by content."""
    tag = getattr(getattr(node, "tag", None), "value", None)
    if isinstance(node, dict):
        content = {
            key: _plain(value)
            for key, value in node.items()
            if key != "num_workers"  # of a data loader
        }
    elif isinstance(node, list):
        content = [_plain(value) for value in node]
    elif isinstance(node, TaggedScalar):
        content = node.value
    else:
        return node
    return (tag, content) if tag else content


def _digest(path):
    entries = json.loads(path.read_text(encoding="utf-8"))
    kept = {
        name: {k: v for k, v in entry.items() if k != _PLACE}
        for name, entry in entries.items()
    }
    content = json.dumps(kept, sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()
