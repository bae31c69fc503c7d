"""Faster steps, the same result.

Authors
 * The speechbrain_hrf authors 2026
"""

import speechbrain as sb

from speechbrain_hrf.training.allocator import keep_freed_memory
from speechbrain_hrf.training.cuda_graphs import capture_steps


def speed_up_steps(brain: sb.Brain, cuda_graphs: bool = True) -> None:
    """Keeps freed memory for the next step; captures steps on a GPU.

    Arguments
    ---------
    brain : speechbrain.Brain
        Before ``fit``.
    cuda_graphs : bool
        Whether a step that can be captured is; see ``capture_steps``.

    Raises
    ------
    ValueError
        If ``cuda_graphs`` is neither True nor False.

    Example
    -------
    >>> import torch
    >>> speed_up_steps(sb.Brain({"model": torch.nn.Linear(2, 2)}))
    """
    keep_freed_memory()
    capture_steps(brain, cuda_graphs)
