"""The features of a split in files, made once: training on many examples needs little memory.

A cache is a folder made aside and renamed into its place, named by a hash of all that its content
follows from. Per slot it has ``<slot>.values``, the features of all examples one after another, and
``<slot>.spans``, int64 [N, 2], where those of each begin and end; examples beside each other whose raw
input is the same share theirs. For all of them it has ``lines``, int64 [N], and
``header.json``; where bad examples may be skipped, ``skipped.jsonl`` lists them; where inputs are seen in
the light of others, ``pools.safetensors`` has what these add up to. Token ids take as few bytes as their
vocabulary allows.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, final

from filelock import FileLock

from seqloom.data.batching import Weighed
from seqloom.data.dataset import Dataset
from seqloom.data.features import FeatureReader, FirstOf, PlaceList, Places
from seqloom.data.manifest import Located
from seqloom.data.mapped import MappedFeatures, MappedLines, SlotWriter, int64_bytes
from seqloom.data.pools import Pooling, load_pools, save_pools
from seqloom.data.skipping import Refuse, Skips, refuse
from seqloom.errors import CorruptError, DataError
from seqloom.modality import Modality
from seqloom.progress import Watch, unwatched
from seqloom.storage import read_json, storage_errors, verify_folder, write_folder, write_json

FORMAT = 3
"""Raised when the files change their meaning; older caches are then made anew."""

HEADER = "header.json"
SKIPPED = "skipped.jsonl"
POOLS = "pools.safetensors"


def cache_folder(runs: Path) -> Path:
    """Where caches are: ``SEQLOOM_CACHE``, or ``cache`` in the folder of runs."""
    return Path(os.environ.get("SEQLOOM_CACHE") or runs / "cache").absolute()


@dataclass(frozen=True)
class Source:
    """What a cache is made of.

    Attributes:
        facts: All that the features follow from, JSON-able: hashes of files, names and options of
            parts, what tokenizers have learned.
        examples: Gives what to read, and tells its argument of what cannot be read.
        reader: Reads it.
        sizes: For each slot of token ids, how many ids there are.
        skippable: The share of examples that may be skipped; None where none may.
        weights: How often the examples of each part of the split occur in a pass.
    """

    facts: Mapping[str, Any]
    examples: Callable[[Refuse], Iterable[Located]]
    reader: FeatureReader
    sizes: Mapping[str, int]
    skippable: float | None = None
    weights: Sequence[float] = (1.0,)


@final
class Cache:
    """A folder of caches.

    Args:
        folder: Where they are.
        say: Tells the user a line.
        watch: Watches what is read to make one.
    """

    def __init__(
        self, folder: Path, say: Callable[[str], None] = lambda _: None, watch: Watch = unwatched
    ) -> None:
        self.folder = folder
        self.say = say
        self.watch = watch

    def dataset(
        self, source: Source, modalities: Mapping[str, Modality], skipped: Path | None = None
    ) -> Dataset:
        """A data set in files: those of an earlier time, or made now.

        Args:
            source: What it is made of.
            modalities: What augments each input slot.
            skipped: Where to put the list of skipped examples, should there be any.

        Raises:
            DataError: An example cannot be used, with its file and line; or too many cannot.
            StorageError: The disk is full or read-only; nothing is left behind.
        """
        facts = {"format": FORMAT, "byteorder": sys.byteorder, "skippable": source.skippable}
        text = json.dumps({**facts, **source.facts}, sort_keys=True)
        folder = self.folder / hashlib.sha256(text.encode()).hexdigest()[:32]
        with storage_errors(self.folder, "make"):
            self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not self._is_whole(folder):
                self.say(f"preparing the training data, once, in {folder}")
                write_folder(folder, lambda aside: _write(aside, source, Pooling(modalities)))
        dataset = _open(folder, modalities, source.weights)
        if dataset.skipped and skipped is not None:
            with storage_errors(skipped, "write"):
                shutil.copyfile(folder / SKIPPED, skipped)
        return dataset

    def _is_whole(self, folder: Path) -> bool:
        if not folder.exists():
            return False
        try:
            verify_folder(folder)
        except CorruptError as error:
            self.say(f"the prepared training data is damaged and made anew: {error}")
            shutil.rmtree(folder, ignore_errors=True)
            return False
        return True


# Writing -----------------------------------------------------------------------------------------------


def _write(folder: Path, source: Source, pooling: Pooling) -> None:
    reader, places, count = source.reader, PlaceList(), 0
    with ExitStack() as stack:

        def create(name: str) -> BinaryIO:
            return stack.enter_context((folder / name).open("wb", buffering=1 << 20))

        slots = {
            slot: SlotWriter(
                create(f"{slot}.values"), create(f"{slot}.spans"), slot, source.sizes.get(slot)
            )
            for slot in reader.slots
        }
        lines = create("lines")
        skips = None if source.skippable is None else Skips(create(SKIPPED))
        bad = skips or refuse
        for count, (located, features) in enumerate(reader.read(source.examples(bad), bad), 1):
            pooling.add(located.example.tags, features)
            for slot, values in features.items():
                slots[slot].add(values, located)
            lines.write(int64_bytes(places.add(count - 1, located)))
        for writer in slots.values():
            writer.flush()
        if skips is not None and source.skippable is not None:
            skips.check(count + reader.left_out, source.skippable)
    if count == 0:
        raise DataError("no training example is left; look at data.train")
    header = {
        "count": count,
        "skipped": 0 if skips is None else skips.count,
        "left_out": reader.left_out,
        "slots": {slot: writer.layout() for slot, writer in slots.items()},
        "files": [
            [first.id, {slot: str(file) for slot, file in first.files.items()}, first.part]
            for first in places.firsts
        ],
    }
    write_json(folder / HEADER, header)
    if pools := pooling.pools():
        save_pools(folder / POOLS, pools)


def _open(folder: Path, modalities: Mapping[str, Modality], weights: Sequence[float]) -> Dataset:
    header = read_json(folder / HEADER)
    pools = load_pools(folder / POOLS)
    features = {
        slot: MappedFeatures(folder, slot, layout, pools.get(slot))
        for slot, layout in header["slots"].items()
    }
    firsts = [
        FirstOf(id_, {slot: Path(file) for slot, file in files.items()}, part)
        for id_, files, part in header["files"]
    ]
    dataset = Dataset(
        features,
        modalities,
        Places(MappedLines(folder / "lines"), firsts),
        weights=[Weighed(first.id, weights[first.part]) for first in firsts],
        **{key: header[key] for key in ("count", "left_out", "skipped")},
    )
    dataset.key = folder.name
    return dataset
