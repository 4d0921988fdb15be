"""What front ends make of inputs with layers that never learn: computed once, kept in files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import torch
from filelock import FileLock
from torch import Tensor

from seqloom.data.dataset import Dataset
from seqloom.data.features import Features, ListedFeatures
from seqloom.data.manifest import Located
from seqloom.data.mapped import MappedFeatures, SlotWriter
from seqloom.device import Device
from seqloom.modality import Frontend, Modality
from seqloom.model import Seq2Seq
from seqloom.storage import read_json, storage_errors, write_folder, write_json
from seqloom.task import Example

TOGETHER: Final = 32
"""Inputs that go through a front end at a time."""

LAYOUT: Final = "layout.json"


def fixed_parts(model: Seq2Seq, modalities: Mapping[str, Modality]) -> dict[str, Frontend]:
    """The front ends that begin with layers that never learn, where inputs do not vary either."""
    frontends = {slot: cast("Frontend", model.frontends[slot]) for slot in modalities}
    return {
        slot: frontend
        for slot, frontend in frontends.items()
        if frontend.has_fixed_part and not modalities[slot].varies
    }


def kept_in_memory(dataset: Dataset, parts: Mapping[str, Frontend], device: Device) -> Dataset:
    """A data set with what fixed parts make of its inputs in their place."""
    kept: dict[str, Features] = {
        slot: ListedFeatures(list(_outputs(dataset, slot, part, device))) for slot, part in parts.items()
    }
    return dataset.with_features(kept)


def kept_in_files(dataset: Dataset, parts: Mapping[str, Frontend], device: Device, folder: Path) -> Dataset:
    """Like :func:`kept_in_memory`, for many: in files made once for the same inputs and the same layers.

    Args:
        dataset: In files itself: its key tells which inputs these are.
        parts: By slot, on the device.
        device: Where to compute.
        folder: Where to keep them.

    Raises:
        StorageError: The disk is full or read-only; nothing is left behind.
    """
    kept: dict[str, Features] = {}
    for slot, part in parts.items():
        text = f"{dataset.key} {slot} {device.dtype} {_digest(part)}"
        home = folder / hashlib.sha256(text.encode()).hexdigest()[:32]
        with storage_errors(folder, "make"):
            folder.mkdir(parents=True, exist_ok=True)
        with FileLock(home.with_suffix(".lock")):
            if not home.exists():
                outputs = _outputs(dataset, slot, part, device)
                write_folder(home, lambda aside, s=slot, o=outputs: _write(aside, s, o))  # type: ignore[misc]
        kept[slot] = MappedFeatures(home, slot, read_json(home / LAYOUT))
    return dataset.with_features(kept)


def skip_fixed(parts: Mapping[str, Frontend]) -> None:
    """Has front ends go on from what their fixed parts made."""
    for part in parts.values():
        part.is_given_fixed = True


def _write(folder: Path, slot: str, outputs: Iterator[Tensor]) -> None:
    nowhere = Located(Example(0, {}, None, []))  # these are no ids: nothing is wrong with any of them
    with (folder / f"{slot}.values").open("wb") as values, (folder / f"{slot}.spans").open("wb") as spans:
        writer = SlotWriter(values, spans, slot, None)
        for output in outputs:
            writer.add(output, nowhere)
        writer.flush()
    write_json(folder / LAYOUT, writer.layout())


@torch.inference_mode()
def _outputs(dataset: Dataset, slot: str, part: Frontend, device: Device) -> Iterator[Tensor]:
    """What a part makes of each example's input; the same tensor for those that share one."""
    part.eval()
    last: tuple[int, Tensor] | None = None
    for start in range(0, len(dataset), TOGETHER):
        ids = range(start, min(start + TOGETHER, len(dataset)))
        batch = dataset.collate(ids, seed=0, epoch=0, augment=False).to(device.device)
        with device.autocast():
            made = part.fixed_part(batch.inputs[slot])
        rows = range(len(ids)) if batch.rows is None else batch.rows.tolist()
        values, lengths = made.values.float().cpu(), made.lengths.tolist()
        for id_, row in zip(ids, rows, strict=True):
            owner = id_ if dataset.siblings is None else int(dataset.siblings[id_])
            if last is None or last[0] != owner:
                last = owner, values[row, : lengths[row]].clone()
            yield last[1]


def _digest(part: Frontend) -> str:
    """A hash of the tensors of a front end that never learn."""
    learning = {name for name, parameter in part.named_parameters() if parameter.requires_grad}
    digest = hashlib.sha256()
    state: Mapping[str, Any] = part.state_dict()
    for name, tensor in state.items():
        if name not in learning:
            digest.update(f"{name} {tuple(tensor.shape)} ".encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
