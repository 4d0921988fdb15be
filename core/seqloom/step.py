"""How is one optimiser step made, and what if its numbers are no numbers or memory does not suffice?

A step whose loss or gradient is not finite changes nothing: no weight, no buffer, no running mean of the
optimiser. One that memory does not suffice for is begun anew in smaller micro-batches: the same examples,
the same seed, and sums that add up to the same gradient.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqloom.batch import Batch, Progress
from seqloom.config import TrainConfig
from seqloom.data.dataset import Dataset
from seqloom.device import Device
from seqloom.errors import MemoryShortError, is_out_of_memory
from seqloom.model import Seq2Seq
from seqloom.optim import scale_gradients, set_learning_rate
from seqloom.progress import Sums

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


class Step(NamedTuple):
    """What became of a step.

    Attributes:
        sums: ``total``, ``elements`` and the loss's parts, over all micro-batches.
        norm: [] of the mean loss's gradient before clipping.
        waited: Seconds spent in getting batches.
        poison: Why no weight was changed; None where the step was made.
        events: Records for whoever listens, without the step's number.
    """

    sums: Sums
    norm: Tensor
    waited: float
    poison: str | None
    events: list[dict[str, Any]]


class Stepper:
    """Makes optimiser steps.

    Args:
        model: On its device already.
        dataset: Examples to learn from.
        optimizer: Of the model's parameters.
        train: What the job says of training.
        device: Where to compute.
    """

    def __init__(
        self,
        model: Seq2Seq,
        dataset: Dataset,
        optimizer: torch.optim.Optimizer,
        train: TrainConfig,
        device: Device,
    ) -> None:
        self.model = model
        self.dataset = dataset
        self.optimizer = optimizer
        self.train = train
        self.device = device
        self.scaler = torch.amp.GradScaler(device.device.type, enabled=device.dtype == torch.float16)
        parameters = dict(model.named_parameters())
        self._buffers = [value for name, value in model.weights().items() if name not in parameters]
        self._waited = 0.0

    def __call__(self, batches: Sequence[MicroBatch], step: int, rate: float) -> Step:
        """Makes a step.

        Args:
            batches: Whose gradients are added up.
            step: Steps done before.
            rate: The learning rate.

        Raises:
            MemoryShortError: Memory does not suffice for an example alone.
        """
        self._waited = 0.0
        buffers = [buffer.clone() for buffer in self._buffers]
        fitting, totals, sums = self._gradients(list(batches), step, buffers)
        set_learning_rate(self.optimizer, rate)
        self.scaler.unscale_(self.optimizer)
        norm = scale_gradients(self.model.parameters(), sums["elements"], self.train.clip_norm)
        poison = self._poison(sums["total"], norm)
        if poison is None:
            self.scaler.step(self.optimizer)
        else:
            self._restore(buffers)
        self.scaler.update()
        events = []
        if len(fitting) > len(batches):
            events.append(_split_event(len(batches), len(fitting)))
        if poison is not None:
            events.append(self._skip_event(poison, fitting, totals))
        return Step(sums, norm, self._waited, poison, events)

    # Gradients -------------------------------------------------------------------------------------

    def _gradients(
        self, batches: list[MicroBatch], step: int, buffers: list[Tensor]
    ) -> tuple[list[MicroBatch], list[Tensor], Sums]:
        """Sums of gradients in the parameters; the micro-batches that fitted, and the loss of each."""
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
                return batches, totals, sums
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
        loaded = self.dataset.collate(batch.ids, seed=self.train.seed, epoch=batch.epoch, augment=True)
        loaded = (loaded.pin() if self.device.is_gpu else loaded).to(self.device.device)
        self._waited += time.perf_counter() - started
        return loaded

    def _generator(self, step: int) -> torch.Generator:
        """The randomness of a step, made of the seed and its number; dropout's, too."""
        seed = np.random.SeedSequence([self.train.seed, step]).generate_state(1, np.uint64)[0]
        return torch.manual_seed(int(seed >> np.uint64(1)))

    # Poison ----------------------------------------------------------------------------------------

    def _poison(self, total: Tensor, norm: Tensor) -> str | None:
        """What of a step is not finite; None where all is. The step's only wait for a GPU."""
        # An infinite norm is how fp16's scaler finds its scale, and it makes no step of one.
        watched = total if self.scaler.is_enabled() else total + norm
        if watched.isfinite().item():
            return None
        if not total.isfinite().item():
            return f"the loss is {total.item()}"
        return f"the gradient's norm is {norm.item()}"

    def _restore(self, buffers: Sequence[Tensor]) -> None:
        for buffer, before in zip(self._buffers, buffers, strict=True):
            buffer.copy_(before)

    def _skip_event(
        self, poison: str, batches: Sequence[MicroBatch], totals: Sequence[Tensor]
    ) -> dict[str, Any]:
        """Names the examples of the micro-batches at fault: all, where each loss alone is finite."""
        pairs = zip(batches, totals, strict=True)
        guilty = [batch for batch, total in pairs if not total.isfinite().item()] or batches
        ids = sorted(id_ for batch in guilty for id_ in batch.ids)
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
