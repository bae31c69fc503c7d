"""What needs a GPU to capture a CUDA graph, and nothing else.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
from collections.abc import Callable, Iterator

import torch


class CaptureStream:
    """A stream of its own, and the memory that its graphs share.

    Steps that run one by one before a capture have to run on its stream too.

    Example
    -------
    >>> if torch.cuda.is_available():
    ...     stream, x = CaptureStream(), torch.zeros(1, device="cuda")
    ...     result, replay = stream.capture(lambda: x.add_(1))
    ...     replay(), replay()
    ...     assert x.item() == 2
    """

    def __init__(self):
        self.stream = torch.cuda.Stream()
        self.pool = torch.cuda.graph_pool_handle()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Work inside runs on this stream, between what comes before and after.

        Yields
        ------
        None
        """
        current = torch.cuda.current_stream()
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            yield
        current.wait_stream(self.stream)

    def capture(self, function: Callable) -> tuple:
        """Captures what a function does, without doing it.

        Arguments
        ---------
        function : callable
            Takes nothing.

        Returns
        -------
        object
            What it has returned; each replay writes into its tensors.
        callable
            Replays.
        """
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(
            graph,
            pool=self.pool,
            stream=self.stream,
            # Another thread may pin memory for the next batches.
            capture_error_mode="thread_local",
        ):
            result = function()
        return result, graph.replay
