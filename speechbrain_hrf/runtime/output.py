"""Results as text, JSON lines or CSV, each line written at once.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import csv
import json
import os
import sys
from typing import Any

from speechbrain_hrf.runtime.result import Result, WindowResult

FORMATS = ("text", "jsonl", "csv")


class OutputError(Exception):
    """Results cannot be written, and why.

    Example
    -------
    >>> str(OutputError("The results cannot be written: no space is left"))
    'The results cannot be written: no space is left'
    """


class Output:
    """Writes results to standard output.

    Arguments
    ---------
    kind : str
        One of ``FORMATS``.

    Example
    -------
    >>> from speechbrain_hrf.runtime import Result
    >>> result = Result("sad", 0, 1.0, {"sad": 0.0}, 0.01)
    >>> Output("text").write("a.wav", result)
    a.wav: sad 100.0%
    >>> Output("csv").write("a.wav", result)
    file,label,probability,seconds,log_probability:sad
    a.wav,sad,1.0,0.01,0.0
    """

    def __init__(self, kind: str):
        self._kind = kind
        self._has_header = False

    def write(self, name: str, result: Result) -> None:
        """Writes one result; the first of a CSV file brings the header.

        Arguments
        ---------
        name : str
            Of the recording.
        result : Result or WindowResult
            What was found.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        fields = _fields(name, result)
        try:
            if self._kind == "csv":
                for label, value in result.log_probabilities.items():
                    fields[f"log_probability:{label}"] = value
                writer = csv.DictWriter(sys.stdout, fields, lineterminator="\n")
                if not self._has_header:
                    writer.writeheader()
                    self._has_header = True
                writer.writerow(fields)
            elif self._kind == "jsonl":
                fields["log_probabilities"] = result.log_probabilities
                # In ASCII it is JSON in whatever encoding the output has.
                print(json.dumps(fields))
            else:
                print(_text(name, result))
            sys.stdout.flush()
        except OSError as error:
            _forget_the_rest()
            raise OutputError(
                f"The results cannot be written: {error}"
            ) from error


def _forget_the_rest() -> None:
    """Or Python would try once more to write it, at exit, and say so too."""
    with contextlib.suppress(OSError):  # no file, as in a notebook
        descriptor = sys.stdout.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _text(name: str, result: Result) -> str:
    # One line each, whatever the file and a stranger's labels are called.
    line = _line(name, result)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _line(name: str, result: Result) -> str:
    what = f"{result.label} {result.probability:.1%}"
    if not isinstance(result, WindowResult):
        return f"{name}: {what}"
    if result.combined:
        combined = result.combined
        what += f", so far {combined.label} {combined.probability:.1%}"
    return f"{name}: {result.start:.2f}-{result.stop:.2f} s: {what}"


def _fields(name: str, result: Result) -> dict[str, Any]:
    fields: dict[str, Any] = {"file": name}
    if isinstance(result, WindowResult):
        fields |= {"start": result.start, "stop": result.stop}
    fields |= {"label": result.label, "probability": result.probability}
    if isinstance(result, WindowResult) and result.combined:
        fields |= {
            "combined_label": result.combined.label,
            "combined_probability": result.combined.probability,
        }
    return fields | {"seconds": round(result.seconds, 6)}
