"""The checkpoints of a training: all that it needs to go on as if it had never stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqloom.errors import CorruptError, StorageError
from seqloom.storage import (
    discard_folder,
    load_tensors,
    read_json,
    recover_folders,
    save_tensors,
    verify_folder,
    write_folder,
    write_json,
)

LEARNING = "learning.safetensors"


class Checkpoints:
    """The checkpoints of one run: ``<folder>/<step>/``, each whole or absent.

    Args:
        folder: Where they are.
        say: Told of each that is damaged.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self.folder = folder
        self.say = say

    def recover(self) -> None:
        """Clears away what a killed process left."""
        recover_folders(self.folder)

    def path(self, step: int) -> Path:
        """Where the checkpoint of a step is, or would be."""
        return self.folder / f"{step:08d}"

    def steps(self) -> list[int]:
        """The steps that have one, in order."""
        if not self.folder.is_dir():
            return []
        return sorted(int(path.name) for path in self.folder.iterdir() if path.name.isdecimal())

    def save(
        self,
        step: int,
        weights: Mapping[str, Tensor],
        optimizer: torch.optim.Optimizer,
        state: Any,
        learning: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Saves all that a training needs to go on from here.

        Args:
            step: Optimiser steps done.
            weights: Those that are judged.
            optimizer: Its state is saved, too.
            state: What else there is, as JSON has it.
            learning: The weights that the optimiser changes, where those judged are others.
        """
        tensors, description = _optimizer_state(optimizer)

        def write(folder: Path) -> None:
            save_tensors(folder / "model.safetensors", weights)
            if learning is not None:
                save_tensors(folder / LEARNING, learning)
            save_tensors(folder / "optimizer.safetensors", tensors)
            write_json(folder / "state.json", {"training": state, "optimizer": description})

        write_folder(self.path(step), write)

    def newest(self) -> int:
        """The newest step whose checkpoint is whole.

        Raises:
            StorageError: There is none.
        """
        steps = self.steps()
        for step in reversed(steps):
            if self.is_whole(step):
                return step
        reason = "all are damaged; start a new run" if steps else "none was saved"
        raise StorageError(f"{self.folder}: there is no checkpoint to go on from: {reason}")

    def is_whole(self, step: int) -> bool:
        """Whether the checkpoint of a step is what was saved; where not, says what is wrong."""
        try:
            verify_folder(self.path(step))
        except CorruptError as error:
            self.say(f"the checkpoint of step {step} is passed over: {error}")
            return False
        return True

    def weights(self, step: int) -> dict[str, Tensor]:
        """The weights that were judged at a step.

        Raises:
            CorruptError: The checkpoint is not what was saved.
        """
        verify_folder(self.path(step))
        return load_tensors(self.path(step) / "model.safetensors")

    def learning_weights(self, step: int) -> dict[str, Tensor]:
        """The weights that a training goes on with from a step.

        Raises:
            CorruptError: The checkpoint is not what was saved.
        """
        judged, file = self.weights(step), self.path(step) / LEARNING
        return load_tensors(file) if file.exists() else judged

    def restore(self, step: int, optimizer: torch.optim.Optimizer) -> Any:
        """Puts the optimiser back to where it was, and returns the state that was saved."""
        saved = read_json(self.path(step) / "state.json")
        tensors = load_tensors(self.path(step) / "optimizer.safetensors")
        _restore_optimizer(optimizer, tensors, saved["optimizer"])
        return saved["training"]

    def prune(self, keep: set[int]) -> None:
        """Removes all checkpoints but those of the steps given."""
        for step in self.steps():
            if step not in keep:
                discard_folder(self.path(step))


def _optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], Any]:
    state = optimizer.state_dict()
    tensors = {
        f"{index}.{key}": value
        for index, entries in state["state"].items()
        for key, value in entries.items()
        if isinstance(value, Tensor)
    }
    return tensors, state["param_groups"]


def _restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], groups: Any
) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": groups})
