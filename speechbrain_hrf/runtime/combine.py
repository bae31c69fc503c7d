"""One label for many windows.

Authors
 * The speechbrain_hrf authors 2026
"""

import math

from speechbrain_hrf.runtime.result import Combined


class Mean:
    """The label whose probability is largest on average over the windows.

    Arguments
    ---------
    labels : list of str
        All labels.

    Example
    -------
    >>> mean = Mean(["calm", "sad"])
    >>> _ = mean.add({"calm": math.log(0.6), "sad": math.log(0.4)})
    >>> mean.add({"calm": math.log(0.2), "sad": math.log(0.8)})
    Combined(label='sad', probability=0.6..., windows=2)
    """

    def __init__(self, labels):
        self._sums = dict.fromkeys(labels, 0.0)
        self._windows = 0

    def add(self, log_probabilities):
        """Takes one window more.

        Arguments
        ---------
        log_probabilities : dict
            By label.

        Returns
        -------
        Combined
            For all windows so far.
        """
        self._windows += 1
        for label, value in log_probabilities.items():
            self._sums[label] += math.exp(value)
        label = max(self._sums, key=self._sums.get)
        mean = self._sums[label] / self._windows
        return Combined(label, mean, self._windows)


class Majority:
    """The label of most windows; of equally many, the more probable one.

    Arguments
    ---------
    labels : list of str
        All labels.

    Example
    -------
    >>> majority = Majority(["calm", "sad"])
    >>> for p in (0.6, 0.6, 0.1):
    ...     vote = majority.add({"calm": math.log(p), "sad": math.log(1 - p)})
    >>> vote
    Combined(label='calm', probability=0.66..., windows=3)
    """

    def __init__(self, labels):
        self._votes = dict.fromkeys(labels, 0)
        self._sums = dict.fromkeys(labels, 0.0)
        self._windows = 0

    def add(self, log_probabilities):
        """Takes one window more.

        Arguments
        ---------
        log_probabilities : dict
            By label.

        Returns
        -------
        Combined
            For all windows so far.
        """
        self._windows += 1
        self._votes[max(log_probabilities, key=log_probabilities.get)] += 1
        for label, value in log_probabilities.items():
            self._sums[label] += math.exp(value)
        label = max(
            self._votes, key=lambda name: (self._votes[name], self._sums[name])
        )
        share = self._votes[label] / self._windows
        return Combined(label, share, self._windows)


COMBINATIONS = {"mean": Mean, "majority": Majority}
