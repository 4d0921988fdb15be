"""The examples of a split in memory, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seqloom.batch import Batch, Padded
from seqloom.data.manifest import TARGET, Located
from seqloom.errors import DataError
from seqloom.modality import Modality
from seqloom.task import Example

ReadTarget = Callable[[str], Tensor]


@final
class Dataset:
    """Examples with their features.

    Attributes:
        examples: The examples; the id of each is its position here.
        lengths: [N] int64, positions of each example's longest slot, the target among them.
        left_out: How many examples were too long.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        features: Mapping[str, Sequence[Tensor]],
        modalities: Mapping[str, Modality],
        left_out: int = 0,
    ) -> None:
        self.examples = examples
        self.lengths = _longest(features.values(), len(examples))
        self.left_out = left_out
        self._features = features
        self._modalities = modalities

    @classmethod
    def load(
        cls,
        examples: Iterable[Located],
        modalities: Mapping[str, Modality],
        read_target: ReadTarget | None,
        max_length: int | None = None,
    ) -> Dataset:
        """Reads all features.

        Args:
            examples: What to read, and where it was found.
            modalities: What reads each input slot.
            read_target: What reads the targets; None where there are none.
            max_length: Examples with more positions than this in any slot are left out.

        Raises:
            DataError: An input or a target cannot be used, with its file and line; or all are too long.
        """
        readers: dict[str, ReadTarget] = {slot: modality.read for slot, modality in modalities.items()}
        if read_target is not None:
            readers[TARGET] = read_target
        kept: list[Example] = []
        features: dict[str, list[Tensor]] = {slot: [] for slot in readers}
        left_out = 0
        for located in examples:
            read = {slot: _read(reader, slot, located) for slot, reader in readers.items()}
            if max_length is not None and max(map(len, read.values())) > max_length:
                left_out += 1
                continue
            for slot, values in read.items():
                _check_alike(values, features[slot], slot, located)
                features[slot].append(values)
            kept.append(located.example._replace(id=len(kept)))
        if left_out and not kept:
            raise DataError(f"all {left_out} examples have more than {max_length} positions in some slot")
        return cls(kept, features, modalities, left_out)

    def __len__(self) -> int:
        return len(self.examples)

    def collate(self, ids: Sequence[int], *, seed: int, epoch: int, augment: bool) -> Batch:
        """A batch of the examples at ``ids``, in that order.

        What an example looks like in it depends on the arguments and its own id alone, up to padding.

        Args:
            ids: Positions in this data set.
            seed: Of the augmentation.
            epoch: The pass over the data that this is; each has augmentations of its own.
            augment: Whether to vary the inputs as their modalities do for training.
        """
        chosen = {slot: [values[id_] for id_ in ids] for slot, values in self._features.items()}
        if augment:
            self._augment(chosen, ids, _example_seeds(seed, epoch, len(self)))
        padded = {slot: _pad(features) for slot, features in chosen.items()}
        target = padded.pop(TARGET, None)
        references = [list(self.examples[id_].references) for id_ in ids]
        return Batch(padded, target, references, list(ids))

    def _augment(self, chosen: dict[str, list[Tensor]], ids: Sequence[int], seeds: NDArray[Any]) -> None:
        for row, id_ in enumerate(ids):
            generator = torch.Generator().manual_seed(int(seeds[id_]))
            for slot, modality in self._modalities.items():
                chosen[slot][row] = modality.augment(chosen[slot][row], generator)


@lru_cache(maxsize=2)
def _example_seeds(seed: int, epoch: int, count: int) -> NDArray[Any]:
    """[count] uint64, a seed for each example; the first ones are the same whatever ``count``."""
    return np.random.SeedSequence([seed, epoch]).generate_state(count, np.uint64)


def _pad(features: Sequence[Tensor]) -> Padded:
    """Zeros to the right: silence, blackness, and the id of PAD."""
    lengths = torch.tensor([len(values) for values in features])
    return Padded(pad_sequence(list(features), batch_first=True), lengths)


def _longest(slots: Iterable[Sequence[Tensor]], count: int) -> NDArray[np.int64]:
    lengths = np.zeros(count, dtype=np.int64)
    for features in slots:
        np.maximum(lengths, [len(values) for values in features], out=lengths)
    return lengths


def _read(reader: ReadTarget, slot: str, located: Located) -> Tensor:
    example = located.example
    raw = example.target if slot == TARGET else example.inputs[slot]
    if raw is None:
        raise _error("this example has no target", slot, located)
    try:
        values = reader(raw)
    except DataError as error:
        raise _error(str(error), slot, located) from error
    if len(values) == 0:
        raise _error("nothing is left of it once it is read", slot, located)
    return values


def _check_alike(values: Tensor, others: Sequence[Tensor], slot: str, located: Located) -> None:
    """Features of one slot go into one tensor: all but their time must agree."""
    if others and values.shape[1:] != others[0].shape[1:]:
        found, first = list(values.shape[1:]), list(others[0].shape[1:])
        raise _error(f"features of size {found} a position; the first example has {first}", slot, located)


def _error(message: str, slot: str, located: Located) -> DataError:
    return DataError(f"{slot}: {message}", located.files.get(slot), located.line)
