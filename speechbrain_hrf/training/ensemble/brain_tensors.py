"""All tensors of a Brain in training, out of it and back into it.

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Mapping

import speechbrain as sb
import torch

from speechbrain_hrf.training.ensemble.layout import Layout


def tensors_of(brain: sb.Brain, layout: Layout) -> dict[str, torch.Tensor]:
    """Copies what training changes.

    Arguments
    ---------
    brain : speechbrain.Brain
        With its optimiser, AdamW.
    layout : Layout
        Of the trained parameters.

    Returns
    -------
    dict of str: torch.Tensor
        As a ``Snapshot`` holds them.

    Example
    -------
    >>> model = torch.nn.Linear(2, 1)
    >>> brain = sb.Brain({"model": model}, torch.optim.AdamW)
    >>> brain.init_optimizers()
    >>> layout = Layout({"model.bias": torch.Size([1])})
    >>> found = tensors_of(brain, layout)
    >>> torch.equal(found["parameters"][0], model.bias[0])
    True
    """
    parameters = dict(brain.modules.named_parameters())
    weights, mean, square, step = {}, {}, {}, 0.0
    for name in layout.parts:
        parameter = parameters[name]
        state = brain.optimizer.state.get(parameter, {})
        nothing = torch.zeros_like(parameter)
        weights[name] = parameter.detach()[None]
        mean[name] = state.get("exp_avg", nothing).detach()[None]
        square[name] = state.get("exp_avg_sq", nothing).detach()[None]
        step = max(step, float(state.get("step", 0.0)))
    tensors = {
        "parameters": layout.packed(weights)[0],
        "mean": layout.packed(mean)[0],
        "square": layout.packed(square)[0],
        "step": torch.tensor(step, dtype=torch.float64),
        **dict(brain.modules.named_buffers()),
    }
    return {k: v.detach().cpu().clone() for k, v in tensors.items()}


@torch.no_grad()
def put_tensors(
    brain: sb.Brain, layout: Layout, tensors: Mapping[str, torch.Tensor]
) -> None:
    """Puts them back, in place.

    Arguments
    ---------
    brain : speechbrain.Brain
    layout : Layout
    tensors : dict of str: torch.Tensor
        Of ``tensors_of``.

    Example
    -------
    >>> model = torch.nn.Linear(2, 1)
    >>> brain = sb.Brain({"model": model}, torch.optim.AdamW)
    >>> brain.init_optimizers()
    >>> layout = Layout({"model.bias": torch.Size([1])})
    >>> tensors = tensors_of(brain, layout)
    >>> put_tensors(brain, layout, {**tensors, "parameters": torch.ones(4)})
    >>> model.bias.item(), len(brain.optimizer.state)
    (1.0, 1)
    """
    optimizer = brain.optimizer
    parameters = dict(brain.modules.named_parameters())
    weights, mean, square = (
        layout.views(tensors[kind][None])
        for kind in ("parameters", "mean", "square")
    )
    fused = optimizer.param_groups[0]["fused"]
    for name in layout.parts:
        parameter = parameters[name]
        parameter.copy_(weights[name][0])
        optimizer.state[parameter] = {
            # Where and as what torch.optim.AdamW keeps it
            "step": tensors["step"].to(
                dtype=torch.float32,
                device=parameter.device if fused else "cpu",
            ),
            "exp_avg": torch.empty_like(parameter).copy_(mean[name][0]),
            "exp_avg_sq": torch.empty_like(parameter).copy_(square[name][0]),
        }
    for name, buffer in brain.modules.named_buffers():
        buffer.copy_(tensors[name])
