"""The factors of one expanded weight matrix.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
import numbers

import torch
from torch import nn

from speechbrain_hrf.nnet.algebra import collapse, collapse_exactly, fold
from speechbrain_hrf.nnet.initialisation import INITS
from speechbrain_hrf.nnet.inner_norm import InnerNorm

WIDTHS_OF = ("out", "in")


class Chain(nn.Module):
    """Holds the factors and biases of a chain of linear layers.

    Arguments
    ---------
    weight : torch.Tensor
        The weight that is expanded, [n, m]: gives shape, dtype and device,
        and with init "preserve" the value.
    bias : torch.Tensor or None
        Its bias, [n].
    ratio : float
        Expansion ratio r >= 1: the hidden layers are r * n (or r * m) wide.
    layers : int
        Extra layers, at least 1; with inner_norm also 0: the layer is
        normalised, as by a BatchNorm behind it, and nothing is wider.
    width_of : str
        "out": hidden width r * n, the paper's; "in": r * m.
    init : str
        "default", "scaled" or "preserve", see ``initialisation``.
    inner_bias : bool
        Whether the extra layers have biases.
    inner_norm : bool
        Whether the extra layers are normalised over the batch, see
        ``inner_norm``. Of their biases only the last one is left, as its
        shift: the next normalisation would take the others away.

    Example
    -------
    >>> chain = Chain(torch.empty(4, 16), torch.empty(4), ratio=8, layers=1)
    >>> [tuple(factor.shape) for factor in chain.factors]
    [(32, 16), (4, 32)]
    >>> weight, bias = chain.collapsed()
    >>> weight.shape, bias.shape
    (torch.Size([4, 16]), torch.Size([4]))
    """

    def __init__(
        self,
        weight,
        bias=None,
        ratio=8,
        layers=1,
        width_of="out",
        init="default",
        inner_bias=True,
        inner_norm=False,
    ):
        super().__init__()
        check_options(ratio, layers, width_of, init, inner_norm)
        if inner_norm and bias is None:
            raise ValueError(
                "HRF's inner_norm is True, but the layer has no bias: the mean "
                "that is taken away would give the merged one a bias. Give the "
                "layer one, or set inner_norm to False."
            )
        n, m = weight.shape
        hidden = round(ratio * (n if width_of == "out" else m))
        widths = [m] + [hidden] * layers + [n]
        like = {"dtype": weight.dtype, "device": weight.device}
        self.hrf_factors = nn.ParameterList(
            torch.empty(widths[k + 1], widths[k], **like)
            for k in range(layers + 1)
        )
        # A missing bias is None in the middle of the list, so they are named
        # one by one: a ParameterList would not keep its place.
        self.hrf_biases = nn.Module()
        for k in range(layers + 1):
            present = bias is not None if k == layers else inner_bias
            if inner_norm and k < layers - 1:
                present = False
            self.hrf_biases.register_parameter(
                str(k),
                nn.Parameter(torch.empty(widths[k + 1], **like))
                if present
                else None,
            )
        INITS[init](self.factors, self.biases, weight, bias)
        if inner_norm:
            self.hrf_norms = nn.ModuleList(
                InnerNorm(torch.empty(width, **like))
                for width in (widths[1:-1] or [n])
            )
            # A normalisation's shift starts at none.
            last_shift = self.biases[len(self.hrf_norms) - 1]
            if last_shift is not None:
                nn.init.zeros_(last_shift)

    @property
    def factors(self):
        """The factors' weights in the order in which they apply."""
        return list(self.hrf_factors)

    @property
    def biases(self):
        """Their biases, None where one has none."""
        return list(self.hrf_biases._parameters.values())

    @property
    def norms(self):
        """The normalisations behind all factors but the last, if any."""
        return list(getattr(self, "hrf_norms", ()))

    def collapsed(self):
        """The one layer that the chain is equal to; differentiable.

        In evaluation it is computed in float64 and rounded, as merging does:
        what is validated is what is shipped, not its neighbour by a rounding.

        Returns
        -------
        torch.Tensor
            W: [n, m]
        torch.Tensor or None
            b: [n]

        Raises
        ------
        RuntimeError
            In training with inner_norm: what the layer is then depends on the
            rows that it is called with.

        Example
        -------
        >>> Chain(torch.empty(4, 16)).collapsed()[0].shape
        torch.Size([4, 16])
        """
        if self.norms and self.training:
            raise RuntimeError(
                f"The weight of {self} was read in training without a call of "
                "the layer, but with inner_norm it depends on the rows of the "
                "call. Leave this layer out, or set inner_norm to False."
            )
        factors, biases = self.factors, self.biases
        norms = [norm.running() for norm in self.norms]
        # Apple's GPUs have no float64.
        if self.training or factors[0].device.type == "mps":
            return collapse(*fold(factors, biases, norms))
        return collapse_exactly(factors, biases, norms)

    def __repr__(self):
        widths = [self.factors[0].shape[1]] + [f.shape[0] for f in self.factors]
        norm = ", inner_norm" if self.norms else ""
        return f"{type(self).__name__}({' -> '.join(map(str, widths))}{norm})"


def check_options(
    ratio, layers, width_of, init, inner_norm=False, chained=None
):
    """Raises if a chain cannot be built with these options.

    Arguments
    ---------
    ratio, layers, width_of, init, inner_norm
        See ``Chain``.
    chained
        See ``HRFLinear``.

    Raises
    ------
    ValueError
        Naming the option, its value and what it may be.

    Example
    -------
    >>> check_options(ratio=0.5, layers=1, width_of="out", init="default")
    Traceback (most recent call last):
    ...
    ValueError: HRF's ratio is 0.5, but must be a number of at least 1: ...
    """
    if (
        not isinstance(ratio, numbers.Real)
        or isinstance(ratio, bool)
        or not math.isfinite(ratio)
        or ratio < 1
    ):
        raise ValueError(
            f"HRF's ratio is {ratio!r}, but must be a number of at least 1: "
            "a narrower chain could not represent every weight. The paper "
            "uses 2, 4 and 8."
        )
    if (
        not isinstance(layers, numbers.Integral)
        or isinstance(layers, bool)
        or layers < (0 if inner_norm is True else 1)
    ):
        raise ValueError(
            f"HRF's number of extra layers is {layers!r}, but must be an "
            "integer of at least 1 (the paper uses 1 to 3); 0 goes with "
            "inner_norm alone. For no HRF at all give an empty list of modules."
        )
    if width_of not in WIDTHS_OF:
        raise ValueError(
            f"HRF's width_of is {width_of!r}, but must be one of {WIDTHS_OF}."
        )
    if init not in INITS:
        raise ValueError(
            f"HRF's init is {init!r}, but must be one of {tuple(INITS)}."
        )
    if not isinstance(inner_norm, bool):
        raise ValueError(
            f"HRF's inner_norm is {inner_norm!r}, but must be True or False."
        )
    if inner_norm and init == "preserve":
        raise ValueError(
            "HRF's init is 'preserve', and inner_norm is True, which changes "
            "what a layer computes as soon as it trains: leave out one of the "
            "two."
        )
    if chained is not None and not isinstance(chained, bool):
        raise ValueError(
            f"HRF's chained is {chained!r}, but must be None (what is faster "
            "on the device), True or False."
        )
