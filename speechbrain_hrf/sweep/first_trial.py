"""The first trial of a fold goes ahead until its features are on the disk.

All trials of a fold use the same ones. If they started at once, each of them
would compute these, in as many processes as there are cores.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import errno
import pathlib
import threading
import time

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# A recipe writes this when it has its data, features included.
HAS_FEATURES = "save/label_encoder.txt"
_LOOK_EVERY_SECONDS = 0.5


@contextlib.contextmanager
def in_turn(folder, fold, output_folder):
    """To be held by a worker while it runs a trial.

    Arguments
    ---------
    folder : str or os.PathLike
        Which all workers see, for this driver's notes only.
    fold : int or None
    output_folder : str or os.PathLike
        Of the recipe's run.

    Yields
    ------
    None

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> with in_turn(folder.strpath, 1, folder.join("runs", "a").strpath):
    ...     pass  # the recipe runs
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    passed = folder / f"fold_{fold}.passed"
    with contextlib.ExitStack() as turn:
        if not passed.exists():
            turn.enter_context(_alone(folder / f"fold_{fold}.lock", passed))
        if passed.exists():
            turn.close()  # it has got its turn when nothing was left to do
            yield
            return
        ended = threading.Event()
        mark = pathlib.Path(output_folder, HAS_FEATURES)

        def end_turn():
            while not mark.exists() and not ended.wait(_LOOK_EVERY_SECONDS):
                pass
            if mark.exists():
                passed.touch()
            turn.close()

        thread = threading.Thread(target=end_turn)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


@contextlib.contextmanager
def _alone(path, passed):
    """Holds a lock, for which others wait unless they need it no more."""
    with open(path, "w", encoding="utf-8") as stream:
        while fcntl is not None and not passed.exists():
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                # Some network file systems have no locks: nobody waits then.
                if error.errno not in (errno.EACCES, errno.EAGAIN):
                    break
            else:
                break
            time.sleep(_LOOK_EVERY_SECONDS)
        yield
