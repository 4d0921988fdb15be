"""The examples of a split with their features, and batches of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any, Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seqloom.batch import Batch, Padded
from seqloom.data.batching import Weighed
from seqloom.data.features import (
    FeatureReader,
    Features,
    ListedFeatures,
    PlaceList,
    Places,
    Read,
    ReadTarget,
)
from seqloom.data.manifest import Located
from seqloom.data.pools import Pooling
from seqloom.data.splits import TARGET
from seqloom.modality import Modality
from seqloom.task import Example

WORTH_SHARING: Final = 0.1
"""Share of examples with the inputs of the one before at which batches keep them together."""


@final
class Collator:
    """Makes batches; pickles small where features are in files.

    Args:
        features: Of each slot.
        modalities: What presents each input slot.
        references: Of each example; empty where nobody compares.
        siblings: [N] int64, for each example the first of those that share its inputs; None where none do.
    """

    def __init__(
        self,
        features: Mapping[str, Features],
        modalities: Mapping[str, Modality],
        references: Sequence[Sequence[str]] = (),
        siblings: NDArray[np.int64] | None = None,
    ) -> None:
        self._features = features
        self._modalities = modalities
        self._references = references
        self._siblings = siblings

    def __call__(self, ids: Sequence[int], *, seed: int, epoch: int, augment: bool) -> Batch:
        """A batch of the examples at ``ids``; see :meth:`Dataset.collate`."""
        read, rows = list(ids), None
        if self._siblings is not None:
            firsts, of_each = np.unique(self._siblings[read], return_inverse=True)
            read, rows = firsts.tolist(), torch.from_numpy(of_each)
        features = self._features
        inputs = {slot: features[slot].take(read) for slot in features if slot != TARGET}
        self._present(inputs, read, _example_seeds(seed, epoch, read) if augment else [None] * len(read))
        padded = {slot: _pad(values) for slot, values in inputs.items()}
        target = _pad(features[TARGET].take(ids)) if TARGET in features else None
        references = [list(self._references[id_]) if self._references else [] for id_ in ids]
        return Batch(padded, target, references, list(ids), rows)

    def present(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What goes into a batch of another input; see :meth:`Dataset.present`."""
        return {slot: self._modalities[slot].present(values, None) for slot, values in features.items()}

    def with_features(self, features: Mapping[str, Features]) -> Collator:
        """One that gives other features of some slots, as they are."""
        modalities = {slot: part for slot, part in self._modalities.items() if slot not in features}
        return Collator({**self._features, **features}, modalities, self._references, self._siblings)

    def _present(
        self, inputs: dict[str, list[Tensor]], ids: Sequence[int], seeds: Sequence[int | None]
    ) -> None:
        for row, (id_, seed) in enumerate(zip(ids, seeds, strict=True)):
            generator = None if seed is None else torch.Generator().manual_seed(seed)
            for slot, modality in self._modalities.items():
                pool = self._features[slot].pool
                sums = None if pool is None else pool(id_)
                inputs[slot][row] = modality.present(inputs[slot][row], generator, sums)


