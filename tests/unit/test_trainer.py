"""The training loop: resumed is uninterrupted, half batches add up, and the best weights are kept."""

from __future__ import annotations

import hashlib
import math
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from seqloom.averaging import mean_weights
from seqloom.errors import DivergedError, Interrupted
from seqloom.judging import Goal
from seqloom.registry.records import Score
from seqloom.step import MicroBatch
from seqloom.trainer import Trainer
from seqloom.world import World

MakeTrainer = Callable[..., Trainer]
UP = Goal("bleu", higher_is_better=True)
DOWN = Goal("ppl", higher_is_better=False)


def digest(trainer: Trainer) -> str:
    weights = trainer.model.weights()
    return hashlib.sha256(b"".join(weights[name].numpy().tobytes() for name in sorted(weights))).hexdigest()


class StopAt:
    """Asks for a stop after so many steps."""

    def __init__(self, steps: int, signum: int = signal.SIGTERM) -> None:
        self.left = steps
        self.signum = signum

    def __call__(self) -> int | None:
        self.left -= 1
        return self.signum if self.left == 0 else None


# Resuming ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_resumed_is_uninterrupted_bit_for_bit(trainer: MakeTrainer, accumulate: int, stop: int) -> None:
    """Batches of 40 examples in 128 positions: an epoch ends within the six steps."""
    job = (
        "train.steps=6",
        f"train.accumulate={accumulate}",
        "train.batch_elements=128",
        "evaluate.every=6",
    )
    whole = trainer(*job, folder="whole")
    whole.fit()
    assert whole.state.epoch > 0
    first = trainer(*job, folder="parts", stop=StopAt(stop))
    with pytest.raises(Interrupted, match=f"stopped at step {stop}; its checkpoint is saved"):
        first.fit()
    second = trainer(*job, "train.seed=1", folder="parts")
    torch.manual_seed(99)
    assert second.resume() == stop
    second.fit()
    assert digest(second) == digest(whole)
    assert (second.state.epoch, second.state.position) == (whole.state.epoch, whole.state.position)


def test_an_interruption_at_an_epochs_edge_is_none(trainer: MakeTrainer) -> None:
    job = ("train.batch_elements=128", "evaluate.every=100")
    edge = len(trainer(*job)._plan(0))
    job = (*job, f"train.steps={edge + 2}")
    whole = trainer(*job, folder="whole")
    whole.fit()
    with pytest.raises(Interrupted):
        trainer(*job, folder="parts", stop=StopAt(edge)).fit()
    second = trainer(*job, folder="parts")
    second.resume()
    assert second.state.position == edge
    second.fit()
    assert digest(second) == digest(whole)


def test_an_evaluation_that_a_signal_came_before_is_made_up_for(trainer: MakeTrainer) -> None:
    with pytest.raises(Interrupted):
        trainer(stop=StopAt(2)).fit()
    second = trainer()
    second.resume()
    second.fit()
    assert list(second.state.scores) == [2, 4]


def test_the_signal_is_told(trainer: MakeTrainer) -> None:
    with pytest.raises(Interrupted) as caught:
        trainer(stop=StopAt(1, signal.SIGINT)).fit()
    assert caught.value.exit_status == 130


