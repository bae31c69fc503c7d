"""The runs that diagnostics and confusion matrices are of.

They compare arms at the lightweight model's learning rate: what differs there
is due to the arm alone.

Authors
 * The speechbrain_hrf authors 2026
"""

LAYER_PREFIX = "embedding_model."


def arms_at_base(trials, rates, model):
    """Trials of each row of a model, at the learning rate of "same lr".

    Arguments
    ---------
    trials : Trials
    rates : dict of str: float
        Of ``base_rates``. A model without a lightweight arm is looked at where
        it has the most trials.
    model : str

    Returns
    -------
    dict of str: pandas.DataFrame
        By row, in the tables' order.

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": "conformer", "lr": [0.001, 0.002],
    ...     "row": ["FFN1", "FFN2"], "family": "paper"})
    >>> list(arms_at_base(Trials(None, [], table, [], []),
    ...     {"conformer": 0.001}, "conformer"))
    ['FFN1']
    """
    table = trials.table[trials.table["model"] == model]
    lr = rates.get(model, table["lr"].mode().iloc[0])
    # The original has a learning rate of its own.
    table = table[(table["lr"] == lr) | (table["family"] == "original")]
    return dict(list(table.groupby("row", sort=False)))


def reference_of(arms, group):
    """The lightweight model's trials that an arm is compared with.

    Arguments
    ---------
    arms : dict of str: pandas.DataFrame
    group : pandas.DataFrame
        One of them.

    Returns
    -------
    pandas.DataFrame or None
        That of the arm's activation.

    Example
    -------
    >>> import pandas
    >>> group = pandas.DataFrame({"reference": ["Lightweight, GELU"]})
    >>> reference_of({"Lightweight, ReLU": group}, group)
    """
    return arms.get(group["reference"].iloc[0])


def short_layer(name):
    """A layer's name without what all share.

    Arguments
    ---------
    name : str

    Returns
    -------
    str

    Example
    -------
    >>> short_layer("embedding_model.blocks.0.attention.query")
    'blocks.0.attention.query'
    """
    return name.removeprefix(LAYER_PREFIX)
