"""AdamW for stacked models, each with its own learning rate and step count.

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import NamedTuple

import torch


class AdamWOptions(NamedTuple):
    """What all models of a stack have in common.

    Arguments
    ---------
    betas : tuple of float
        Of the running averages of gradient and squared gradient.
    eps : float
        Added to the denominator.
    weight_decay : float
        Decoupled from the gradient.

    Example
    -------
    >>> AdamWOptions.of(torch.optim.AdamW([torch.zeros(1)], lr=0.1))
    AdamWOptions(betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01)
    """

    betas: tuple[float, float]
    eps: float
    weight_decay: float

    @classmethod
    def of(cls, optimizer: torch.optim.Optimizer) -> "AdamWOptions":
        """Reads them off PyTorch's optimiser.

        Arguments
        ---------
        optimizer : torch.optim.AdamW
            With one group of parameters.

        Returns
        -------
        AdamWOptions

        Raises
        ------
        ValueError
            For another optimiser, several groups, or amsgrad and maximize.
        """
        if type(optimizer) is not torch.optim.AdamW:
            raise ValueError(
                f"opt_class makes a {type(optimizer).__name__}: an ensemble "
                "steps by torch.optim.AdamW alone. Train these runs one by one "
                "with train.py."
            )
        group, *others = optimizer.param_groups
        if others or group["amsgrad"] or group["maximize"]:
            raise ValueError(
                "opt_class has several groups of parameters, amsgrad or "
                "maximize, which an ensemble does not know: leave them out, or "
                "train these runs one by one with train.py."
            )
        return cls(tuple(group["betas"]), group["eps"], group["weight_decay"])


class Moments(NamedTuple):
    """What AdamW keeps of each model.

    Arguments
    ---------
    step : torch.Tensor
        Steps taken, float64 [V].
    mean : torch.Tensor
        Running average of the gradient, [V, P].
    square : torch.Tensor
        Of the squared gradient, [V, P].

    Example
    -------
    >>> Moments(torch.zeros(2), torch.zeros(2, 3), torch.zeros(2, 3)).step
    tensor([0., 0.])
    """

    step: torch.Tensor
    mean: torch.Tensor
    square: torch.Tensor


def adamw(
    parameters: torch.Tensor,
    gradients: torch.Tensor,
    moments: Moments,
    lr: torch.Tensor,
    options: AdamWOptions,
) -> tuple[torch.Tensor, Moments]:
    """A step of all models; nothing is changed in place.

    Arguments
    ---------
    parameters, gradients : torch.Tensor
        [V, P]
    moments : Moments
    lr : torch.Tensor
        Learning rate of each model, float64 [V].
    options : AdamWOptions

    Returns
    -------
    torch.Tensor
        The new parameters, [V, P].
    Moments
        The new ones.

    Example
    -------
    >>> zeros = torch.zeros(2, 1)
    >>> moments = Moments(torch.zeros(2).double(), zeros, zeros)
    >>> lr = torch.tensor([0.1, 0.2], dtype=torch.float64)
    >>> new, moments = adamw(
    ...     zeros, torch.ones(2, 1), moments, lr,
    ...     AdamWOptions((0.9, 0.999), 1e-8, 0.0))
    >>> new.flatten(), moments.step.tolist()
    (tensor([-0.1000, -0.2000]), [1.0, 1.0])
    """
    dtype = parameters.dtype
    beta1, beta2 = options.betas

    def column(values: torch.Tensor) -> torch.Tensor:
        return values.to(dtype).unsqueeze(1)  # [V, 1]

    # In float64, as PyTorch's optimiser has these few numbers too.
    step = moments.step + 1
    size = column(lr / (1 - beta1**step))
    scale = column((1 - beta2**step).sqrt())
    mean = torch.lerp(moments.mean, gradients, 1 - beta1)
    square = moments.square * beta2 + gradients.square() * (1 - beta2)
    decayed = parameters * column(1 - lr * options.weight_decay)
    new = decayed - size * mean / (square.sqrt() / scale + options.eps)
    return new, Moments(step, mean, square)


def clipped(gradients: torch.Tensor, max_norm: float) -> torch.Tensor:
    """Each model's gradient, shortened to a norm as SpeechBrain does.

    Arguments
    ---------
    gradients : torch.Tensor
        [V, P]
    max_norm : float

    Returns
    -------
    torch.Tensor
        [V, P]

    Example
    -------
    >>> clipped(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    norm = torch.linalg.vector_norm(gradients, dim=1, keepdim=True)
    # The term is torch.nn.utils.clip_grad_norm_'s own.
    return gradients * (max_norm / (norm + 1e-6)).clamp(max=1.0)
