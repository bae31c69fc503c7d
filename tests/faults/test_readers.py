"""Malformed input, in every reader: the right result, or one clear sentence.

Whatever a file was turned into, a reader ends within a time limit, and either
finds what it finds in the clean file, or says in a warning that something is
missing, or refuses it by an error that users understand.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import pathlib
import queue
import subprocess
import sys
import threading

import kinds
import pytest
from readers import READERS

SECONDS = 60  # that a reader may take; clean files take milliseconds
HERE = pathlib.Path(__file__).parent


class Process:
    """``reading.py``, started again when it had to be killed."""

    def __init__(self, folder):
        self.folder, self.process = folder, None

    def ask(self, reader, kind):
        """Yields an answer for each damaged file; the last one may be lost."""
        if self.process is None:
            self.start()
        job = {"reader": reader, "kind": kind, "folder": str(self.folder)}
        job["folder"] += f"/{list(READERS).index(reader)}"
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        while True:
            try:
                line = self.answers.get(timeout=SECONDS)
            except queue.Empty:
                self.stop()
                yield {"came": "raw", "problem": f"no end after {SECONDS} s"}
                return
            if not line:
                self.stop()
                yield {"came": "raw", "problem": "the process died"}
                return
            answer = json.loads(line)
            if answer.get("end"):
                return
            yield answer

    def start(self):
        """Starts it, and a thread that hears it."""
        self.process = subprocess.Popen(
            [sys.executable, HERE / "reading.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=open(self.folder / "stderr.txt", "a"),
            text=True,
        )
        self.answers = queue.Queue()

        def hear(stream, answers):
            for line in stream:
                answers.put(line)
            answers.put("")

        arguments = (self.process.stdout, self.answers)
        threading.Thread(target=hear, args=arguments, daemon=True).start()
        # Libraries may take longer to import than any file to be read.
        assert self.answers.get(timeout=10 * SECONDS), "it does not start"

    def stop(self):
        """Kills it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture(scope="session")
def process(tmp_path_factory):
    """Reads damaged files."""
    started = Process(tmp_path_factory.mktemp("readers"))
    yield started
    started.stop()


NAMES = [*kinds.KINDS, *kinds.PLACES]


@pytest.mark.parametrize("reader", READERS)
def test_malformed_input_is_refused_or_read_aright(process, reader, count):
    tried, wrong = 0, []
    for kind in NAMES:
        if not kinds.fits(kind, READERS[reader].kind):
            continue
        for answer in process.ask(reader, kind):
            tried += 1
            if answer["came"] in ("raw", "different"):
                wrong.append(f"{kind}: {answer}")
            elif kind in kinds.SAME and answer["came"] != "same":
                wrong.append(f"{kind} is not read as the clean file: {answer}")
    count("malformed", tried=tried, lost=len(wrong))
    assert tried > 20
    assert not wrong, "\n".join(wrong[:30])


def test_there_are_sixty_kinds():
    assert len(NAMES) >= 60
    for name in NAMES:
        fits = [
            reader
            for reader in READERS.values()
            if kinds.fits(name, reader.kind)
        ]
        assert fits, name
