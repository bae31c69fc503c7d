"""The table of a study's runs: each one's row, and the row it is compared with.

Authors
 * The speechbrain_hrf authors 2026
"""

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


def make_table(lines: list[dict]) -> pandas.DataFrame:
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
        WA, UA, WF1, MF1, valid (a number, larger is better), epochs, usual
        (the number of epochs of most runs of the model).

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
        widens = options.get("hrf_modules", arm in paper.ROWS[2:])
        default = "SiLU" if model == "conformer" else "ReLU"
        activation = str(options.get("activation", default)).rpartition(".")[2]
        valid = line["valid"] or {}
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
                "valid": valid.get(line["metric"]),
                "loss": valid.get("loss"),
            }
        )
    table = pandas.DataFrame(rows).astype({"valid": float, "loss": float})
    # Without scores on all validation sets the loss takes their place.
    if table["valid"].isna().any():
        table["valid"] = -table["loss"]
    epochs = table.groupby("model")["epochs"]
    table["usual"] = epochs.transform(lambda numbers: numbers.mode().max())
    table["row"] = name_rows(table)
    table["reference"] = _references(table)
    models = [*paper.MODELS.values(), *table["model"]]
    places = table.assign(
        model=table["model"].map(models.index),
        arm=table["arm"].map(paper.place),
        fold=table["fold"].str.zfill(9),  # fold 2 before fold 10
    )
    keys = ["model", "arm", "activation", "layers", "ratio", "lr", "fold"]
    order = places.sort_values([*keys, "seed"], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def name_rows(table: pandas.DataFrame, without: str = "") -> pandas.Series:
    """The arms' names with those settings that they were run with several of.

    Arguments
    ---------
    table : pandas.DataFrame
        With model, arm, the ``SETTINGS``, and usual epochs.
    without : str
        The setting to leave out.

    Returns
    -------
    pandas.Series

    Example
    -------
    >>> table = pandas.DataFrame({"model": "conformer", "arm": "ALL",
    ...     "ratio": [2, 8, 8, 8], "layers": 1, "activation": "ReLU",
    ...     "epochs": [120, 120, 120, 30], "usual": 120})
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
            some &= table[key] != table["usual"]
        if key != without and some.any():
            names[some] += ", " + table.loc[some, key].map(form.format)
    return names


def _references(table):
    """The row of the lightweight model that each run is compared with.

    It has the same activation and, if there is one, as many epochs; else the
    usual number.
    """
    light = table[table["family"] == "lightweight"]
    unusual = (light["epochs"] != light["usual"]).sort_values(kind="stable")
    light = light.loc[unusual.index]
    found = pandas.Series(np.nan, table.index, dtype=object)
    for keys in (["model", "activation", "epochs"], ["model", "activation"]):
        first = light.drop_duplicates(keys)[[*keys, "row"]]
        rows = table[keys].merge(first, how="left", on=keys)["row"]
        found = found.fillna(rows)
    return found
