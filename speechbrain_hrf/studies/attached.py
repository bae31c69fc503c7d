"""Runs a script that ends when the process that started it is gone.

A trial's worker can be killed at any moment, and with it the only one who would
stop the training that it has started. So training watches its parent::

    python -m speechbrain_hrf.studies.attached <pid> recipes/RAVDESS/train.py ...

runs train.py as if it had been called directly. When the process ``<pid>`` is no
longer its parent, it kills its process group: it is to be started as the leader
of one, with all that it starts.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import runpy
import signal
import sys
import threading
import time

LOOK_EVERY_SECONDS = 0.5


def end_with(parent):
    """Kills this process's group as soon as its parent is another.

    A parent-death signal of the kernel would do for Linux only, and comes
    already when the thread ends that has started the process.

    Arguments
    ---------
    parent : int
        The id of the process to end with.

    Returns
    -------
    threading.Thread
        The one that watches.

    Raises
    ------
    ValueError
        If this process leads no group of its own: it would kill others.

    Example
    -------
    >>> import subprocess
    >>> code = (
    ...     "import sys, time; from speechbrain_hrf.studies.attached import *; "
    ...     "end_with(1); time.sleep(60)")
    >>> subprocess.run(
    ...     [sys.executable, "-c", code], start_new_session=True).returncode
    -9
    """
    if os.getpgrp() != os.getpid():
        raise ValueError(
            "This process is no leader of a group: start it with "
            "start_new_session=True."
        )
    thread = threading.Thread(target=_watch, args=[parent], daemon=True)
    thread.start()
    return thread


def _watch(parent):
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_SECONDS)
    os.killpg(0, signal.SIGKILL)


def main(argv=None):
    """The command.

    Arguments
    ---------
    argv : list of str, optional
        The parent's id, the script (or -m and a module), its arguments.
        Default: the process's.

    Example
    -------
    >>> main([])
    Traceback (most recent call last):
        ...
    SystemExit: python -m speechbrain_hrf.studies.attached <pid> <script> ...
    """
    argv = sys.argv[1:] if argv is None else argv
    if len(argv) < 2 or not argv[0].isdigit():
        raise SystemExit(
            "python -m speechbrain_hrf.studies.attached <pid> <script> ..."
        )
    parent, script = int(argv[0]), argv[1]
    end_with(parent)
    if script == "-m":
        sys.argv = argv[2:]
        runpy.run_module(argv[2], run_name="__main__", alter_sys=True)
        return
    sys.argv = argv[1:]
    # As Python does for a script: what lies beside it can be imported.
    sys.path[0] = str(pathlib.Path(script).resolve().parent)
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
