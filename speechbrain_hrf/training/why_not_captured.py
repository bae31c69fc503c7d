"""Which training steps a CUDA graph cannot repeat.

A graph repeats what the GPU did. What Python does or decides in a step, and
what one process tells another, is not in it.

Authors
 * The speechbrain_hrf authors 2026
"""

import speechbrain as sb
import torch
from speechbrain.processing.features import InputNormalization
from torch.optim.optimizer import (
    _global_optimizer_post_hooks,
    _global_optimizer_pre_hooks,
)

from speechbrain_hrf.nnet.refusals import check_parameters

# Methods of Brain that a replay does not call.
_NOT_CALLED = (
    "fit_batch",
    "optimizers_step",
    "freeze_optimizers",
    "on_fit_batch_start",
    "on_fit_batch_end",
)


def why_not_captured(brain: sb.Brain) -> str | None:
    """The reason why a Brain's steps cannot be captured.

    Arguments
    ---------
    brain : speechbrain.Brain
        With its optimizer.

    Returns
    -------
    str or None
        None if they can.

    Example
    -------
    >>> why_not_captured(sb.Brain({"model": torch.nn.Linear(2, 2)}))
    'the device is cpu'
    """
    if torch.device(brain.device).type != "cuda":
        return f"the device is {brain.device}"
    if brain.distributed_launch or brain.data_parallel_backend:
        return "several processes or devices share a step"
    if brain.grad_accumulation_factor != 1:
        return "a step has several batches (grad_accumulation_factor)"
    if brain.scaler.is_enabled():
        return "the scaler of fp16 decides about every step on the CPU"
    if brain.skip_nonfinite_grads:
        return "skip_nonfinite_grads looks at gradients on the CPU"
    if any(
        getattr(brain, name)
        for name in ("compile", "compile_module_keys", "jit", "jit_module_keys")
    ):
        return "the model is compiled"
    if getattr(brain, "distillation", None) is not None:
        return "a teacher's answers are looked up by name (distil_from)"
    kind = type(brain)
    for name in _NOT_CALLED:
        if getattr(kind, name) is not getattr(sb.Brain, name):
            return f"{kind.__name__} has its own {name}"
    optimizers = list((brain.optimizers_dict or {}).values())
    if len(optimizers) != 1:
        return f"there are {len(optimizers)} optimisers"
    for group in optimizers[0].param_groups:
        if "capturable" not in group or not group["fused"]:
            return "its optimiser is no Adam or AdamW with fused: True"
    hooks = [
        *optimizers[0]._optimizer_step_pre_hooks.values(),
        *optimizers[0]._optimizer_step_post_hooks.values(),
        *_global_optimizer_pre_hooks.values(),
        *_global_optimizer_post_hooks.values(),
    ]
    # HRF's own looks at the first step alone, which runs one by one.
    if any(hook is not check_parameters for hook in hooks):
        return "its optimiser has hooks (record_steps, hrf_lr_scale)"
    for name, module in brain.modules.named_modules():
        if (
            isinstance(module, InputNormalization)
            and module.norm_type == "global"
            and module.update_until_epoch > 1
        ):
            return (
                f"{name} is estimated in training (update_until_epoch is "
                f"{module.update_until_epoch})"
            )
    return None
