"""What a training needs of its data: tokenizers that have learned from it, and its features in files."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from seqloom.build import Builder, Kit
from seqloom.config import parts_of
from seqloom.data.blobs import holder
from seqloom.data.cache import Cache, Source
from seqloom.data.dataset import Dataset
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Examples, file_sha256
from seqloom.data.skipping import ignore, refuse
from seqloom.data.splits import Slot, fragment_of, split_files
from seqloom.jobfile import Job
from seqloom.progress import Watch, unwatched
from seqloom.site import versions
from seqloom.storage import verify_folder, write_folder
from seqloom.task import Example


def training_kit(job: Job, builder: Builder, folder: Path, watch: Watch = unwatched) -> Kit:
    """The job's parts, with the tokenizers that the run saved in ``folder``, or new ones, saved there."""
    if folder.is_dir():
        verify_folder(folder)
        return builder.kit(builder.load_tokenizers(folder))
    data = job.config.data
    bad = ignore if data.on_bad_example == "skip" else refuse  # they are counted as features are read
    examples = Examples(data.train, job.root, builder.slots(), bad, watch, apart=True)
    kit = builder.kit(builder.fit_tokenizers(examples))
    write_folder(folder, lambda aside: builder.save_tokenizers(aside, kit.tokenizers))
    return kit


def training_data(
    job: Job,
    builder: Builder,
    kit: Kit,
    hashes: Mapping[str, str],
    cache: Cache,
    skipped: Path | None = None,
) -> Dataset:
    """The examples of ``data.train`` in files.

    Args:
        job: What to read.
        builder: Knows the job's slots.
        kit: Reads it.
        hashes: Of each data file, by its name.
        cache: Where the features are kept.
        skipped: Where to list the examples that were skipped, should there be any.

    Raises:
        DataError: An example cannot be used, with its file and line; or too many cannot.
    """
    config, slots = job.config, builder.slots()
    split = config.data.train
    skips = config.data.on_bad_example == "skip"
    facts = {
        "files": [[str(file), hashes[str(file)]] for file in split_files(split, job.root)],
        "parts": [part.model_dump(exclude={"weight"}) for part in parts_of(split)],
        "max_length": config.data.max_length,
        "task": config.task.model_dump(),
        "inputs": {slot: part.model_dump() for slot, part in config.inputs.items()},
        "tokenizers": {name: part.model_dump() for name, part in config.tokenizers.items()},
        "learned": {name: tokenizer.state() for name, tokenizer in kit.tokenizers.items()},
        "code": [_code(part) for part in (kit.task, *kit.modalities.values())],
        "versions": versions(builder.catalog),
    }
    if any(slot.files for slot in slots.values()):
        facts["linked"] = _linked(Examples(split, job.root, slots, ignore if skips else refuse), slots)
    source = Source(
        facts,
        Examples(split, job.root, slots, watch=cache.watch, apart=True).located,
        FeatureReader(kit.modalities, kit.task.read_target, config.data.max_length, kit.from_files),
        {slot: kit.tokenizers[name].vocabulary.size for slot, name in builder.token_slots().items()},
        skippable=config.data.bad_examples if skips else None,
        weights=[part.weight for part in parts_of(split)],
    )
    return cache.dataset(source, kit.modalities, skipped)


def _code(part: object) -> list[str]:
    """Hashes of the code that reads: whoever changes a plugin, its version or not, gets new features."""
    kinds = (kind for kind in type(part).__mro__ if kind.__module__ != "builtins")
    return [file_sha256(file) for file in sorted({file for kind in kinds for file in _sources(kind)})]


def _sources(kind: type) -> Iterable[Path]:
    """The file of a class; of a plugin's, all files of the package, as they may read in many."""
    file = Path(inspect.getfile(kind))
    package, _, inner = kind.__module__.partition(".")
    if package == "seqloom" or not inner:
        return [file]
    return file.parents[inner.count(".")].rglob("*.py")


def _linked(examples: Iterable[Example], slots: Mapping[str, Slot]) -> str:
    """A hash of the names, sizes and times of the files that examples name: images, recordings."""
    digest = hashlib.sha256()
    for example in examples:
        for slot, kind in ((slot, kind) for slot, kind in slots.items() if kind.files):
            raw = example.inputs[slot]
            status: Any = holder(raw.removesuffix(fragment_of(raw, kind))).stat()
            digest.update(f"{raw}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()
