"""A step as one CUDA graph; on other devices, the step itself.

A graph is recorded once for each shape of batch and then replayed, so that a
GPU does not wait for Python between hundreds of small operations.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Callable

import torch

from speechbrain_hrf.training.capture_stream import CaptureStream

# PyTorch's advice: libraries set themselves up in the first calls.
WARM_UP = 3


class Captured:
    """Calls a step, by a graph where the device has them.

    Arguments
    ---------
    step : callable
        (rows [V, B], active [V]) -> losses [V]; changes models in place, but
        those that are not active.
    device : str

    Example
    -------
    >>> captured = Captured(lambda rows, active: rows.sum(1), "cpu")
    >>> captured(torch.ones(1, 2), torch.ones(1, dtype=torch.bool))
    tensor([2.])
    """

    def __init__(self, step: Callable, device: str):
        self.step = step
        self.stream = CaptureStream() if "cuda" in str(device) else None
        self.graphs = {}

    def __call__(
        self, rows: torch.Tensor, active: torch.Tensor
    ) -> torch.Tensor:
        """Takes the step.

        Arguments
        ---------
        rows : torch.Tensor
            [V, B]
        active : torch.Tensor
            bool [V]

        Returns
        -------
        torch.Tensor
            [V], overwritten by the next call.
        """
        if self.stream is None:
            return self.step(rows, active)
        if rows.shape not in self.graphs:
            self.graphs[rows.shape] = self._record(rows, active)
        replay, inputs, losses = self.graphs[rows.shape]
        for mine, given in zip(inputs, (rows, active), strict=True):
            mine.copy_(given)
        replay()
        return losses

    def _record(self, rows: torch.Tensor, active: torch.Tensor) -> tuple:
        # Nobody is active, so that nothing changes.
        inputs = rows.clone(), torch.zeros_like(active)
        with self.stream.aside():
            for _ in range(WARM_UP):
                self.step(*inputs)
        losses, replay = self.stream.capture(lambda: self.step(*inputs))
        return replay, inputs, losses
