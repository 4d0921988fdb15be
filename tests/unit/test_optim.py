"""Schedules against their formulae, optimisers against the update written out, the one division."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from seqloom.config import AdamConfig, DecayConfig, PlateauConfig, SgdConfig, TrainConfig
from seqloom.errors import ConfigError
from seqloom.optim import freeze, learning_rate, make_optimizer, scale_gradients, set_learning_rate


def config(**options: Any) -> TrainConfig:
    return TrainConfig(**{"steps": 100, "learning_rate": 0.5} | options)


def schedule(name: Any, warmup: int) -> TrainConfig:
    return config(schedule=DecayConfig(name=name, warmup=warmup))


@pytest.mark.parametrize("name", ["inverse_sqrt", "cosine", "constant"])
def test_warm_up_is_linear_to_the_peak(name: str) -> None:
    rates = [learning_rate(step, schedule(name, 10)) for step in range(1, 11)]
    assert rates == pytest.approx([0.5 * step / 10 for step in range(1, 11)])


def test_inverse_sqrt_falls_with_the_root_of_the_step() -> None:
    assert learning_rate(40, schedule("inverse_sqrt", 10)) == pytest.approx(0.5 * math.sqrt(10 / 40))
    assert learning_rate(9, schedule("inverse_sqrt", 0)) == pytest.approx(0.5 / 3)


def test_cosine_is_half_in_the_middle_and_nothing_at_the_end() -> None:
    assert learning_rate(55, schedule("cosine", 10)) == pytest.approx(0.25)
    assert learning_rate(100, schedule("cosine", 10)) == pytest.approx(0)
    assert learning_rate(130, schedule("cosine", 10)) == pytest.approx(0)


def test_constant_stays() -> None:
    assert {learning_rate(step, schedule("constant", 10)) for step in range(10, 200)} == {0.5}


def fallen(costs: list[float], step: int = 99, patience: int = 2) -> float:
    """The plateau's rate as a share of the peak."""
    schedule = PlateauConfig(warmup=10, factor=0.1, patience=patience)
    return learning_rate(step, config(schedule=schedule), costs) / 0.5


def test_a_plateau_begins_where_scores_stand_still() -> None:
    assert fallen([]) == 1
    assert fallen([3.0, 2.0, 1.0, 0.5]) == 1
    assert fallen([3.0, 3.0, 2.0, 2.0]) == 1
    assert fallen([3.0, 3.0, 4.0]) == pytest.approx(0.1)
    assert fallen([3.0, 3.0], patience=1) == pytest.approx(0.1)


def test_a_plateau_goes_on_falling_by_its_patience() -> None:
    assert fallen([3.0] * 4) == pytest.approx(0.1)
    assert fallen([3.0] * 4 + [math.nan]) == pytest.approx(0.01)
    assert fallen([3.0] * 4 + [1.0] * 3) == pytest.approx(0.01)


def test_a_plateau_warms_up_as_others_do() -> None:
    assert fallen([3.0] * 4, step=5) == pytest.approx(0.5)


def one_update(options: AdamConfig | SgdConfig, updates: int = 1) -> nn.Linear:
    """A layer whose gradients are all 2, after some updates at rate 0.1 from weights of 1."""
    layer = nn.Linear(2, 2)
    nn.init.ones_(layer.weight)
    nn.init.ones_(layer.bias)
    optimizer = make_optimizer(layer, config(optimizer=options), fused=False)
    for _ in range(updates):
        for group in optimizer.param_groups:
            group["lr"] = 0.1
        for parameter in layer.parameters():
            parameter.grad = torch.full_like(parameter, 2)
        optimizer.step()
    return layer


def test_sgd_with_momentum() -> None:
    layer = one_update(SgdConfig(name="sgd", momentum=0.5), updates=2)
    assert layer.bias[0].item() == pytest.approx(1 - 0.1 * 2 - 0.1 * (0.5 * 2 + 2))


def test_weight_decay_acts_on_matrices_only() -> None:
    plain, decayed = (one_update(SgdConfig(name="sgd", weight_decay=w)) for w in (0, 0.5))
    assert torch.equal(plain.bias, decayed.bias)
    assert decayed.weight[0, 0].item() == pytest.approx(1 - 0.1 * (2 + 0.5))


def test_adam_moves_by_the_rate_whatever_the_gradient() -> None:
    layer = one_update(AdamConfig(name="adam", betas=(0.9, 0.98), epsilon=1.0))
    assert layer.bias[0].item() == pytest.approx(1 - 0.1 * 2 / (2 + 1))