@final
class Dataset:
    """Examples with their features, in memory or in files.

    Attributes:
        examples: The examples as their files have them; the id of each is its position here. Empty for
            a data set in files: to train on features needs no texts.
        lengths: [N] int64, positions of each example's longest slot, the target among them.
        modalities: What presents each input slot.
        left_out: How many examples were too long.
        skipped: How many examples could not be used.
        place: Tells where an example is: ``train.en:7``.
        weights: How often examples occur in a pass; none where each occurs once.
        key: Names its content; empty for one in memory.
        siblings: [N] int64, for each example the first of those beside it that share its inputs; None
            where too few do to make a difference.
        collator: Makes their batches, here or in another process.
    """

    def __init__(
        self,
        features: Mapping[str, Features],
        modalities: Mapping[str, Modality],
        place: Places,
        *,
        count: int,
        examples: Sequence[Example] = (),
        left_out: int = 0,
        skipped: int = 0,
        weights: Sequence[Weighed] = (),
    ) -> None:
        self.examples = examples
        self.key = ""
        self.modalities = modalities
        self.lengths = np.zeros(count, dtype=np.int64)
        for slot in features.values():
            slot.raise_to_lengths(self.lengths)
        self.left_out = left_out
        self.skipped = skipped
        self.place = place
        self.weights = weights
        self.siblings = _siblings([slot for name, slot in features.items() if name != TARGET])
        references = [example.references for example in examples]
        self.collator = Collator(features, modalities, references, self.siblings)

    @classmethod
    def load(
        cls,
        examples: Iterable[Located],
        modalities: Mapping[str, Modality],
        read_target: ReadTarget | None,
        max_length: int | None = None,
    ) -> Dataset:
        """Reads all features into memory.

        Args:
            examples: What to read, and where it was found.
            modalities: What reads each input slot.
            read_target: What reads the targets; None where there are none.
            max_length: Examples with more positions than this in any slot are left out.

        Raises:
            DataError: An input or a target cannot be used, with its file and line; or all are too long.
        """
        reader = FeatureReader(modalities, read_target, max_length)
        dataset = cls.of(reader.read(examples), modalities, reader.slots)
        dataset.left_out = reader.left_out
        return dataset

    @classmethod
    def of(cls, reads: Iterable[Read], modalities: Mapping[str, Modality], slots: Sequence[str]) -> Dataset:
        """Examples whose features have been read, numbered anew.

        Args:
            reads: The examples.
            modalities: What presents each input slot.
            slots: All slots that were read.
        """
        kept: list[Example] = []
        features: dict[str, list[Tensor]] = {slot: [] for slot in slots}
        places, lines, pooling = PlaceList(), array("q"), Pooling(modalities)
        for located, read in reads:
            pooling.add(located.example.tags, read)
            for slot, values in read.items():
                features[slot].append(values)
            lines.append(places.add(len(kept), located))
            kept.append(located.example._replace(id=len(kept)))
        pools = pooling.pools()
        return cls(
            {slot: ListedFeatures(values, pools.get(slot)) for slot, values in features.items()},
            modalities,
            Places(lines, places.firsts),
            count=len(kept),
            examples=kept,
        )

    def __len__(self) -> int:
        return len(self.lengths)

    def present(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What would go into a batch of an input that is none of these, unvaried.

        Args:
            features: Of each input slot, as its modality reads them.
        """
        return self.collator.present(features)

    def with_features(self, features: Mapping[str, Features]) -> Dataset:
        """The same examples, in the same batches, with other features of some slots, given as they are."""
        changed = copy(self)
        changed.collator = self.collator.with_features(features)
        return changed

    def collate(self, ids: Sequence[int], *, seed: int, epoch: int, augment: bool) -> Batch:
        """A batch of the examples at ``ids``, in that order.

        What an example looks like in it depends on the arguments and its own id alone, up to padding;
        examples that share inputs see the same variation of them.

        Args:
            ids: Positions in this data set.
            seed: Of the augmentation.
            epoch: The pass over the data that this is; each has augmentations of its own.
            augment: Whether to vary the inputs as their modalities do for training.
        """
        return self.collator(ids, seed=seed, epoch=epoch, augment=augment)


def _siblings(inputs: Sequence[Features]) -> NDArray[np.int64] | None:
    """For each example the first of those that share its inputs; None where too few do."""
    shared = [slot.repeats() for slot in inputs] + [slot.pool.repeats() for slot in inputs if slot.pool]
    repeats = np.logical_and.reduce(shared) if shared else np.zeros(0, np.bool)
    if repeats.sum() < WORTH_SHARING * len(repeats) or not repeats.any():
        return None
    return np.maximum.accumulate(np.where(repeats, 0, np.arange(len(repeats))))


def _example_seeds(seed: int, epoch: int, ids: Sequence[int]) -> list[int]:
    """A seed for each example: outputs of SplitMix64 (Steele et al. 2014), started by seed and epoch."""
    start = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)
    state: NDArray[Any] = start + (np.asarray(ids, dtype=np.uint64) + 1) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> 30)) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> 27)) * np.uint64(0x94D049BB133111EB)
    seeds: list[int] = (state ^ (state >> 31)).tolist()
    return seeds


def _pad(features: Sequence[Tensor]) -> Padded:
    """Zeros to the right: silence, blackness, and the id of PAD."""
    lengths = torch.tensor([len(values) for values in features])
    return Padded(pad_sequence(list(features), batch_first=True), lengths)
