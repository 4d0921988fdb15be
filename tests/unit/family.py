"""Runs and models that came from each other: a teacher, what it predicted, a student of that, and so on."""

from __future__ import annotations

from typing import Any

from seqloom.registry.records import DataFile, Score
from seqloom.registry.store import Registry

FACTS: dict[str, Any] = {
    "name": "de-en",
    "task": "translation",
    "config": {"train": {"steps": 200}},
    "seed": 1,
    "device": "cpu",
    "device_reason": "no GPU was found",
    "versions": {},
}


def sha(sign: str) -> str:
    """A sha256 that can be told from others at a glance."""
    return sign * 64


def file(path: str, sign: str, split: str, **sizes: int) -> DataFile:
    return DataFile(path=path, sha256=sha(sign), split=split, **sizes)


def score(value: float, split: str = "valid", metric: str = "bleu", step: int = 200) -> Score:
    return Score(metric=metric, value=value, split=split, step=step, signature="nrefs:1")


def add_teacher(registry: Registry) -> None:
    """models:/teacher/1 of run ``teaching``, by way of a checkpoint."""
    read = [file("train.de", "a", "train", bytes=1000, rows=20), file("train.en", "b", "train", bytes=900)]
    registry.start_run(**FACTS, id="teaching", kind="train", data=read, folder="/runs/teaching")
    path = "/runs/teaching/checkpoints/00000200"
    registry.add_artefact("teaching", kind="checkpoint", path=path, sha256="c200", size_bytes=5000)
    registry.add_artefact(
        "teaching", kind="samples", path="/runs/teaching/samples.jsonl", sha256="5a", size_bytes=7
    )
    registry.add_model("teacher", "translation", "teaching", "/runs/teaching/model", "m1", [score(30.0)])
    registry.set_alias("teacher", 1, "champion")
    registry.end_run("teaching", "finished")


def add_judgement(registry: Registry, run_id: str, model: str) -> None:
    """An evaluation."""
    read = [file("test.de", "d", "test", bytes=10, rows=2)]
    registry.start_run(**FACTS, id=run_id, kind="evaluate", data=read, model=model)
    scores = [score(28.0, "test", step=100), score(29.5, "test"), score(3.0, "test", "nearest/bleu")]
    registry.add_scores(run_id, [*scores, score(7.25, "test", "wer")])
    registry.end_run(run_id, "finished")


def add_student(registry: Registry) -> None:
    """models:/student/1 of run ``learning``, on what ``telling`` wrote with the teacher."""
    given = file("mono.de", "e", "input", bytes=10, rows=2)
    registry.start_run(**FACTS, id="telling", kind="decode", data=[given], model="models:/teacher/1")
    registry.add_artefact(
        "telling", kind="predictions", path="/elsewhere/mono.en", sha256=sha("f"), size_bytes=77
    )
    registry.end_run("telling", "finished")
    read = [file("mono.de", "e", "train"), file("mono.en", "f", "train", bytes=77)]
    registry.start_run(**FACTS | {"name": "student"}, id="learning", kind="train", data=read)
    registry.add_model("student", "translation", "learning", "/runs/learning/model", "m2", [])
    registry.end_run("learning", "finished")


def add_tuned(registry: Registry, run_id: str, initial: str) -> None:
    """A version of ``tuned``, which began from another model."""
    config = {"model": {"parts": [{"initial": initial}]}}
    read = [file("train.de", "a", "train")]
    registry.start_run(**FACTS | {"name": "tuned", "config": config}, id=run_id, kind="train", data=read)
    registry.add_model("tuned", "translation", run_id, "/models/tuned", "m3", [])


def add_family(registry: Registry) -> None:
    """All of them, and an evaluation of each model."""
    add_teacher(registry)
    add_judgement(registry, "judging", "models:/teacher/1")
    add_student(registry)
    add_tuned(registry, "tuning", "models:/student/1")
    add_judgement(registry, "judging-tuned", "runs:/tuning")
