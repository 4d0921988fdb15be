"""How is one optimiser step made, and what if its numbers are no numbers or memory does not suffice?

A step whose loss or gradient is not finite changes nothing: no weight, no buffer, no running mean of the
optimiser. One that memory does not suffice for is begun anew in smaller micro-batches: the same examples,
the same seed, and sums that add up to the same gradient.

Where several ranks share a step, each makes the gradient of its share, and all go on from the sum: it is
the sum that has to be finite, so they skip together, and what ends one of them ends all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqloom.batch import Batch, Progress
from seqloom.config import TrainConfig
from seqloom.data.loader import Loader
from seqloom.device import Device
from seqloom.errors import MemoryShortError, is_out_of_memory
from seqloom.model import Seq2Seq
from seqloom.optim import scale_gradients, set_learning_rate
from seqloom.progress import Sums
from seqloom.reduction import Reduction
from seqloom.world import World

FEW: Final = 3  # examples that a sentence names


class MicroBatch(NamedTuple):
    """Examples that go through the model together.

    Attributes:
        epoch: The pass over the data that they belong to.
        ids: Their positions in the data set.
    """

    epoch: int
    ids: list[int]

    def halves(self) -> list[MicroBatch]:
        """Two of half the size; itself where it is a single example."""
        middle = (len(self.ids) + 1) // 2
        return [self._replace(ids=part) for part in (self.ids[:middle], self.ids[middle:]) if part]

    def share(self, world: World) -> MicroBatch:
        """What one rank takes of it; nothing, where there are more ranks than examples."""
        start, end = (-(-len(self.ids) * rank // world.size) for rank in (world.rank, world.rank + 1))
        return self._replace(ids=self.ids[start:end])


class Share(NamedTuple):
    """What a rank made of its share of a step.

    Attributes:
        batches: The micro-batches that fitted.
        totals: [] the loss of each.
        sums: ``total``, ``elements`` and the loss's parts, over all of them.
        is_split: Whether they are more than were asked for.
        error: Why there is nothing of all this; None where there is.
    """

    batches: Sequence[MicroBatch]
    totals: Sequence[Tensor]
    sums: Sums
    is_split: bool = False
    error: Exception | None = None

    def report(self) -> dict[str, Any]:
        """What the other ranks need to know of an unusual step; raises the error where there is one."""
        if self.error is not None:
            raise self.error
        pairs = zip(self.batches, self.totals, strict=True)
        return {
            "micro_batches": len(self.batches) if self.is_split else None,
            "ids": [id_ for batch in self.batches for id_ in batch.ids],
            "guilty": [id_ for batch, total in pairs if not total.isfinite().item() for id_ in batch.ids],
        }


class Step(NamedTuple):
    """What became of a step.

    Attributes:
        sums: ``total``, ``elements`` and the loss's parts, over all micro-batches of this rank.
        norm: [] of the mean loss's gradient before clipping.
        waited: Seconds spent in getting batches.
        poison: Why no weight was changed; None where the step was made.
        events: Records for whoever listens, without the step's number.
        answers: What ``ask`` gave on each rank.
    """

    sums: Sums
    norm: Tensor
    waited: float
    poison: str | None
    events: list[dict[str, Any]]
    answers: list[list[float]]


class Stepper:
    """Makes optimiser steps.

    Args:
        model: On its device already.
        loader: Gives batches of the examples to learn from.
        optimizer: Of the model's parameters.
        train: What the job says of training.
        device: Where to compute.
        world: Who shares each step.
    """

    def __init__(
        self,
        model: Seq2Seq,
        loader: Loader,
        optimizer: torch.optim.Optimizer,
        train: TrainConfig,
        device: Device,
        world: World | None = None,
    ) -> None:
        self.model = model
        self.loader = loader
        self.dataset = loader.dataset
        self.optimizer = optimizer
        self.train = train
        self.device = device
        self.world = world or World()
        self.scaler = torch.amp.GradScaler(device.device.type, enabled=device.dtype == torch.float16)
        parameters = dict(model.named_parameters())
        self._buffers = [value for name, value in model.weights().items() if name not in parameters]
        self._reduction = Reduction(self.world, list(parameters.values()), self._buffers)
        self._waited = 0.0

    def __call__(
        self,
        batches: Sequence[MicroBatch],
        step: int,
        rate: float,
        ask: Callable[[], Sequence[float]] = lambda: (),
    ) -> Step:
        """Makes a step.

        Args:
            batches: This rank's share of those whose gradients are added up.
            step: Steps done before.
            rate: The learning rate.
            ask: Called once the gradients are there, for numbers that all ranks are to know.

        Raises:
            MemoryShortError: Memory does not suffice for an example alone.
        """
        self._waited = 0.0
        self.loader.begin(len(batches))
        buffers = [buffer.clone() for buffer in self._buffers]
        share = self._share([batch for batch in batches if batch.ids], step, buffers)
        table = self._reduction(self._row(share, ask()))
        set_learning_rate(self.optimizer, rate)
        self.scaler.unscale_(self.optimizer)
        elements = table[:, 1].sum().long()
        norm = scale_gradients(self.model.parameters(), elements, self.train.clip_norm)
        rows = table.tolist()  # the step's only wait for a GPU, but for the norm, which is there by then
        poison = self._poison(sum(row[0] for row in rows), norm.item())
        is_unusual = poison is not None or any(row[2] for row in rows)
        reports = self.world.agree(share.report) if is_unusual else []
        if poison is None:
            self.scaler.step(self.optimizer)
        else:
            self._restore(buffers)
        self.scaler.update()
        events = [*self.loader.events(), *self._events(reports, len(batches), poison)]
        return Step(share.sums, norm, self._waited, poison, events, [row[3:] for row in rows])

    # Gradients -------------------------------------------------------------------------------------

    def _share(self, batches: list[MicroBatch], step: int, buffers: list[Tensor]) -> Share:
        """This rank's part of the gradients, or why it has none."""
        try:
            return self._gradients(batches, step, buffers)
        except Exception as error:
            if self.world.size == 1:
                raise
            self.optimizer.zero_grad(set_to_none=True)
            return Share([], [], Sums(), error=error)

    def _row(self, share: Share, answers: Sequence[float]) -> Tensor:
        """[3 + A] float64: the loss, its number of targets, whether all must hear more; the answers."""
        is_unusual = share.is_split or share.error is not None
        told = torch.tensor([0.0, 0.0, is_unusual, *answers], dtype=torch.float64).to(self.device.device)
        for place, name in enumerate(("total", "elements")):
            if name in share.sums:
                told[place] = share.sums[name]
        return told

    def _gradients(self, wanted: list[MicroBatch], step: int, buffers: list[Tensor]) -> Share:
        """Sums of gradients in the parameters, and what they are made of."""
        batches = wanted
        while True:
            generator = self._generator(step)
            self.model.train()
            self.optimizer.zero_grad(set_to_none=True)
            sums, totals = Sums(), []
            for batch in batches:
                total = self._add(batch, Progress(step, batch.epoch, generator), sums)
                if total is None:
                    break
                totals.append(total)
            else:
                return Share(batches, totals, sums, is_split=len(batches) > len(wanted))
            if len(batch.ids) == 1:
                raise MemoryShortError(
                    f"memory does not suffice for training example {self._named(batch.ids)} alone, which "
                    f"has {self.dataset.lengths[batch.ids[0]]} positions; leave long examples out with "
                    "data.max_length, or make the model smaller"
                )
            batches = [half for whole in batches for half in whole.halves()]
            self._restore(buffers)
            if self.device.is_gpu:
                torch.cuda.empty_cache()

    def _add(self, batch: MicroBatch, progress: Progress, sums: Sums) -> Tensor | None:
        """Adds a micro-batch to gradients and sums, and returns its loss; None where memory is short.

        By its return nothing holds the tensors of a failed pass any more, as its error's frames did.
        """
        try:
            with self.device.autocast():
                loss = self.model(self._load(batch), progress)
            self.scaler.scale(loss.total).backward()
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return None
        total: Tensor = loss.total.detach()
        sums.add({"total": total, "elements": loss.elements, **loss.parts})
        return total

    def _load(self, batch: MicroBatch) -> Batch:
        started = time.perf_counter()
        loaded = self.loader(batch.epoch, batch.ids)
        loaded = (loaded.pin() if self.device.is_gpu else loaded).to(self.device.device)
        self._waited += time.perf_counter() - started
        return loaded

    def _generator(self, step: int) -> torch.Generator:
        """The randomness of a step, made of the seed, its number and the rank; dropout's, too."""
        # Zeros at its end change no seed: rank 0 has that of a process alone.
        numbers = np.random.SeedSequence([self.train.seed, step, self.world.rank])
        return torch.manual_seed(int(numbers.generate_state(1, np.uint64)[0] >> np.uint64(1)))

    # Poison ----------------------------------------------------------------------------------------

    def _poison(self, total: float, norm: float) -> str | None:
        """What of a step is not finite; None where all is."""
        if not math.isfinite(total):
            return f"the loss is {total}"
        # An infinite norm is how fp16's scaler finds its scale, and it makes no step of one.
        if not math.isfinite(norm) and not self.scaler.is_enabled():
            return f"the gradient's norm is {norm}"
        return None

    def _restore(self, buffers: Sequence[Tensor]) -> None:
        for buffer, before in zip(self._buffers, buffers, strict=True):
            buffer.copy_(before)

    def _events(
        self, reports: Sequence[Mapping[str, Any]], wanted: int, poison: str | None
    ) -> list[dict[str, Any]]:
        """What of a step is told to whoever listens, from what its ranks report."""
        splits = [report["micro_batches"] for report in reports if report["micro_batches"]]
        events = [_split_event(wanted, made) for made in splits]
        if poison is not None:
            events.append(self._skip_event(poison, reports))
        return events

    def _skip_event(self, poison: str, reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Names the examples of the micro-batches at fault: all, where each loss alone is finite."""
        guilty, all_ = (sorted(id_ for one in reports for id_ in one[key]) for key in ("guilty", "ids"))
        ids = guilty or all_
        more = f" and {len(ids) - FEW} more" if len(ids) > FEW else ""
        reason = f"{poison}, of examples {self._named(ids[:FEW])}{more}"
        places = [self.dataset.place(id_) for id_ in ids]
        return {"event": "skipped", "reason": reason, "ids": ids, "places": places}

    def _named(self, ids: Sequence[int]) -> str:
        """Examples as a person finds them: ``7 (train.en:8), 9 (train.en:10)``."""
        return ", ".join(f"{id_} ({self.dataset.place(id_)})" for id_ in ids)


def _split_event(wanted: int, made: int) -> dict[str, Any]:
    reason = f"memory sufficed for {made} smaller micro-batches, not for {wanted}"
    return {"event": "split", "reason": reason, "micro_batches": made}
