"""Gradients to updates: optimisers, learning-rate schedules, and the one division of a step."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from seqloom.config import PlateauConfig, SgdConfig, TrainConfig


def make_optimizer(model: nn.Module, config: TrainConfig, fused: bool) -> torch.optim.Optimizer:
    """The optimiser of a job.

    Args:
        model: Whose parameters are updated; weight decay acts on matrices only, as biases and norms
            have no scale to shrink.
        config: What the job says.
        fused: Whether to update all parameters in one kernel (GPUs).
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {
            "params": [p for p in parameters if p.ndim >= 2],
            "weight_decay": config.optimizer.weight_decay,
        },
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    options = config.optimizer
    if isinstance(options, SgdConfig):
        return torch.optim.SGD(groups, lr=0.0, momentum=options.momentum, fused=fused)
    kind = torch.optim.AdamW if options.name == "adamw" else torch.optim.Adam
    return kind(groups, lr=0.0, betas=options.betas, eps=options.epsilon, fused=fused)


def learning_rate(step: int, config: TrainConfig, costs: Iterable[float] = ()) -> float:
    """The learning rate of a step.

    Linear warm-up to the peak, then: ``inverse_sqrt`` falls as the root of warm-up over step (Vaswani
    et al. 2017, section 5.3), ``cosine`` to 0 at the last step (Loshchilov and Hutter 2017),
    ``constant`` stays, ``plateau`` falls by its factor each time that evaluations bring nothing better.

    Args:
        step: Counted from 1.
        config: What the job says.
        costs: How bad the model was at each evaluation before this step, in their order.
    """
    schedule, peak = config.schedule, config.learning_rate
    if step < schedule.warmup:
        return peak * step / schedule.warmup
    if isinstance(schedule, PlateauConfig):
        return peak * schedule.factor ** _plateaus(costs, schedule.patience)
    if schedule.name == "inverse_sqrt":
        return peak * math.sqrt(max(schedule.warmup, 1) / max(step, 1))
    if schedule.name == "cosine":
        done = (step - schedule.warmup) / max(config.steps - schedule.warmup, 1)
        return peak * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return peak


def _plateaus(costs: Iterable[float], patience: int) -> int:
    """How often so many costs in a row were not below the least before them."""
    least, waiting, plateaus = math.inf, 0, 0
    for cost in costs:
        if cost < least:
            least, waiting = cost, 0
        else:
            waiting += 1
        if waiting == patience:
            waiting, plateaus = 0, plateaus + 1
    return plateaus


@torch.no_grad()
def scale_gradients(
    parameters: Iterable[nn.Parameter], elements: Tensor, clip_norm: float | None
) -> Tensor:
    """Turns summed gradients into those of the mean, clipped, in one pass and without a wait.

    Args:
        parameters: Their ``grad`` holds sums over the step's micro-batches.
        elements: [] how many targets the sums go over.
        clip_norm: The longest gradient of the mean loss to let through; None for any.

    Returns:
        [] the norm of the mean's gradient before clipping.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients, foreach=True) / elements
    factor = 1 / elements
    if clip_norm is not None:
        factor = factor * (clip_norm / norm.clamp(min=1e-12)).clamp(max=1.0)
    torch._foreach_mul_(gradients, factor)
    return norm
