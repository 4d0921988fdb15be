"""What do examples that share a tag's value say together? The sums that their inputs are presented with."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqloom.modality import Modality
from seqloom.storage import load_tensors, save_tensors

ALONE: Final = -1
"""In place of a group's number, for an example that is in none."""


@final
class Pool:
    """Groups of examples, and what the inputs of one slot add up to in each.

    Args:
        groups: [N] int64, the group of each example, or :data:`ALONE`.
        sums: [G, M] float64, of each group.
    """

    def __init__(self, groups: NDArray[np.int64], sums: Tensor) -> None:
        self.groups = groups
        self.sums = sums

    def __call__(self, id_: int) -> Tensor | None:
        """[M], what an example's group adds up to; None where it stands alone."""
        group = int(self.groups[id_])
        return None if group == ALONE else self.sums[group]

    def repeats(self) -> NDArray[np.bool]:
        """[N] whether an example is in the group of the one before it."""
        found = np.zeros(len(self.groups), dtype=np.bool)
        found[1:] = self.groups[1:] == self.groups[:-1]
        return found


@final
class Pooling:
    """Adds up inputs, group by group, as examples come.

    Args:
        modalities: Of each input slot; those that pool nothing are left alone.
    """

    def __init__(self, modalities: Mapping[str, Modality]) -> None:
        self._slots = {
            slot: _Groups(part) for slot, part in modalities.items() if part.pools_by is not None
        }

    def add(self, tags: Mapping[str, str], features: Mapping[str, Tensor]) -> None:
        """Takes an example; to be called in their order.

        Args:
            tags: The example's.
            features: Of each slot; the very tensor of the example before where inputs are the same.
        """
        for slot, groups in self._slots.items():
            groups.add(tags, features[slot])

    def pools(self) -> dict[str, Pool]:
        """That of each slot which has one."""
        return {slot: groups.pool() for slot, groups in self._slots.items()}


class _Groups:
    """Those of one slot."""

    def __init__(self, modality: Modality) -> None:
        self._modality = modality
        self._numbers: dict[str, int] = {}
        self._groups = array("q")
        self._sums: list[Tensor] = []
        self._last: tuple[Tensor | None, int] = None, ALONE

    def add(self, tags: Mapping[str, str], features: Tensor) -> None:
        value = tags.get(self._modality.pools_by or "")
        group = ALONE if value is None else self._numbers.setdefault(value, len(self._numbers))
        self._groups.append(group)
        if group == ALONE or (self._last[0] is features and self._last[1] == group):
            return  # an input that several examples share counts once
        self._last = features, group
        sums = self._modality.sums(features)
        if group == len(self._sums):
            self._sums.append(sums)
        else:
            self._sums[group] = self._sums[group] + sums

    def pool(self) -> Pool:
        sums = torch.stack(self._sums) if self._sums else torch.zeros(0, 0)
        return Pool(np.array(self._groups, dtype=np.int64), sums)


# In files ----------------------------------------------------------------------------------------------


def save_pools(file: Path, pools: Mapping[str, Pool]) -> None:
    """Writes the pools of all slots, as safetensors."""
    groups = {f"{slot}.groups": torch.from_numpy(pool.groups) for slot, pool in pools.items()}
    save_tensors(file, groups | {f"{slot}.sums": pool.sums for slot, pool in pools.items()})


def load_pools(file: Path) -> dict[str, Pool]:
    """Reads what :func:`save_pools` wrote; none where there is no such file."""
    tensors = load_tensors(file) if file.is_file() else {}
    slots = [name.removesuffix(".sums") for name in tensors if name.endswith(".sums")]
    return {slot: Pool(tensors[f"{slot}.groups"].numpy(), tensors[f"{slot}.sums"]) for slot in slots}
