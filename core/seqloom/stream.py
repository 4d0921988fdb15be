"""Inputs as they come to outputs in their order: cut into pieces, some batches at a time, joined again.

Only so much is held at once: as many pieces as make some batches, and what was found in those of an input
until its last one is done. What an input is cut into, and what comes of a piece, depends on it alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, final

from seqloom.batch import Hypothesis
from seqloom.config import DecodeConfig
from seqloom.data.batching import ordered_batches
from seqloom.data.dataset import Dataset
from seqloom.data.features import FeatureReader, Read
from seqloom.data.manifest import Located
from seqloom.decode import search
from seqloom.device import Device
from seqloom.errors import DataError
from seqloom.hooks import NoOptions, Options
from seqloom.journal import Journal, Keep
from seqloom.modality import Modality
from seqloom.model import Seq2Seq
from seqloom.task import Prediction, Task

CHUNK_BATCHES: Final = 50
"""Batches of pieces read ahead: enough to sort by length, little enough for a pipe."""

CHUNK_LONG_BATCHES: Final = 2
"""The same, of batches with all the positions that they may have: these take memory."""

TellPieces = Callable[[Located, int, int], None]
"""Is told of an input how many of its pieces are done, and how many there are."""


Take = Callable[[list[Hypothesis]], None]


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """What decodes, and how.

    Attributes:
        model: Finds.
        task: Cuts, and joins.
        modalities: Of each input slot.
        options: How to search.
        flags: The verb's own.
        device: Where to compute.
        keep: Opens the journal of an input of several pieces; None where nothing is kept.
        tell: Is told as pieces are done; at first, how many were.
    """

    model: Seq2Seq
    task: Task
    modalities: Mapping[str, Modality]
    options: DecodeConfig
    device: Device
    flags: Options = field(default_factory=NoOptions)
    keep: Keep | None = None
    tell: TellPieces = lambda _located, _done, _pieces: None


def decode_stream(inputs: Iterable[Located], how: Decoding) -> Iterator[Prediction]:
    """Decodes inputs as they come; predictions are in input order.

    Raises:
        DataError: An input cannot be used.
    """
    begun: deque[_Whole] = deque()
    takers: deque[Take] = deque()
    reader = FeatureReader(how.modalities, None)
    reads = reader.read(_missing(inputs, how, begun, takers))
    while chunk := _chunk(reads, how.options):
        takes = [takers.popleft() for _ in chunk]
        dataset = Dataset.of(chunk, how.modalities, reader.slots)
        batches = ordered_batches(dataset.lengths, how.options.batch_size, how.options.batch_elements)
        for id_, hypotheses in search(how.model, how.task, dataset, batches, how.options, how.device):
            takes[id_](hypotheses)
            while begun and begun[0].is_done:
                yield begun.popleft().joined()
        del chunk[:], dataset  # before others are read
    while begun:  # nothing was left to do of the last ones
        yield begun.popleft().joined()


def _missing(
    inputs: Iterable[Located], how: Decoding, begun: deque[_Whole], takers: deque[Take]
) -> Iterator[Located]:
    """The pieces to decode, as they are asked for.

    Args:
        inputs: What they are of.
        how: How they are cut.
        begun: Gets each input as its turn comes.
        takers: Gets, for each piece, who takes what will be found in it.
    """
    for located in inputs:
        whole = _Whole(located, how)
        begun.append(whole)
        for number in whole.missing():
            takers.append(partial(whole.add, number))
            yield located._replace(example=located.example._replace(inputs=whole.pieces[number]))


def _chunk(reads: Iterator[Read], options: DecodeConfig) -> list[Read]:
    """Some batches' worth of what comes."""
    chunk: list[Read] = []
    positions = 0
    for read in reads:
        chunk.append(read)
        positions += max(map(len, read.features.values()))
        if len(chunk) == CHUNK_BATCHES * options.batch_size:
            break
        if positions >= CHUNK_LONG_BATCHES * options.batch_elements:
            break
    return chunk


@final
class _Whole:
    """An input, its pieces, and what has been found in them."""

    def __init__(self, located: Located, how: Decoding) -> None:
        self.pieces = _pieces(located, how)
        self._located = located
        self._how = how
        self._journal: Journal | None = None
        self._found: dict[int, list[Hypothesis]] = {}
        if len(self.pieces) > 1:
            if how.keep is not None:
                self._journal = how.keep(located.example.inputs, self.pieces)
                self._found = self._journal.found()
            how.tell(located, len(self._found), len(self.pieces))

    def missing(self) -> list[int]:
        """Which pieces are to be decoded."""
        return [number for number in range(len(self.pieces)) if number not in self._found]

    def add(self, number: int, hypotheses: list[Hypothesis]) -> None:
        """Takes what was found in a piece."""
        self._found[number] = hypotheses
        if self._journal is not None:
            self._journal.add(number, hypotheses)
        if len(self.pieces) > 1:
            self._how.tell(self._located, len(self._found), len(self.pieces))

    @property
    def is_done(self) -> bool:
        return len(self._found) == len(self.pieces)

    def joined(self) -> Prediction:
        """What became of the input, of which all pieces are done."""
        results = [self._found[number] for number in range(len(self.pieces))]
        best = self._how.task.join(self.pieces, results, self._how.modalities)
        return Prediction(self._located.example, best)


def _pieces(located: Located, how: Decoding) -> Sequence[dict[str, str]]:
    try:
        return how.task.pieces(located.example.inputs, how.flags, how.modalities)
    except DataError as error:
        place = next(iter(located.files.values()), None)
        raise DataError(str(error), place, located.line) from error
