"""The table of a study's runs: each one's row, and the row it is compared with.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas

from speechbrain_hrf.studies import paper

# Activations as the paper calls them.
ACTIVATIONS = {"SiLU": "Swish", "SquaredReLU": "Squared ReLU"}
# What is added to an arm's name where it was run with several; of epochs, to
# those runs that have others than most runs of the model.
SETTINGS = {
    "ratio": "ratio {:g}",
    "layers": "{:g} extra",
    "activation": "{}",
    "epochs": "{:g} epochs",
}
NO_FOLD = "-"  # of a corpus with one split
# What a line may lack, and what that means.
MAY_LACK = {"unit": "speaker", "dirty": False, "seconds": 0}


def make_table(lines: Sequence[dict[str, Any]]) -> pandas.DataFrame:
    """The runs with what their lines say, sorted as the paper does.

    Arguments
    ---------
    lines : list of dict
        Of finished trials.

    Returns
    -------
    pandas.DataFrame
        A line's keys, or in their place: model (as the paper spells it), row
        (the arm's name in all tables), family (lightweight, original, paper,
        control, ours), reference (row of the lightweight model that it is
        compared with, or not-a-number), ratio, layers, activation, fold (text),
        WA, UA, WF1, MF1, valid (a number, larger is better), epochs.

    Example
    -------
    >>> line = {"model": "conformer", "arm": "FFN1", "options": {}, "lr": 0.001,
    ...     "fold": None, "seed": 1, "test_set": "a", "epoch": 120, "valid": None,
    ...     "metric": "UA", "test": {"UA": 0.5}}
    >>> make_table([line])[["model", "row", "family", "ratio"]].values.tolist()
    [['Conformer', 'FFN1', 'paper', 8]]
    """
    rows = []
    for line in lines:
        model, arm, options = line["model"], line["arm"], line["options"]
        widens = options.get("hrf_modules", arm in paper.rows()[2:])
        usual = "SiLU" if model == "conformer" else "ReLU"
        activation = str(options.get("activation", usual)).rpartition(".")[2]
        rows.append(
            {
                **MAY_LACK,
                **line,
                **line["test"],
                "model": paper.MODELS.get(model, model),
                "family": paper.family(model, arm, options),
                "ratio": options.get("hrf_ratio", 8) if widens else np.nan,
                "layers": options.get("hrf_layers", 1) if widens else np.nan,
                "activation": ACTIVATIONS.get(activation, activation),
                "fold": NO_FOLD if line["fold"] is None else str(line["fold"]),
                "epochs": options.get("number_of_epochs", line["epoch"]),
            }
        )
    table = pandas.DataFrame(rows)
    valid, loss = (
        pandas.Series([(x["valid"] or {}).get(key) for x in lines], dtype=float)
        for key in (lines[0]["metric"], "loss")
    )
    # Without scores on all validation sets the loss takes their place.
    table["valid"] = valid if valid.notna().all() else -loss
    table["row"] = name_rows(table)
    table["reference"] = _references(table)
    models = [*paper.MODELS.values(), *table["model"]]
    order = {
        "model": models.index,
        "arm": paper.place,
        "fold": lambda fold: (len(fold), fold),
    }
    keys = ["model", "arm", "activation", "layers", "ratio", "lr", "fold"]
    return table.sort_values(
        [*keys, "seed"],
        key=lambda column: column.map(order.get(column.name, lambda x: x)),
        kind="stable",
    ).reset_index(drop=True)


def name_rows(table: pandas.DataFrame, without: str = "") -> pandas.Series:
    """The arms' names with those settings that they were run with several of.

    Arguments
    ---------
    table : pandas.DataFrame
        With model, arm and the ``SETTINGS``.
    without : str
        The setting to leave out.

    Returns
    -------
    pandas.Series

    Example
    -------
    >>> table = pandas.DataFrame({"model": "conformer", "arm": "ALL",
    ...     "ratio": [2, 8, 8, 8], "layers": 1, "activation": "ReLU",
    ...     "epochs": [120, 120, 120, 30]})
    >>> name_rows(table).tolist()[2:]
    ['ALL, ratio 8', 'ALL, ratio 8, 30 epochs']
    """
    names = table["arm"].copy()
    for key, form in SETTINGS.items():
        # Within a model: activations differ between models by default.
        tried = table.groupby(["model", "arm"])[key].nunique()
        arms = tried[tried > 1].index.get_level_values("arm")
        some = table["arm"].isin(arms) & table[key].notna()
        if key == "epochs":
            some &= table[key] != _usual_epochs(table)
        if key != without and some.any():
            names[some] += ", " + table.loc[some, key].map(form.format)
    return names


def _usual_epochs(table):
    """How long most runs of the same model were trained."""
    epochs = table.groupby("model")["epochs"]
    return epochs.transform(lambda numbers: numbers.mode().max())


def _references(table):
    """The row of the lightweight model that each run is compared with.

    It has the same activation and, if there is one, as many epochs; else the
    usual number.
    """
    light = table[table["family"] == "lightweight"]
    unusual = _usual_epochs(table)[light.index] != light["epochs"]
    light = light.loc[unusual.sort_values(kind="stable").index]
    found = pandas.Series(np.nan, table.index, dtype=object)
    for keys in (["model", "activation", "epochs"], ["model", "activation"]):
        first = light.drop_duplicates(keys)[[*keys, "row"]]
        rows = table[keys].merge(first, how="left", on=keys)["row"]
        found = found.fillna(rows)
    return found
