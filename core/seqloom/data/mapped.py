"""Features in files that are mapped into memory: appended one example after another, read in any order."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqloom.data.features import Features
from seqloom.data.manifest import Located
from seqloom.data.pools import Pool
from seqloom.errors import DataError
from seqloom.storage import storage_errors

CHUNK = 1_000_000
"""Examples whose lengths are taken at a time."""

BLOCK, BLOCK_BYTES = 1000, 2**20
"""Examples, and bytes of features, that are written together: for each alone, writing is slow."""

RELEASE_EVERY = 16
"""Examples between two releases of pages: a system may map 2 MiB for each that is touched."""


# Writing -----------------------------------------------------------------------------------------------


@final
class SlotWriter:
    """Appends the features of one slot; those of an example that has the last one's are there already.

    Args:
        values: The file of values.
        spans: The file of spans.
        slot: The slot.
        size: How many ids there are; None where features are no ids.
    """

    def __init__(self, values: BinaryIO, spans: BinaryIO, slot: str, size: int | None) -> None:
        self._values = values
        self._spans = spans
        self._slot = slot
        self._size = size
        self._shape: list[int] = []
        self._wide = self._stored = np.dtype(np.int64)
        self._last: Tensor | None = None
        self._span = (0, 0)  # of the last example
        self._waiting: list[tuple[NDArray[Any], Located]] = []
        self._waiting_spans: list[tuple[int, int]] = []
        self._waiting_bytes = 0

    def add(self, features: Tensor, located: Located) -> None:
        """Appends one example's features, [T, *F]; they may wait for :meth:`flush`."""
        if features is not self._last:
            self._append(features.numpy(), located)
            self._last = features
        self._waiting_spans.append(self._span)
        if len(self._waiting_spans) == BLOCK or self._waiting_bytes >= BLOCK_BYTES:
            self.flush()

    def _append(self, values: NDArray[Any], located: Located) -> None:
        if self._last is None:
            self._begin(values)
        if values.dtype != self._wide:
            found = f"features are {values.dtype}, those of the first example {self._wide}"
            raise self._error(found, located)
        self._waiting.append((values, located))
        self._waiting_bytes += values.nbytes
        end = self._span[1]
        self._span = (end, end + len(values))

    def flush(self) -> None:
        """Writes what waits.

        Raises:
            DataError: An id is none of those that there are, with its file and line.
        """
        if self._waiting:
            block = np.concatenate([values for values, _ in self._waiting])
            self._check_ids(block)
            self._values.write(block.astype(self._stored).tobytes())
        self._spans.write(np.array(self._waiting_spans, dtype=np.int64).tobytes())
        self._waiting.clear()
        self._waiting_spans.clear()
        self._waiting_bytes = 0

    def _begin(self, values: NDArray[Any]) -> None:
        """Takes the first example's features for the measure of all."""
        self._shape = list(values.shape[1:])
        self._wide = values.dtype
        if self._wide != np.int64:
            self._size = None
        self._stored = self._wide if self._size is None else np.min_scalar_type(self._size - 1)

    def _check_ids(self, block: NDArray[Any]) -> None:
        size = self._size
        if size is None or 0 <= block.min() <= block.max() < size:
            return
        for values, located in self._waiting:
            if not 0 <= values.min() <= values.max() < size:
                found = f"token ids from {values.min()} to {values.max()}, and there are {size} tokens"
                raise self._error(found, located)

    def _error(self, found: str, located: Located) -> DataError:
        return DataError(f"{self._slot}: {found}", located.files.get(self._slot), located.line)

    def layout(self) -> dict[str, Any]:
        """What it takes to read them again."""
        return {"shape": self._shape, "stored": self._stored.str, "features": self._wide.str}


def int64_bytes(number: int) -> bytes:
    """A number as the file of lines has it."""
    return number.to_bytes(8, sys.byteorder)


# Reading -----------------------------------------------------------------------------------------------


@final
class MappedFeatures(Features):
    """Features in a file that is mapped into memory; pickles as the file's name.

    Args:
        folder: The cache.
        slot: The slot.
        layout: Its entry in the header: shape F, dtype of the file, dtype of features.
        pool: What they are presented in the light of.
    """

    def __init__(
        self, folder: Path, slot: str, layout: Mapping[str, Any], pool: Pool | None = None
    ) -> None:
        self.pool = pool
        self._arguments = (folder, slot, layout, pool)
        self._dtype = np.dtype(layout["features"])
        self._values = _Mapped(folder / f"{slot}.values", layout["stored"], layout["shape"])
        self._spans = _Mapped(folder / f"{slot}.spans", "int64", [2])

    def __reduce__(self) -> tuple[Any, ...]:
        return MappedFeatures, self._arguments

    def take(self, ids: Sequence[int]) -> list[Tensor]:
        taken = []
        for id_ in ids:
            start, end = self._spans.array[id_].tolist()
            taken.append(torch.from_numpy(self._values.array[start:end].astype(self._dtype)))
            if len(taken) % RELEASE_EVERY == 0 or len(taken) == len(ids):
                self._values.release()
                self._spans.release()
        return taken

    def raise_to_lengths(self, lengths: NDArray[np.int64]) -> None:
        for start in range(0, len(lengths), CHUNK):
            part = lengths[start : start + CHUNK]
            spans = self._spans.array[start : start + CHUNK]
            np.maximum(part, spans[:, 1] - spans[:, 0], out=part)
            self._spans.release()

    def repeats(self) -> NDArray[np.bool]:
        begins = self._spans.array[:, 0]
        found = np.zeros(len(begins), dtype=np.bool)
        for start in range(0, len(begins) - 1, CHUNK):
            part = begins[start : start + CHUNK + 1]
            found[start + 1 : start + len(part)] = part[1:] == part[:-1]
            self._spans.release()
        return found


@final
class MappedLines:
    """The line of each example in a file that is mapped into memory; pickles as the file's name."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lines = _Mapped(file, "int64")

    def __reduce__(self) -> tuple[Any, ...]:
        return MappedLines, (self._file,)

    def __getitem__(self, id_: int, /) -> int:
        return int(self._lines.array[id_])


class _Mapped:
    """A file as an array; what was read of it can be given back to the system."""

    def __init__(self, file: Path, dtype: str, shape: Sequence[int] = ()) -> None:
        with storage_errors(file, "read"), file.open("rb") as stream:
            self._pages = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self.array: NDArray[Any] = np.frombuffer(self._pages, dtype).reshape(-1, *shape)

    def release(self) -> None:
        """Counts no page as this process's any more; the system may keep them, or take them."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._pages.madvise(mmap.MADV_DONTNEED)
