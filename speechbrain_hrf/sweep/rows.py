"""Rows of a table of trials: one per arm and what else varies in a study.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import statistics


@dataclasses.dataclass
class Row:
    """Trials that differ in fold and seed only.

    Arguments
    ---------
    name : tuple of str
        Model, arm, and what else tells it from other rows.
    total : int
    running : int
    failed : int
    scores : list of float or None
        Of the finished ones, on the validation set, where there is one.

    Example
    -------
    >>> row = Row(("conformer", "FFN2", ""), total=5, scores=[0.4, 0.5, None])
    >>> row.done, row.mean, round(row.deviation, 3)
    (3, 0.45, 0.071)
    """

    name: tuple
    total: int = 0
    running: int = 0
    failed: int = 0
    scores: list = dataclasses.field(default_factory=list)

    @property
    def done(self):
        """How many are finished."""
        return len(self.scores)

    @property
    def _known(self):
        return [score for score in self.scores if score is not None]

    @property
    def mean(self):
        """Of the validation scores; None without any."""
        return statistics.mean(self._known) if self._known else None

    @property
    def deviation(self):
        """Of a sample (n - 1); None below two scores."""
        return statistics.stdev(self._known) if self._known[1:] else None


def row_names(trials, same):
    """Which row each trial belongs to.

    Arguments
    ---------
    trials : iterable of Trial
    same : set of str
        Options in which trials of one row may differ: seed and fold.

    Returns
    -------
    list of tuple of str
        Model, arm, and those options of which the arm has several values.

    Example
    -------
    >>> from speechbrain_hrf.sweep.trial import Trial
    >>> trials = [
    ...     Trial("X", "conformer", arm, {"lr": lr, "seed": 1}, "UA")
    ...     for arm, lr in (("ALL", 0.1), ("ALL", 0.2), ("CLS", 0.1))]
    >>> for name in row_names(trials, {"seed"}):
    ...     print(name)
    ('conformer', 'ALL', 'lr 0.1')
    ('conformer', 'ALL', 'lr 0.2')
    ('conformer', 'CLS', '')
    """
    trials = list(trials)
    values = {}
    for trial in trials:
        for key, value in trial.options.items():
            arm = values.setdefault((trial.model, trial.arm), {})
            arm.setdefault(key, set()).add(str(value))
    names = []
    for trial in trials:
        varying = values[trial.model, trial.arm]
        told = [
            f"{key.removeprefix('hrf_')} {_short(value)}"
            for key, value in trial.options.items()
            if key not in same and len(varying[key]) > 1
        ]
        names.append((trial.model, trial.arm, ", ".join(told)))
    return names


def _short(value):
    """A class by its name alone."""
    text = str(value)
    return text.rpartition(".")[2] if text.startswith("!") else text
