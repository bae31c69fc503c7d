"""What a user sees of a study: its trials before it, its progress during it.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import TextIO

from rich.console import Console
from rich.progress import Progress

from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.study import Study
from speechbrain_hrf.studies.tables import count
from speechbrain_hrf.studies.trial import Trial
from speechbrain_hrf.training.scores import score_text

NOTE = "Scores here are of the validation set. Test scores: hrf report {}"


@contextlib.contextmanager
def show_progress(
    study: Study, stream: TextIO
) -> Iterator[Callable[[list[Trial], str | None], None]]:
    """Shows the progress of a study, by rich.

    A line for each trial that ends, with its score on the validation set, and
    below them a bar: renewed in place on a terminal, else shown at the end.

    Arguments
    ---------
    study : Study
    stream : file
        Where to.

    Yields
    ------
    callable
        To be told of trials that have ended, and why those failed of them
        that have no line.

    Example
    -------
    >>> import sys
    >>> study = getfixture("demo_study")
    >>> with show_progress(study, sys.stdout) as show:
    ...     show(study.trials, "no data")
    0 of 1 trial: conformer ALL, lr 0.001, seed 1: failed: no data
    ...
    """
    ids, metric = {trial.id for trial in study.trials}, study.keys.metric
    # Text as it is: neither cut nor coloured, and brackets are brackets.
    console = Console(
        file=stream, soft_wrap=True, highlight=False, markup=False
    )
    with Progress(
        console=console, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        bar = progress.add_task("trials", total=len(study.trials))

        def show(trials, why):
            lines = read_lines(study.folder)
            done = {line["id"]: line for line in lines if line["id"] in ids}
            progress.update(bar, completed=len(done))
            so_far = f"{len(done)} of {count(len(study.trials), 'trial')}"
            for trial in trials:
                if trial.id in done:
                    valid = done[trial.id]["valid"] or {}
                    end = f"valid {metric} {score_text(valid.get(metric))}"
                else:  # a network file system shows new lines late
                    end = f"failed: {why.splitlines()[-1]}" if why else "done"
                console.print(f"{so_far}: {trial.label}: {end}")

        show([], None)
        yield show
    console.print(NOTE.format(study.folder))


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
    1 trial, 1 to run; folder: ...
    """
    done = {line["id"] for line in read_lines(study.folder)}
    for trial in study.trials:
        state = "done  " if trial.id in done else "to run"
        print(f"{trial.id}  {state}  {trial.label}")
    total = count(len(study.trials), "trial")
    left = sum(trial.id not in done for trial in study.trials)
    print(f"\n{total}, {left} to run; folder: {study.folder}")
