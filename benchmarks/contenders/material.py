"""Writes what contenders are given: the same batches, the same sources, the same weights.

Usage: python benchmarks/contenders/material.py JOB FOLDER [--model MODEL] [--sentences 1000]

All of them get token ids: peers know nothing of our tokenizers. The folder then holds ``about.json``, the
model's shape, the special ids and the options of training and decoding, and to train

- ``tokenizers/``: fitted on the job's training data;
- ``batches.safetensors``: the first epoch's batches, ``source.<n>`` and ``target.<n>`` [B, T] int64;
- ``marian.json``: the shape as a MarianConfig has it;
- ``train.source``, ``train.target``, ``valid.source``, ``valid.target``: for peers that make batches of
  their own, a line an example, its ids without EOS as words;

or to decode, with ``--model``,

- ``sources.json``: the ids of the job's test inputs, EOS last, shortest first;
- ``marian/``: the model's weights as Hugging Face's MarianMT has them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

from marian import marian_config, write_marian
from safetensors.torch import save_file

from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.data.batching import epoch_batches
from seqloom.data.dataset import Dataset
from seqloom.data.manifest import Examples, read_examples
from seqloom.jobfile import Job, load_job
from seqloom.predictor import Predictor

VALID_EXAMPLES = 200


class Parts(NamedTuple):
    """What a job's names became, with its training examples in memory."""

    config: Any
    builder: Builder
    kit: Any
    dataset: Dataset
    plan: list[list[int]]


def open_job(job: Job, catalog: Catalog, tokenizers: Path) -> Parts:
    """Reads the training examples and plans the first epoch.

    Args:
        job: The job.
        catalog: What the installed plugins provide.
        tokenizers: Where its tokenizers are; where there is nothing, they are fitted and saved.
    """
    builder, split = Builder(job.config, catalog), job.config.data.train
    if not tokenizers.is_dir():
        fitted = builder.fit_tokenizers(Examples(split, job.root, builder.slots()))
        builder.save_tokenizers(tokenizers, fitted)
    kit = builder.kit(builder.load_tokenizers(tokenizers))
    examples = read_examples(split, job.root, builder.slots())
    dataset = Dataset.load(examples, kit.modalities, kit.task.read_target)
    train = job.config.train
    plan = list(epoch_batches(dataset.lengths, train.batch_elements, train.seed, 0))
    return Parts(job.config, builder, kit, dataset, plan)


def write_training(folder: Path, job: Job, catalog: Catalog) -> dict[str, Any]:
    """What it takes to train; returns what all must know."""
    parts = open_job(job, catalog, folder / "tokenizers")
    batches = {}
    lines: dict[str, list[str]] = {"source": [], "target": []}
    for number, ids in enumerate(parts.plan):
        batch = parts.dataset.collate(ids, seed=0, epoch=0, augment=False)
        assert batch.target is not None
        for slot, padded in (("source", batch.inputs["source"]), ("target", batch.target)):
            batches[f"{slot}.{number}"] = padded.values
            rows = zip(padded.values.tolist(), padded.lengths.tolist(), strict=True)
            lines[slot] += [" ".join(map(str, row[: length - 1])) + "\n" for row, length in rows]
    save_file(batches, folder / "batches.safetensors")
    for slot, written in lines.items():
        (folder / f"train.{slot}").write_text("".join(written))
        (folder / f"valid.{slot}").write_text("".join(written[:VALID_EXAMPLES]))
    told = about(job.config, parts.kit)
    (folder / "marian.json").write_text(json.dumps(marian_config(told)))
    return told


def write_decoding(folder: Path, job: Job, catalog: Catalog, model: Path, sentences: int) -> dict[str, Any]:
    """What it takes to decode; returns what all must know."""
    predictor = Predictor.load(model, catalog, device="cpu")
    modality, slots = predictor.kit.modalities["source"], Builder(job.config, catalog).slots()
    inputs = [
        each.example.inputs["source"] for each in read_examples(job.config.data.test, job.root, slots)
    ]
    ids = [modality.read(text).tolist() for text in inputs[:sentences]]
    (folder / "sources.json").write_text(json.dumps(sorted(ids, key=len)))
    decode, longest = predictor.decode, max(map(len, ids))
    told = {
        **about(predictor.job.config, predictor.kit),
        "length_penalty": decode.length_penalty,
        "limit": int(decode.max_length_factor * longest) + decode.max_length_offset,
    }
    write_marian(folder / "marian", predictor.model.weights(), told)
    return told


def about(config: Any, kit: Any) -> dict[str, Any]:
    """What all must know of a Transformer with as many layers in its decoder as in its encoder."""
    vocabulary = kit.tokenizer("target").vocabulary
    return {
        "width": config.model.width,
        **config.model.encoder.options,
        "vocabulary": vocabulary.size,
        **{name: getattr(vocabulary, name) for name in ("pad", "bos", "eos", "unk")},
        "learning_rate": config.train.learning_rate,
        "warmup": config.train.schedule.warmup,
        "batch_elements": config.train.batch_elements,
    }


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("job", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    given = parser.parse_args()
    catalog = Catalog.from_environment()
    job = load_job(given.job, catalog, given.overrides)
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.model:
        told = write_decoding(given.folder, job, catalog, given.model.absolute(), given.sentences)
        told["model"] = str(given.model.absolute())
    else:
        told = write_training(given.folder, job, catalog)
    told |= {"job": str(given.job.absolute()), "overrides": given.overrides}
    (given.folder / "about.json").write_text(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
