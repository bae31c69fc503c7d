"""Which utterances each model of a stack sees in each step of an epoch.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Sequence

import torch


def steps_of(
    orders: Sequence[Sequence[int]], batch_size: int, drop_last: bool = False
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The steps of an epoch for models that see sets of different sizes.

    All models take their full batches side by side; the last, short ones
    follow, those of one size together. So each model sees its batches in its
    own order, and batches have few sizes.

    Arguments
    ---------
    orders : list of list of int
        For each model the rows of the corpus in the order in which it sees
        them; empty for a model that takes no step.
    batch_size : int
    drop_last : bool
        Whether short batches are left out.

    Returns
    -------
    list of tuple of torch.Tensor
        rows [V, B] and active [V] of each step.

    Example
    -------
    >>> for rows, active in steps_of([[5, 3, 1], [7, 9]], 2):
    ...     print(rows.tolist(), active.tolist())
    [[5, 3], [7, 9]] [True, True]
    [[1], [7]] [True, False]
    """
    steps = []
    full = [len(order) // batch_size for order in orders]
    for k in range(max(full, default=0)):
        start = k * batch_size
        active = [k < count for count in full]
        steps.append(_step(orders, active, start, batch_size))
    short = [len(order) % batch_size for order in orders]
    for size in sorted(set(short) - {0}, reverse=True):
        if not drop_last:
            active = [each == size for each in short]
            steps.append(_step(orders, active, -size, size))
    return steps


def _step(orders, active, start, size):
    # Those who sit it out get any rows that there are.
    any_row = next(order[0] for order in orders if len(order))
    rows = [
        order[start : len(order) if start < 0 else start + size]
        if takes_it
        else [order[0] if len(order) else any_row] * size
        for order, takes_it in zip(orders, active, strict=True)
    ]
    return torch.tensor(rows), torch.tensor(active)
