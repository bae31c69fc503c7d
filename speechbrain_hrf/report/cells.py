"""Mean, spread and interval of each cell: a model, a row, a learning rate.

Authors
 * The speechbrain_hrf authors 2026
"""

import pandas

from speechbrain_hrf.metrics.scores import SCORES
from speechbrain_hrf.report.describe import describe

CELL = ["model", "row", "lr"]


def summarize(trials):
    """Every cell and score of a study.

    Arguments
    ---------
    trials : Trials

    Returns
    -------
    pandas.DataFrame
        model, row, lr, family, arm, ratio, layers, activation, metric, n,
        mean, sd, low, high (bootstrap 95 %), trained, shipped (parameters).

    Example
    -------
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame([{"model": "conformer", "row": "FFN2",
    ...     "lr": 0.001, "family": "paper", "arm": "FFN2", "ratio": 8,
    ...     "layers": 1, "activation": "Swish", "WA": score, "UA": score,
    ...     "WF1": score, "MF1": score, "trained": 9, "shipped": 6}
    ...     for score in (0.25, 0.75)])
    >>> cells = summarize(Trials(None, [], table, [], []))
    >>> float(cells.set_index("metric").loc["UA", "mean"])
    0.5
    """
    same = ["family", "arm", "ratio", "layers", "activation"]
    size = ["trained", "shipped"]
    cells = []
    for key, group in trials.table.groupby(CELL, sort=False):
        first = group.iloc[0]
        for metric in SCORES:
            cells.append(
                {
                    **dict(zip(CELL, key, strict=True)),
                    **first[same].to_dict(),
                    "metric": metric,
                    **describe(group[metric]),
                    **first[size].to_dict(),
                }
            )
    return pandas.DataFrame(cells)