def test_adamw_decays_weights_apart_from_the_gradient() -> None:
    adam, adamw = (
        one_update(AdamConfig(name=name, weight_decay=0.5, epsilon=1e-9)) for name in ("adam", "adamw")
    )
    assert adam.weight[0, 0].item() == pytest.approx(0.9)
    assert adamw.weight[0, 0].item() == pytest.approx(1 - 0.1 * 0.5 - 0.1)


# Parameters that are trained otherwise -----------------------------------------------------------------


class Pair(nn.Module):
    """Two layers, and a name more for the weight of the first."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(2, 2), nn.Linear(2, 2)
        self.decoder.tied = self.encoder.weight


def grouped(model: nn.Module, *rules: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Weight decay and share of the learning rate of each parameter that is trained, in their order."""
    options = config(parameters=rules, optimizer=SgdConfig(name="sgd", weight_decay=0.5))
    freeze(model, options.parameters)
    optimizer = make_optimizer(model, options, fused=False)
    set_learning_rate(optimizer, 0.25)
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {
        names[parameter]: (group["weight_decay"], group["lr"] / 0.25)
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def test_without_rules_matrices_decay_and_all_have_the_rate() -> None:
    assert grouped(Pair()) == {
        "encoder.weight": (0.5, 1.0),
        "decoder.weight": (0.5, 1.0),
        "encoder.bias": (0.0, 1.0),
        "decoder.bias": (0.0, 1.0),
    }


def test_the_first_rule_that_matches_holds() -> None:
    first = {"match": "*.bias", "weight_decay": 0.1}
    found = grouped(Pair(), first, {"match": "encoder.*", "learning_rate_factor": 0.5})
    assert found == {
        "encoder.weight": (0.5, 0.5),
        "encoder.bias": (0.1, 1.0),
        "decoder.bias": (0.1, 1.0),
        "decoder.weight": (0.5, 1.0),
    }


def test_a_shared_parameter_is_matched_by_each_of_its_names() -> None:
    assert grouped(Pair(), {"match": "*.tied", "weight_decay": 0.0})["encoder.weight"] == (0.0, 1.0)


def test_frozen_parameters_are_counted_and_left_alone() -> None:
    model = Pair()
    rules = config(parameters=[{"match": "encoder.*", "freeze": True}]).parameters
    assert freeze(model, rules) == 6
    assert [p.requires_grad for p in model.parameters()] == [False, False, True, True]
    assert list(grouped(Pair(), {"match": "encoder.*", "freeze": True})) == [
        "decoder.weight",
        "decoder.bias",
    ]


def test_what_a_part_froze_itself_is_counted_too() -> None:
    model = Pair()
    model.decoder.requires_grad_(False)
    assert freeze(model, ()) == sum(p.numel() for p in model.decoder.parameters())
    with pytest.raises(ConfigError, match="everything is frozen"):
        freeze(model, config(parameters=[{"match": "encoder.*", "freeze": True}]).parameters)


def test_everything_frozen_is_refused() -> None:
    with pytest.raises(ConfigError, match="everything is frozen"):
        freeze(Pair(), config(parameters=[{"match": "*", "freeze": True}]).parameters)


def test_a_pattern_that_matches_nothing_is_refused_with_those_near() -> None:
    rules = [{"match": "*.bias"}, {"match": "encodr.*", "freeze": True}]
    with pytest.raises(
        ConfigError, match=r"parameters\.1\.match: no .* 'encodr\.\*'; near it are encoder\.\*"
    ):
        grouped(Pair(), *rules)


@pytest.mark.parametrize("option", [{"weight_decay": 0.0}, {"learning_rate_factor": 0.5}])
def test_what_is_frozen_takes_no_other_option(option: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="'x' is to be frozen: it takes no rate and no decay"):
        config(parameters=[{"match": "x", "freeze": True, **option}])


# The one division --------------------------------------------------------------------------------------


def scaled(clip: float | None) -> tuple[list[float], float]:
    """Gradients (6, 8) of a sum over 2 targets."""
    parameter = nn.Parameter(torch.zeros(2))
    unused = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([6.0, 8.0])
    norm = scale_gradients([parameter, unused], torch.tensor(2), clip)
    assert unused.grad is None
    return parameter.grad.tolist(), norm.item()


@pytest.mark.parametrize(
    ("clip", "wanted"), [(None, [3, 4]), (10.0, [3, 4]), (1.0, [0.6, 0.8]), (5.0, [3, 4])]
)
def test_sums_become_means_no_longer_than_the_clip(clip: float | None, wanted: list[float]) -> None:
    gradient, norm = scaled(clip)
    assert gradient == pytest.approx(wanted)
    assert norm == pytest.approx(5)