def test_same_seed_same_weights_other_seed_others(trainer: MakeTrainer) -> None:
    trained = [trainer(f"train.seed={seed}", folder=name) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    for one in trained:
        one.fit()
    assert digest(trained[0]) == digest(trained[1]) != digest(trained[2])


def test_training_leaves_the_callers_randomness_alone(trainer: MakeTrainer) -> None:
    one = trainer()
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    one.fit()
    assert torch.equal(torch.rand(1), wanted)


# One step ----------------------------------------------------------------------------------------------


def test_two_half_batches_are_one_batch(trainer: MakeTrainer) -> None:
    """Of unequal halves, too: sums are divided once, by all targets."""
    still = ("model.encoder.dropout=0", "model.decoder.dropout=0", "train.clip_norm=null")
    one, two = trainer(*still), trainer(*still)
    one.stepper([MicroBatch(0, list(range(12)))], 0, 0.1)
    two.stepper([MicroBatch(0, [0, 1, 2]), MicroBatch(0, list(range(3, 12)))], 0, 0.1)
    for a, b in zip(one.model.parameters(), two.model.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-6, atol=1e-6)


def test_ranks_share_each_batch_evenly() -> None:
    batch = MicroBatch(3, [5, 4, 9, 7, 8])
    assert [batch.share(World(rank, 2)) for rank in (0, 1)] == [(3, [5, 4, 9]), (3, [7, 8])]
    assert MicroBatch(0, [5]).share(World(1, 2)).ids == []


def test_a_rank_draws_as_its_number_has_it_and_the_first_as_one_alone(trainer: MakeTrainer) -> None:
    def drawn(world: World) -> int:
        return trainer("train.seed=5", world=world).stepper._generator(7).initial_seed()

    words = np.random.SeedSequence([5, 7]).generate_state(1, np.uint64)
    assert drawn(World()) == drawn(World(0, 2)) == int(words[0]) >> 1
    assert len({drawn(World(rank, 3)) for rank in range(3)}) == 3


def test_an_epoch_sees_every_example_once(trainer: MakeTrainer) -> None:
    one = trainer("train.batch_elements=64")
    batches = []
    while one.state.epoch == 0:
        batches += one._next_batches()
    seen = [id_ for epoch, ids in batches for id_ in ids if epoch == 0]
    assert sorted(seen) == list(range(40))


def test_the_rate_is_the_schedules(trainer: MakeTrainer) -> None:
    one = trainer("train.steps=3", "train.schedule.warmup=10", "train.learning_rate=0.5")
    one.fit()
    assert {group["lr"] for group in one.optimizer.param_groups} == {0.5 * 3 / 10}


def test_groups_of_parameters_go_on_as_they_were(trainer: MakeTrainer) -> None:
    rules = "{match: '*.bias', weight_decay: 0.1}, {match: encoders.*, learning_rate_factor: 0.1}"
    job = ("train.steps=4", f"train.parameters=[{rules}]", "evaluate.every=4")
    whole = trainer(*job, folder="whole")
    whole.fit()
    assert len({group["lr"] for group in whole.optimizer.param_groups}) == 2
    with pytest.raises(Interrupted):
        trainer(*job, folder="parts", stop=StopAt(2)).fit()
    second = trainer(*job, folder="parts")
    second.resume()
    second.fit()
    assert digest(second) == digest(whole)


@pytest.mark.parametrize("stop", [2, 3, 4])
def test_a_plateau_is_remembered_over_an_interruption(trainer: MakeTrainer, stop: int) -> None:
    job = ("train.steps=6", "train.learning_rate=0.5", "evaluate.every=1")
    job += ("train.schedule={name: plateau, warmup: 0, factor: 0.1, patience: 1}",)
    values = [3.0, 4.0, 2.0, 2.0, 1.0, 1.0]
    whole = trainer(*job, folder="whole", values=values)
    whole.fit()
    assert whole.optimizer.param_groups[0]["lr"] == pytest.approx(0.5 * 0.1**2)
    with pytest.raises(Interrupted):
        trainer(*job, folder="parts", values=values, stop=StopAt(stop)).fit()
    second = trainer(*job, folder="parts", values=values[stop - 1 :])
    second.resume()
    second.fit()
    assert second.optimizer.param_groups[0]["lr"] == whole.optimizer.param_groups[0]["lr"]
    assert digest(second) == digest(whole)


def test_weights_out_of_bounds_are_not_saved(trainer: MakeTrainer) -> None:
    one = trainer("train.save_every=1")
    one.model.unused = torch.nn.Parameter(torch.tensor(math.inf))  # else the loss would tell before
    with pytest.raises(
        DivergedError, match=r"unused is not finite any more at step 1; lower train\.learning_rate"
    ):
        one.fit()
    assert one.checkpoints.steps() == []


# Between steps -----------------------------------------------------------------------------------------


class Diary:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.records: list[dict[str, Any]] = []
        self.evaluations: list[int] = []
        self.events: list[dict[str, Any]] = []

    def stepped(self, step: int) -> None:
        self.steps.append(step)

    def logged(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def noticed(self, record: dict[str, Any]) -> None:
        self.events.append(record)

    def evaluated(self, step: int, scores: list[Score]) -> None:
        self.evaluations.append(step)


def test_listeners_hear_of_steps_records_and_evaluations(trainer: MakeTrainer) -> None:
    diary = Diary()
    trainer("train.steps=5", "train.log_every=2", "evaluate.every=2", listeners=[diary]).fit()
    assert diary.steps == [1, 2, 3, 4, 5]
    assert [record["step"] for record in diary.records] == [2, 4]
    assert diary.evaluations == [2, 4, 5]
    wanted = {"step", "epoch", "loss", "nll", "correct", "gradient_norm", "learning_rate"}
    assert wanted <= diary.records[0].keys()


def test_a_record_says_what_the_training_costs(trainer: MakeTrainer) -> None:
    diary = Diary()
    one = trainer("train.steps=4", "train.log_every=2", listeners=[diary])
    one.fit()
    assert 0 < one.state.waited < one.state.seconds
    shares = [record["data_wait"] for record in diary.records]
    assert min(shares) <= one.state.waited / one.state.seconds <= max(shares)
    peaks = [record["peak_memory_bytes"] for record in diary.records]
    assert sum(p.nbytes for p in one.model.parameters()) < peaks[0] <= peaks[1]


def test_training_stops_when_patience_is_over(trainer: MakeTrainer) -> None:
    one = trainer("train.steps=50", "evaluate.every=1", "evaluate.patience=2", values=[9, 5, 6, 5, 1])
    outcome = one.fit()
    assert one.state.step == 4
    assert outcome.step == 2


def test_patience_begins_anew_with_a_better_score(trainer: MakeTrainer) -> None:
    job = ("train.steps=50", "evaluate.every=1", "evaluate.patience=2")
    one = trainer(*job, values=[1, 0, 2, 1, 1], goal=UP)
    one.fit()
    assert one.state.step == 5


def test_patience_counts_after_a_resumption(trainer: MakeTrainer) -> None:
    job = ("train.steps=50", "evaluate.every=1", "evaluate.patience=3")
    with pytest.raises(Interrupted):
        trainer(*job, values=[1, 2, 3, 4], stop=StopAt(3)).fit()
    second = trainer(*job, values=[5, 6, 7])
    second.resume()
    second.fit()
    assert [group[0].value for group in second.state.scores.values()] == [1, 2, 5, 6]


def test_minutes_end_a_training(trainer: MakeTrainer) -> None:
    one = trainer("train.steps=50", "train.minutes=1e-9")
    assert one.fit().step == one.state.step == 1


def test_the_best_weights_are_left_in_the_model(trainer: MakeTrainer) -> None:
    one = trainer("train.steps=6", "evaluate.every=1", "train.keep=1", values=[5, 2, 3, 4, 4, 4])
    outcome = one.fit()
    assert (outcome.step, outcome.scores[0].value) == (2, 2)
    assert one.checkpoints.steps() == [2, 6]
    best = one.checkpoints.weights(2)
    assert all(torch.equal(best[name], value) for name, value in one.model.weights().items())


def test_save_every_saves_between_evaluations(trainer: MakeTrainer) -> None:
    one = trainer("train.steps=5", "evaluate.every=4", "train.save_every=3", "train.keep=9")
    one.fit()
    assert one.checkpoints.steps() == [3, 4, 5]


def test_the_mean_of_checkpoints_is_taken_where_it_is_better(trainer: MakeTrainer) -> None:
    """Scores: those of four evaluations, and of the mean."""
    job = ("train.steps=4", "evaluate.every=1", "train.average=3", "train.keep=1")
    better = trainer(*job, values=[4, 3, 2, 2, 1], folder="better")
    outcome = better.fit()
    assert (outcome.averaged, outcome.scores[0].value) == ((2, 3, 4), 1)
    mean = mean_weights([better.checkpoints.weights(step) for step in (2, 3, 4)])
    assert all(torch.equal(mean[name], value) for name, value in better.model.weights().items())
    worse = trainer(*job, values=[4, 3, 2, 2, 7], folder="worse")
    assert worse.fit().averaged == (3,)
    best = worse.checkpoints.weights(3)
    assert all(torch.equal(best[name], value) for name, value in worse.model.weights().items())


def test_a_training_without_a_finite_score_has_diverged(trainer: MakeTrainer) -> None:
    with pytest.raises(DivergedError, match="no evaluation gave a finite ppl"):
        trainer(values=[float("nan"), float("inf")]).fit()


# Which is best? ----------------------------------------------------------------------------------------


def of(goal: Goal, value: float) -> list[Score]:
    """A judgement: the score that the goal watches, and another before it."""
    return [
        Score(metric=name, value=number, split="valid", step=1, signature="")
        for name, number in (("other", -value), (goal.metric, value))
    ]


def test_the_best_is_the_earliest_of_equals() -> None:
    values = {1: 4.0, 2: 3.0, 3: 3.0, 4: 4.0, 5: math.nan, 6: math.inf}
    assert DOWN.best({step: of(DOWN, value) for step, value in values.items()}) == 2
    assert UP.best({step: of(UP, value) for step, value in values.items()}) == 1
    assert UP.best({}) is None


def test_better_is_the_way_that_the_goal_points() -> None:
    assert UP.better(of(UP, 2), than=of(UP, 1))
    assert not UP.better(of(UP, 1), than=of(UP, 1))
    assert not DOWN.better(of(DOWN, 2), than=of(DOWN, 1))
