"""What each type of layer becomes when it is expanded.

Example
-------
A layer of one's own is expanded once its kind is registered:

>>> import torch
>>> from speechbrain_hrf.nnet import ExpandedLayer, apply_hrf
>>> class Scaled(nn.Linear):
...     scale = 2.0
...     def forward(self, x):
...         return self.scale * super().forward(x)
>>> class HRFScaled(ExpandedLayer):
...     def forward(self, x):
...         return Scaled.scale * nn.functional.linear(x, *self.layer_for(x))
>>> register_kind(Scaled, HRFScaled)
>>> model = nn.Sequential(Scaled(2, 3))
>>> report = apply_hrf(model, ["0"])
>>> model, model(torch.ones(1, 2)).shape
(Sequential(
  (0): HRFScaled(2 -> 24 -> 3)
), torch.Size([1, 3]))

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import Any

from speechbrain.nnet.attention import RelPosMHAXL, RoPEMHA
from torch import nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear
from torch.nn.utils import parametrize

from speechbrain_hrf.nnet.kinds.conv import HRFConv, HRFConvTranspose
from speechbrain_hrf.nnet.kinds.expanded import Expanded
from speechbrain_hrf.nnet.kinds.linear import HRFLinear, HRFTransposed
from speechbrain_hrf.nnet.kinds.packed import PackedChains

KINDS: dict[type[nn.Module], type[Expanded]] = {
    nn.Linear: HRFLinear,
    NonDynamicallyQuantizableLinear: HRFLinear,  # nn.MultiheadAttention's own
    nn.Conv1d: HRFConv,
    nn.Conv2d: HRFConv,
    nn.Conv3d: HRFConv,
    nn.ConvTranspose1d: HRFConvTranspose,
    nn.ConvTranspose2d: HRFConvTranspose,
    nn.ConvTranspose3d: HRFConvTranspose,
    nn.MultiheadAttention: PackedChains,
    RelPosMHAXL: PackedChains,
    RoPEMHA: PackedChains,
}
# Of packages that need not be installed, by module and name.
KINDS_BY_NAME: dict[tuple[str, str], type[Expanded]] = {
    ("transformers.pytorch_utils", "Conv1D"): HRFTransposed,
}


def register_kind(plain: type[nn.Module], kind: type[Expanded]) -> None:
    """Lets ``apply_hrf`` expand a type of layer.

    Arguments
    ---------
    plain : type of torch.nn.Module
        The type itself; its subclasses may do more in their forward.
    kind : type of Expanded
        What it becomes: a subclass of ``ExpandedLayer`` for a layer with one
        weight, [n, m] or [n, m, k, ...], and a bias. With ``is_transposed``
        the weight is [m, n, ...]; ``merged_state_dict`` knows no others.

    Raises
    ------
    TypeError
        If ``kind`` is no such type.

    Example
    -------
    >>> register_kind(nn.Embedding, nn.Linear)
    Traceback (most recent call last):
        ...
    TypeError: Embedding cannot become Linear: give a subclass of Expanded ...
    """
    if not (isinstance(kind, type) and issubclass(kind, Expanded)):
        raise TypeError(
            f"{plain.__name__} cannot become {getattr(kind, '__name__', kind)}:"
            " give a subclass of Expanded or ExpandedLayer."
        )
    KINDS[plain] = kind


def kind_of(module: nn.Module) -> type[Expanded] | None:
    """What a layer becomes, or has become.

    Arguments
    ---------
    module : torch.nn.Module

    Returns
    -------
    type of Expanded, or None
        None: HRF cannot expand such a layer.

    Example
    -------
    >>> kind_of(nn.Linear(2, 3)).__name__, kind_of(nn.GRU(2, 3))
    ('HRFLinear', None)
    """
    expanded = expanded_in(module)
    if expanded is not None:
        return type(expanded)
    own, *bases = type(module).__mro__
    if parametrize.is_parametrized(module):
        # The injected subclass; found here so that it can be refused by name
        # instead of not being seen.
        own, *bases = bases
    found = KINDS.get(own) or KINDS_BY_NAME.get((own.__module__, own.__name__))
    if found is not None:
        return found
    # A subclass may do more in its forward, which a layer that takes its place
    # would drop.
    for base in bases:
        if base in KINDS and KINDS[base].keeps_layer:
            return KINDS[base]
    return None


def expanded_in(module: nn.Module) -> Expanded | None:
    """The expanded form of a layer, where a module is one.

    Arguments
    ---------
    module : torch.nn.Module

    Returns
    -------
    Expanded or None

    Example
    -------
    >>> expanded_in(HRFLinear(16, 4)), expanded_in(nn.Linear(16, 4))
    (HRFLinear(16 -> 32 -> 4), None)
    """
    if isinstance(module, Expanded):
        # A parametrization is found at the layer that it belongs to.
        return None if module.keeps_layer else module
    if not parametrize.is_parametrized(module):
        return None
    of_parameters: Any = module.parametrizations
    firsts = (each[0] for each in of_parameters.values())
    return next((each for each in firsts if isinstance(each, Expanded)), None)


def supported() -> str:
    """The types of layers that can be expanded, for messages.

    Returns
    -------
    str

    Example
    -------
    >>> supported().split(", ")[:2]
    ['Linear', 'Conv1d']
    """
    kinds = [kind.__name__ for kind in KINDS]
    kinds += [name for _, name in KINDS_BY_NAME]
    kinds.remove(NonDynamicallyQuantizableLinear.__name__)
    return ", ".join(kinds)
