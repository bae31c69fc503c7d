"""Results as text, JSON lines or CSV, each line written at once.

Authors
 * The speechbrain_hrf authors 2026
"""

import csv
import json
import sys


def _text(name, result):
    # One line each, whatever the file is called.
    name = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    line = f"{name}: "
    if hasattr(result, "start"):
        line += f"{result.start:.2f}-{result.stop:.2f} s: "
    line += f"{result.label} {result.probability:.1%}"
    if getattr(result, "combined", None):
        combined = result.combined
        line += f", so far {combined.label} {combined.probability:.1%}"
    return line


def _fields(name, result):
    fields = {"file": name}
    if hasattr(result, "start"):
        fields |= {"start": result.start, "stop": result.stop}
    fields |= {"label": result.label, "probability": result.probability}
    if getattr(result, "combined", None):
        fields |= {
            "combined_label": result.combined.label,
            "combined_probability": result.combined.probability,
        }
    return fields | {"seconds": round(result.seconds, 6)}


class Output:
    """Writes results to a stream.

    Arguments
    ---------
    kind : str
        ``text``, ``jsonl`` or ``csv``.
    stream : io.TextIOBase, optional
        Default: standard output.

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

    def __init__(self, kind, stream=None):
        self._kind = kind
        self._stream = stream or sys.stdout
        self._started = False

    def write(self, name, result):
        """Writes one result; the first of a CSV file brings the header.

        Arguments
        ---------
        name : str
            Of the recording.
        result : Result or WindowResult
            What was found.
        """
        if self._kind == "text":
            print(_text(name, result), file=self._stream)
        elif self._kind == "jsonl":
            fields = _fields(name, result)
            fields["log_probabilities"] = result.log_probabilities
            # In ASCII it is JSON in whatever encoding the output has.
            print(json.dumps(fields), file=self._stream)
        else:
            self._write_row(_fields(name, result), result.log_probabilities)
        self._stream.flush()

    def _write_row(self, fields, log_probabilities):
        for label, value in log_probabilities.items():
            fields[f"log_probability:{label}"] = value
        writer = csv.writer(self._stream, lineterminator="\n")
        if not self._started:
            writer.writerow(fields)
            self._started = True
        writer.writerow(fields.values())
