from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from seqloom.averaging import MovingAverage, mean_weights
from seqloom.errors import Interrupted
from seqloom.trainer import Trainer

MakeTrainer = Callable[..., Trainer]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one.keys() | other.keys())


def copied(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: weight.clone() for name, weight in weights.items()}


def test_a_mean_is_of_each_weight() -> None:
    mean = mean_weights([{"a": torch.tensor([1.0, 2.0])}, {"a": torch.tensor([3.0, 6.0])}])
    assert torch.equal(mean["a"], torch.tensor([2.0, 4.0]))


def test_an_average_follows_its_model(trainer: MakeTrainer) -> None:
    model = trainer().model
    average = MovingAverage(model, 0.9)
    wanted = {name: weight.double() for name, weight in model.weights().items()}
    for step in range(1, 200):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.01)
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        wanted = {n: decay * w + (1 - decay) * model.weights()[n].double() for n, w in wanted.items()}
    for name, weight in average.weights.items():
        torch.testing.assert_close(weight, wanted[name].to(weight.dtype), rtol=1e-4, atol=1e-5)
    lag = [(model.weights()[name] - weight).mean() for name, weight in average.weights.items()]
    assert all(one == pytest.approx(0.09, rel=1e-2) for one in lag)  # 0.01 · decay / (1 - decay)


def test_it_stands_in_for_the_model_even_where_that_fails(trainer: MakeTrainer) -> None:
    model = trainer().model
    average = MovingAverage(model, 0.9)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    learning, averaged = copied(model.weights()), copied(average.weights)
    seen = []

    def judged() -> None:
        with average.in_place():
            seen.append(copied(model.weights()))
            raise RuntimeError("the judge fails")

    with pytest.raises(RuntimeError, match="the judge fails"):
        judged()
    assert same(seen[0], averaged)
    assert same(model.weights(), learning)
    assert same(average.weights, averaged)


def test_the_average_is_judged_and_left_and_learning_goes_on(trainer: MakeTrainer) -> None:
    """With it or without, the weights that learn are the same; the average differs from them."""
    job = ("train.steps=4", "evaluate.every=1", "train.keep=9")
    seen = []
    one = trainer(*job, "train.ema=0.9", folder="with", values=[4, 3, 2, 1])
    judge = one.judging.judge

    def looking(model, step):  # type: ignore[no-untyped-def]
        seen.append(copied(model.weights()))
        return judge(model, step)

    one.judging = one.judging._replace(judge=looking)
    one.fit()
    other = trainer(*job, folder="without", values=[4, 3, 2, 1])
    other.fit()
    for step in range(1, 5):
        assert same(one.checkpoints.learning_weights(step), other.checkpoints.weights(step))
        assert same(one.checkpoints.weights(step), seen[step - 1])
    assert not same(seen[-1], other.checkpoints.weights(4))
    assert same(one.model.weights(), seen[-1])
    assert not any(same(a, b) for a, b in pairwise(seen))


def test_a_resumed_average_is_the_uninterrupted_one(trainer: MakeTrainer) -> None:
    job = ("train.steps=5", "evaluate.every=2", "train.ema=0.8")
    whole = trainer(*job, folder="whole")
    whole.fit()
    stopped = trainer(*job, folder="parts", stop=lambda: 15 if stopped.state.step == 2 else None)
    with pytest.raises(Interrupted):
        stopped.fit()
    resumed = trainer(*job, folder="parts")
    assert resumed.resume() == 3
    resumed.fit()
    assert same(resumed.checkpoints.weights(5), whole.checkpoints.weights(5))
    assert same(resumed.checkpoints.learning_weights(5), whole.checkpoints.learning_weights(5))
