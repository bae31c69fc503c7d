"""Every arm against its lightweight model, speaker by speaker.

The unit is the test speaker. A speaker's score is the mean over seeds; those of
an arm and of the lightweight model are paired. Two comparisons are made: at
the same learning rate, as in the paper, and with each at its own best rate,
chosen on validation speakers. Holm's correction acts within a family: one
model's rows of the paper, or its other arms, in one comparison.

Speakers of one fold are tested on the same trained models, so what is luck of
these runs looks like agreement of speakers. A second test therefore lets
speakers and runs vary: a t test whose variance is clustered by both (Cameron,
Gelbach and Miller, Robust Inference With Multiway Clustering, 2011).

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses

import numpy as np
import pandas
from scipy import stats

from speechbrain_hrf.studies.results import Results

ALPHA = 0.05
RESAMPLES = 9999
FEWEST_SPEAKERS = 6  # fewer cannot give a Wilcoxon test p < .05
# Equal differences of shares have to tie; floats differ in the last digits.
DIGITS = 10
SAME = "At the lightweight model's learning rate"
BEST = "Each at its own best learning rate"
ALL_MODELS = "all models"
GAIN, LOSS, NOTHING = "gain shown", "loss shown", "nothing shown"
TOO_FEW = "too little run"
# Behind a difference in a table; what they mean stands below it.
MARKS = {GAIN: "▲", LOSS: "▼", NOTHING: "·", TOO_FEW: "?"}


@dataclasses.dataclass(frozen=True)
class Comparisons:
    """What was compared.

    Arguments
    ---------
    table : pandas.DataFrame
        A line per comparison (``SAME`` or ``BEST``), model (or
        ``ALL_MODELS``), family and row, with what ``paired`` gives, ``p_holm``,
        ``p_runs_holm`` and ``verdict``.
    chosen : pandas.DataFrame
        Of ``choose_rates``.

    Example
    -------
    >>> table = pandas.DataFrame({"model": ["Conformer"], "comparison": SAME})
    >>> len(Comparisons(table, None).same), len(Comparisons(table, None).best)
    (1, 0)
    """

    table: pandas.DataFrame
    chosen: pandas.DataFrame

    @property
    def best(self) -> pandas.DataFrame:
        """What was found at best rates: of models, not of all together."""
        return self.table.query("model != @ALL_MODELS and comparison == @BEST")

    @property
    def same(self) -> pandas.DataFrame:
        """What was found at the same rate: over all models first."""
        return self.table[self.table["comparison"] == SAME].sort_values(
            "model", key=lambda model: model != ALL_MODELS, kind="stable"
        )


def compare(results: Results) -> Comparisons:
    """Makes every comparison that a study allows.

    Arguments
    ---------
    results : Results

    Returns
    -------
    Comparisons

    Example
    -------
    >>> table = pandas.DataFrame({"model": ["conformer"], "row": "ALL",
    ...     "arm": "ALL", "family": "paper", "lr": 0.001, "reference": None,
    ...     "metric": "UA", "fold": "1", "seed": 1, "test_set": "a", "valid": 0.5,
    ...     "counts": [{"01": np.eye(2, dtype=int)}]})
    >>> len(compare(Results(None, table, [])).table)
    0
    """
    chosen = choose_rates(results)
    same = {
        arm: dict(zip(runs["fold"], runs["lr"], strict=True))
        for arm, runs in results.runs.groupby(["model", "row"])
    }
    best = chosen.set_index(["model", "row"])["by_fold"].to_dict()
    arms = results.table[results.table["family"] != "lightweight"]
    found, pooled = [], {}
    for (model, row), runs in arms.groupby(["model", "row"], sort=False):
        family, reference = runs[["family", "reference"]].iloc[0]
        for comparison, rates in ((SAME, same), (BEST, best)):
            pairs = (
                speakers_at(results, (model, row), rates)
                - speakers_at(results, (model, reference), rates)
            ).dropna()
            if len(pairs):
                key = {"comparison": comparison, "family": family, "row": row}
                found.append({**key, "model": model, **paired(pairs)})
                pooled.setdefault(tuple(key.items()), []).append(pairs)
    for key, parts in pooled.items():
        over = pandas.concat(parts, axis=1, join="inner").mean(axis=1)
        if 1 < len(parts) == len(results.models) and len(over):
            found.append({**dict(key), "model": ALL_MODELS, **paired(over)})
    return Comparisons(judged(found), chosen)


def choose_rates(results: Results) -> pandas.DataFrame:
    """The best learning rate of each arm that was run at several, per fold.

    By the mean validation score over those folds and seeds that all its rates
    have. Where folds take turns, a fold's test speakers validate the fold
    before it (the last fold, for the first): that fold has no vote.

    Arguments
    ---------
    results : Results

    Returns
    -------
    pandas.DataFrame
        model, row, valid (rate to its mean over all pairs), by_fold (fold to
        rate).

    Example
    -------
    >>> table = pandas.DataFrame({"model": "conformer", "row": "ALL",
    ...     "fold": "1", "seed": 1, "lr": [1e-3, 2e-3], "valid": [0.4, 0.5],
    ...     "family": "paper"})
    >>> choose_rates(Results(None, table, []))["by_fold"][0]
    {'1': 0.002}
    """
    lines = []
    arms = results.table[results.table["family"] != "original"]
    for (model, row), runs in arms.groupby(["model", "row"], sort=False):
        scores = runs.pivot_table("valid", ["fold", "seed"], "lr").dropna()
        if len(scores.columns) < 2 or not len(scores):
            continue
        folds = sorted(runs["fold"].unique(), key=lambda x: (len(x), x))
        of = scores.index.get_level_values("fold")
        by_fold = {}
        for k, fold in enumerate(folds):
            voters = scores[of != folds[k - 1]] if len(folds) > 1 else scores
            if len(voters):
                by_fold[fold] = float(voters.mean().idxmax())
        lines.append((model, row, scores.mean().to_dict(), by_fold))
    return pandas.DataFrame(lines, columns=["model", "row", "valid", "by_fold"])


def speakers_at(
    results: Results, arm: tuple[str, str], rates: dict
) -> pandas.Series:
    """The score of each speaker in each run of an arm at its rate.

    Arguments
    ---------
    results : Results
    arm : tuple of str
        Model and row.
    rates : dict
        By arm: fold to rate. Of an arm that is not there, no score is.

    Returns
    -------
    pandas.Series
        By test_set, fold, seed, speaker.

    Example
    -------
    >>> table = pandas.DataFrame({"model": ["conformer"], "row": "ALL",
    ...     "lr": 0.001, "fold": "1", "seed": 1, "test_set": "a", "metric": "UA",
    ...     "counts": [{"01": np.eye(2, dtype=int)}]})
    >>> arm = "conformer", "ALL"
    >>> rates = {arm: {"1": 0.001}}
    >>> speakers_at(Results(None, table, []), arm, rates).tolist()
    [1.0]
    """
    level = results.speakers.index.get_level_values
    at = level("lr") == level("fold").map(rates.get(arm, {}))
    at &= (level("model") == arm[0]) & (level("row") == arm[1])
    return results.speakers[at].droplevel(["model", "row", "lr"])


def paired(pairs: pandas.Series) -> dict:
    """Statistics of the differences between two arms.

    Arguments
    ---------
    pairs : pandas.Series
        Arm minus reference, by test_set, fold, seed and speaker.

    Returns
    -------
    dict
        speakers, runs (counts), difference (mean over speakers), low and high
        (bootstrap 95 % over speakers), up (speakers), p (Wilcoxon signed-rank),
        p_runs (t test, clustered by speaker and run), folds, folds_up, fold_low
        and fold_high (95 % t interval of the folds' means).

    Example
    -------
    >>> names = ["fold", "seed", "speaker"]
    >>> index = [(str(k), 1, str(k)) for k in range(6)]
    >>> index = pandas.MultiIndex.from_tuples(index, names=names)
    >>> found = paired(pandas.Series([1, 2, 3, 4, 5, 6], index) / 100)
    >>> float(found["p"]), round(float(found["difference"]), 3)
    (0.03125, 0.035)
    """
    speakers = pairs.groupby("speaker").mean().round(DIGITS).to_numpy()
    folds = pairs.groupby(["fold", "speaker"]).mean().groupby("fold").mean()
    low, high = interval(speakers)
    fold_low = fold_high = np.nan
    # Of two means a t interval spans nearly everything.
    if len(folds) > 2 and np.ptp(folds):
        test = stats.ttest_1samp(folds, 0)
        fold_low, fold_high = test.confidence_interval()
    return {
        "speakers": len(speakers),
        "runs": len(pairs.groupby(["fold", "seed"])),
        "difference": speakers.mean(),
        "low": low,
        "high": high,
        "up": int((speakers > 0).sum()),
        "p": stats.wilcoxon(speakers).pvalue if speakers.any() else 1.0,
        "p_runs": _p_of_clusters(pairs),
        "folds": len(folds),
        "folds_up": int((folds > 0).sum()),
        "fold_low": fold_low,
        "fold_high": fold_high,
    }


def interval(values: np.ndarray) -> tuple[float, float]:
    """Bootstrap 95 % interval of a mean (BCa).

    Arguments
    ---------
    values : numpy.ndarray

    Returns
    -------
    float, float
        Not-a-number for fewer than two values.

    Example
    -------
    >>> low, high = interval(np.array([1.0, 1.5, 2.0, 2.5]))
    >>> bool(1 < low < 1.75 < high < 2.5)
    True
    """
    if len(values) < 2 or not np.ptp(values):
        end = values[0] if len(values) > 1 else np.nan
        return end, end
    return stats.bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, rng=0
    ).confidence_interval


def _p_of_clusters(pairs):
    """Of the mean over speakers, which share runs: clustered by both."""
    speaker = pairs.index.get_level_values("speaker").factorize()[0]
    run = pairs.index.droplevel("speaker").factorize()[0]
    freedom = min(speaker.max(), run.max())
    if freedom < 1:
        return 1.0  # one run, or one speaker, shows nothing
    # statsmodels' cov_cluster_2groups, without the time of a regression
    weight = 1 / np.bincount(speaker)[speaker] / (speaker.max() + 1)
    mean = (weight * pairs).sum()
    rest = (weight * (pairs - mean)).to_numpy()
    by_speaker, by_run, by_both = (
        (sums**2).sum() * len(sums) / (len(sums) - 1)
        for sums in (np.bincount(speaker, rest), np.bincount(run, rest), rest)
    )
    # A difference of estimates may come out too small.
    variance = max(by_speaker + by_run - by_both, by_speaker, by_run)
    if variance < 10**-DIGITS:
        return float(abs(mean) < 10**-DIGITS)
    return float(2 * stats.t.sf(abs(mean) / np.sqrt(variance), freedom))


def judged(lines: list[dict]) -> pandas.DataFrame:
    """Corrects family by family, and adds the verdicts.

    Arguments
    ---------
    lines : list of dict
        Of ``paired``, with comparison, family, row and model.

    Returns
    -------
    pandas.DataFrame
        With p_holm, p_runs_holm, smallest_p_holm and verdict.

    Example
    -------
    >>> line = {"comparison": SAME, "family": "ours", "model": "conformer",
    ...     "p": 0.01, "p_runs": 0.02, "low": 0.01, "high": 0.05,
    ...     "speakers": 24, "runs": 24, "folds": 6, "folds_up": 6}
    >>> judged([line, line])["verdict"].tolist()
    ['gain shown', 'gain shown']
    >>> judged([line, line, line])["verdict"].tolist()
    ['nothing shown', 'nothing shown', 'nothing shown']
    """
    if not lines:
        columns = ["comparison", "family", "row", "model", "verdict"]
        return pandas.DataFrame(columns=columns)
    table = pandas.DataFrame(lines)
    # Controls are in the family of our other arms.
    family = table["family"].replace("control", "ours")
    groups = table.groupby(["comparison", family, "model"])
    for key in ("p", "p_runs"):
        table[f"{key}_holm"] = groups[key].transform(holm)
    # The smallest p that so many speakers can give.
    smallest = 2.0 ** (1 - table["speakers"])
    table["smallest_p_holm"] = smallest * groups["p"].transform("size")
    table["verdict"] = [verdict(line) for line in table.to_dict("records")]
    return table


def holm(p_values: list[float] | pandas.Series) -> pandas.Series:
    """Holm's correction for a family of tests.

    By hand, since statsmodels' collects the garbage of the whole process first.

    Arguments
    ---------
    p_values : list of float or pandas.Series

    Returns
    -------
    pandas.Series

    Example
    -------
    >>> holm([0.01, 0.03]).tolist()
    [0.02, 0.03]
    """
    ordered = pandas.Series(p_values).sort_values()
    steps = ordered * np.arange(len(ordered), 0, -1)
    return steps.cummax().clip(upper=1).sort_index()


def verdict(line: dict) -> str:
    """What a comparison shows, by rules that are fixed beforehand.

    report_method.md says them to the reader of a report.

    A gain or loss is shown if Holm's p is below .05 in both tests, the
    interval lies on one side of zero, and so do more than half of the folds.

    Arguments
    ---------
    line : dict
        Of ``paired``, corrected.

    Returns
    -------
    str
        ``GAIN``, ``LOSS``, ``NOTHING``, or ``TOO_FEW`` where the speakers or
        runs could not have shown anything.

    Example
    -------
    >>> line = {"speakers": 24, "runs": 24, "p_holm": 0.01, "low": 0.02,
    ...     "high": 0.09, "p_runs_holm": 0.03, "smallest_p_holm": 1e-6,
    ...     "folds": 6, "folds_up": 6}
    >>> verdict(line), verdict({**line, "folds_up": 3})
    ('gain shown', 'nothing shown')
    >>> verdict({**line, "speakers": 5})
    'too little run'
    """
    few = line["speakers"] < FEWEST_SPEAKERS or line["runs"] < 2
    if few or min(line["smallest_p_holm"], line["p_holm"]) >= ALPHA:
        return TOO_FEW
    if max(line["p_holm"], line["p_runs_holm"]) < ALPHA:
        folds_down = line["folds"] - line["folds_up"]
        if line["low"] > 0 and line["folds_up"] > folds_down:
            return GAIN
        if line["high"] < 0 and line["folds_up"] < folds_down:
            return LOSS
    return NOTHING
