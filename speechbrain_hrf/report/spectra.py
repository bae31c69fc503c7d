"""Effective rank of the merged weights of every arm, layer by layer.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pandas

from speechbrain_hrf.report.arms import (
    arms_at_base,
    reference_of,
    short_layer,
)
from speechbrain_hrf.studies.spectrum import effective_rank


def effective_ranks(trials, rates):
    """Mean effective rank by row and layer, beside the lightweight model's.

    Arguments
    ---------
    trials : Trials
    rates : dict of str: float
        The learning rate of "same lr", by model.

    Returns
    -------
    pandas.DataFrame
        model, row, layer, n, effective_rank (mean), full_rank, lightweight
        (its mean), ratio.

    Example
    -------
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": "conformer", "lr": 0.001,
    ...     "row": ["Lightweight", "FFN2"], "family": ["lightweight", "paper"],
    ...     "reference": "Lightweight", "line": [0, 1]})
    >>> lines = [{"spectra": {"a": [1.0, 1.0]}}, {"spectra": {"a": [1.0, 0.0]}}]
    >>> ranks = effective_ranks(Trials(None, lines, table, [], []), {})
    >>> ranks["ratio"].round(6).tolist()
    [1.0, 0.5]
    """
    rows = []
    for model in trials.models:
        arms = arms_at_base(trials, rates, model)
        for row, group in arms.items():
            if group["family"].iloc[0] == "original":
                continue  # other sizes, other layers
            light = reference_of(arms, group)
            plain = {} if light is None else _means(trials, light)
            for layer, (mean, full, n) in _means(trials, group).items():
                reference = plain.get(layer, (np.nan,))[0]
                rows.append(
                    [model, row, short_layer(layer), n]
                    + [mean, full, reference, mean / reference]
                )
    columns = ["model", "row", "layer", "n", "effective_rank", "full_rank"]
    return pandas.DataFrame(rows, columns=[*columns, "lightweight", "ratio"])


def _means(trials, group):
    """By layer: mean effective rank, full rank, runs."""
    ranks, full = {}, {}
    for line in group["line"]:
        for layer, values in (trials.lines[line]["spectra"] or {}).items():
            if np.isfinite(values).all() and np.any(values):
                ranks.setdefault(layer, []).append(effective_rank(values))
                full[layer] = len(values)
    return {
        layer: (float(np.mean(values)), full[layer], len(values))
        for layer, values in ranks.items()
    }


def mean_spectra(trials, group):
    """Mean normalised singular values of one row, by layer.

    Arguments
    ---------
    trials : Trials
    group : pandas.DataFrame
        The row's trials.

    Returns
    -------
    dict of str: numpy.ndarray
        Each run's values are divided by its largest.

    Example
    -------
    >>> from speechbrain_hrf.report.load import Trials
    >>> lines = [{"spectra": {"a": [4.0, 1.0]}}, {"spectra": {"a": [4.0, 3.0]}}]
    >>> group = pandas.DataFrame({"line": [0, 1]})
    >>> mean_spectra(Trials(None, lines, group, [], []), group)["a"].tolist()
    [1.0, 0.5]
    """
    spectra = {}
    for line in group["line"]:
        for layer, values in (trials.lines[line]["spectra"] or {}).items():
            values = np.array(values, dtype=float)
            if np.isfinite(values).all() and values.any():
                layer = short_layer(layer)
                spectra.setdefault(layer, []).append(values / values.max())
    return {layer: np.mean(runs, axis=0) for layer, runs in spectra.items()}
