"""What does a model see of an example? Raw slots to features, and features kept in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, Protocol, final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from seqloom.data.ahead import ReadAhead
from seqloom.data.manifest import Located
from seqloom.data.pools import Pool
from seqloom.data.skipping import Refuse, refuse
from seqloom.data.splits import TARGET
from seqloom.errors import DataError
from seqloom.modality import Modality

ReadTarget = Callable[[str], Tensor]


class Read(NamedTuple):
    """An example with the features of each of its slots, [T, *F]."""

    located: Located
    features: dict[str, Tensor]


class _Begun(NamedTuple):
    """An example whose slots are being read; each gives its features, or raises."""

    located: Located
    slots: dict[str, Callable[[], Tensor]]


@final
class FeatureReader:
    """Reads the features of examples, and gives one example after another.

    Of two beside each other with the same raw text in a slot (the captions of a picture), that is read
    once, and both have the one tensor.

    Args:
        modalities: What reads each input slot.
        read_target: What reads the targets; None where there are none.
        max_length: Examples with more positions than this in any slot are left out.
        from_files: Slots whose inputs are files: they are read ahead, several at once.

    Attributes:
        slots: All slots that it reads.
        left_out: How many examples were too long so far.
    """

    def __init__(
        self,
        modalities: Mapping[str, Modality],
        read_target: ReadTarget | None,
        max_length: int | None = None,
        from_files: Collection[str] = (),
    ) -> None:
        self._readers: dict[str, ReadTarget] = {slot: part.read for slot, part in modalities.items()}
        if read_target is not None:
            self._readers[TARGET] = read_target
        self._max_length = max_length
        self._from_files = from_files
        self._sizes: dict[str, list[int]] = {}
        self._last: dict[str, tuple[str, Callable[[], Tensor]]] = {}
        self.slots = list(self._readers)
        self.left_out = 0

    def read(self, examples: Iterable[Located], bad: Refuse = refuse) -> Iterator[Read]:
        """The examples that are not too long, numbered anew.

        Args:
            examples: What to read.
            bad: Is told of each example that cannot be used; raises that by default.

        Raises:
            DataError: An input or a target cannot be used, with its file and line; or all are too long.
        """
        kept = 0
        for located, slots in self._begun(examples):
            try:
                features = {slot: self._finish(slot, located, begun) for slot, begun in slots.items()}
            except DataError as error:
                bad(error)
                continue
            if self._max_length is not None and max(map(len, features.values())) > self._max_length:
                self.left_out += 1
                continue
            if located.example.id != kept:
                located = located._replace(example=located.example._replace(id=kept))  # noqa: PLW2901
            yield Read(located, features)
            kept += 1
        if self.left_out and not kept:
            raise DataError(
                f"all {self.left_out} examples have more than {self._max_length} positions in some slot"
            )

    def _begun(self, examples: Iterable[Located]) -> Iterator[_Begun]:
        if not self._from_files:
            yield from (self._begin(located, None) for located in examples)
            return
        with ReadAhead() as ahead:
            yield from ahead.through(examples, lambda located: self._begin(located, ahead))

    def _begin(self, located: Located, ahead: ReadAhead | None) -> _Begun:
        return _Begun(located, {slot: self._begin_slot(slot, located, ahead) for slot in self.slots})

    def _begin_slot(self, slot: str, located: Located, ahead: ReadAhead | None) -> Callable[[], Tensor]:
        raw = located.example.target if slot == TARGET else located.example.inputs[slot]
        if raw is None:
            return _no_target
        if slot in self._last and self._last[slot][0] == raw:
            return self._last[slot][1]
        work = partial(self._readers[slot], raw)
        begun = ahead.begin(work) if ahead and slot in self._from_files else cache(work)
        self._last[slot] = raw, begun
        return begun

    def _finish(self, slot: str, located: Located, begun: Callable[[], Tensor]) -> Tensor:
        try:
            values = begun()
        except DataError as error:
            raise _error(str(error), slot, located) from error
        if len(values) == 0:
            raise _error("nothing is left of it once it is read", slot, located)
        self._check_alike(values, slot, located)
        return values

    def _check_alike(self, values: Tensor, slot: str, located: Located) -> None:
        """Features of one slot go into one tensor: all but their time must agree."""
        found = list(values.shape[1:])
        first = self._sizes.setdefault(slot, found)
        if found != first:
            message = f"features of size {found} a position; the first example has {first}"
            raise _error(message, slot, located)


def _no_target() -> Tensor:
    raise DataError("this example has no target")


def _error(message: str, slot: str, located: Located) -> DataError:
    return DataError(f"{slot}: {message}", located.files.get(slot), located.line)


# What is kept of a split -------------------------------------------------------------------------------


class Features(ABC):
    """One slot's features of all examples.

    Attributes:
        pool: What they are presented in the light of; None where each stands alone.
    """

    pool: Pool | None = None

    @abstractmethod
    def take(self, ids: Sequence[int]) -> list[Tensor]:
        """The features of some examples, [T, *F] each; not to be changed in place."""

    @abstractmethod
    def raise_to_lengths(self, lengths: NDArray[np.int64]) -> None:
        """Raises each number of ``lengths`` [N] to the positions of its example, where it is less."""

    @abstractmethod
    def repeats(self) -> NDArray[np.bool]:
        """[N] whether an example has the features of the one before it: read once, kept once."""


@final
class ListedFeatures(Features):
    """Features in memory."""

    def __init__(self, features: list[Tensor], pool: Pool | None = None) -> None:
        self.pool = pool
        self._features = features

    def take(self, ids: Sequence[int]) -> list[Tensor]:
        return [self._features[id_] for id_ in ids]

    def raise_to_lengths(self, lengths: NDArray[np.int64]) -> None:
        np.maximum(lengths, [len(values) for values in self._features], out=lengths)

    def repeats(self) -> NDArray[np.bool]:
        pairs = zip([None, *self._features], self._features, strict=False)
        return np.fromiter((before is this for before, this in pairs), np.bool, len(self._features))


class FirstOf(NamedTuple):
    """The first example of those that come from the same files.

    Attributes:
        id: Its position in the data set.
        files: The file of each slot.
        part: Which part of the split names them, from 0.
    """

    id: int
    files: Mapping[str, Path]
    part: int = 0


class Lines(Protocol):
    """The line of each example, counted from 1; 0 for an example of no file."""

    def __getitem__(self, id_: int, /) -> int: ...


@final
class Places:
    """Where in the files each example begins.

    Args:
        lines: Of all N examples.
        firsts: The first example of each group of files, in order.
    """

    def __init__(self, lines: Lines, firsts: Sequence[FirstOf]) -> None:
        self._lines = lines
        self._firsts = firsts

    def __call__(self, id_: int) -> str:
        """``train.en:7`` with the file's whole path, or ``example 3``."""
        files = self._firsts[bisect_right(self._firsts, id_, key=lambda first: first.id) - 1].files
        return f"{next(iter(files.values()))}:{self._lines[id_]}" if files else f"example {id_}"


class PlaceList:
    """Collects the places of examples as they come, lines elsewhere."""

    def __init__(self) -> None:
        self.firsts: list[FirstOf] = []

    def add(self, id_: int, located: Located) -> int:
        """The line of an example, 0 where it has none."""
        if not self.firsts or self.firsts[-1].files is not located.files:
            self.firsts.append(FirstOf(id_, located.files, located.part))
        return located.line or 0
