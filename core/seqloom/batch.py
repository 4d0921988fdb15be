"""The records that travel between the rooms, and the one legend of shape letters.

=====  ====================================================
B      examples of a batch
K      hypotheses of one source
T      positions in time of one input
F      features of one position (any number of axes)
S      positions of a memory
D      width
U      positions of a target
V      vocabulary
L, H   layers and width of a state
=====  ====================================================

Sequences are padded on the right. There is one sense of a mask: **True = real**, as in torch's
``scaled_dot_product_attention``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

TreeT = TypeVar("TreeT")


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """[B] int64 to [B, size] bool, True where a position is real."""
    return torch.arange(size, device=lengths.device) < lengths[:, None]


class Padded(NamedTuple):
    """Sequences of different lengths in one tensor.

    Attributes:
        values: [B, T, *F], padded on the right.
        lengths: [B] int64, how many positions of each row are real.
    """

    values: Tensor
    lengths: Tensor

    def mask(self) -> Tensor:
        """[B, T] bool, True = real."""
        return length_mask(self.lengths, self.values.shape[1])


class Memory(NamedTuple):
    """What an encoder leaves for a head.

    Attributes:
        values: [B, S, D], padded on the right.
        lengths: [B] int64.
        final: [B, L, H], what a decoder without attention starts from. A recurrent encoder gives each
            layer's last state, its directions and (h, c) side by side in H; any other gives the mean
            of its real positions, with L = 1.
        copy_ids: [B, S] int64, the token of the target's vocabulary that each position stands for, any on
            padding; None where positions are no such tokens.
    """

    values: Tensor
    lengths: Tensor
    final: Tensor
    copy_ids: Tensor | None = None

    def mask(self) -> Tensor:
        """[B, S] bool, True = real."""
        return length_mask(self.lengths, self.values.shape[1])

    def take(self, rows: Tensor) -> Memory:
        """The memories at ``rows`` [N] int64, each as often as it is named."""
        return tree_map(lambda part: part.index_select(0, rows), self)


class Batch(NamedTuple):
    """Some examples, ready for a model.

    Attributes:
        inputs: For each input slot of the task, its features [B, T, *F]; [P, T, *F] where ``rows`` tells
            which of P inputs an example has.
        target: [B, U, *F], None where only the inputs are known. Token targets end in EOS and have no
            BOS: a head shifts them itself.
        references: For each example, everything a metric may compare with (raw, not tokens).
        ids: Each example's position in its data set.
        rows: [B] int64, for examples that share inputs (a picture and its captions): the row of each.
            None where every example has its own.
    """

    inputs: dict[str, Padded]
    target: Padded | None
    references: list[list[Any]]
    ids: list[int]
    rows: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """The same batch on ``device``; copies do not wait where memory is pinned."""
        return self._moved(lambda tensor: tensor.to(device, non_blocking=True))

    def pin(self) -> Batch:
        """The same batch in page-locked memory, from which a GPU copies without waiting."""
        return self._moved(Tensor.pin_memory)

    def _moved(self, move: Callable[[Tensor], Tensor]) -> Batch:
        inputs, target, rows = tree_map(move, (self.inputs, self.target, self.rows))
        return self._replace(inputs=inputs, target=target, rows=rows)


class Loss(NamedTuple):
    """Sums, never means: they add up over micro-batches and ranks, and are divided once.

    Attributes:
        total: [] the sum to descend.
        elements: [] int64, how many targets ``total`` sums over.
        parts: Named sums for people and scores, detached; ``nll`` (nats) where the head predicts tokens,
            and ``correct`` where it does so one after another.
    """

    total: Tensor
    elements: Tensor
    parts: dict[str, Tensor]


class Progress(NamedTuple):
    """What a scheduled or sampled loss may depend on.

    Attributes:
        step: Optimiser steps done so far.
        epoch: Passes over the training data begun so far, counted from 0.
        generator: The randomness of this step, None where nothing may be random (evaluation).
    """

    step: int
    epoch: int
    generator: torch.Generator | None = None


class Decoded(NamedTuple):
    """What a decoder says of some positions.

    Attributes:
        logits: [.., V], not normalised.
        attention: [.., S] or None; weights over the memory, summing to one over its real positions.
    """

    logits: Tensor
    attention: Tensor | None = None


class Emissions(NamedTuple):
    """What CTC says of each position of a source; the outputs of one source share it.

    Attributes:
        log_probs: [S, V + 1] float32 on the CPU, the blank last.
        edges_s: [S + 1], where each position begins and the last one ends, in seconds of the input. None
            for an input that takes no time.
    """

    log_probs: Tensor
    edges_s: tuple[float, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """One finished output of a search.

    Attributes:
        tokens: Token ids without BOS and EOS.
        score: The value it was ranked by: summed log-probability over the length penalty.
        token_scores: Log-probability (nats) of each token, with that of EOS last.
        attention: [U, S] weights for each token, where asked for.
        emissions: What CTC says of its source, where asked for.
        details: Whatever a task adds: times, confidence.
    """

    tokens: tuple[int, ...]
    score: float
    token_scores: tuple[float, ...]
    attention: Tensor | None = None
    emissions: Emissions | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Shared(NamedTuple):
    """A part of a decoder's state that the hypotheses of a source have in common.

    Attributes:
        of_source: A pytree of tensors [B, ..], where the rest of a state is [B, K, ..].
    """

    of_source: Any


def tree_map(
    function: Callable[[Tensor], Tensor], tree: TreeT, shared: Callable[[Tensor], Tensor] | None = None
) -> TreeT:
    """Applies a function to every tensor of nested tuples, lists and dicts, keeping their form.

    Args:
        function: What is applied.
        tree: Whatever else it holds stays as it is.
        shared: What is applied within :class:`Shared`, if that is another.
    """
    mapped: Any
    if isinstance(tree, Tensor):
        mapped = function(tree)
    elif isinstance(tree, tuple):
        function = shared if shared and isinstance(tree, Shared) else function
        parts = [tree_map(function, part, shared) for part in tree]
        mapped = type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    elif isinstance(tree, list):
        mapped = [tree_map(function, part, shared) for part in tree]
    elif isinstance(tree, dict):
        mapped = {key: tree_map(function, part, shared) for key, part in tree.items()}
    else:
        mapped = tree
    return mapped  # type: ignore[no-any-return]
