"""Sinusoidal positions, computed when they are needed.

A stored table would be most of a small model's file.

Authors
 * The speechbrain_hrf authors 2026
"""

import math

import torch
from torch import Tensor


def sinusoids(n_positions: int, d_model: int, like: Tensor) -> Tensor:
    """The sine-cosine encoding of "Attention is all you need".

    Arguments
    ---------
    n_positions : int
        T
    d_model : int
        D, even.
    like : torch.Tensor
        Gives device and dtype.

    Raises
    ------
    ValueError
        If D is odd.

    Returns
    -------
    torch.Tensor
        [T, D]; even columns are sines, odd columns cosines.

    Example
    -------
    >>> sinusoids(3, 4, like=torch.empty(0))[0]
    tensor([0., 1., 0., 1.])
    """
    if d_model % 2:
        raise ValueError(
            f"d_model is {d_model}, but positions come as pairs of sine and "
            "cosine: give an even number."
        )
    # float32 also under autocast: bfloat16 cannot tell frame 256 from 257.
    position = torch.arange(n_positions, device=like.device).float()
    step = torch.arange(0, d_model, 2, device=like.device).float()
    frequency = torch.exp(step * (-math.log(10000.0) / d_model))
    angle = position.unsqueeze(1) * frequency  # [T, D/2]
    table = torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)
    return table.to(like.dtype)
