"""All parameters of a model in one row, so that stacked ones are one matrix.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
from collections.abc import Mapping

import torch

# Elements; every parameter begins at a multiple of 16 bytes in float32.
ALIGNMENT = 4


class Layout:
    """Which part of a row is which parameter.

    Arguments
    ---------
    shapes : dict of str: torch.Size

    Example
    -------
    >>> layout = Layout({"bias": torch.Size([2]), "scale": torch.Size([])})
    >>> layout.size
    8
    >>> row = layout.packed(
    ...     {"bias": torch.ones(1, 2), "scale": torch.tensor([3.0])})
    >>> row
    tensor([[1., 1., 0., 0., 3., 0., 0., 0.]])
    >>> layout.views(row)["bias"]
    tensor([[1., 1.]])
    """

    def __init__(self, shapes: Mapping[str, torch.Size]):
        self.parts = {}
        self.size = 0
        for name, shape in shapes.items():
            self.parts[name] = (self.size, shape)
            used = math.prod(shape)
            self.size += used + -used % ALIGNMENT

    def views(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        """The parameters in some rows, sharing their memory.

        Arguments
        ---------
        rows : torch.Tensor
            [V, P]

        Returns
        -------
        dict of str: torch.Tensor
            [V, ...] each.
        """
        return {
            name: rows[:, start : start + math.prod(shape)].view(
                len(rows), *shape
            )
            for name, (start, shape) in self.parts.items()
        }

    def packed(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Parameters as rows, with zeros between them.

        Arguments
        ---------
        tensors : dict of str: torch.Tensor
            [V, ...] each.

        Returns
        -------
        torch.Tensor
            [V, P]
        """
        parts = []
        for name, (_, shape) in self.parts.items():
            part = tensors[name].flatten(1) if shape else tensors[name][:, None]
            parts.append(part)
            fill = -math.prod(shape) % ALIGNMENT
            if fill:
                parts.append(part.new_zeros(len(part), fill))
        return torch.cat(parts, dim=1)
