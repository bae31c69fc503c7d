"""Many small computations on all cores, their results in order.

Example
-------
>>> list(computed_in_order(pow, [(2, 3), (3, 2)], "powers"))
[8, 9]

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import time

import torch
from speechbrain.utils.logger import get_logger
from torch.utils.data import DataLoader
from tqdm import tqdm

from speechbrain_hrf.dataio.unusable import UnusableAudio

logger = get_logger(__name__)

# Items that a process takes at a time: neighbours often share a file.
_CHUNK = 8
# Starting a process is not worth it for fewer.
_ITEMS_PER_PROCESS = 32
# After so many seconds, what will take longer than so many is announced: a log
# without a terminal has no progress bar.
_MEASURED_SECONDS = 30
_LONG_SECONDS = 600


def computed_in_order(function, arguments, what, processes=None):
    """Results of a function, computed by processes of one thread each.

    Only a few results are held at a time. What takes longer than ten minutes
    is announced in the log. PyTorch's data loader does the
    work, so that processes start as they do in training.

    Arguments
    ---------
    function : callable
        Can be pickled on platforms that spawn processes.
    arguments : iterable of tuple
        Of each call.
    what : str
        For the progress bar.
    processes : int, optional
        Default as many as this process has cores; none for a few items.

    Yields
    ------
    object
        A result; tensors as numpy arrays.

    Raises
    ------
    UnusableAudio
        If the function raises it; other errors as PyTorch passes them on.

    Example
    -------
    >>> [x.shape for x in computed_in_order(torch.eye, [(1,), (2,)], "", 2)]
    [(1, 1), (2, 2)]
    """
    calls = _Calls(function, arguments)
    if processes is None:
        processes = min(cores(), len(calls) // _ITEMS_PER_PROCESS)
    loader = DataLoader(
        calls,
        batch_size=_CHUNK,
        num_workers=processes if processes > 1 else 0,
        collate_fn=list,
        # It draws a seed; the caller's random numbers are left alone.
        generator=torch.Generator(),
    )
    start = time.monotonic()
    done, announced = 0, False
    with tqdm(total=len(calls), desc=what, disable=None) as bar:
        for results in loader:
            done += len(results)
            seconds = time.monotonic() - start
            if not announced and seconds >= _MEASURED_SECONDS:
                announced = True
                _announce(what, done, len(calls), seconds)
            for result in results:
                if isinstance(result, UnusableAudio):
                    raise result
                yield result
            bar.update(len(results))


def _announce(what, done, total, seconds):
    expected = seconds / done * total
    if expected >= _LONG_SECONDS:
        logger.info(
            "%s: %d of %d after %.0f s, so all will take about %.0f minutes",
            what,
            done,
            total,
            seconds,
            expected / 60,
        )


def cores():
    """Cores that this process may use.

    Returns
    -------
    int

    Example
    -------
    >>> cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Calls(torch.utils.data.Dataset):
    """What a worker takes from: one item per call."""

    def __init__(self, function, arguments):
        self.function = function
        self.arguments = list(arguments)

    def __len__(self):
        return len(self.arguments)

    def __getitem__(self, index):
        try:
            result = self.function(*self.arguments[index])
        except UnusableAudio as error:
            return error  # the loader would make a traceback of it
        # Tensors would be sent through shared memory, of which containers
        # have little.
        return result.numpy() if torch.is_tensor(result) else result
