"""A run goes on with the options that it began with, or not at all.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
import os
import pathlib
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import TaggedScalar
from speechbrain.utils.checkpoints import Checkpointer

from speechbrain_hrf.files import write_whole
from speechbrain_hrf.training.overrides import resolved_yaml
from speechbrain_hrf.yaml_text import explain_yaml, read_yaml_text

# In the place of checkpoints while models are trained together.
STATE = "ensemble.pt"
# What may be another in a run that goes on: it trains longer, elsewhere, or
# computes the same in another way.
MAY_CHANGE = {
    "number_of_epochs",  # but see refuse_fewer_epochs
    "epoch_counter",
    "checkpointer",  # holds epoch_counter; its other parts stand by themselves
    "output_folder",  # it is looked for there
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
# SpeechBrain's own options that change what is computed; no YAML holds them.
RUN_OPTIONS = (
    *("precision", "eval_precision", "auto_mix_prec", "bfloat16_mix_prec"),
    *("max_grad_norm", "grad_accumulation_factor", "skip_nonfinite_grads"),
    "remove_vector_weight_decay",
)
NOTE = "run_options.txt"
FIX = "Give this run its own --output_folder (or --arm), or remove that folder."


def refuse_other_options(hparams_file: str, overrides: str) -> None:
    """Raises if the output folder holds a run with other options.

    SpeechBrain would take up its checkpoints all the same: score the old model
    on the new split, say, which it may have been trained on. To be called
    before anything is written into the folder. A folder that was moved, or is
    spelt otherwise, is the same one.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML, with ``output_folder`` and ``save_folder``.
    overrides : str
        For ``load_hyperpyyaml``.

    Raises
    ------
    ValueError
        Naming the folder, the options that differ, and the fix. Likewise if
        the run has more epochs than are asked for now.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> yaml = folder.join("x.yaml")
    >>> yaml.write(f'''lr: 0.001
    ... output_folder: {folder}
    ... save_folder: {folder}/save''')
    >>> refuse_other_options(yaml.strpath, "")
    >>> folder.join("save", "CKPT+1", "CKPT.yaml").write("{}", ensure=True)
    >>> folder.join("hyperparams.yaml").write(yaml.read())
    >>> refuse_other_options(yaml.strpath, "lr: 0.5")
    Traceback (most recent call last):
        ...
    ValueError: /... holds a run with other options: lr is 0.5, was 0.001. ...
    """
    new = resolved_yaml(hparams_file, overrides)
    folder = pathlib.Path(new["output_folder"])
    earlier = folder / "hyperparams.yaml"
    if not is_begun(new["save_folder"]) or not earlier.is_file():
        return
    text = read_yaml_text(earlier)
    with explain_yaml(earlier):
        old = YAML().load(text)
    folders = old.get("output_folder", ""), new["output_folder"]
    differing = [
        key
        for key in dict.fromkeys([*new, *old])
        if key not in MAY_CHANGE
        and not _is_same(old.get(key), new.get(key), folders)
    ]
    if differing:
        shown = ", ".join(
            f"{key} is {_plain(new.get(key))}, was {_plain(old.get(key))}"
            for key in differing[:3]
        )
        raise ValueError(
            f"{folder} holds a run with other options: {shown}"
            + (f" and {len(differing) - 3} more" if differing[3:] else "")
            + f". {FIX}"
        )
    saved = Checkpointer(new["save_folder"]).list_checkpoints()
    epochs = [checkpoint.meta.get("epoch", 0) for checkpoint in saved]
    limit = new.get("number_of_epochs", math.inf)
    refuse_fewer_epochs(folder, max(epochs, default=0), limit)


def refuse_other_run_options(
    save_folder: str | os.PathLike[str], run_opts: Any
) -> None:
    """The same of SpeechBrain's own options, such as ``--precision``.

    A run notes them in a file of its own when it begins. One of an earlier
    version, which has no note, goes on.

    Arguments
    ---------
    save_folder : str or os.PathLike
        Where checkpoints go.
    run_opts : speechbrain.utils.run_opts.RunOptions

    Raises
    ------
    ValueError
        Naming the folder, the options that differ, and the fix.

    Example
    -------
    >>> from speechbrain.utils.run_opts import RunOptions
    >>> save = pathlib.Path(getfixture("tmpdir"))
    >>> refuse_other_run_options(save, RunOptions())
    >>> (save / "CKPT+1").mkdir()
    >>> refuse_other_run_options(save, RunOptions(precision="bf16"))
    Traceback (most recent call last):
        ...
    ValueError: ... with other options: precision bf16, was precision fp32. ...
    """
    note = pathlib.Path(save_folder, NOTE)
    now = [f"{key} {run_opts[key]}" for key in RUN_OPTIONS]
    if not is_begun(save_folder):
        note.parent.mkdir(parents=True, exist_ok=True)
        write_whole(note, "\n".join(now) + "\n")
    elif note.is_file():
        then = note.read_text(errors="replace").splitlines()
        gone = [line for line in then if line not in now]
        if gone:
            new = [line for line in now if line not in then]
            raise ValueError(
                f"{save_folder} is of a run with other options: "
                f"{', '.join(new)}, was {', '.join(gone)}. {FIX}"
            )


def refuse_fewer_epochs(
    folder: str | os.PathLike[str], trained: int, limit: float
) -> None:
    """Raises if a run has more epochs than it is to have.

    Its model would be scored, and pass for one of so few epochs.

    Arguments
    ---------
    folder : str or os.PathLike
        The output folder, for the error.
    trained : int
        Epochs that it has.
    limit : float
        ``number_of_epochs``.

    Raises
    ------
    ValueError
        Naming both, and the fix.

    Example
    -------
    >>> refuse_fewer_epochs("run", 120, 120)
    >>> refuse_fewer_epochs("run", 120, 30)
    Traceback (most recent call last):
        ...
    ValueError: run holds a run of 120 epochs, and number_of_epochs is 30: ...
    """
    if trained >= limit + 1:
        raise ValueError(
            f"{folder} holds a run of {trained} epochs, and number_of_epochs "
            f"is {limit}: give {trained} or more, or give this run its own "
            "--output_folder (or --arm)."
        )


def is_begun(save_folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds what a run goes on from.

    Arguments
    ---------
    save_folder : str or os.PathLike
        Need not exist.

    Returns
    -------
    bool

    Example
    -------
    >>> is_begun(getfixture("tmpdir").strpath)
    False
    """
    folder = pathlib.Path(save_folder)
    return any(folder.glob("CKPT*")) or (folder / STATE).is_file()


def _is_same(then, now, folders):
    """Whether an option is as it was, its paths seen from the output folder."""
    then_folder, now_folder = folders
    return _plain(then) == _plain(now) or (
        _plain(then, then_folder) == _plain(now, now_folder)
    )


def _plain(node, seen_from=None):
    """A node of a YAML tree as values that compare by content."""
    tag = getattr(getattr(node, "tag", None), "value", None)
    if isinstance(node, dict):
        content = {
            key: _plain(value, seen_from)
            for key, value in node.items()
            if key != "num_workers"  # of a data loader
        }
    elif isinstance(node, list):
        content = [_plain(value, seen_from) for value in node]
    elif isinstance(node, TaggedScalar):
        content = node.value
    elif seen_from and isinstance(node, str) and "/" in node:
        return _relative(node, seen_from)
    else:
        return node
    return (tag, content) if tag else content


def _relative(path, folder):
    """A path in a folder, or beside it, from there; others as they are."""
    beside = os.path.join(os.path.dirname(os.path.abspath(folder)), "")
    if os.path.abspath(path).startswith(beside):
        return os.path.relpath(path, folder)
    return path
