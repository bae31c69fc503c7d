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

from rich.console import Console
from rich.live import Live
from rich.table import Table

from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.tasks import Ended
from speechbrain_hrf.studies.trial import Trial

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
    >>> import pathlib
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> trial = Trial("X", "conformer", "ALL", {"lr": 0.1, "seed": 1}, "UA")
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="X",
    ...     data_folder="y")
    >>> with Screen(Study(folder, folder, [trial], keys), [trial]) as screen:
    ...     screen.update(Ended([trial], "no data"))
    0 of 1 trial, failed: conformer ALL, lr 0.1, seed 1: no data
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
        self._console.print(
            NOTE.format(folder=self._study.folder), soft_wrap=True
        )

    def update(self, ended: Ended | None) -> None:
        """Shows what has ended.

        Arguments
        ---------
        ended : Ended or None
            None: nothing.
        """
        if ended is None:
            return
        self._ended += len(ended.trials)
        if ended.reason:
            self._failed.update(_row(trial) for trial in ended.trials)
        if self._live is not None:
            return
        what = ended.trials[0].label
        if len(ended.trials) > 1:
            what = f"{ended.trials[0].model} {ended.trials[0].arm}, " + count(
                len(ended.trials), "trial"
            )
        last = (ended.reason or "").strip().splitlines()[-1:]
        state = ", failed" if ended.reason else ""
        self._console.print(
            f"{len(self._lines())} of "
            f"{count(len(self._study.trials), 'trial')}{state}: "
            + ": ".join([what, *last])
            + self._to_go(),
            soft_wrap=True,
            highlight=False,
            markup=False,
        )

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
        study = self._study
        scores = collections.defaultdict(list)
        for line in self._lines():
            name = (line["model"], line["arm"], line["lr"])
            scores[name].append((line["valid"] or {}).get(study.keys.metric))
        table = Table(
            caption=f"{sum(map(len, scores.values()))} of "
            f"{count(len(study.trials), 'trial')} done{self._to_go()}",
        )
        for head in ("model", "arm", "lr", "done", "failed"):
            table.add_column(head)
        table.add_column(f"valid {study.keys.metric}", no_wrap=True)
        rows = collections.Counter(map(_row, study.trials))
        for row, total in rows.items():
            found = scores[row]
            known = [score for score in found if score is not None]
            table.add_row(
                *map(str, row),
                f"{len(found)}/{total}",
                str(self._failed[row] or ""),
                f"{statistics.mean(known):.3f}" if known else "",
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
    >>> import pathlib
    >>> from speechbrain_hrf.studies.study import StudyFile
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="X",
    ...     data_folder="/data/X", score_at=[1, 3])
    >>> study = Study(folder, folder, [], keys)
    >>> show_plan(study)
    <BLANKLINE>
    0 trials: 0 done, 0 to run; folder: ...
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


def count(number: int, thing: str) -> str:
    """A number of things.

    Arguments
    ---------
    number : int
    thing : str

    Returns
    -------
    str

    Example
    -------
    >>> count(1, "trial"), count(2, "trial")
    ('1 trial', '2 trials')
    """
    return f"{number} {thing}{'' if number == 1 else 's'}"
