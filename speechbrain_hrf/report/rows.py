"""What a trial's row is called in all tables and figures.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.report import paper

# Activations as the paper calls them.
ACTIVATIONS = {"SiLU": "Swish", "SquaredReLU": "Squared ReLU"}
SETTINGS = {"ratio": "ratio {:g}", "layers": "{:g} extra", "activation": "{}"}


def name_rows(table):
    """Adds ``row`` and ``reference``, and sorts as the paper does.

    A row is called by its arm. Ratio, number of extra layers and activation
    are added where an arm was tried with several in one model.

    Arguments
    ---------
    table : pandas.DataFrame
        As ``load.Trials`` has it.

    Returns
    -------
    pandas.DataFrame

    Example
    -------
    >>> import pandas
    >>> common = {"model": "conformer", "activation": "Swish", "lr": 0.001,
    ...     "fold": "1", "seed": 1, "layers": 1}
    >>> table = pandas.DataFrame([
    ...     {**common, "arm": "FFN2", "ratio": 8, "family": "paper"},
    ...     {**common, "arm": "FFN2", "ratio": 2, "family": "paper"},
    ...     {**common, "arm": "QKV", "ratio": 4, "family": "paper"},
    ...     {**common, "arm": "Lightweight", "ratio": None, "layers": None,
    ...         "family": "lightweight"}])
    >>> name_rows(table)["row"].tolist()
    ['Lightweight', 'FFN2, ratio 2', 'FFN2, ratio 8', 'QKV']
    """
    table = table.assign(activation=table["activation"].replace(ACTIVATIONS))
    table["row"] = table["arm"]
    for key, form in SETTINGS.items():
        # Within a model: activations differ between models by default.
        tried = table.groupby(["model", "arm"])[key].nunique()
        arms = tried[tried > 1].index.get_level_values("arm")
        some = table.loc[table["arm"].isin(arms), key].dropna()
        if len(some):
            table.loc[some.index, "row"] += ", " + some.map(form.format)
    light = table[table["family"] == "lightweight"]
    keys = ["model", "activation"]
    references = {
        key: _reference(light, *key)
        for key in table[keys].drop_duplicates().itertuples(index=False)
    }
    table["reference"] = [
        references[key] for key in table[keys].itertuples(index=False)
    ]
    return _sorted(table)


def _reference(light, model, activation):
    """The lightweight model of the same activation, or the only one."""
    light = light[light["model"] == model]
    same = light[light["activation"] == activation]["row"].unique()
    if len(same):
        return same[0]
    names = light["row"].unique()
    return names[0] if len(names) == 1 else None


def _sorted(table):
    """Models as they came; rows as the paper prints them, then the others."""
    order = paper.rows()
    models = list(table["model"].unique())
    arms = [*order, *(arm for arm in table["arm"].unique() if arm not in order)]
    places = {
        "model": models.index,
        "arm": arms.index,
        "fold": lambda fold: (len(fold), fold),
    }
    keys = ["model", "arm", "activation", "layers", "ratio", "lr"]
    return table.sort_values(
        [*keys, "fold", "seed"],
        key=lambda column: column.map(places.get(column.name, lambda x: x)),
        kind="stable",
    ).reset_index(drop=True)
