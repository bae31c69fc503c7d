"""What ``apply_hrf`` did to a model.

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import NamedTuple


class Expansion(NamedTuple):
    """What became of one layer.

    Arguments
    ---------
    name : str
        Of the layer, or of the block of a packed parameter.
    shape : tuple of int
        (inputs, outputs)
    factor_shapes : tuple
        Of the factors' weights, PyTorch's [outputs, inputs].
    before, after : int
        Parameters of the layer and of its chain.

    Example
    -------
    >>> from torch import nn
    >>> from speechbrain_hrf import apply_hrf
    >>> report = apply_hrf(nn.Sequential(nn.Linear(16, 4)), ["0"], ratio=2)
    >>> report.expansions[0].factor_shapes
    ((8, 16), (4, 8))
    """

    name: str
    shape: tuple
    factor_shapes: tuple
    before: int
    after: int


class HRFReport(NamedTuple):
    """What ``apply_hrf`` did; ``print`` shows it as a table.

    Arguments
    ---------
    expansions : tuple of Expansion
        One per layer.
    before, after : int
        Parameters of the whole model.

    Example
    -------
    >>> print(HRFReport((), 68, 68))
    no HRF layer, 68 parameters
    """

    expansions: tuple
    before: int
    after: int

    def __str__(self):
        if not self.expansions:
            return f"no HRF layer, {self.before} parameters"
        rows = [("HRF layer", "shape", "chain", "parameters")]
        for layer in self.expansions:
            widths = [layer.shape[0]] + [s[0] for s in layer.factor_shapes]
            rows.append(
                (
                    layer.name,
                    " -> ".join(map(str, layer.shape)),
                    " -> ".join(map(str, widths)),
                    f"{layer.before} -> {layer.after}",
                )
            )
        rows.append(
            ("all parameters", "", "", f"{self.before} -> {self.after}")
        )
        columns = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(
                cell.ljust(width)
                for cell, width in zip(row, columns, strict=True)
            ).rstrip()
            for row in rows
        )


def count_parameters(model):
    """All parameters of a model.

    Arguments
    ---------
    model : torch.nn.Module

    Returns
    -------
    int

    Example
    -------
    >>> from torch import nn
    >>> count_parameters(nn.Linear(16, 4))
    68
    """
    return sum(parameter.numel() for parameter in model.parameters())
