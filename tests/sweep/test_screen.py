"""Lines in a log, a table in place on a terminal.

Authors
 * The speechbrain_hrf authors 2026
"""

import io
import sys

import pytest

from speechbrain_hrf.sweep.progress import Progress
from speechbrain_hrf.sweep.screen import Screen
from speechbrain_hrf.sweep.trial import Trial

TRIALS = [
    Trial("X", "conformer", "ALL", {"lr": 0.1, "seed": seed}, "UA")
    for seed in (1, 2)
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(monkeypatch, stream, valid=0.5):
    monkeypatch.setattr(sys, "stdout", stream)
    screen = Screen("folder")
    # What Ray prints later goes elsewhere.
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with screen.showing(Progress(TRIALS, [], "UA", 1, {"seed"})):
        screen.note("started", TRIALS[0].id)
        screen.note("stopped", TRIALS[0].id, reason="node\nlost")
        screen.note("started", TRIALS[0].id)
        screen.note("finished", TRIALS[0].id, valid=valid, seconds=50)
        screen.note("failed", TRIALS[1].id, reason="Traceback\nno data")
    return stream.getvalue()


def test_a_log_gets_a_line_per_event_and_no_control_characters(monkeypatch):
    text = shown(monkeypatch, io.StringIO())
    assert "\x1b" not in text
    first, second, third, *rest = text.splitlines()
    assert first == "Will be run again: conformer ALL, lr 0.1, seed 1: lost"
    assert second.startswith("1/2 conformer ALL, lr 0.1, seed 1: valid UA .500")
    assert third == "FAILED: conformer ALL, lr 0.1, seed 2: no data"
    assert text.count("valid UA\n") == 1  # one table, at the end


def test_scores_are_said_to_be_of_the_validation_set(monkeypatch):
    text = shown(monkeypatch, io.StringIO())
    assert "Scores here are of the validation set" in text
    text = shown(monkeypatch, io.StringIO(), valid=None)
    assert "no validation set" in text


def test_a_terminal_gets_the_table_in_place(monkeypatch):
    pytest.importorskip("rich", reason="rich is not installed")
    monkeypatch.setenv("TERM", "xterm")
    text = shown(monkeypatch, Terminal())
    assert "\x1b[2K" in text  # lines are cleared and written again
    assert "1 of 2 trials done" in text
    assert "FAILED: conformer ALL, lr 0.1, seed 2: no data" in text
    assert ", 50 s; about" not in text  # no line per finished trial
