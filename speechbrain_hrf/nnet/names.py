"""The names by which users choose layers for HRF.

Each lobe publishes its groups, the row names of the paper's tables, as
``hrf_groups``: a dict of group to patterns over its own layers.

Authors
 * The speechbrain_hrf authors 2026
"""

import re

# The paper never expands the front end, so its ALL leaves it out. ALL holds the
# paper's rows: not Conformer's position projection, nor SpeechFormer's merges.
FRONT = "FRONT"
ALL = "ALL"


def find_groups(model):
    """The groups that the lobes within a model publish.

    Arguments
    ---------
    model : torch.nn.Module

    Returns
    -------
    dict of str: list of str
        Group to patterns over the model's names; with ALL, if any.

    Example
    -------
    >>> from torch import nn
    >>> from speechbrain_hrf.lobes.models import ClassifierHead
    >>> find_groups(nn.ModuleDict({"classifier": ClassifierHead(16, 4)}))
    {'CLS': ['classifier.linear1', 'classifier.linear2'], 'ALL': [...]}
    """
    groups = {}
    for path, module in model.named_modules():
        for group, patterns in getattr(module, "hrf_groups", {}).items():
            groups.setdefault(group, []).extend(
                f"{escaped(path)}.{pattern}".lstrip(".") for pattern in patterns
            )
    if groups:
        groups[ALL] = [
            pattern
            for group, patterns in groups.items()
            if group != FRONT
            for pattern in patterns
        ]
    return groups


def split_names(modules):
    """The single names in a list of HRF modules.

    Arguments
    ---------
    modules : list of str, or str
        As in a YAML; "FFN1 & FFN2" holds two names.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If it is neither a string nor a list of strings.

    Example
    -------
    >>> split_names(["QKV", "FFN1 & FFN2"]), split_names("CLS")
    (['QKV', 'FFN1', 'FFN2'], ['CLS'])
    """
    entries = [modules] if isinstance(modules, str) else modules
    if not isinstance(entries, list | tuple) or not all(
        isinstance(entry, str) for entry in entries
    ):
        raise ValueError(
            f"HRF's modules are {modules!r}: give a list of names such as "
            "[FFN1, QKV], or [] for no HRF."
        )
    return [part.strip() for entry in entries for part in entry.split("&")]


def escaped(path):
    """A name as a pattern that matches nothing else.

    Arguments
    ---------
    path : str

    Returns
    -------
    str

    Example
    -------
    >>> escaped("a[0]")
    'a[[]0]'
    """
    return re.sub(r"([*?[])", r"[\1]", path)
