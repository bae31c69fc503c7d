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

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Window = tuple[int, NDArray[np.float32]]


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
        # Twice the size, so that moving the latest to the front is rare.
        self._kept = np.zeros(2 * size, np.float32)
        self._filled = 0
        self._received = 0
        self._told = 0  # where the last window ended

    def push(self, samples: NDArray[Any]) -> Iterator[_Window]:
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
        at = 0
        while at < len(samples):
            to_hop = self._told + self.hop - self._received
            piece = samples[at : at + min(to_hop, self._room())]
            at += len(piece)
            self._kept[self._filled : self._filled + len(piece)] = piece
            self._filled += len(piece)
            self._received += len(piece)
            if self._received == self._told + self.hop:
                yield self._window()

    def finish(self) -> list[_Window]:
        """What is left when the stream ends.

        Returns
        -------
        list of tuple
            One window as ``push`` gives it, or none if the last one has told
            all.
        """
        return [self._window()] if self._received > self._told else []

    def _room(self) -> int:
        if self._filled == len(self._kept):
            self._kept[: self.size] = self._kept[-self.size :]
            self._filled = self.size
        return len(self._kept) - self._filled

    def _window(self) -> _Window:
        self._told = self._received
        first = max(0, self._filled - self.size)
        samples = self._kept[first : self._filled].copy()
        return self._received - len(samples), samples
