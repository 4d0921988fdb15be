"""What the registry knows after commands: from data files over checkpoints and models to prediction files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqloom.data.manifest import file_sha256
from seqloom.registry.records import Run
from seqloom.registry.store import Registry
from seqloom.storage import verify_folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def registry(trained: Any) -> Registry:
    return Registry(trained.registry)


@pytest.fixture
def training(registry: Registry) -> Run:
    [run] = registry.runs("kind = 'train'")
    return run


def newest(registry: Registry, kind: str) -> Run:
    return registry.runs(f"kind = '{kind}'", limit=1)[0]


def test_a_training_is_known_from_its_data_to_its_model(
    trained: Any, registry: Registry, training: Run
) -> None:
    rows = {Path(file.path).name: (file.split, file.rows) for file in training.data}
    assert rows == {
        **dict.fromkeys(("train.src", "train.tgt"), ("train", 600)),
        **dict.fromkeys(("valid.src", "valid.tgt"), ("valid", 20)),
    }
    assert training.environment["command"].endswith("--set=train.batch_elements=512")
    assert training.environment["host"]
    assert training.git.keys() <= {"commit", "branch", "dirty"}
    [checkpoint] = registry.artefacts(training.id)
    assert (checkpoint.kind, checkpoint.sha256) == ("checkpoint", verify_folder(Path(checkpoint.path)))
    kinds = [event.kind for event in registry.events(training.id)]
    assert (kinds[0], kinds[-1], set(kinds[1:-1])) == ("started", "finished", {"best"})
    samples = sorted(Path(training.folder, "samples").iterdir())
    assert [file.name for file in samples] == ["150.jsonl", "300.jsonl"]
    last = [json.loads(line) for line in samples[-1].read_text().splitlines()]
    assert [sample["reference"] for sample in last] == trained.lines("valid.tgt")[:8]
    for sample in last:  # a model that reverses looks at the other end: its samples show it
        best = [row.index(max(row)) for row in sample["attention"]]
        assert len(best) == len(sample["tokens"])
        assert len(sample["attention"][0]) == len(sample["source_tokens"])


def test_a_decoding_into_a_file_is_known_by_it(trained: Any, registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("1 2 3\n4 5\n")
    trained.run("translate", "reverser", "--input", tmp_path / "in.txt", "-o", tmp_path / "out.txt")
    run = newest(registry, "decode")
    [read], [left] = run.data, registry.artefacts(run.id)
    assert (read.path, read.split, read.rows) == (str(tmp_path / "in.txt"), "input", 2)
    assert (left.kind, left.path) == ("predictions", str(tmp_path / "out.txt"))
    assert left.sha256 == file_sha256(tmp_path / "out.txt")
    assert sorted(file.name for file in Path(run.folder).iterdir()) == [".lock", "config.json"]
    saved = json.loads((Path(run.folder) / "config.json").read_text())
    assert saved == {"job": run.config, "data": {read.path: read.sha256}}


def test_a_decoding_to_stdout_is_kept_in_its_folder(
    trained: Any, registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text("1 2 3\n4 5\n")
    read = ("translate", "reverser", "--input", tmp_path / "in.txt", "--format", "jsonl")
    printed = trained.run(*read).stdout
    run = newest(registry, "decode")
    [left] = registry.artefacts(run.id)
    assert (left.kind, left.path) == ("predictions", str(Path(run.folder) / "predictions.jsonl"))
    assert Path(left.path).read_text() == printed


def test_an_evaluation_is_known_by_its_predictions(
    trained: Any, registry: Registry, training: Run, tmp_path: Path
) -> None:
    trained.run("evaluate", f"runs:/{training.id}", "-o", tmp_path / "out.txt", "--batch-size", "50")
    run = newest(registry, "evaluate")
    assert run.model == training.model
    own, users = registry.artefacts(run.id)
    assert (Path(own.path).parent, users.path) == (Path(run.folder), str(tmp_path / "out.txt"))
    lines = [json.loads(line) for line in Path(own.path).read_text().splitlines()]
    assert [line["source"] for line in lines] == trained.lines("test.src")
    assert [line["outputs"][0]["text"] for line in lines] == (tmp_path / "out.txt").read_text().splitlines()
    [samples] = Path(run.folder, "samples").iterdir()
    assert samples.name == "300.jsonl"
