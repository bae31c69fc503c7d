"""What a user sees of a study: its trials before it, its progress during it.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import collections
import datetime
import statistics
import sys
import time
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.tables import count
from speechbrain_hrf.studies.tasks import Ended
from speechbrain_hrf.studies.trial import Trial
from speechbrain_hrf.training.scores import score_text

NOTE = (
    "Scores here are of the validation set, where there is one. Test scores: "
    "hrf report {folder}"
)


class Screen:
    """Shows the progress of a study, by rich.

    On a terminal a table is renewed in place, else each finished trial gets a
    line and the table comes at the end. It keeps to the stream that was
    standard output when it was made.

    Arguments
    ---------
    study : Study
    chosen : list of Trial
        Those that are to run now.

    Example
    -------
    >>> study = getfixture("demo_study")
    >>> with Screen(study, study.trials) as screen:
    ...     screen.update(Ended(study.trials, "no data"))
    0 of 1 trial, failed: conformer ALL, lr 0.001, ..., seed 1: no data
    ...
    """

    def __init__(self, study: Study, chosen: list[Trial]):
        self._study, self._chosen = study, chosen
        self._console = Console(
            file=sys.stdout, width=None if sys.stdout.isatty() else 200
        )
        self._live: Live | None = None
        self._ended = 0
        self._failed: collections.Counter = collections.Counter()
        self._start = time.monotonic()

    def __enter__(self) -> Screen:
        if self._console.is_terminal:
            self._live = Live(
                console=self._console,
                get_renderable=self._table,
                refresh_per_second=1,
            )
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()
        else:
            self._console.print(self._table())
        self._say(NOTE.format(folder=self._study.folder))

    def update(self, ended: Ended) -> None:
        """Shows what has ended.

        Arguments
        ---------
        ended : Ended
        """
        trials = ended.trials
        self._ended += len(trials)
        if ended.reason:
            self._failed.update(_row(trial) for trial in trials)
        if self._live is not None:
            return
        what = trials[0].label
        if len(trials) > 1:
            number = count(len(trials), "trial")
            what = f"{trials[0].model} {trials[0].arm}, {number}"
        last = (ended.reason or "").strip().splitlines()[-1:]
        done = f"{len(self._lines())} of {self._all()}"
        state = ", failed" if ended.reason else ""
        self._say(f"{done}{state}: {': '.join([what, *last])}{self._to_go()}")

    def _say(self, text):
        # As it is: neither cut nor coloured, and brackets are brackets.
        self._console.print(text, soft_wrap=True, highlight=False, markup=False)

    def _all(self):
        return count(len(self._study.trials), "trial")

    def _lines(self):
        """Of this study's trials: its folder may hold more."""
        ids = {trial.id for trial in self._study.trials}
        return [x for x in read_lines(self._study.folder) if x["id"] in ids]

    def _to_go(self):
        left = len(self._chosen) - self._ended
        if not self._ended or not left:
            return ""
        elapsed = time.monotonic() - self._start
        seconds = round(elapsed / self._ended * left)
        return f"; about {datetime.timedelta(seconds=seconds)} to go"

    def _table(self):
        metric = self._study.keys.metric
        lines: dict[Any, list] = collections.defaultdict(list)
        for line in self._lines():
            score = (line["valid"] or {}).get(metric)
            lines[line["model"], line["arm"], line["lr"]].append(score)
        done = sum(map(len, lines.values()))
        table = Table(
            *("model", "arm", "lr", "done", "failed", f"valid {metric}"),
            caption=f"{done} of {self._all()} done{self._to_go()}",
        )
        rows = collections.Counter(map(_row, self._study.trials))
        for row, total in rows.items():
            known = [score for score in lines[row] if score is not None]
            table.add_row(
                *map(str, row),
                f"{len(lines[row])}/{total}",
                str(self._failed[row] or ""),
                score_text(statistics.mean(known)) if known else "",
            )
        return table


def _row(trial):
    return (trial.model, trial.arm, trial.lr)


def show_plan(study: Study) -> None:
    """Lists a study's trials, done and to run.

    Arguments
    ---------
    study : Study

    Example
    -------
    >>> show_plan(getfixture("demo_study"))
    9c...  to run  conformer ALL, lr 0.001, seed 1
    <BLANKLINE>
    1 trial: 0 done, 1 to run; folder: ...
    """
    done = {line["id"] for line in read_lines(study.folder)}
    for trial in study.trials:
        state = "done  " if trial.id in done else "to run"
        print(f"{trial.id}  {state}  {trial.label}")
    here = sum(trial.id in done for trial in study.trials)
    print(
        f"\n{count(len(study.trials), 'trial')}: {here} done, "
        f"{len(study.trials) - here} to run; folder: {study.folder}"
    )
