"""Gradients to updates: optimisers, learning-rate schedules, and the one division of a step."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from seqloom.config import ParametersConfig, PlateauConfig, SgdConfig, TrainConfig
from seqloom.errors import ConfigError


def make_optimizer(model: nn.Module, config: TrainConfig, fused: bool) -> torch.optim.Optimizer:
    """The optimiser of a job.

    Args:
        model: Whose parameters are updated, but for frozen ones; weight decay acts on matrices only, as
            biases and norms have no scale to shrink.
        config: What the job says.
        fused: Whether to update all parameters in one kernel (GPUs).

    Returns:
        An optimiser of one group for each pair of ``weight_decay`` and ``learning_rate_factor``, in the
        order of the model's parameters: always the same.

    Raises:
        ConfigError: A pattern of ``train.parameters`` matches nothing.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter, rule in _rules(model, config.parameters):
        if parameter.requires_grad:
            decay = config.optimizer.weight_decay if parameter.ndim >= 2 else 0.0
            factor = 1.0
            if rule is not None:
                decay = decay if rule.weight_decay is None else rule.weight_decay
                factor = rule.learning_rate_factor
            groups.setdefault((decay, factor), []).append(parameter)
    return _optimizer(
        [
            {"params": parameters, "weight_decay": decay, "learning_rate_factor": factor}
            for (decay, factor), parameters in groups.items()
        ],
        config,
        fused,
    )


def _optimizer(groups: list[dict[str, Any]], config: TrainConfig, fused: bool) -> torch.optim.Optimizer:
    options = config.optimizer
    if isinstance(options, SgdConfig):
        return torch.optim.SGD(groups, lr=0.0, momentum=options.momentum, fused=fused)
    kind = torch.optim.AdamW if options.name == "adamw" else torch.optim.Adam
    return kind(groups, lr=0.0, betas=options.betas, eps=options.epsilon, fused=fused)


def freeze(model: nn.Module, rules: Sequence[ParametersConfig]) -> int:
    """Lets the parameters that a job freezes get no gradient.

    Returns:
        How many numbers are frozen, by these rules or by the model's parts themselves.

    Raises:
        ConfigError: A pattern matches nothing, or nothing is left to learn.
    """
    for parameter, rule in _rules(model, rules):
        if rule is not None and rule.freeze:
            parameter.requires_grad_(False)
    frozen = [parameter for parameter in model.parameters() if not parameter.requires_grad]
    if len(frozen) == len(list(model.parameters())):
        raise ConfigError("train.parameters: everything is frozen, so there is nothing left to learn")
    return sum(parameter.numel() for parameter in frozen)


def _rules(
    model: nn.Module, rules: Sequence[ParametersConfig]
) -> list[tuple[nn.Parameter, ParametersConfig | None]]:
    """Each parameter, once, with the first rule that matches a name of its; shared ones have several."""
    names: dict[nn.Parameter, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(parameter, []).append(name)
    known = [name for several in names.values() for name in several]
    for number, rule in enumerate(rules):
        if not _matches(rule, known):
            raise ConfigError(
                f"train.parameters.{number}.match: no parameter is called '{rule.match}'; "
                f"near it are {', '.join(_near(rule.match, known))}"
            )
    return [
        (parameter, next((rule for rule in rules if _matches(rule, several)), None))
        for parameter, several in names.items()
    ]


def _matches(rule: ParametersConfig, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, rule.match) for name in names)


def _near(pattern: str, names: Iterable[str]) -> list[str]:
    """Names, and patterns of the modules that hold them, that are written much like a pattern."""
    modules = {
        f"{name.rsplit('.', depth)[0]}.*" for name in names for depth in range(1, name.count(".") + 1)
    }
    return difflib.get_close_matches(pattern, sorted(modules | set(names)), n=4, cutoff=0.0)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Gives each group of :func:`make_optimizer` its share of a learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["learning_rate_factor"]


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
    if gradients:  # a rank without a share of a step that failed on the others has none
        torch._foreach_mul_(gradients, factor)
    return norm
