"""What goes wrong in a command, at a moment that can be named and counted.

Moments are counted, not timed: the 7th change of the file system below a
folder, the 3rd step of the optimizer, byte 900 of the 2nd ``torch.save``. So a
drawn moment is the same one on every machine.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import resource
import shutil
import signal
import sys
import time

# Audit events (docs.python.org/3/library/audit_events.html) that change files;
# each comes before the change, so after the one before it.
CHANGES = {
    "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link",
    "os.symlink", "os.chmod", "shutil.rmtree",
}  # fmt: skip


def prepare(fault):
    """Sets a fault up in this process.

    Arguments
    ---------
    fault : dict or None
        ``at``: "change" (of files, below the folder ``under``), "step",
        "save" (within torch.save) or "byte" (of any file); ``n``: which one,
        from 1; ``do``: "kill", "remove" (the folder ``folder``) or "full" (the
        disk is); ``bytes`` of the n-th save; ``record``: a file that gets all
        changes instead; ``clock``: seconds by which it is off.
    """
    if fault is None:
        return
    if "clock" in fault:
        _set_clock(fault["clock"])
    at = fault.get("at")
    if "record" in fault:
        record = open(fault["record"], "a", buffering=1)
        _on_change(fault["under"], lambda k, path: record.write(f"{path}\n"))
        _on_step(lambda k: record.write("step\n"))
        _on_save(lambda k: record.write("save\n"))
    elif at == "change":
        _on_change(fault["under"], lambda k, _: _do(fault, k))
    elif at == "step":
        _on_step(lambda k: _do(fault, k))
    elif at == "save":
        _on_save(
            lambda k: k == fault["n"] and _limit(fault["bytes"], fault["do"])
        )
    elif at == "byte":
        _limit(fault["n"], fault["do"])


def _do(fault, k):
    if k != fault["n"]:
        return
    if fault["do"] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault["do"] == "remove":
        shutil.rmtree(fault["folder"], ignore_errors=True)


def _limit(size, do):
    """No file may grow beyond so many bytes: death within a write, or errors."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    if do == "kill":
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def _on_change(under, act):
    main, count = os.getpid(), 0

    def hook(event, arguments):
        nonlocal count
        if event == "open":
            path, mode, flags = arguments
            writes = isinstance(flags, int) and flags & (
                os.O_WRONLY | os.O_RDWR | os.O_CREAT
            )
            if not writes:
                return
        elif event not in CHANGES:
            return
        if os.getpid() != main or not isinstance(
            arguments[0], str | bytes | os.PathLike
        ):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))
        if path.startswith(under):
            count += 1
            act(count, path)

    sys.addaudithook(hook)


def _on_step(act):
    from torch.optim.optimizer import register_optimizer_step_post_hook

    count = 0

    def hook(*_):
        nonlocal count
        count += 1
        act(count)

    register_optimizer_step_post_hook(hook)


def _on_save(act):
    import torch

    save, count = torch.save, 0

    def counted(*arguments, **options):
        nonlocal count
        count += 1
        act(count)
        return save(*arguments, **options)

    torch.save = counted


def _set_clock(seconds):
    """All clocks that tell the date are off, as after a wrong correction."""
    real, local = time.time, time.localtime
    time.time = lambda: real() + seconds
    time.localtime = lambda at=None: local(time.time() if at is None else at)
    strftime = time.strftime
    time.strftime = lambda form, at=None: strftime(form, at or time.localtime())
