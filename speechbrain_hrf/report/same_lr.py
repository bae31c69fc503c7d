"""Which cells the paper's protocol compares: HRF at the lightweight's rate.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.report.paper import LEARNING_RATES, model_name


def base_rates(trials):
    """The learning rate of each model's lightweight arm.

    Arguments
    ---------
    trials : Trials

    Returns
    -------
    rates : dict of str: float
        By model; only those that have a lightweight arm.
    notes : list of str
        Where it had to be chosen.

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": "conformer", "lr": [0.002, 0.001],
    ...     "family": "lightweight"})
    >>> base_rates(Trials(None, [], table, [], []))
    ({'conformer': 0.001}, [])
    """
    rates, notes = {}, []
    light = trials.table[trials.table["family"] == "lightweight"]
    for model, group in light.groupby("model", sort=False):
        tried = group["lr"].value_counts()
        paper = LEARNING_RATES.get(model)
        if paper in tried.index:
            rates[model] = paper
            continue
        rates[model] = float(tried[tried == tried.max()].index.min())
        if paper is not None:
            notes.append(
                f"{model_name(model)}: the lightweight model was not tried at "
                f"the paper's learning rate, {paper:g}. Same learning rate "
                f"means {rates[model]:g} here."
            )
    return rates, notes


def same_lr_cells(trials, rates):
    """The comparisons at the lightweight model's learning rate.

    Arguments
    ---------
    trials : Trials
    rates : dict of str: float
        Of ``base_rates``.

    Returns
    -------
    chosen : list of dict
        ``model``, ``row``, ``lr``, ``reference``, ``reference_lr``.
    left_out : list of (str, str)
        Rows that cannot be compared, and why.

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": "conformer", "lr": [0.002],
    ...     "family": "paper", "row": "FFN2", "reference": "Lightweight"})
    >>> same_lr_cells(Trials(None, [], table, [], []), {"conformer": 0.001})
    ([], [('Conformer FFN2', 'not tried at 0.001')])
    """
    chosen, left_out = [], []
    arms = trials.table[trials.table["family"] != "lightweight"]
    for (model, row), group in arms.groupby(["model", "row"], sort=False):
        name = f"{model_name(model)} {row}"
        reference = group["reference"].iloc[0]
        if model not in rates:
            left_out.append((name, "no Lightweight trial has finished"))
            continue
        if not isinstance(reference, str):
            activation = group["activation"].iloc[0]
            reason = f"no Lightweight trial with {activation} has finished"
            left_out.append((name, reason))
            continue
        tried = sorted(group["lr"].unique())
        lr = rates[model]
        if group["family"].iloc[0] == "original":
            # Not an arm of HRF: shown at its own rate.
            lr = lr if lr in tried else tried[0]
        elif lr not in tried:
            left_out.append((name, f"not tried at {lr:g}"))
            continue
        chosen.append(
            {
                "model": model,
                "row": row,
                "lr": lr,
                "reference": reference,
                "reference_lr": rates[model],
            }
        )
    return chosen, left_out
