"""What a user sees of a study: its trials before it, its progress during it.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import statistics
import sys

from rich.console import Console
from rich.progress import Progress

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

    A line for each trial that ends, with its score on the validation set, and
    below them a bar: renewed in place on a terminal, else shown at the end. It
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
            console=Console(file=sys.stdout, width=width),
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._bar = self._progress.add_task("trials", total=len(study.trials))

    def __enter__(self) -> Screen:
        self._finished()
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
        first, total = trials[0], len(self._study.trials)
        what, state = first.label, ""
        if len(trials) > 1:
            arm = f"{first.model} {first.arm}"
            what = f"{arm}, {count(len(trials), 'trial')}"
        finished = self._finished()
        metric = self._study.keys.metric
        lines = [finished[x.id] for x in trials if x.id in finished]
        scores = [(line["valid"] or {}).get(metric) for line in lines]
        scores = [score for score in scores if score is not None]
        if reason:
            what, state = f"{what}: {reason.splitlines()[-1]}", ", failed"
        elif scores:
            what += f": valid {metric} {score_text(statistics.mean(scores))}"
        self._print(
            f"{len(finished)} of {count(total, 'trial')}{state}: {what}"
        )

    def _print(self, text):
        # As it is: neither cut nor coloured, and brackets are brackets.
        self._progress.console.print(
            text, soft_wrap=True, highlight=False, markup=False
        )

    def _finished(self):
        """The study's lines by their trials' ids; brings the bar up to date."""
        wanted = {trial.id for trial in self._study.trials}
        lines = read_lines(self._study.folder)
        lines = {x["id"]: x for x in lines if x["id"] in wanted}
        self._progress.update(self._bar, completed=len(lines))
        return lines


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
