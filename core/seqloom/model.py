"""A whole model: front ends, encoders, head."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from seqloom.batch import Batch, Loss, Memory, Padded, Progress
from seqloom.config import DecodeConfig
from seqloom.head import Head
from seqloom.head.emissions import edges, with_times
from seqloom.modality import Frontend
from seqloom.nn.encoder import Encoder, join_memories


class Seq2Seq(nn.Module):
    """Inputs to a memory, a memory to a loss or to predictions.

    Args:
        frontends: One for each input slot.
        encoders: One for each input slot; several inputs are joined in time.
        head: What makes a loss and predictions of the memory.
        rates: Features a second of each slot whose inputs take time.
        copied: Slots whose features are tokens of the target's vocabulary, a position of the memory each.
    """

    def __init__(
        self,
        frontends: Mapping[str, Frontend],
        encoders: Mapping[str, Encoder],
        head: Head[Any],
        rates: Mapping[str, float | None] | None = None,
        copied: Collection[str] = (),
    ) -> None:
        super().__init__()
        self.frontends = nn.ModuleDict(frontends)
        self.encoders = nn.ModuleDict(encoders)
        self.head = head
        self.rates = rates or {}
        self.copied = copied

    def encode(self, inputs: Mapping[str, Padded]) -> Memory:
        """Inputs [B, T, *F] of each slot to one memory."""
        return join_memories([self._remembered(slot, inputs[slot]) for slot in self.frontends])

    def _remembered(self, slot: str, features: Padded) -> Memory:
        memory: Memory = self.encoders[slot](self.frontends[slot](features))
        return memory._replace(copy_ids=features.values) if slot in self.copied else memory

    def memory(self, batch: Batch) -> Memory:
        """A memory for each example; inputs that several share are encoded once."""
        encoded = self.encode(batch.inputs)
        return encoded if batch.rows is None else encoded.take(batch.rows)

    def forward(self, batch: Batch, progress: Progress) -> Loss:
        """The loss of a batch with targets."""
        loss: Loss = self.head(self.memory(batch), batch, progress)
        return loss

    @torch.inference_mode()
    def predict(self, batch: Batch, options: DecodeConfig) -> list[list[Any]]:
        """For each example its predictions, best first."""
        found = self.head.predict(self.memory(batch), options)
        return self._timed(found, batch) if options.emissions else found

    def _timed(self, found: list[list[Any]], batch: Batch) -> list[list[Any]]:
        """Tells emissions when their positions are, where there is one input and it takes time."""
        slot, *others = self.frontends
        frontend, encoder = cast("Frontend", self.frontends[slot]), cast("Encoder", self.encoders[slot])
        rate = self.rates.get(slot)
        if others or frontend.stride is None or rate is None:
            return found
        stride, lengths = frontend.stride * encoder.stride, batch.inputs[slot].lengths
        if batch.rows is not None:
            lengths = lengths[batch.rows]
        return [
            with_times(outputs, edges(length, stride, rate))
            for outputs, length in zip(found, lengths.tolist(), strict=True)
        ]

    def load_pretrained(self) -> None:
        """Takes weights from elsewhere, where front ends begin with some; see :class:`Frontend`."""
        for frontend in self.frontends.values():
            cast("Frontend", frontend).load_pretrained()

    def fit(self, batches: Callable[[], Iterable[Batch]]) -> None:
        """Has front ends take from the training data what no gradient would tell; see :class:`Frontend`.

        Args:
            batches: Gives all examples, some at a time, unvaried; called for each front end that asks.
        """
        for slot, frontend in self.frontends.items():
            if cast("Frontend", frontend).learns_from_data:
                cast("Frontend", frontend).fit(batch.inputs[slot] for batch in batches())

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Has torch write kernels for the parts' forward passes (``torch.compile``), in place.

        Raises:
            ConfigError: A part cannot be compiled.
        """
        for part in (*self.frontends.values(), *self.encoders.values(), self.head):
            part.compile(*args, **kwargs)

    def weights(self) -> dict[str, Tensor]:
        """Parameters and buffers by name, each tensor once even where parts share it."""
        named = dict(self.named_parameters())  # leaves repeats out
        persistent = self.state_dict(keep_vars=True)
        buffers = {name: buffer for name, buffer in self.named_buffers() if name in persistent}
        return {name: tensor.detach() for name, tensor in (named | buffers).items()}

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Takes what :meth:`weights` gave.

        Raises:
            ValueError: Names or shapes are not this model's.
        """
        own = self.weights()
        unlike = {
            name
            for name in own.keys() | weights.keys()
            if name not in own or name not in weights or own[name].shape != weights[name].shape
        }
        if unlike:
            raise ValueError(f"weights do not fit the model: {', '.join(sorted(unlike)[:5])}")
        for name, tensor in own.items():
            tensor.copy_(weights[name])
