"""From a run's overrides to the recipe's own objects.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
from types import ModuleType

from hyperpyyaml import load_hyperpyyaml, resolve_references

from speechbrain_hrf.training.checkpoints import remove_unfinished
from speechbrain_hrf.training.ensemble.data import Fold
from speechbrain_hrf.training.ensemble.options import refuse_unsuited
from speechbrain_hrf.training.ensemble.recipe import begin_folder, brain_class
from speechbrain_hrf.training.ensemble.variant import Variant
from speechbrain_hrf.training.launch import complete_overrides
from speechbrain_hrf.training.option_names import refuse_unknown
from speechbrain_hrf.training.other_run import (
    refuse_fewer_epochs,
    refuse_other_options,
)
from speechbrain_hrf.training.output_folder import owned_output
from speechbrain_hrf.training.overrides import resolved_yaml


def build_variant(
    module: ModuleType,
    hparams_file: str,
    overrides: str,
    folds: dict,
    device: str,
    held: contextlib.ExitStack | None = None,
) -> Variant:
    """Builds a run as train.py builds it, in the same order.

    It recovers the recipe's checkpoint; the state beside it may know a later
    epoch.

    Arguments
    ---------
    module : module
        Of ``load_recipe``.
    hparams_file : str
    overrides : str
        Of this run.
    folds : dict
        ``Fold.key`` to the folds that were prepared already; a new one is
        added.
    device : str
    held : contextlib.ExitStack, optional
        Holds the run's output folder, if given.

    Returns
    -------
    Variant

    Raises
    ------
    ValueError
        For options that the recipe or an ensemble does not know, and output
        folders that hold a run with other options or data, or of more epochs.

    Example
    -------
    >>> yaml = getfixture("tmpdir").join("x.yaml")
    >>> yaml.write("data_folder: /data\\nrecord_steps: 9")
    >>> build_variant(ModuleType("train"), yaml.strpath, "", {}, "cpu")
    Traceback (most recent call last):
        ...
    ValueError: record_steps is 9, but models that are trained together know
    0 alone: ...
    """
    refuse_unknown([], hparams_file, overrides)
    if hasattr(module, "fill_in"):  # what train.py gives to parse_arguments
        overrides = module.fill_in(hparams_file, overrides)
    refuse_unsuited(resolved_yaml(hparams_file, overrides))
    overrides = complete_overrides(hparams_file, overrides)
    with open(hparams_file, encoding="utf-8") as stream:
        text = resolve_references(stream, overrides).read()
    resolved = resolved_yaml(hparams_file, overrides)
    if held is not None:
        held.enter_context(owned_output(resolved["output_folder"]))
        remove_unfinished(resolved["save_folder"])
    refuse_other_options(hparams_file, overrides)
    hparams = load_hyperpyyaml(text)
    key = Fold.key(hparams)
    if key in folds:
        folds[key].copy_to(hparams)
    else:
        folds[key] = Fold(module, hparams)
    report = hparams["apply_hrf"](hparams["model"])
    brain = brain_class(module)(
        modules=hparams["modules"],
        opt_class=hparams["opt_class"],
        hparams=hparams,
        run_opts={"device": device, "noprogressbar": True},
        checkpointer=hparams["checkpointer"],
    )
    brain.class_weights = brain.distillation = None
    brain.on_fit_start()
    variant = Variant(hparams, brain, folds[key], report)
    limit = hparams["epoch_counter"].limit
    refuse_fewer_epochs(variant.output_folder, variant.epoch, limit)
    # Nothing is refused any more.
    begin_folder(hparams["output_folder"], hparams_file, text, module.__file__)
    return variant
