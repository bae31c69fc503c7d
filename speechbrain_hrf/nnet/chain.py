"""The factors of one expanded weight: their number, widths and start.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from speechbrain_hrf.nnet.algebra import (
    Layer,
    collapse,
    collapse_exactly,
    fold,
    merge_chain,
)
from speechbrain_hrf.nnet.computed import Holder, once, readable
from speechbrain_hrf.nnet.inner_norm import InnerNorm

Bias = torch.Tensor | None
# Of the largest singular value: below it a direction counts as zero.
EPS_NULL = 1e-6
# Of ratio and extra layers: more is a slip of the pen, and would fill memory.
MOST = 1024


@dataclass(frozen=True)
class HRFConfig:
    """How a layer is expanded; checked when it is made.

    Arguments
    ---------
    ratio : float
        Expansion ratio r >= 1: the hidden layers are r * n (or r * m) wide.
    layers : int
        Extra layers, at least 1; with inner_norm also 0: the layer is
        normalised, as by a BatchNorm behind it, and nothing is wider.
    width_of : str
        "out": hidden width r * n, the paper's; "in": r * m.
    init : str
        "default" (the paper's), "scaled" (variance of a plain layer) or
        "preserve" (the value of the layer that is replaced).
    inner_bias : bool
        Whether the extra layers have biases. Those of a layer without a bias
        have none either, or the merged one would get one.
    inner_norm : bool
        Normalise the extra layers over the batch, as BatchNorm does; merges
        all the same. Not the paper's, see ``inner_norm``. Of their biases only
        the last one is left, as its shift: the next normalisation would take
        the others away.
    chained : bool, optional
        How a layer is computed in training; the result is the same. False:
        as one layer of the collapsed weight. True: frames pass the whole
        chain, in evaluation too. Default: what is faster on the device, see
        ``HRFLinear``. Packed weights are always collapsed.

    Raises
    ------
    ValueError
        Naming the option, its value and what it may be.

    Example
    -------
    >>> HRFConfig(ratio=2).widths(16, 4)
    [16, 8, 4]
    >>> HRFConfig(ratio=0.5)
    Traceback (most recent call last):
    ...
    ValueError: HRF's ratio is 0.5, but must be a number of at least 1 ...
    """

    ratio: float = 8
    layers: int = 1
    width_of: str = "out"
    init: str = "default"
    inner_bias: bool = True
    inner_norm: bool = False
    chained: bool | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.ratio, numbers.Real, 1, MOST):
            raise ValueError(
                f"HRF's ratio is {self.ratio!r}, but must be a number of at "
                f"least 1 and at most {MOST}: a narrower chain could not "
                "represent every weight. The paper uses 2, 4 and 8."
            )
        fewest = 0 if self.inner_norm is True else 1
        if not _is_number(self.layers, numbers.Integral, fewest, MOST):
            raise ValueError(
                f"HRF's number of extra layers is {self.layers!r}, but must be "
                f"an integer of at least 1 and at most {MOST} (the paper uses "
                "1 to 3); 0 goes with inner_norm alone. For no HRF at all give "
                "an empty list of modules."
            )
        for option, choices in {
            "width_of": ("out", "in"),
            "init": tuple(INITS),
            "inner_bias": (True, False),
            "inner_norm": (True, False),
            "chained": (None, True, False),
        }.items():
            value = getattr(self, option)
            # 1 is equal to True, but no choice.
            if not any(
                isinstance(value, type(choice)) and value == choice
                for choice in choices
            ):
                raise ValueError(
                    f"HRF's {option} is {value!r}, but must be one of "
                    f"{choices}."
                )
        if self.inner_norm and self.init == "preserve":
            raise ValueError(
                "HRF's init is 'preserve', and inner_norm is True, which "
                "changes what a layer computes as soon as it trains: leave out "
                "one of the two."
            )

    def widths(self, inputs: int, outputs: int) -> list[int]:
        """Widths of a chain's layers.

        Arguments
        ---------
        inputs : int
            m
        outputs : int
            n

        Returns
        -------
        list of int
            d_0 ... d_K
        """
        hidden = round(
            self.ratio * (outputs if self.width_of == "out" else inputs)
        )
        return [inputs, *[hidden] * self.layers, outputs]


def _is_number(value: object, kind: type, least: int, most: int) -> bool:
    return (
        isinstance(value, kind)
        and not isinstance(value, bool)
        and least <= value <= most  # type: ignore[operator]
    )


def _init_default(chain: "Chain", weight: torch.Tensor, bias: Bias) -> None:
    """Each factor as a plain linear layer: the paper's.

    The collapsed weight then has 0.58 (one extra layer) to 0.19 (three) of
    a plain layer's standard deviation.
    """
    for factor, factor_bias in zip(chain.factors, chain.biases, strict=True):
        nn.init.kaiming_uniform_(factor, a=math.sqrt(5))
        if factor_bias is not None:
            bound = 1 / math.sqrt(factor.shape[1])
            nn.init.uniform_(factor_bias, -bound, bound)


def _init_scaled(chain: "Chain", weight: torch.Tensor, bias: Bias) -> None:
    """The collapsed layer starts with the variance of a plain one.

    The first factor is drawn as a plain layer, the others keep its variance;
    inner biases stay at zero.
    """
    first, *others = chain.factors
    nn.init.kaiming_uniform_(first, a=math.sqrt(5))
    for factor in others:
        # Variance 1 / fan_in: a sum of fan_in products keeps the variance.
        bound = math.sqrt(3 / factor.shape[1])
        nn.init.uniform_(factor, -bound, bound)
    last_bias = chain.biases[-1]
    if last_bias is not None:
        bound = 1 / math.sqrt(first.shape[1])
        nn.init.uniform_(last_bias, -bound, bound)


def _init_preserve(chain: "Chain", weight: torch.Tensor, bias: Bias) -> None:
    """The collapsed layer starts as the layer that is replaced.

    The singular values are shared out evenly among the factors, so that no
    factor learns faster than another; the spaces between them are random;
    inner biases stay at zero.
    """
    factors, last_bias = chain.factors, chain.biases[-1]
    U, S, Vh = torch.linalg.svd(weight.flatten(1).double(), full_matrices=False)
    hidden, rank = factors[0].shape[0], len(S)
    # A direction in which the weight does nothing would never get a gradient if
    # all factors were zero there: the last one is, the others are as large as
    # in the strongest direction, or as in a plain layer.
    strongest = S.max() if S.max() > 0 else S.new_tensor(1 / math.sqrt(3))
    usual = torch.where(S > EPS_NULL * strongest, S, strongest)
    share = usual.pow(1 / len(factors))
    right = Vh  # [rank, m]
    for factor in factors[:-1]:
        left = torch.linalg.qr(
            torch.randn(hidden, rank, dtype=S.dtype, device=S.device)
        ).Q
        factor.copy_((left * share) @ right)
        right = left.T
    factors[-1].copy_((U * (share * S / usual)) @ right)
    if last_bias is not None and bias is not None:
        last_bias.copy_(bias)


INITS: Mapping[str, Callable[["Chain", torch.Tensor, Bias], None]] = {
    "default": _init_default,
    "scaled": _init_scaled,
    "preserve": _init_preserve,
}


class Chain(nn.Module):
    """Holds the factors and biases of a chain of linear layers.

    Arguments
    ---------
    weight : torch.Tensor
        The weight that is expanded, [n, m], or [n, m, k, ...] of a convolution:
        gives shape, dtype and device, and with init "preserve" the value.
    bias : torch.Tensor or None
        Its bias, [n].
    config : HRFConfig

    Raises
    ------
    ValueError
        If there is no bias, but a normalisation whose mean would need one.

    Example
    -------
    >>> chain = Chain(torch.empty(4, 16), torch.empty(4), HRFConfig(ratio=8))
    >>> [tuple(factor.shape) for factor in chain.factors]
    [(32, 16), (4, 32)]
    >>> chain.weight.shape, chain.bias.shape
    (torch.Size([4, 16]), torch.Size([4]))
    """

    hrf_path = ""  # in the model, once apply_hrf has put it there

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        config: HRFConfig,
    ) -> None:
        super().__init__()
        if config.inner_norm and bias is None:
            raise ValueError(
                "HRF's inner_norm is True, but the layer has no bias: the mean "
                "that is taken away would give the merged one a bias. Give the "
                "layer one, or set inner_norm to False."
            )
        outputs, *kernel = weight.shape  # inputs, and a convolution's kernel
        widths = config.widths(math.prod(kernel), outputs)
        self.hrf_factors = nn.ParameterList(
            # The first one keeps the kernel: merging needs no more than that.
            weight.new_empty(after, *(kernel if k == 0 else [before]))
            for k, (before, after) in enumerate(
                zip(widths[:-1], widths[1:], strict=True)
            )
        )
        inner = range(config.layers if config.inner_bias else 0)
        if config.inner_norm:
            inner = inner[-1:]
        # Inner biases would give a layer without a bias one.
        biased = [] if bias is None else [*inner, config.layers]
        # A missing bias is None in the middle of the list, so they are named
        # one by one: a ParameterList would not keep its place.
        self.hrf_biases = nn.Module()
        for k, width in enumerate(widths[1:]):
            self.hrf_biases.register_parameter(
                str(k),
                nn.Parameter(weight.new_empty(width)) if k in biased else None,
            )
        self.hrf_norms = nn.ModuleList()
        if config.inner_norm:
            for width in widths[1:-1] or [outputs]:
                self.hrf_norms.append(InnerNorm(weight.new_empty(width)))
        self.hrf_init = config.init
        self._draw(weight, bias)

    @torch.no_grad()
    def _draw(self, weight: torch.Tensor, bias: Bias) -> None:
        for each in self.biases:
            if each is not None:
                nn.init.zeros_(each)
        INITS[self.hrf_init](self, weight, bias)
        if self.norms:
            # A normalisation's shift starts at none.
            last_shift = self.biases[len(self.norms) - 1]
            if last_shift is not None:
                nn.init.zeros_(last_shift)

    def reset_parameters(self) -> None:
        """Draws all factors anew, as PyTorch's layers do by this name.

        Raises
        ------
        RuntimeError
            With init "preserve": the weight that was kept is gone.
        """
        if self.hrf_init == "preserve":
            raise RuntimeError(
                f"{self.named} cannot be reset: it was made of a trained weight "
                "(init='preserve'), which is not kept. Build the model and call "
                "apply_hrf anew."
            )
        self._draw(self.hrf_factors[0], None)
        for norm in self.norms:
            norm.reset_parameters()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("weight", "bias"):
            raise AttributeError(
                f"The {name} of {self.named} is computed from its factors, and "
                "cannot be set: change the factors (layer.hrf_factors), or set "
                "it before apply_hrf."
            )
        super().__setattr__(name, value)

    def __prepare_scriptable__(self) -> None:
        # torch.jit.script asks; its own error would name a line of this file.
        raise NotImplementedError(
            f"torch.jit.script cannot compile {self.named}: merge first "
            "(merge_hrf), and script the merged model."
        )

    @property
    def factors(self) -> list[torch.Tensor]:
        """The factors' weights as matrices, in the order in which they apply."""
        return [factor.flatten(1) for factor in self.hrf_factors]

    @property
    def biases(self) -> list[nn.Parameter | None]:
        """Their biases, None where one has none."""
        # By name: in DataParallel's replicas they are plain attributes.
        return [
            getattr(self.hrf_biases, str(k))
            for k in range(len(self.hrf_factors))
        ]

    def own_parameters(self) -> list[nn.Parameter]:
        """The chain's, without those that its layer has beside it.

        Returns
        -------
        list of torch.nn.Parameter
        """
        return [
            parameter
            for name, parameter in self.named_parameters()
            if name.startswith("hrf_")
        ]

    @property
    def norms(self) -> list[InnerNorm]:
        """The normalisations behind all factors but the last, if any."""
        return cast("list[InnerNorm]", list(self.hrf_norms))

    @property
    def weight(self) -> torch.Tensor:
        """The collapsed weight, [n, m] or [n, m, k, ...]; not to be written."""
        return readable(self.collapsed()[0])

    @property
    def bias(self) -> torch.Tensor | None:
        """The collapsed bias, [n], or None; not to be written."""
        bias = self.collapsed()[1]
        return None if bias is None else readable(bias)

    def collapsed(self) -> Layer:
        """The one layer that the chain is equal to; differentiable.

        In evaluation it is computed in float64 and rounded, as merging does:
        what is validated is what is shipped, not its neighbour by a rounding.
        Within a forward pass of the model it is computed once.

        Returns
        -------
        torch.Tensor
            W: [n, m] or [n, m, k, ...]
        torch.Tensor or None
            b: [n]

        Raises
        ------
        RuntimeError
            In training with inner_norm: what the layer is then depends on the
            rows that it is called with.
        """
        if self.training and self.norms:
            raise RuntimeError(
                f"The weight of {self.named} was read in training without a "
                "call of the layer, but with inner_norm it depends on the rows "
                "of the call. Leave this layer out (exclude), or set "
                "inner_norm to False."
            )
        return once(self, self._holders, self._collapse)

    def _holders(self) -> list[Holder]:
        """Where all parameters and buffers are."""
        modules: list[Any] = [self.hrf_factors, self.hrf_biases, *self.norms]
        return [
            held
            for module in modules
            # The first is where DataParallel's replicas have them.
            for held in (
                getattr(module, "_former_parameters", module._parameters),
                module._buffers,
            )
        ]

    def _collapse(self) -> Layer:
        norms = [norm.running() for norm in self.norms]
        factors, biases = self.factors, self.biases
        # Apple's GPUs have no float64.
        if self.training or factors[0].device.type == "mps":
            weight, bias = collapse(*fold(factors, biases, norms))
        else:
            weight, bias = collapse_exactly(factors, biases, norms)
        return weight.view(-1, *self.hrf_factors[0].shape[1:]), bias

    def merged(self, name: str) -> dict[str, torch.Tensor]:
        """The same, held against the chain.

        Arguments
        ---------
        name : str
            Of the layer, for errors.

        Returns
        -------
        dict of str to torch.Tensor
            See ``merge_chain``.
        """
        norms = [norm.running() for norm in self.norms]
        return merge_chain(
            name or "the model", list(self.hrf_factors), self.biases, norms
        )

    @property
    def named(self) -> str:
        """str: For errors: the name in the model, if there is one."""
        return f"{self.hrf_path!r}, {self}" if self.hrf_path else str(self)

    def __repr__(self) -> str:
        widths = [self.factors[0].shape[1]] + [f.shape[0] for f in self.factors]
        norm = ", inner_norm" if self.norms else ""
        return f"{type(self).__name__}({' -> '.join(map(str, widths))}{norm})"
