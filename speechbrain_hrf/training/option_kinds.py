"""Numbers are numbers and booleans booleans: text in their place is refused.

YAML 1.2 knows True and False alone; ``no`` and ``off`` are text, which Python
takes for true.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

from speechbrain_hrf.training.overrides import resolved_yaml

# Booleans of the recipes' YAMLs, also where somebody has edited the file.
BOOLEANS = {
    *("skip_prep", "cache_features", "cuda_graphs"),
    *("hrf_inner_bias", "hrf_inner_norm", "hrf_chained"),
    *("correct_offsets", "cut_interruptions", "correct_label_of_409"),
    *("drop_sync_rows", "drop_tag_only_rows", "drop_rows_before_interviewer"),
}
NUMBERS = {
    *("seed", "number_of_epochs", "batch_size", "valid_batch_size", "lr"),
    *("weight_decay", "lr_factor", "lr_patience", "dropout", "max_unusable"),
    *("hrf_ratio", "hrf_layers", "hrf_lr_scale", "num_workers"),
    *("distil_weight", "distil_temperature", "record_steps"),
}
OR_NULL = {"hrf_chained"}
OR_WORD = {"n_folds": "speaker"}  # of OwnData: each speaker is a fold


def refuse_other_kinds(hparams_file: str, overrides: str) -> None:
    """Raises for text where the YAML has a number or a boolean.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML: an option is of the kind that it has there.
    overrides : str
        For ``load_hyperpyyaml``.

    Raises
    ------
    ValueError
        Naming the option and what it must be.

    Example
    -------
    >>> yaml = getfixture("tmpdir").join("x.yaml")
    >>> yaml.write("lr: 0.001\\nskip_prep: False")
    >>> refuse_other_kinds(yaml.strpath, "lr: 1e-4")
    >>> refuse_other_kinds(yaml.strpath, "lr: abc")
    Traceback (most recent call last):
        ...
    ValueError: lr is 'abc': it must be a number, such as 0.001.
    >>> refuse_other_kinds(yaml.strpath, "skip_prep: no")
    Traceback (most recent call last):
        ...
    ValueError: skip_prep is 'no': it must be True or False.
    """
    defaults = resolved_yaml(hparams_file, "")
    compare_kinds(defaults, resolved_yaml(hparams_file, overrides))


def compare_kinds(
    defaults: Mapping[str, Any], values: Mapping[str, Any], above: str = ""
) -> None:
    """Raises for values of another kind than a YAML's.

    Arguments
    ---------
    defaults : dict
        The YAML's.
    values : dict
        Some or all of its options.
    above : str
        Goes before their names, in the error.

    Raises
    ------
    ValueError
        Naming the option and what it must be.

    Example
    -------
    >>> compare_kinds({"lr": 0.001, "arm": "mine"}, {"lr": 1, "arm": "other"})
    >>> compare_kinds({"lr": 0.001}, {"lr": "fast"})
    Traceback (most recent call last):
        ...
    ValueError: lr is 'fast': it must be a number, such as 0.001.
    """
    for key, value in values.items():
        default = defaults.get(key)
        name = f"{above}{key}"
        if isinstance(value, Mapping) and isinstance(default, Mapping):
            compare_kinds(default, value, f"{name}: ")
        elif value is None and (default is None or name in OR_NULL):
            continue
        elif isinstance(default, bool) or name in BOOLEANS:
            if not isinstance(value, bool):
                null = " or null" if name in OR_NULL else ""
                raise ValueError(
                    f"{name} is {value!r}: it must be True or False{null}."
                )
        elif _is_number(default) or name in NUMBERS:
            word = OR_WORD.get(name)
            if not _is_number(value) and (word is None or value != word):
                example = default if _is_number(default) else 1
                raise ValueError(
                    f"{name} is {value!r}: it must be a number, such as "
                    f"{example}{f', or {word}' if word else ''}."
                )


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
