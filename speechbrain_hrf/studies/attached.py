"""Runs a script that ends when the process that started it is gone.

A trial's worker can be killed at any moment, and with it the only one who would
stop the training that it has started. So training watches its parent::

    python -m speechbrain_hrf.studies.attached <pid> recipes/RAVDESS/train.py ...

runs train.py as if it had been called directly. When the process ``<pid>`` is no
longer its parent, it kills its process group: it is to be started as the leader
of one, with all that it starts. ``run_attached`` does so.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

LOOK_EVERY_SECONDS = 0.5


def run_attached(
    command: Sequence[str], output: str | os.PathLike, threads: int = 1
) -> int:
    """Runs a Python script that ends with this process, however that ends.

    Arguments
    ---------
    command : list of str
        Python, the script or -m and a module, its arguments.
    output : str or os.PathLike
        What it prints is added to this file.
    threads : int
        Of its computations. Threads that wait for each other on busy cores can
        make a training twenty times slower.

    Returns
    -------
    int
        Exit status.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> folder.join("script.py").write("raise SystemExit(3)")
    >>> script = folder.join("script.py").strpath
    >>> run_attached([sys.executable, script], folder.join("out.txt").strpath)
    3
    """
    python, *arguments = command
    attached = ["-m", "speechbrain_hrf.studies.attached", str(os.getpid())]
    with open(output, "ab") as stream:
        process = subprocess.Popen(
            [python, *attached, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            start_new_session=True,
        )
        try:
            return process.wait()
        finally:  # of an interruption
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def end_with(parent: int) -> None:
    """Kills this process's group as soon as its parent is another.

    The process has to lead a group, or that of its caller is killed.

    A parent-death signal of the kernel would do for Linux only, and comes
    already when the thread ends that has started the process.

    Arguments
    ---------
    parent : int
        The id of the process to end with.

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
    threading.Thread(target=_watch, args=[parent], daemon=True).start()


def _watch(parent):
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_SECONDS)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _, _parent, *sys.argv = sys.argv
    end_with(int(_parent))
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        # As Python does for a script: what lies beside it can be imported.
        sys.path[0] = str(pathlib.Path(sys.argv[0]).resolve().parent)
        runpy.run_path(sys.argv[0], run_name="__main__")
