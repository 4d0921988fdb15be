"""What is kept of a split's examples to look at all of them: a few numbers of each."""

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from seqloom.build import Builder, Kit
from seqloom.data.features import FeatureReader, PlaceList, Places
from seqloom.data.manifest import Examples
from seqloom.data.skipping import Skips
from seqloom.datacheck.measuring import Measuring

UNTAGGED: Final = -1
"""In place of a value's number, where an example has none."""

Hashes = NDArray[np.uint64]


@final
class Values:
    """The values of a tag."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._of = array("q")

    def add(self, id_: int, value: str) -> None:
        """Takes the value of an example; to be called in the order of examples."""
        self._pad(id_)
        self._of.append(self._numbers.setdefault(value, len(self._numbers)))

    def _pad(self, count: int) -> None:
        self._of.extend([UNTAGGED] * (count - len(self._of)))

    @property
    def names(self) -> list[str]:
        """Each value, at its number."""
        return list(self._numbers)

    def of(self, count: int) -> NDArray[np.int64]:
        """[count] the number of each example's value, or :data:`UNTAGGED`."""
        self._pad(count)
        return np.array(self._of, dtype=np.int64)


class Scan(NamedTuple):
    """What is kept of each of a split's N examples.

    Attributes:
        name: The split.
        place: Where each is.
        bad: Those that cannot be used, not among the N.
        lengths: [N] positions of each slot.
        unknown: [N] unknown tokens of each slot of tokens.
        whole: [N] hashes of all raw slots.
        inputs: [N] hashes of the raw input slots.
        tags: What each tag says of them.
        measuring: What modalities measured of them.
    """

    name: str
    place: Places
    bad: Skips
    lengths: Mapping[str, NDArray[np.int64]]
    unknown: Mapping[str, NDArray[np.int64]]
    whole: Hashes
    inputs: Hashes
    tags: Mapping[str, Values]
    measuring: Measuring


def scan(name: str, examples: Examples, builder: Builder, kit: Kit) -> Scan:
    """Goes through a split.

    Args:
        name: The split.
        examples: What is in it.
        builder: Of the job's parts.
        kit: Reads them.
    """
    reader = FeatureReader(kit.modalities, kit.task.read_target, from_files=kit.from_files)
    bad, measuring = Skips(), Measuring(kit.modalities)
    unknown_ids = {slot: kit.tokenizers[own].vocabulary.unk for slot, own in builder.token_slots().items()}
    places, lines = PlaceList(), array("q")
    lengths = {slot: array("q") for slot in reader.slots}
    unknown = {slot: array("q") for slot in unknown_ids}
    whole, inputs = array("Q"), array("Q")
    tags: dict[str, Values] = defaultdict(Values)
    for located, features in reader.read(examples.located(bad), bad):
        id_, raw = located.example.id, located.example.inputs
        lines.append(places.add(id_, located))
        for slot, values in features.items():
            lengths[slot].append(len(values))
        for slot, unk in unknown_ids.items():
            unknown[slot].append(int((features[slot] == unk).sum()))
        inputs.append(_hash(raw))
        whole.append(_hash({**raw, "": located.example.target}))
        for tag, value in located.example.tags.items():
            tags[tag].add(id_, value)
        measuring.add(id_, raw, features)
    return Scan(
        name,
        Places(lines, places.firsts),
        bad,
        {slot: np.array(found, dtype=np.int64) for slot, found in lengths.items()},
        {slot: np.array(found, dtype=np.int64) for slot, found in unknown.items()},
        np.array(whole, dtype=np.uint64),
        np.array(inputs, dtype=np.uint64),
        tags,
        measuring,
    )


def _hash(texts: Mapping[str, Any]) -> int:
    digest = hashlib.blake2b(repr(sorted(texts.items())).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
