"""What is refused before a run begins is said in its sentence alone.

A wrong path or option is no fault of the program, so that a traceback tells its
user nothing. From SpeechBrain's ``create_experiment_directory`` on, which has
errors written into ``log.txt``, each is shown in full.

Authors
 * The speechbrain_hrf authors 2026
"""

import linecache
import os
import sys
import traceback
from types import TracebackType

# Errors that say what was given and how to mend it.
_KINDS = (OSError, ValueError, ImportError)
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def show_refusals(script: str) -> None:
    """Has refusals shown without a traceback.

    Arguments
    ---------
    script : str
        ``__file__`` of train.py. What its folder or this package raises is a
        refusal; what others raise may be a fault, and is shown in full.

    Example
    -------
    >>> getfixture("monkeypatch").setattr(sys, "excepthook", sys.excepthook)
    >>> show_refusals("recipes/RAVDESS/train.py")
    """
    ours = (_PACKAGE, os.path.dirname(os.path.abspath(script)))

    def show(
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        *_, (frame, line) = [(None, 0), *traceback.walk_tb(trace)]
        file = os.path.abspath(frame.f_code.co_filename) if frame else ""
        is_raised = linecache.getline(file, line).lstrip().startswith("raise")
        if is_raised and file.startswith(ours) and isinstance(error, _KINDS):
            print(f"{kind.__name__}: {error}", file=sys.stderr)
        else:
            sys.__excepthook__(kind, error, trace)

    sys.excepthook = show
