"""What a user sees of a study: its trials before it, its progress during it.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import collections
import statistics
import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.tables import count
from speechbrain_hrf.studies.trial import Trial
from speechbrain_hrf.training.scores import score_text

NOTE = (
    "Scores here are of the validation set, where there is one. Test scores: "
    "hrf report {folder}"
)


class Screen:
    """Shows the progress of a study, by rich.

    A bar for each arm of a model at a learning rate, with how many trials
    have failed and the mean score on the validation set; renewed in place on a
    terminal, else shown at the end. Each trial that ends is a line above. It
    keeps to the stream that was standard output when it was made.

    Arguments
    ---------
    study : Study

    Example
    -------
    >>> study = getfixture("demo_study")
    >>> with Screen(study) as screen:
    ...     screen.update(study.trials, "no data")
    0 of 1 trial, failed: conformer ALL, lr 0.001, seed 1: no data
    ...
    """

    def __init__(self, study: Study):
        self._study = study
        width = None if sys.stdout.isatty() else 200
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=10),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=Console(file=sys.stdout, width=width),
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._failed: collections.Counter = collections.Counter()
        totals = collections.Counter(map(_row, study.trials))
        self._bars = {
            row: self._progress.add_task(row, total=total, note="")
            for row, total in {**totals, "all": len(study.trials)}.items()
        }

    def __enter__(self) -> Screen:
        self._show_lines()
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()
        self._print(NOTE.format(folder=self._study.folder))

    def update(self, trials: list[Trial], reason: str | None) -> None:
        """Shows what has ended.

        Arguments
        ---------
        trials : list of Trial
            Of one task.
        reason : str or None
            Why it failed; None: they are finished.
        """
        what, state = trials[0].label, ""
        if len(trials) > 1:
            arm = f"{trials[0].model} {trials[0].arm}"
            what = f"{arm}, {count(len(trials), 'trial')}"
        if reason:
            self._failed.update(map(_row, trials))
            what, state = f"{what}: {reason.splitlines()[-1]}", ", failed"
        done, total = self._show_lines(), len(self._study.trials)
        self._print(f"{done} of {count(total, 'trial')}{state}: {what}")

    def _print(self, text):
        # As it is: neither cut nor coloured, and brackets are brackets.
        self._progress.console.print(
            text, soft_wrap=True, highlight=False, markup=False
        )

    def _show_lines(self):
        """Brings the bars up to date; how many trials are done."""
        lines = {line["id"]: line for line in read_lines(self._study.folder)}
        scores = collections.defaultdict(list)
        for trial in self._study.trials:
            if trial.id in lines:
                valid = lines[trial.id]["valid"] or {}
                scores[_row(trial)].append(valid.get(self._study.keys.metric))
        for row, bar in self._bars.items():
            notes = []
            if self._failed[row]:
                notes.append(f"{self._failed[row]} failed")
            known = [score for score in scores[row] if score is not None]
            if known:
                notes.append(f"valid {score_text(statistics.mean(known))}")
            self._progress.update(
                bar, completed=len(scores[row]), note=", ".join(notes)
            )
        done = sum(map(len, scores.values()))
        self._progress.update(self._bars["all"], completed=done)
        return done


def _row(trial):
    return f"{trial.model} {trial.arm}, lr {trial.lr}"


def show_plan(study: Study) -> None:
    """Lists a study's trials, done and to run.

    Arguments
    ---------
    study : Study

    Example
    -------
    >>> show_plan(getfixture("demo_study"))
    3781...  to run  conformer ALL, lr 0.001, seed 1
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
