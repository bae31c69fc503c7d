"""A learning rate of their own for the factors of HRF's chains.

Not the paper's, which gives them that of the plain layer, though the product
of factors then moves several times further in a step. A scale below 1 takes
that away for the chains alone.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
import numbers
from collections.abc import Callable

import torch
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.nnet.chain import Chain

logger = get_logger(__name__)


def scale_factor_steps(
    opt_class: Callable[..., torch.optim.Optimizer],
    model: torch.nn.Module,
    scale: float,
) -> Callable[..., torch.optim.Optimizer]:
    """An optimiser whose steps are scaled for the parameters of chains.

    For optimisers whose step is proportional to the learning rate (AdamW, SGD)
    it is the same as a parameter group with another rate. But SpeechBrain
    clips gradients of the first group only, and its schedulers give all groups
    one rate.

    Arguments
    ---------
    opt_class : callable
        Parameters to an optimiser.
    model : torch.nn.Module
        After ``apply_hrf``.
    scale : float
        Of the chains' steps, positive; 1 gives ``opt_class`` back.

    Returns
    -------
    callable
        Parameters to an optimiser.

    Raises
    ------
    ValueError
        If the scale is not a positive number.

    Example
    -------
    >>> from functools import partial
    >>> from speechbrain_hrf import apply_hrf
    >>> model = torch.nn.Sequential(torch.nn.Linear(1, 1))
    >>> report = apply_hrf(model, ["0"], ratio=1)
    >>> sgd = scale_factor_steps(partial(torch.optim.SGD, lr=1.0), model, 0.5)
    >>> optimizer = sgd(model.parameters())
    >>> bias = model[0].biases[1]
    >>> before, bias.grad = bias.item(), torch.ones(1)
    >>> optimizer.step()
    >>> round(bias.item() - before, 5)
    -0.5
    """
    if (
        not isinstance(scale, numbers.Real)
        or isinstance(scale, bool)
        or not 0 < scale < math.inf
    ):
        raise ValueError(
            f"hrf_lr_scale is {scale!r}: give a positive number; 1 trains the "
            "chains at the learning rate of the other layers."
        )
    if scale == 1:
        return opt_class
    chains = [module for module in model.modules() if isinstance(module, Chain)]
    factors = [p for chain in chains for p in chain.parameters()]
    if not factors:
        logger.warning(
            f"hrf_lr_scale is {scale}, but no layer is a chain (hrf_modules is "
            "empty): it changes nothing."
        )
        return opt_class
    before = []

    def remember(optimizer, args, kwargs):
        before[:] = [factor.detach().clone() for factor in factors]

    @torch.no_grad()
    def shorten(optimizer, args, kwargs):
        for factor, old in zip(factors, before, strict=True):
            factor.copy_(old.lerp(factor, scale))

    def build(parameters):
        optimizer = opt_class(parameters)
        optimizer.register_step_pre_hook(remember)
        optimizer.register_step_post_hook(shorten)
        return optimizer

    return build
