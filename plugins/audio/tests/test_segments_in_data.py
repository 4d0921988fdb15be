"""Parts of recordings, however a data file names them, are read as if they were files of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from sounds import noise, sweep, write

from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Examples
from seqloom.data.skipping import refuse
from seqloom.jobfile import load_job

RATE = 22_050  # so that the parts are resampled, each as if nothing lay beside it
PARTS = [("0.25", "0.75"), ("1", ""), ("", "0.5"), ("", ""), ("0.00001", "0.3"), ("0.9", "7")]
JOB = """
task: translation
data: {train: TRAIN, valid: TRAIN}
inputs: {source: {name: audio}}
tokenizers: {target: byte}
model: {width: 16, encoder: {name: transformer}, decoder: {name: transformer}}
"""
TABLE = "{file: train.%s, columns: {source: [path, start, end], target: text}}"


@pytest.fixture(params=["wav", "flac"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A recording ``whole``, and a file for each of its parts."""
    whole = tmp_path / f"whole.{request.param}"
    write(whole, sweep(1.2, RATE) + 0.1 * noise(1.2, RATE), RATE)
    samples, _ = soundfile.read(whole, dtype="int16")
    for number, (start, end) in enumerate(PARTS):
        part = samples[round(float(start or 0) * RATE) : round(float(end or 9) * RATE)]
        write(tmp_path / f"{number}.{request.param}", part, RATE)
    return tmp_path


def features(root: Path, split: str) -> list[torch.Tensor]:
    """What is read of the training data of a job."""
    (root / "job.yaml").write_text(JOB.replace("TRAIN", split))
    catalog = Catalog.from_environment()
    job = load_job(root / "job.yaml", catalog)
    builder = Builder(job.config, catalog)
    examples = Examples(job.config.data.train, job.root, builder.slots())
    kit = builder.kit(builder.fit_tokenizers(examples))
    reader = FeatureReader(kit.modalities, kit.task.read_target, from_files=kit.from_files)
    return [read.features["source"] for read in reader.read(examples.located(refuse))]


def name(root: Path, stem: object) -> str:
    (file,) = root.glob(f"{stem}.*")
    return file.name


def in_table(root: Path) -> str:
    rows = [f"{name(root, 'whole')}\t{start}\t{end}\tx" for start, end in PARTS]
    (root / "train.tsv").write_text("\n".join(["path\tstart\tend\ttext", *rows]))
    return TABLE % "tsv"


def in_objects(root: Path) -> str:
    """Numbers where there are some: a program would write 1e-05."""
    rows: list[dict[str, Any]] = [
        {"path": name(root, "whole"), "start": float(start) if start else "", "end": end, "text": "x"}
        for start, end in PARTS
    ]
    text = "\n".join(map(json.dumps, rows))
    assert "1e-05" in text
    (root / "train.jsonl").write_text(text)
    return TABLE % "jsonl"


def in_paths(root: Path) -> str:
    fragments = [f"#t={start},{end}" if start or end else "" for start, end in PARTS]
    rows = [f"{name(root, 'whole')}{fragment}\tx" for fragment in fragments]
    (root / "train.tsv").write_text("\n".join(rows))
    return "{file: train.tsv, columns: {source: 0, target: 1}}"


def in_segments(root: Path) -> str:
    """A folder of Kaldi's, whose segments have both a start and an end."""
    (root / "kaldi").mkdir()
    lines = [f"u{number} r {start or 0} {end or 9}" for number, (start, end) in enumerate(PARTS)]
    texts = [f"u{number} x" for number in range(len(PARTS))]
    for file, text in {"wav.scp": [f"r {name(root, 'whole')}"], "segments": lines, "text": texts}.items():
        (root / "kaldi" / file).write_text("\n".join(text))
    return "{file: kaldi, columns: {source: [wav, start, end], target: text}}"


def cut(root: Path) -> str:
    (root / "cut.tsv").write_text("\n".join(f"{name(root, number)}\tx" for number in range(len(PARTS))))
    return "{file: cut.tsv, columns: {source: 0, target: 1}}"


@pytest.mark.parametrize("named", [in_table, in_objects, in_paths, in_segments])
def test_a_part_is_read_as_a_file_of_its_own(named: Any, root: Path) -> None:
    found, wanted = features(root, named(root)), features(root, cut(root))
    assert len(found) == len(wanted) == len(PARTS)
    assert len({len(one) for one in wanted}) > 3
    for ours, theirs in zip(found, wanted, strict=True):
        assert torch.equal(ours, theirs)
