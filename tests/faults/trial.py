"""A process that forks a command, again and again, with or without a fault.

PyTorch and SpeechBrain are imported once. A job is a line of JSON on standard
input: the arguments of a Python command, where it runs, what goes wrong in it
(see ``faults.py``), and the file that gets its output. The answer is its
status; negative, it is the signal that it died of.

Authors
 * The speechbrain_hrf authors 2026
"""

import atexit
import json
import logging
import os
import pathlib
import runpy
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import faults  # noqa: E402
import matplotlib.pyplot  # noqa: E402, F401
import speechbrain.lobes.features  # noqa: E402, F401
import speechbrain.processing.features  # noqa: E402, F401
import speechbrain.utils.logger  # noqa: E402
import speechbrain.utils.train_logger  # noqa: E402, F401
import torch._dynamo  # noqa: E402, F401

import speechbrain_hrf.export.pretrained  # noqa: E402
import speechbrain_hrf.studies.run  # noqa: E402
import speechbrain_hrf.training.ensemble  # noqa: E402, F401

# It asks pip for all that is installed, which takes seconds.
speechbrain.utils.logger.get_environment_description = lambda: "left out"


def run(job):
    """In the fork: the command, as if Python had been started with it."""
    output = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.chdir(job["cwd"])
    os.setsid()
    logging.getLogger().handlers.clear()
    sys.argv = list(job["argv"])
    faults.prepare(job["fault"])
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(sys.argv[0])
        runpy.run_path(sys.argv[0], run_name="__main__")


def main():
    """Takes jobs until there are no more."""
    say = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                run(job)
                status = 0
            except SystemExit as error:
                status = error.code if isinstance(error.code, int) else 1
                if not isinstance(error.code, int | None):
                    print(error.code, file=sys.stderr)
                status = 0 if error.code is None else status
            except BaseException as error:
                # As Python does, a recipe's own way of saying it included.
                sys.last_value = error
                sys.excepthook(*sys.exc_info())
            finally:
                atexit._run_exitfuncs()  # os._exit leaves them out
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        end = time.monotonic() + job["seconds"]
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.005)
        # What it has started goes as well, as with a terminal or a container.
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
        status = os.waitstatus_to_exitcode(status)
        print(json.dumps(status), file=say, flush=True)


if __name__ == "__main__":
    main()
