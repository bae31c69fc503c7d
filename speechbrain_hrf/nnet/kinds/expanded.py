"""What a layer becomes when it is expanded, and how it becomes plain again.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from speechbrain_hrf.nnet.algebra import Layer
from speechbrain_hrf.nnet.chain import Chain, HRFConfig
from speechbrain_hrf.nnet.computed import is_called_again, kept, readable
from speechbrain_hrf.nnet.inner_norm import collapse_batch

TRANSPOSED = "hrf_transposed"

_HELD = "_parameters", "_buffers", "_modules"
# Where a module keeps what others have hung on it: hooks, and what kind.
_HOOKS = vars(nn.Module()).keys() - {
    *_HELD,
    "_non_persistent_buffers_set",
    "training",
}


class Expanded(nn.Module):
    """What ``apply_hrf`` and ``merge_hrf`` ask of a kind of expanded layer.

    A new kind is a subclass and a line in ``kinds.KINDS``, or for a layer of
    one's own ``register_kind``.

    Example
    -------
    >>> from speechbrain_hrf.nnet.kinds.linear import HRFLinear
    >>> plain = nn.Linear(16, 4)
    >>> expanded = HRFLinear.from_plain(plain, HRFConfig())
    >>> layer = expanded.take_place(plain)
    >>> layer is plain, layer
    (True, HRFLinear(16 -> 32 -> 4))
    >>> layer.to_plain("layer", layer)
    Linear(in_features=16, out_features=4, bias=True)
    """

    # Of the plain layer: the parameter that is expanded, beside "bias".
    weight_name = "weight"
    # Whether the plain layer stays where it is, and only its weight becomes
    # computed: then its subclasses may do in forward what they like.
    keeps_layer = False

    @classmethod
    def parts(cls, plain: nn.Module) -> tuple[str, ...]:
        """What can be expanded in a layer, by names that patterns match.

        Arguments
        ---------
        plain : torch.nn.Module

        Returns
        -------
        tuple of str
            Below the layer's own name; "" is the layer itself.
        """
        return ("",)

    @classmethod
    def from_plain(
        cls, plain: Any, config: HRFConfig, parts: Sequence[str] = ("",)
    ) -> "Expanded":
        """Builds the expanded form; the plain layer stays as it is.

        Arguments
        ---------
        plain : torch.nn.Module
        config : HRFConfig
        parts : sequence of str
            Those to expand.

        Returns
        -------
        Expanded
        """
        raise NotImplementedError

    @property
    def chains(self) -> Mapping[str, Chain]:
        """The expanded parts' chains."""
        raise NotImplementedError

    def take_place(self, plain: nn.Module) -> nn.Module:
        """Makes the plain layer the expanded one, wherever it is held.

        Arguments
        ---------
        plain : torch.nn.Module

        Returns
        -------
        torch.nn.Module
            The same object.
        """
        raise NotImplementedError

    def to_plain(self, name: str, place: nn.Module) -> nn.Module:
        """The plain layer, each product held against its chain.

        Arguments
        ---------
        name : str
            Of the layer, for errors.
        place : torch.nn.Module
            What ``take_place`` gave; it becomes plain again.

        Returns
        -------
        torch.nn.Module
            The same object.

        Raises
        ------
        ValueError
            See ``merge_chain``.
        """
        raise NotImplementedError


