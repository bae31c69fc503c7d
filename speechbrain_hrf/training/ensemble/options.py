"""The runs of an ensemble: their overrides, and what is refused.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Mapping, Sequence

import speechbrain as sb

from speechbrain_hrf.training.overrides import as_overrides, read_option

# The recipes' options that say what a run is trained and scored on.
FOLDS = ("fold", "valid_session", "held_out_part")
# What runs of one ensemble may differ in.
MAY_DIFFER = ("seed", *FOLDS, "lr", "output_folder")
# Options that an ensemble knows at one value alone, and that value.
ONLY = {
    "distil_from": None,
    "class_weights": None,
    "hrf_lr_scale": 1,
    "features": "fbank",
    "record_steps": 0,
    "skip_prep": False,  # runs of a fold share the first one's manifests
}
# Of a data loader, what is not about order or size of batches.
LOADER_OPTIONS = {
    *("batch_size", "collate_fn", "drop_last", "num_workers", "ckpt_prefix"),
    *("pin_memory", "prefetch_factor", "persistent_workers"),
}


def read_runs(runs: Sequence[Mapping[str, object]]) -> list[str]:
    """Each run's overrides, as SpeechBrain's command line gives them.

    Arguments
    ---------
    runs : list of dict
        Key of the YAML to value. Text is read as YAML, as on a command line.

    Returns
    -------
    list of str
        For ``load_hyperpyyaml``.

    Raises
    ------
    ValueError
        If there is none, one is no object, two have one output folder, or
        they differ in anything but ``MAY_DIFFER``.

    Example
    -------
    >>> read_runs([{"hrf_modules": "[ALL]", "output_folder": "a"}])
    ['hrf_modules: [ALL]\\noutput_folder: a']
    >>> read_runs([{"output_folder": k, "hrf_ratio": k} for k in "48"])
    Traceback (most recent call last):
        ...
    ValueError: The runs differ in hrf_ratio: those of one ensemble may differ
    in seed, fold, valid_session, held_out_part, lr, output_folder alone. ...
    """
    is_list = isinstance(runs, Sequence)
    if not is_list or not all(isinstance(run, Mapping) for run in runs):
        raise ValueError(
            "The runs are no list of objects, one a run, such as "
            '[{"seed": 1, "output_folder": "a"}].'
        )
    if not runs:
        raise ValueError("There is no run to train: the list of runs is empty.")
    keys = dict.fromkeys(key for run in runs for key in run)
    differing = [
        key
        for key in keys
        if key not in MAY_DIFFER
        and any(key not in run or run[key] != runs[0].get(key) for run in runs)
    ]
    if differing:
        raise ValueError(
            f"The runs differ in {', '.join(differing)}: those of one ensemble "
            f"may differ in {', '.join(MAY_DIFFER)} alone. Train each arm by "
            "itself."
        )
    folders = [str(run.get("output_folder")) for run in runs]
    for folder in folders:
        if folders.count(folder) > 1:
            raise ValueError(
                f"output_folder is {folder} for {folders.count(folder)} runs: "
                "give each run its own."
            )
    return [
        as_overrides({key: _read(key, value) for key, value in run.items()})
        for run in runs
    ]


def _read(key: str, value: object) -> object:
    if isinstance(value, str) and value:
        return read_option(key, value)
    return value


def refuse_unsuited(resolved: Mapping[str, object]) -> None:
    """Raises for an option that an ensemble would leave out.

    Arguments
    ---------
    resolved : dict
        The YAML's tree of one run.

    Raises
    ------
    ValueError
        Naming the option and the fix.

    Example
    -------
    >>> refuse_unsuited({"hrf_lr_scale": 0.5})
    Traceback (most recent call last):
        ...
    ValueError: hrf_lr_scale is 0.5, but models that are trained together know
    1 alone: ...
    """
    for key, known in ONLY.items():
        if resolved.get(key, known) != known:
            shown = "null" if known is None else known
            raise ValueError(
                f"{key} is {resolved[key]}, but models that are trained "
                f"together know {shown} alone: train these runs one by one "
                "with train.py."
            )
    unknown = set(resolved["train_dataloader_opts"]) - LOADER_OPTIONS
    if unknown:
        raise ValueError(
            f"train_dataloader_opts has {', '.join(sorted(unknown))}, which "
            "models that are trained together do not know: leave it out, or "
            "train these runs one by one with train.py."
        )


def refuse_other_training(brain: sb.Brain) -> None:
    """Raises if a Brain trains otherwise than an ensemble does.

    Arguments
    ---------
    brain : speechbrain.Brain

    Raises
    ------
    ValueError
        Naming the option and the fix.

    Example
    -------
    >>> import torch
    >>> brain = sb.Brain(
    ...     {"model": torch.nn.Linear(2, 1)}, run_opts={"precision": "bf16"})
    >>> refuse_other_training(brain)
    Traceback (most recent call last):
        ...
    ValueError: precision is bf16, but models that are trained together know
    fp32 alone: ...
    """
    known = {
        "precision": "fp32",
        "eval_precision": "fp32",
        "grad_accumulation_factor": 1,
        "skip_nonfinite_grads": False,
        "debug": False,
    }
    for key, value in known.items():
        if getattr(brain, key) != value:
            raise ValueError(
                f"{key} is {getattr(brain, key)}, but models that are trained "
                f"together know {value} alone: train these runs one by one "
                "with train.py."
            )
    norm = brain.modules.mean_var_norm
    norm.train()
    if norm.norm_type == "global" and norm._should_update(1):
        raise ValueError(
            "mean_var_norm is updated while the model trains "
            f"(update_until_epoch is {norm.update_until_epoch}), but models "
            "that are trained together take it as it is: set it to 1."
        )
