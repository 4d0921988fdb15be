"""The training loop: batches to steps, steps to checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import torch
from torch import Tensor

from seqloom.allocator import peak_memory_bytes
from seqloom.checkpoint import Checkpoints
from seqloom.config import TrainConfig
from seqloom.data.batching import epoch_batches
from seqloom.data.dataset import Dataset
from seqloom.device import Device
from seqloom.errors import DivergedError, Interrupted, StorageError
from seqloom.model import Seq2Seq
from seqloom.optim import learning_rate, make_optimizer
from seqloom.progress import Listener, Window
from seqloom.registry.records import Score
from seqloom.step import MicroBatch, Stepper

SKIPS: Final = 10
"""Steps skipped in a row that end a training: it has diverged, and not met a poisoned example."""
ADVICE: Final = (
    "lower train.learning_rate, lengthen train.schedule.warmup, lower train.clip_norm, "
    "or look at the examples named in metrics.jsonl"
)


class Judge(Protocol):
    """Judges a model on ``data.valid``."""

    def __call__(self, model: Seq2Seq, step: int) -> list[Score]:
        """The scores of a model that has seen so many steps; a signal ends it as ``Interrupted``."""


@dataclass
class TrainingState:
    """All of a training that is neither weights nor optimiser; saved with each checkpoint.

    Randomness needs no place here: that of a step is made of (seed, step), that of data order of
    (seed, epoch), that of augmentation of (seed, epoch, example).

    Attributes:
        step: Optimiser steps done.
        epoch: The pass over the data that the next batch belongs to.
        position: Batches of that pass done.
        seconds: Spent in training, evaluation not counted.
        waited: Seconds of these spent in getting batches.
        skipped: Steps skipped in a row, up to the last.
        scores: What the judge gave at each evaluated step.
    """

    step: int = 0
    epoch: int = 0
    position: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    skipped: int = 0
    scores: dict[int, list[Score]] = field(default_factory=dict)


class Goal(NamedTuple):
    """Which score says how good a model is.

    Attributes:
        metric: Its name.
        higher_is_better: Which way is up.
    """

    metric: str
    higher_is_better: bool

    def value(self, scores: Sequence[Score]) -> float:
        """The score that decides, among others."""
        return next(score.value for score in scores if score.metric == self.metric)

    def costs(self, scores: Mapping[int, Sequence[Score]]) -> dict[int, float]:
        """The score that decides at each step, turned so that less is better."""
        sign = -1 if self.higher_is_better else 1
        return {step: sign * self.value(group) for step, group in scores.items()}

    def best(self, scores: Mapping[int, Sequence[Score]]) -> int | None:
        """The step with the best score, the earliest of equals; None where none is finite."""
        finite = {step: cost for step, cost in self.costs(scores).items() if math.isfinite(cost)}
        return min(finite, key=lambda step: (finite[step], step), default=None)

    def better(self, scores: Sequence[Score], than: Sequence[Score]) -> bool:
        """Whether some scores beat others."""
        value, other = self.value(scores), self.value(than)
        return value > other if self.higher_is_better else value < other


class Judging(NamedTuple):
    """How a training finds out how good its model is.

    Attributes:
        judge: Scores a model.
        goal: The score that decides which checkpoint is best.
        every: Steps between evaluations; there is one at the end, too.
        patience: Evaluations without a better score before training stops; None for never.
    """

    judge: Judge
    goal: Goal
    every: int
    patience: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What a training leaves: the model holds the weights that these scores belong to."""

    step: int
    scores: list[Score]
    averaged: tuple[int, ...]


