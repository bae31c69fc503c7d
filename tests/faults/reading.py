"""A process that reads damaged files: told what, it says what came of it.

It is a process of its own since a reader may hang or take all memory. A job is
a line of JSON on standard input, an answer per damaged file goes to standard
output. Before the first it says that it is ready.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import logging
import os
import pathlib
import resource
import sys
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import kinds  # noqa: E402
from readers import READERS  # noqa: E402

MEMORY = 3 * 2**30  # bytes more than the libraries take
LONGEST = 500  # characters of a message


class Warned(logging.Handler):
    """Keeps what is warned of, by either way."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []
        warnings.showwarning = lambda message, *_: self.found.append(
            str(message)
        )

    def emit(self, record):
        self.found.append(record.getMessage())


def plain(value):
    """Text by which results compare; numpy's numbers are numbers."""
    return json.dumps(value, default=float, sort_keys=True)


def read(reader, warned):
    """What a reader finds, and what it warns of."""
    warned.found.clear()
    try:
        found = plain(reader())
    except BaseException as error:
        return None, error
    return found, None


def judge(error, path, root):
    """What is wrong with an error, if anything: users are to understand it."""
    text, name = str(error), type(error).__name__
    if not isinstance(error, ValueError | OSError):
        return f"raw {name}"
    if isinstance(error, UnicodeError | json.JSONDecodeError):
        return f"raw {name}"
    if len(text) > LONGEST:
        return f"{len(text)} characters"
    if path.name not in text and str(root) not in text:
        return f"names neither {path.name} nor a file or folder beside it"
    return None


def answers(reader, name, usual, warned):
    """Damages a reader's file in all ways of a kind."""
    expected, usual_warnings = usual
    if name in kinds.PLACES:
        ways = [lambda: kinds.PLACES[name](reader.path, reader.clean)]
    else:
        ways = (
            lambda content=content: reader.path.write_bytes(content)
            for content in kinds.KINDS[name](reader.clean)
        )
    for way in ways:
        kinds.clear(reader.path)
        reader.path.parent.mkdir(parents=True, exist_ok=True)
        way()
        start = time.monotonic()
        found, error = read(reader, warned)
        answer = {"seconds": round(time.monotonic() - start, 2)}
        if error is not None:
            answer["error"] = f"{type(error).__name__}: {error}"[:700]
            problem = judge(error, reader.path, reader.root)
            answer["came"] = "refused" if problem is None else "raw"
            answer["problem"] = problem
        elif found == expected or found == plain(reader.reference()):
            answer["came"] = "same"
        elif set(warned.found) != usual_warnings:
            answer["came"] = "warned"
        else:
            answer["came"] = "different"
            answer["problem"] = f"in silence: {found[:300]}"
        if answer["came"] in ("raw", "different") and reader.path.is_file():
            if name in kinds.KINDS:
                with open(reader.path, "rb") as file:
                    answer["input"] = repr(file.read(300))
        yield answer
    kinds.clear(reader.path)
    reader.path.write_bytes(reader.clean)


def main():
    """Reads jobs until there are no more."""
    say = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warned = Warned()
    warnings.simplefilter("always")
    logging.basicConfig(handlers=[warned], level=logging.INFO, force=True)
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    readers = {}
    print(json.dumps({"ready": True}), file=say, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        name = job["reader"]
        if name not in readers:
            reader = READERS[name](job["folder"])
            found, error = read(reader, warned)
            if error is not None:
                raise error
            readers[name] = reader, (found, set(warned.found))
        reader, usual = readers[name]
        for answer in answers(reader, job["kind"], usual, warned):
            print(json.dumps(answer), file=say, flush=True)
        print(json.dumps({"end": True}), file=say, flush=True)


if __name__ == "__main__":
    main()
