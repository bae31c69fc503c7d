"""Windows that slide over a stream of samples.

At every hop there is one: the last ``size`` samples, or all of them while they
are fewer. When the stream ends between two hops there is one more, for its end.
So a stream of any length gives at least one, each ends where it is known, and
all but the first few are full.

Example
-------
>>> windows = Windows(size=4, hop=2)
>>> for start, samples in windows.push(np.arange(7)):
...     print(start, samples)
0 [0. 1.]
0 [0. 1. 2. 3.]
2 [2. 3. 4. 5.]
>>> windows.finish()
[(3, array([3., 4., 5., 6.], dtype=float32))]

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from speechbrain_hrf.runtime.resample import Resampler
from speechbrain_hrf.runtime.waveform import Samples, check_waveform, mono


class Windows:
    """Keeps the latest samples of a stream; of its past, nothing.

    Arguments
    ---------
    size : int
        Samples of a full window.
    hop : int
        Samples from the end of one window to the end of the next.

    Example
    -------
    >>> windows = Windows(size=3, hop=5)
    >>> [len(list(windows.push(np.zeros(n)))) for n in (4, 0, 1, 10)]
    [0, 0, 1, 2]
    """

    def __init__(self, size: int, hop: int):
        self.size, self.hop = size, hop
        # Of full size at once: what does not fit into memory shows here.
        self._kept = np.zeros(size, np.float32)
        self._received = 0
        self._told = 0  # where the last window ended

    def push(self, samples: NDArray[Any]) -> Iterator[tuple[int, Samples]]:
        """Takes the next samples; gives the windows that end within them.

        Arguments
        ---------
        samples : numpy.ndarray
            Of any length.

        Yields
        ------
        tuple of (int, numpy.ndarray)
            The window's first sample, counted from the start of the stream,
            and its samples, which nothing else refers to.
        """
        self._kept = np.concatenate([self._kept, samples], dtype=np.float32)
        self._received += len(samples)
        while self._told + self.hop <= self._received:
            yield self._window(self._told + self.hop)
        self._kept = self._kept[-self.size :]

    def finish(self) -> list[tuple[int, Samples]]:
        """What is left when the stream ends.

        Returns
        -------
        list of tuple
            One window as ``push`` gives it, or none if the last one has told
            all.
        """
        if self._told == self._received:
            return []
        return [self._window(self._received)]

    def _window(self, stop: int) -> tuple[int, Samples]:
        self._told = stop
        end = len(self._kept) - (self._received - stop)
        start = max(0, stop - self.size)
        return start, self._kept[end - (stop - start) : end].copy()


def cut_stream(
    chunks: Iterable[ArrayLike], rate: int, target: int, windows: Windows
) -> Iterator[tuple[int, Samples]]:
    """The windows of a stream at another rate.

    Arguments
    ---------
    chunks : iterable of numpy.ndarray
        Pieces of a waveform, each of any kind that ``mono`` takes.
    rate : int
        Their samples per second.
    target : int
        Those of the windows.
    windows : Windows
        Cuts them.

    Yields
    ------
    tuple of (int, numpy.ndarray)
        As ``Windows`` gives them.

    Raises
    ------
    TypeError, ValueError
        When a chunk cannot be used; at the end, if there were no samples.

    Example
    -------
    >>> chunks = [np.zeros(700), np.zeros((1100, 2))]
    >>> windows = Windows(size=300, hop=500)
    >>> [start for start, _ in cut_stream(chunks, 2000, 1000, windows)]
    [200, 600]
    """
    resampler, empty = Resampler(rate, target), True
    for chunk in chunks:
        samples = check_waveform(chunk)
        # A second at a time, so that a large chunk is not copied as a whole.
        for first in range(0, len(samples), rate):
            empty = False
            piece = mono(samples[first : first + rate])
            yield from windows.push(resampler.push(piece))
    if empty:
        raise ValueError("The stream ended before its first sample.")
    yield from windows.push(resampler.flush())
    yield from windows.finish()
