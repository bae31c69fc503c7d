"""Where a study stands: counts, time to go, validation scores so far.

It takes no note of test scores: who watches them while trials run will stop, or
choose, by them.

Authors
 * The speechbrain_hrf authors 2026
"""

import statistics
import time

from speechbrain_hrf.sweep.rows import Row, row_names


class Progress:
    """Follows the trials of a study.

    Arguments
    ---------
    trials : list of Trial
        All of the study.
    lines : list of dict
        Of those that were finished before.
    metric : str
        Such as "UA".
    places : int
        How many run at once.
    same : set of str
        Options in which trials of one row differ: seed and fold.
    to_run : int, optional
        How many are to be run now. Default: all that are missing.
    now : callable
        A clock, in seconds.

    Example
    -------
    >>> from speechbrain_hrf.sweep.trial import Trial
    >>> a, b, c = (
    ...     Trial("X", "conformer", "ALL", {"lr": 0.1, "seed": seed}, "UA")
    ...     for seed in (1, 2, 3))
    >>> progress = Progress([a, b, c], [], "UA", places=2, same={"seed"})
    >>> progress.started(a.id)
    >>> progress.finished(a.id, valid=0.5, seconds=50)
    >>> progress.counts()
    {'done': 1, 'running': 0, 'waiting': 2, 'failed': 0}
    >>> progress.seconds_to_go()  # two trials of 50 s on two places
    50.0
    >>> [(row.name, row.done, row.mean) for row in progress.rows()]
    [(('conformer', 'ALL', ''), 1, 0.5)]
    """

    def __init__(
        self, trials, lines, metric, places, same, to_run=None, now=None
    ):
        self._trials = {trial.id: trial for trial in trials}
        self._same = same
        self._now = now or time.monotonic
        self._start = self._now()
        self._running = {}  # id: since when
        self._failed = {}  # id: reason
        self._seconds = {}  # model: list of durations
        self._done = {}  # id: validation score
        self.metric = metric
        self.places = max(1, places)
        for line in lines:
            if line["id"] in self._trials:
                valid = line["valid"]
                self._done[line["id"]] = valid and valid.get(metric)
                seconds = line["seconds"].get("total")
                self._note_seconds(line["id"], seconds)
        self._earlier = len(self._done)
        missing = len(self._trials) - self._earlier
        self.to_run = missing if to_run is None else to_run

    @property
    def total(self):
        """How many trials the study has."""
        return len(self._trials)

    @property
    def finished_now(self):
        """How many were finished since the start."""
        return len(self._done) - self._earlier

    @property
    def failures(self):
        """Reasons by trial."""
        return {self._trials[key]: why for key, why in self._failed.items()}

    def trial(self, trial_id):
        """The trial of an id.

        Arguments
        ---------
        trial_id : str

        Returns
        -------
        Trial
        """
        return self._trials[trial_id]

    def started(self, trial_id):
        """Notes that a trial runs.

        Arguments
        ---------
        trial_id : str
        """
        self._running[trial_id] = self._now()

    def stopped(self, trial_id):
        """Notes that a trial runs no more and has to run again.

        Arguments
        ---------
        trial_id : str
        """
        self._running.pop(trial_id, None)

    def ended(self):
        """Notes that nothing runs any more."""
        self._running.clear()

    def finished(self, trial_id, valid, seconds):
        """Notes a finished trial.

        Arguments
        ---------
        trial_id : str
        valid : float or None
            The metric on the validation set.
        seconds : float
        """
        self.stopped(trial_id)
        self._done[trial_id] = valid
        self._note_seconds(trial_id, seconds)

    def failed(self, trial_id, reason):
        """Notes a trial that is given up.

        Arguments
        ---------
        trial_id : str
        reason : str
        """
        self.stopped(trial_id)
        self._failed[trial_id] = reason

    def counts(self):
        """How many trials are in which state.

        Returns
        -------
        dict of str: int
            done (ever), running, waiting (to be run now), failed.
        """
        now = len(self._running) + len(self._failed) + self.finished_now
        return {
            "done": len(self._done),
            "running": len(self._running),
            "waiting": max(0, self.to_run - now),
            "failed": len(self._failed),
        }

    def elapsed(self):
        """Seconds since the start.

        Returns
        -------
        float
        """
        return self._now() - self._start

    def seconds_to_go(self):
        """Estimated from finished trials of the same model, or of any.

        Returns
        -------
        float or None
            None before the first trial has finished.
        """
        if not self._seconds:
            return None
        now = self._now()
        left = []
        waiting = self.counts()["waiting"]
        for key, trial in self._trials.items():
            if key in self._running:
                spent = now - self._running[key]
                left.append(max(0, self._expected(trial) - spent))
            elif key not in self._done and key not in self._failed and waiting:
                left.append(self._expected(trial))
                waiting -= 1
        if not left:
            return 0.0
        # No sooner than the longest, however many places there are.
        places = max(self.places, len(self._running))
        return float(max(sum(left) / places, max(left)))

    def rows(self):
        """A row for each arm, with what tells it from others.

        Returns
        -------
        list of Row
            In the order of the study.
        """
        rows = {}
        names = row_names(self._trials.values(), self._same)
        for key, name in zip(self._trials, names, strict=True):
            row = rows.setdefault(name, Row(name))
            row.total += 1
            row.running += key in self._running
            row.failed += key in self._failed
            if key in self._done:
                row.scores.append(self._done[key])
        return sorted(rows.values(), key=self._place_of_model)

    def _place_of_model(self, row):
        models = dict.fromkeys(trial.model for trial in self._trials.values())
        return list(models).index(row.name[0])

    def _note_seconds(self, trial_id, seconds):
        if seconds:
            model = self._trials[trial_id].model
            self._seconds.setdefault(model, []).append(seconds)

    def _expected(self, trial):
        known = self._seconds.get(trial.model)
        if not known:
            known = [s for some in self._seconds.values() for s in some]
        return statistics.mean(known)
