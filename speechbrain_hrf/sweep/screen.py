"""What a user sees of a running study: a table in place, or lines in a log.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import sys

from speechbrain_hrf.sweep.table import as_table, decimals, duration, status

NOTE = (
    "Scores here are of the validation set. Test scores: "
    "python -m speechbrain_hrf.report {folder}"
)
NO_VALIDATION = (
    "This protocol has no validation set, so no scores are shown here. Test "
    "scores: python -m speechbrain_hrf.report {folder}"
)


class Screen:
    """Shows the progress of a study.

    On a terminal the table is renewed in place, else each finished trial gets
    a line and the table comes at the end. It keeps to the stream that was
    standard output when it was made.

    Arguments
    ---------
    folder : str or os.PathLike
        The study's.

    Example
    -------
    >>> from speechbrain_hrf.sweep.progress import Progress
    >>> from speechbrain_hrf.sweep.trial import Trial
    >>> trial = Trial("X", "conformer", "ALL", {"lr": 0.1, "seed": 1}, "UA")
    >>> screen = Screen("study")
    >>> with screen.showing(Progress([trial], [], "UA", 1, {"seed"})):
    ...     screen.note("started", trial.id)
    ...     screen.note("finished", trial.id, valid=0.5, seconds=50)
    1/1 conformer ALL, lr 0.1, seed 1: valid UA .500, 50 s; about 0 s to go
    <BLANKLINE>
    model      arm  done  valid UA
    ---------  ---  ----  --------
    conformer  ALL  1/1   .500
    <BLANKLINE>
    Scores here are of the validation set. Test scores: ...
    """

    def __init__(self, folder):
        self._folder = folder
        self._stream = sys.stdout
        self._live = None
        self._progress = None

    @contextlib.contextmanager
    def showing(self, progress):
        """Shows a study as it goes on, and how it stood in the end.

        Arguments
        ---------
        progress : Progress

        Yields
        ------
        Screen
        """
        self._progress = progress
        try:
            if self._stream.isatty():
                with self._table_in_place() as self._live:
                    yield self
            else:
                yield self
        finally:
            self._live = None
            progress.ended()
            self.say(f"\n{as_table(progress)}\n")
            self._say_what_scores_these_are()

    def note(self, event, trial_id, **details):
        """Notes what has happened to a trial, and shows it.

        Arguments
        ---------
        event : str
            As ``run_trials`` tells it.
        trial_id : str
        **details
            Of the event.
        """
        reason = details.get("reason")
        if event == "stopped":
            self._progress.stopped(trial_id)
        else:
            getattr(self._progress, event)(trial_id, **details)
        label = self._progress.trial(trial_id).label
        if event == "stopped" and reason is not None:
            self.say(f"Will be run again: {label}: {last_line(reason)}")
        elif event == "failed":
            self.say(f"FAILED: {label}: {last_line(reason)}")
        elif event == "finished" and self._live is None:
            self.say(f"{self._number()} {label}: {self._finished(**details)}")

    def say(self, text):
        """A message, above the table where there is one.

        Arguments
        ---------
        text : str
        """
        if self._live is not None:
            self._live.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=self._stream, flush=True)

    def _number(self):
        return f"{self._progress.counts()['done']}/{self._progress.total}"

    def _finished(self, valid, seconds):
        score = ""
        if valid is not None:
            score = f"valid {self._progress.metric} {decimals(valid)}, "
        to_go = self._progress.seconds_to_go() or 0
        return f"{score}{duration(seconds)}; about {duration(to_go)} to go"

    def _table_in_place(self):
        # Comes with the sweep extra; a log needs nothing of it.
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        def table():
            progress = self._progress
            text = f"{as_table(progress)}\n\n{status(progress)}"
            return Text(text, no_wrap=True, overflow="crop")

        return Live(
            get_renderable=table,
            console=Console(file=self._stream),
            refresh_per_second=1,
            transient=True,  # the last table is printed whole
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def _say_what_scores_these_are(self):
        if self._progress.counts()["done"]:
            rows = self._progress.rows()
            scored = any(row.mean is not None for row in rows)
            note = NOTE if scored else NO_VALIDATION
            self.say(note.format(folder=self._folder))


def last_line(text):
    """What of an error stands in one line.

    Arguments
    ---------
    text : str

    Returns
    -------
    str
        At most 200 characters.

    Example
    -------
    >>> last_line("Traceback ...\\nValueError: lr is 0\\n\\n")
    'ValueError: lr is 0'
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