class ExpandedLayer(Chain, Expanded):
    """A layer with one weight and a bias, as a chain; a base class.

    The plain layer itself becomes one, as PyTorch's parametrizations do it:
    whoever holds the layer (a list, a YAML's other keys) holds the expanded
    one. Its hooks and all else that it has stay: attributes, and parameters,
    buffers and modules beside weight and bias.

    Arguments
    ---------
    plain : torch.nn.Module
        With weight, [n, m] or [n, m, k, ...], and bias; stays as it is.
    config : HRFConfig

    Example
    -------
    >>> class Doubled(ExpandedLayer):
    ...     def forward(self, x):
    ...         return 2 * nn.functional.linear(x, *self.layer_for(x))
    >>> Doubled(nn.Linear(16, 4), HRFConfig())(torch.rand(3, 16)).shape
    torch.Size([3, 4])
    """

    plain_class: Any
    # Whether the plain layer keeps its weight the other way round, [m, n, ...].
    is_transposed = False

    def __init__(self, plain: Any, config: HRFConfig) -> None:
        weight = plain.weight
        if self.is_transposed:
            weight = weight.transpose(0, 1)
        super().__init__(weight, plain.bias, config)
        if self.is_transposed:
            # An empty one: it tells merged_state_dict, by its name alone.
            self.register_buffer(TRANSPOSED, weight.new_empty(0))
        for key, value in vars(plain).items():
            # Kernel size, stride, and what users keep there
            vars(self).setdefault(key, value)
        self.hrf_chained = config.chained
        # What merging gives back: nn.MultiheadAttention has its own subclass.
        self.plain_class = type(plain)
        self.train(plain.training)
        for held in _HELD:
            there = dict(vars(plain)[held])
            for key in ("weight", "bias"):
                there.pop(key, None)
            vars(self)[held].update(there)
        self._non_persistent_buffers_set |= plain._non_persistent_buffers_set

    @classmethod
    def from_plain(
        cls, plain: Any, config: HRFConfig, parts: Sequence[str] = ("",)
    ) -> "ExpandedLayer":
        """Builds the expanded form of a layer.

        Arguments
        ---------
        plain : torch.nn.Module
            Stays as it is.
        config : HRFConfig
        parts : sequence of str
            The whole layer: there is no other part.

        Returns
        -------
        ExpandedLayer
        """
        return cls(plain, config)

    @property
    def weight(self) -> torch.Tensor:
        """The plain layer's weight, collapsed; not to be written."""
        weight = self.collapsed()[0]
        return readable(
            weight.transpose(0, 1) if self.is_transposed else weight
        )

    def merged(self, name: str) -> dict[str, torch.Tensor]:
        """The plain layer's weight and bias, held against the chain.

        Arguments
        ---------
        name : str
            Of the layer, for errors.

        Returns
        -------
        dict of str to torch.Tensor
        """
        state = super().merged(name)
        return transpose_back(state) if self.is_transposed else state

    @property
    def chains(self) -> Mapping[str, Chain]:
        """The layer itself is its only chain."""
        return {"": self}

    def take_place(self, plain: nn.Module) -> nn.Module:
        """Makes the plain layer the expanded one, wherever it is held.

        Arguments
        ---------
        plain : torch.nn.Module

        Returns
        -------
        torch.nn.Module
            The same object.
        """
        vars(self).update({key: vars(plain)[key] for key in _HOOKS})
        plain.__class__ = type(self)
        plain.__dict__ = vars(self)
        return plain

    def to_plain(self, name: str, place: nn.Module) -> nn.Module:
        """The plain layer, held against the chain.

        Arguments
        ---------
        name : str
            Of the layer, for errors.
        place : torch.nn.Module
            This one; it becomes plain again.

        Returns
        -------
        torch.nn.Module
            The same object.
        """
        state = self.merged(name)
        learns = any(each.requires_grad for each in self.own_parameters())
        for part in (self._modules, self._buffers, vars(self)):
            for key in [key for key in part if key.startswith("hrf_")]:
                del part[key]
        self.__class__ = vars(self).pop("plain_class")
        others, self._parameters = self._parameters, {}
        for key in ("weight", "bias"):
            value = state.get(key)
            self.register_parameter(
                key, None if value is None else nn.Parameter(value, learns)
            )
        # Last, as in a layer that adds some to those of its base class
        self._parameters.update(others)
        return self

    def layer_for(self, x: torch.Tensor) -> Layer:
        """The one linear layer that the chain is for an input.

        Arguments
        ---------
        x : torch.Tensor
            [..., m]: with inner_norm, its rows give the statistics in
            training.

        Returns
        -------
        torch.Tensor
            W: [n, m]
        torch.Tensor or None
            b: [n]

        Raises
        ------
        RuntimeError
            See ``refuse_second_call``.
        """
        layer: Layer | None = kept(self)
        if layer is not None:
            return layer
        if self.training and self.norms:
            self.refuse_second_call()
            return collapse_batch(self.factors, self.biases, self.norms, x)
        return self.collapsed()

    def refuse_second_call(self) -> None:
        """Raises at the second call in a forward pass of training.

        Raises
        ------
        RuntimeError
            Each call would be normalised by its own frames, and what is
            shipped by the average of all: not what was trained.
        """
        if is_called_again(self):
            raise RuntimeError(
                f"{self.named} is called several times in one forward pass: at "
                "every time step of a recurrent network, or for every window "
                "of input that is longer than one. With inner_norm each call "
                "would be normalised by its own frames, but what is shipped by "
                "the average over all. Train on shorter input, leave this "
                "layer out (exclude), or set inner_norm to False."
            )


def transpose_back(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A merged layer whose weight lies the other way round.

    Arguments
    ---------
    state : dict of str to torch.Tensor
        With weight, [n, m, ...].

    Returns
    -------
    dict of str to torch.Tensor
        With weight, [m, n, ...].

    Example
    -------
    >>> transpose_back({"weight": torch.zeros(2, 3)})["weight"].shape
    torch.Size([3, 2])
    """
    return {**state, "weight": state["weight"].transpose(0, 1).contiguous()}
