"""Singular values of a model's merged weights, and their effective rank.

Extra linear factors may bias training towards weights of low rank (Huh et al.,
The Low-Rank Simplicity Bias in Deep Networks, TMLR 2023). What HRF leaves in
the weights that are shipped is seen here.

Example
-------
>>> import torch
>>> from speechbrain_hrf import apply_hrf
>>> model = torch.nn.Sequential(torch.nn.Linear(4, 2))
>>> report = apply_hrf(model, ["0"])
>>> values = spectra(model.state_dict())
>>> list(values), len(values["0.weight"])
(['0.weight'], 2)
>>> 1 <= effective_rank(values["0.weight"]) <= 2
True

Authors
 * The speechbrain_hrf authors 2026
"""

import torch

from speechbrain_hrf.nnet.merge import weight_matrices


def effective_rank(singular_values: list[float]) -> float:
    """The exponential of the entropy of normalised singular values.

    erank = exp(-sum p log p), p = s / sum s (Roy & Vetterli, The Effective
    Rank, EUSIPCO 2007): 1 for one direction, n for n equal ones.

    Arguments
    ---------
    singular_values : list of float
        At least one of them not zero.

    Returns
    -------
    float

    Example
    -------
    >>> round(effective_rank([2.0, 2.0, 0.0]), 6)
    2.0
    """
    values = torch.as_tensor(singular_values, dtype=torch.float64)
    return float(torch.distributions.Categorical(values).entropy().exp())


def spectra(state_dict: dict[str, torch.Tensor]) -> dict[str, list[float]]:
    """Singular values of every weight matrix, chains merged first.

    Arguments
    ---------
    state_dict : dict of str: torch.Tensor
        Of a plain or a factorised model.

    Returns
    -------
    dict of str: list of float
        By the plain model's names, largest first.

    Example
    -------
    >>> import torch
    >>> spectra({"a.weight": torch.diag(torch.tensor([1.0, 3.0]))})
    {'a.weight': [3.0, 1.0]}
    """
    return {
        name: torch.linalg.svdvals(weight.double()).tolist()
        for name, weight in weight_matrices(state_dict).items()
    }
