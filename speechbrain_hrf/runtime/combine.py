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
        self._count(log_probabilities)
        label, total = self._leader()
        return Combined(label, total / self._windows, self._windows)

    def _count(self, log_probabilities):
        for label, value in log_probabilities.items():
            self._sums[label] += math.exp(value)

    def _leader(self):
        """The label that is ahead, and what it has gathered."""
        return max(self._sums.items(), key=lambda item: item[1])


class Majority(Mean):
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
        super().__init__(labels)
        self._votes = dict.fromkeys(labels, 0)

    def _count(self, log_probabilities):
        super()._count(log_probabilities)
        self._votes[max(log_probabilities, key=log_probabilities.get)] += 1

    def _leader(self):
        label = max(
            self._votes, key=lambda name: (self._votes[name], self._sums[name])
        )
        return label, self._votes[label]


COMBINATIONS = {"mean": Mean, "majority": Majority}
