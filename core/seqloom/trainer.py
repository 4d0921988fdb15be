"""The training loop: batches to steps, steps to checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final

import torch

from seqloom.allocator import peak_memory_bytes
from seqloom.averaging import MovingAverage, mean_weights
from seqloom.checkpoint import Checkpoints
from seqloom.config import TrainConfig
from seqloom.data.batching import epoch_batches
from seqloom.data.loader import Loader
from seqloom.device import Device
from seqloom.errors import DivergedError, Interrupted, SeqloomError, StorageError
from seqloom.judging import Judging
from seqloom.model import Seq2Seq
from seqloom.optim import learning_rate, make_optimizer
from seqloom.progress import Listener, Window
from seqloom.registry.records import Score
from seqloom.step import MicroBatch, Stepper
from seqloom.world import World

SKIPS: Final = 10
"""Steps skipped in a row that end a training: it has diverged, and not met a poisoned example."""
ADVICE: Final = (
    "lower train.learning_rate, lengthen train.schedule.warmup, lower train.clip_norm, "
    "or look at the examples named in metrics.jsonl"
)


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
        loader: Gives batches of the examples to learn from.
        judging: How good is it, and when to ask.
        train: What the job says of training.
        device: Where to compute.
        checkpoints: Where to save.
        stop: Asked in each step for the number of a signal to stop for.
        world: Who trains the same model on the same data; each rank has a trainer of its own.

    Attributes:
        listeners: Who wants to know; those of rank 0 are told.
    """

    def __init__(
        self,
        model: Seq2Seq,
        loader: Loader,
        judging: Judging,
        train: TrainConfig,
        *,
        device: Device,
        checkpoints: Checkpoints,
        stop: Callable[[], int | None] = lambda: None,
        world: World | None = None,
    ) -> None:
        self.model = model
        self.loader = loader
        self.dataset = loader.dataset
        self.judging = judging
        self.train = train
        self.device = device
        self.checkpoints = checkpoints
        self.listeners: Sequence[Listener] = ()
        self.stop = stop
        self.world = world or World()
        self.optimizer = make_optimizer(model, train, fused=device.is_gpu)
        self.stepper = Stepper(model, loader, self.optimizer, train, device, self.world)
        self.average = None if train.ema is None else MovingAverage(model, train.ema)
        self.state = TrainingState()
        self._plans: dict[int, Sequence[list[int]]] = {}
        self._started = 0.0  # when the step in hand began
        self._signum: int | None = None  # of the signal that a rank got
        self._is_late = False

    def resume(self) -> int:
        """Goes back to the newest whole checkpoint; returns its step."""
        step = self.world.first(self.checkpoints.newest)
        self.world.agree(partial(self._restore, step))
        return step

    def _restore(self, step: int) -> None:
        saved = self.checkpoints.restore(step, self.optimizer)
        self.model.load_weights(self.checkpoints.learning_weights(step))
        if self.average is not None:
            self.average.load(self.checkpoints.weights(step))
        self.stepper.scaler.load_state_dict(saved["scaler"])
        scores = {
            int(step): [Score(**score) for score in group]
            for step, group in saved["state"].pop("scores").items()
        }
        self.state = TrainingState(**saved["state"], scores=scores)

    def fit(self) -> Outcome:
        """Trains to the end, and leaves the best weights in the model.

        Raises:
            DivergedError: The loss is not finite any more.
            Interrupted: ``stop`` said so; a checkpoint was saved.
            StorageError: A checkpoint cannot be written, or none of those evaluated is whole any more.
        """
        with (
            torch.random.fork_rng([self.device.device] if self.device.is_gpu else []),
            self.loader.ahead_of(self._coming(self.state.epoch, self.state.position)),
        ):
            self.world.each(partial(self._plan, self.state.epoch))  # where this fits, all do
            self.world.spread(self.model.weights().values())
            if self.average is not None:
                self.world.spread(self.average.weights.values())
            self._is_late = self._is_time_over(self.state.seconds)
            window = Window()
            if self._is_evaluation_due() and self.state.step not in self.state.scores:
                self._judge()  # a signal came before it
            while not self._is_over():
                self._started, waited = time.perf_counter(), self.state.waited
                self._step(self._next_batches(), window)
                seconds = time.perf_counter() - self._started
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
        """This rank's share of the micro-batches of the next step."""
        group: list[MicroBatch] = []
        while len(group) < self.train.accumulate:
            if self.state.position == len(self._plan(self.state.epoch)):
                self.state.epoch += 1
                self.state.position = 0
            batch = MicroBatch(self.state.epoch, self._plan(self.state.epoch)[self.state.position])
            group.append(batch.share(self.world))
            self.state.position += 1
        return group

    def _coming(self, epoch: int, position: int) -> Iterator[MicroBatch]:
        """This rank's share of all micro-batches from a place on, without end."""
        while True:
            for ids in self._plan(epoch)[position:]:
                yield MicroBatch(epoch, ids).share(self.world)
            epoch, position = epoch + 1, 0

    def _plan(self, epoch: int) -> Sequence[list[int]]:
        """The batches of an epoch, planned once; those of epochs that are over are forgotten."""
        if epoch not in self._plans:
            self._plans = {key: plan for key, plan in self._plans.items() if key >= self.state.epoch}
            self._plans[epoch] = epoch_batches(
                self.dataset.lengths,
                self.train.batch_elements,
                self.train.seed,
                epoch,
                place=self.dataset.place,
                weights=self.dataset.weights,
                siblings=self.dataset.siblings,
            )
        return self._plans[epoch]

    def _step(self, batches: list[MicroBatch], window: Window) -> None:
        rate = self._rate(self.state.step + 1)
        made = self.stepper(batches, self.state.step, rate, self._ask)
        self.state.step += 1
        self._signum = max(int(signum) for signum, _ in made.answers) or None
        self._is_late = bool(made.answers[0][1])  # by the clock of rank 0
        self.state.waited += made.waited
        if made.poison is None:
            self.state.skipped = 0
            if self.average is not None:
                self.average.update(self.state.step)
            window.sums.add(made.sums)
            window.norm = made.norm
        else:
            self.state.skipped += 1
        for event in made.events:
            self._notice(event)
        if self.state.skipped == SKIPS:
            last = f"the last one, {self.state.step}, as {made.poison}"
            raise self.world.common(DivergedError(f"{SKIPS} steps in a row were skipped, {last}; {ADVICE}"))

    def _notice(self, event: dict[str, Any]) -> None:
        self._tell(lambda listener: listener.noticed({"step": self.state.step, **event}))

    def _ask(self) -> tuple[float, float]:
        """What all ranks must know alike: the number of a signal or 0, and whether time is over."""
        seconds = self.state.seconds + time.perf_counter() - self._started
        return self.stop() or 0, self._is_time_over(seconds)

    def _tell(self, tell: Callable[[Listener], None]) -> None:
        """Tells who listens; where one fails at it, all ranks do."""

        def all_() -> None:
            for listener in self.listeners:
                tell(listener)

        self.world.first(all_)

    def _rate(self, step: int) -> float:
        return learning_rate(step, self.train, self.judging.goal.costs(self.state.scores).values())

    # Between steps ---------------------------------------------------------------------------------

    def _is_over(self) -> bool:
        return self.state.step >= self.train.steps or self._is_late or self._is_patience_over()

    def _is_time_over(self, seconds: float) -> bool:
        return self.train.minutes is not None and seconds >= self.train.minutes * 60

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
        signum = self._signum
        if self._is_evaluation_due() and signum is None:
            self._judge()
        elif signum is not None or (self.train.save_every and state.step % self.train.save_every == 0):
            self._save()
        if signum is not None:
            reason = f"stopped at step {state.step}; its checkpoint is saved"
            raise self.world.common(Interrupted(reason, signum))

    def _log(self, window: Window) -> None:
        if self.state.step % self.train.log_every:
            return
        means = window.close(self.world)
        if means is None:
            return
        record = {"step": self.state.step, "epoch": self.state.epoch, **means}
        record["learning_rate"] = self._rate(self.state.step)
        record["peak_memory_bytes"] = peak_memory_bytes(self.device)
        self._tell(lambda listener: listener.logged(record))

    def _judge(self) -> None:
        try:
            with nullcontext() if self.average is None else self.average.in_place():
                scores = self.judging.judge(self.model, self.state.step)
        except Interrupted as stopped:
            self._save()  # without scores: a resumed training makes up for them
            reason = f"stopped while step {self.state.step} was evaluated; its checkpoint is saved"
            raise self.world.common(Interrupted(reason, stopped.signum)) from None
        self.state.scores[self.state.step] = scores
        self._save()
        self._tell(lambda listener: listener.evaluated(self.state.step, scores))

    def _check_weights(self) -> None:
        """A finite gradient may still throw weights out of bounds: such are never saved.

        Scores alone do not tell: text of a model without meaning has a finite BLEU.
        """
        for name, parameter in self.model.named_parameters():
            if not parameter.isfinite().all():
                raise DivergedError(f"{name} is not finite any more at step {self.state.step}; {ADVICE}")

    def _save(self) -> None:
        self.world.first(self._write)

    def _write(self) -> None:
        self._check_weights()
        state = {"state": asdict(self.state), "scaler": self.stepper.scaler.state_dict()}
        weights, average = self.model.weights(), self.average
        good, learning = (weights, None) if average is None else (average.weights, weights)
        self.checkpoints.save(self.state.step, good, self.optimizer, state, learning)
        judged = sorted(self.state.scores)
        best = self.judging.goal.best(self.state.scores)
        keep = set(self.checkpoints.steps()[-self.train.keep :]) | set(judged[-self.train.average :])
        self.checkpoints.prune(keep if best is None else keep | {best})

    # The end ---------------------------------------------------------------------------------------

    def _finish(self) -> Outcome:
        goal, scores = self.judging.goal, self.state.scores
        whole = {step: scores[step] for step in self.world.first(self._whole)}
        best = goal.best(whole)
        if best is None:
            raise self.world.common(self._hopeless())
        averaged = tuple(sorted(whole)[-self.train.average :])
        if len(averaged) > 1:
            self._load(averaged)
            mean_scores = self.judging.judge(self.model, averaged[-1])
            if goal.better(mean_scores, than=whole[best]):
                return Outcome(averaged[-1], mean_scores, averaged)
        self._load([best])
        return Outcome(best, whole[best], (best,))

    def _whole(self) -> list[int]:
        """The evaluated steps whose checkpoints are there and whole."""
        there = set(self.checkpoints.steps())
        return [step for step in self.state.scores if step in there and self.checkpoints.is_whole(step)]

    def _hopeless(self) -> SeqloomError:
        """Why no step is the best."""
        goal = self.judging.goal
        if goal.best(self.state.scores) is None:
            return DivergedError(f"no evaluation gave a finite {goal.metric}; lower train.learning_rate")
        return StorageError(f"{self.checkpoints.folder}: no checkpoint that was evaluated is whole")

    def _load(self, steps: Sequence[int]) -> None:
        """Takes the weights of a checkpoint, or the mean of several."""

        def load() -> None:
            self.model.load_weights(mean_weights([self.checkpoints.weights(step) for step in steps]))

        self.world.agree(load)
