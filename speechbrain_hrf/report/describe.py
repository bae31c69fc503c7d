"""Mean, standard deviation and bootstrap interval of some scores.

Authors
 * The speechbrain_hrf authors 2026
"""

import warnings

import numpy as np
from scipy.stats import bootstrap

CONFIDENCE = 0.95
RESAMPLES = 9999
# Of bands, where hundreds of points are drawn.
BAND_RESAMPLES = 1000


def describe(values):
    """What a table says of the scores of one cell.

    Arguments
    ---------
    values : sequence of float

    Returns
    -------
    dict
        n, mean, sd (of a sample, n - 1), low and high.

    Example
    -------
    >>> {key: round(float(value), 2)
    ...     for key, value in describe([0.4, 0.5, 0.6]).items()}
    {'n': 3.0, 'mean': 0.5, 'sd': 0.1, 'low': 0.4, 'high': 0.6}
    """
    values = np.asarray(values, dtype=float)
    low, high = mean_interval(values)
    return {
        "n": len(values),
        "mean": values.mean() if len(values) else np.nan,
        "sd": values.std(ddof=1) if len(values) > 1 else np.nan,
        "low": low,
        "high": high,
    }


def mean_interval(values, resamples=RESAMPLES):
    """Bootstrap 95 % interval of a mean (BCa; percentiles if that fails).

    Arguments
    ---------
    values : sequence of float
    resamples : int

    Returns
    -------
    float, float
        Not-a-number for fewer than two values.

    Example
    -------
    >>> mean_interval([1.0, 1.0])
    (1.0, 1.0)
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return np.nan, np.nan
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    for method in ("BCa", "percentile"):
        # It warns where nearly all values are the same; then percentiles do.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            low, high = bootstrap(
                (values,),
                np.mean,
                n_resamples=resamples,
                confidence_level=CONFIDENCE,
                method=method,
                rng=np.random.default_rng(0),
            ).confidence_interval
        if np.isfinite([low, high]).all():
            break
    return float(low), float(high)


def band(samples):
    """Mean and bootstrap 95 % band of curves.

    Arguments
    ---------
    samples : numpy.ndarray
        A row per run, a column per point; gaps are not-a-number.

    Returns
    -------
    mean, low, high : numpy.ndarray
        One value per point. A point that some run lacks has no band; one run
        alone has none at all.

    Example
    -------
    >>> mean, low, high = band(np.array([[1.0, 2.0], [1.0, 4.0]]))
    >>> mean.tolist(), low.tolist(), high.tolist()
    ([1.0, 3.0], [1.0, 2.0], [1.0, 4.0])
    """
    samples = np.asarray(samples, dtype=float)
    mean = samples.mean(axis=0)
    low, high = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    whole = np.isfinite(mean)
    if len(samples) > 1 and whole.any():
        low[whole], high[whole] = bootstrap(
            (samples[:, whole],),
            np.mean,
            n_resamples=BAND_RESAMPLES,
            confidence_level=CONFIDENCE,
            method="percentile",
            axis=0,
            rng=np.random.default_rng(0),
        ).confidence_interval
    return mean, low, high