class Trainer:
    """Trains a model, evaluates it, saves checkpoints, and goes on from them.

    Args:
        model: On its device already.
        dataset: Examples to learn from.
        judging: How good is it, and when to ask.
        train: What the job says of training.
        device: Where to compute.
        checkpoints: Where to save.
        listeners: Who wants to know.
        stop: Asked after each step for the number of a signal to stop for.
    """

    def __init__(
        self,
        model: Seq2Seq,
        dataset: Dataset,
        judging: Judging,
        train: TrainConfig,
        *,
        device: Device,
        checkpoints: Checkpoints,
        listeners: Sequence[Listener] = (),
        stop: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.model = model
        self.dataset = dataset
        self.judging = judging
        self.train = train
        self.device = device
        self.checkpoints = checkpoints
        self.listeners = listeners
        self.stop = stop
        self.optimizer = make_optimizer(model, train, fused=device.is_gpu)
        self.stepper = Stepper(model, dataset, self.optimizer, train, device)
        self.state = TrainingState()
        self._planned: tuple[int, Sequence[list[int]]] = (-1, [])

    def resume(self) -> int:
        """Goes back to the newest whole checkpoint; returns its step."""
        step = self.checkpoints.newest()
        saved = self.checkpoints.restore(step, self.optimizer)
        self.model.load_weights(self.checkpoints.weights(step))
        self.stepper.scaler.load_state_dict(saved["scaler"])
        scores = {
            int(step): [Score(**score) for score in group]
            for step, group in saved["state"].pop("scores").items()
        }
        self.state = TrainingState(**saved["state"], scores=scores)
        return step

    def fit(self) -> Outcome:
        """Trains to the end, and leaves the best weights in the model.

        Raises:
            DivergedError: The loss is not finite any more.
            Interrupted: ``stop`` said so; a checkpoint was saved.
            StorageError: A checkpoint cannot be written, or none of those evaluated is whole any more.
        """
        with torch.random.fork_rng([self.device.device] if self.device.is_gpu else []):
            window = Window()
            if self._is_evaluation_due() and self.state.step not in self.state.scores:
                self._judge()  # a signal came before it
            while not self._is_over():
                started, waited = time.perf_counter(), self.state.waited
                self._step(self._next_batches(), window)
                seconds = time.perf_counter() - started
                window.seconds += seconds
                window.waited += self.state.waited - waited
                self.state.seconds += seconds
                self._log(window)
                self._after_step()
            if self.state.step not in self.state.scores:
                self._judge()
            return self._finish()

    # One step --------------------------------------------------------------------------------------

    def _next_batches(self) -> list[MicroBatch]:
        """The micro-batches of the next step."""
        group: list[MicroBatch] = []
        while len(group) < self.train.accumulate:
            if self.state.position == len(self._epoch()):
                self.state.epoch += 1
                self.state.position = 0
            group.append(MicroBatch(self.state.epoch, self._epoch()[self.state.position]))
            self.state.position += 1
        return group

    def _epoch(self) -> Sequence[list[int]]:
        """The batches of the epoch that the state stands in, planned once."""
        epoch, batches = self._planned
        if epoch != self.state.epoch:
            batches = epoch_batches(
                self.dataset.lengths,
                self.train.batch_elements,
                self.train.seed,
                self.state.epoch,
                place=self.dataset.place,
                weights=self.dataset.weights,
            )
            self._planned = (self.state.epoch, batches)
        return batches

    def _step(self, batches: list[MicroBatch], window: Window) -> None:
        rate = self._rate(self.state.step + 1)
        made = self.stepper(batches, self.state.step, rate)
        self.state.step += 1
        self.state.waited += made.waited
        if made.poison is None:
            self.state.skipped = 0
            window.sums.add(made.sums)
            window.norm = made.norm
        else:
            self.state.skipped += 1
        for event in made.events:
            self._notice(event)
        if self.state.skipped == SKIPS:
            raise DivergedError(
                f"{SKIPS} steps in a row were skipped, the last one, {self.state.step}, as {made.poison}; "
                f"{ADVICE}"
            )

    def _notice(self, event: dict[str, Any]) -> None:
        for listener in self.listeners:
            listener.noticed({"step": self.state.step, **event})

    def _rate(self, step: int) -> float:
        return learning_rate(step, self.train, self.judging.goal.costs(self.state.scores).values())

    # Between steps ---------------------------------------------------------------------------------

    def _is_over(self) -> bool:
        state, minutes = self.state, self.train.minutes
        out_of_time = minutes is not None and state.seconds >= minutes * 60
        return state.step >= self.train.steps or out_of_time or self._is_patience_over()

    def _is_patience_over(self) -> bool:
        best = self.judging.goal.best(self.state.scores)
        if self.judging.patience is None or best is None:
            return False
        return sum(step > best for step in self.state.scores) >= self.judging.patience

    def _is_evaluation_due(self) -> bool:
        return self.state.step > 0 and self.state.step % self.judging.every == 0

    def _after_step(self) -> None:
        state = self.state
        for listener in self.listeners:
            listener.stepped(state.step)
        signum = self.stop()
        if self._is_evaluation_due() and signum is None:
            self._judge()
        elif signum is not None or (self.train.save_every and state.step % self.train.save_every == 0):
            self._save()
        if signum is not None:
            raise Interrupted(f"stopped at step {state.step}; its checkpoint is saved", signum)

    def _log(self, window: Window) -> None:
        if self.state.step % self.train.log_every:
            return
        means = window.close()
        if means is None:
            return
        record = {"step": self.state.step, "epoch": self.state.epoch, **means}
        record["learning_rate"] = self._rate(self.state.step)
        record["peak_memory_bytes"] = peak_memory_bytes(self.device)
        for listener in self.listeners:
            listener.logged(record)

    def _judge(self) -> None:
        try:
            scores = self.judging.judge(self.model, self.state.step)
        except Interrupted as stopped:
            self._save()  # without scores: a resumed training makes up for them
            raise Interrupted(
                f"stopped while step {self.state.step} was evaluated; its checkpoint is saved",
                stopped.signum,
            ) from None
        self.state.scores[self.state.step] = scores
        self._save()
        for listener in self.listeners:
            listener.evaluated(self.state.step, scores)

    def _check_weights(self) -> None:
        """A finite gradient may still throw weights out of bounds: such are never saved.

        Scores alone do not tell: text of a model without meaning has a finite BLEU.
        """
        for name, parameter in self.model.named_parameters():
            if not parameter.isfinite().all():
                raise DivergedError(f"{name} is not finite any more at step {self.state.step}; {ADVICE}")

    def _save(self) -> None:
        self._check_weights()
        state = {"state": asdict(self.state), "scaler": self.stepper.scaler.state_dict()}
        self.checkpoints.save(self.state.step, self.model.weights(), self.optimizer, state)
        judged = sorted(self.state.scores)
        best = self.judging.goal.best(self.state.scores)
        keep = set(self.checkpoints.steps()[-self.train.keep :]) | set(judged[-self.train.average :])
        self.checkpoints.prune(keep if best is None else keep | {best})

    # The end ---------------------------------------------------------------------------------------

    def _finish(self) -> Outcome:
        goal, checkpoints = self.judging.goal, self.checkpoints
        if goal.best(self.state.scores) is None:
            raise DivergedError(f"no evaluation gave a finite {goal.metric}; lower train.learning_rate")
        there = set(checkpoints.steps())
        whole = {
            step: scores
            for step, scores in self.state.scores.items()
            if step in there and checkpoints.is_whole(step)
        }
        best = goal.best(whole)
        if best is None:
            raise StorageError(f"{checkpoints.folder}: no checkpoint that was evaluated is whole")
        averaged = tuple(sorted(whole)[-self.train.average :])
        if len(averaged) > 1:
            self.model.load_weights(mean_weights([checkpoints.weights(step) for step in averaged]))
            scores = self.judging.judge(self.model, averaged[-1])
            if goal.better(scores, than=whole[best]):
                return Outcome(averaged[-1], scores, averaged)
        self.model.load_weights(checkpoints.weights(best))
        return Outcome(best, whole[best], (best,))


def mean_weights(several: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of each weight over several checkpoints (Vaswani et al. 2017, section 6.1)."""
    return {
        name: torch.stack([weights[name].double() for weights in several]).mean(0).to(first.dtype)
        for name, first in several[0].items()
    }
