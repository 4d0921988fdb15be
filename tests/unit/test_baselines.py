"""Answers without a model: the nearest example's target, the most frequent one, those of a task."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seqloom.baselines import Frequent, baseline_answers
from seqloom.catalog import Catalog
from seqloom.data.dataset import Dataset
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Located
from seqloom.errors import DataError
from seqloom.jobfile import Job, load_job
from seqloom.jobs import evaluate_job, train_job
from seqloom.modality import Modality
from seqloom.site import Site, open_model
from seqloom.task import Baseline, Example


class Bytes(Modality):
    """A number is a position of one byte."""

    def read(self, raw: str) -> torch.Tensor:
        if raw == "bad":
            raise DataError("bad")
        return torch.tensor([[int(word)] for word in raw.split()], dtype=torch.uint8)

    def augment(self, features: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        raise NotImplementedError

    def frontend(self, width: int, embedding: Any) -> Any:
        raise NotImplementedError


class Halves(Bytes):
    """Seen in another form than they are kept: each position twice, as a share of 255."""

    def present(self, features: torch.Tensor, generator: Any, sums: Any = None) -> torch.Tensor:
        assert generator is None
        return features.repeat_interleave(2, 0) / 255


def rows(*pairs: tuple[str, list[str]]) -> list[Located]:
    return [
        Located(Example(id_, {"source": source}, targets[0], targets), line=id_ + 1)
        for id_, (source, targets) in enumerate(pairs)
    ]


def answers(
    names: list[str],
    asked: list[str],
    *training: tuple[str, list[str]],
    modality: Modality | None = None,
    **options: Any,
) -> Any:
    modalities = {"source": modality or Bytes()}
    dataset = Dataset.load(rows(*((text, ["?"]) for text in asked)), modalities, None)
    return baseline_answers(names, dataset, rows(*training), FeatureReader(modalities, None), **options)


def test_the_nearest_of_equal_shape_answers() -> None:
    training = [
        ("0 0", ["black"]),
        ("255 255", ["white"]),
        ("10 10", ["dark"]),
        ("9 9 9", ["dark", "three"]),
    ]
    found = answers(["nearest"], ["1 0", "250 200", "9 8", "0 0 0", "5"], *training)
    assert found == {"nearest": ["black", "white", "dark", "dark", "dark"]}  # none has one position


def test_what_is_compared_is_what_a_batch_has_of_both() -> None:
    training = [("0 0", ["black"]), ("255 255", ["white"]), ("9", ["one"])]
    found = answers(["nearest"], ["1 0", "250 200", "200"], *training, modality=Halves())
    assert found == {"nearest": ["black", "white", "one"]}


def test_the_most_frequent_target_counts_all_references() -> None:
    training = [("0", ["a", "b"]), ("1", ["c"]), ("2", ["c", "b", "b"])]
    assert answers(["frequent"], ["9", "7"], *training) == {"frequent": ["b", "b"]}


class Diary(Baseline):
    """Says what it was told, and what it is asked."""

    def __init__(self) -> None:
        self.told: list[str | None] = []

    def learn(self, example: Example) -> None:
        self.told.append(example.target)

    def answer(self, example: Example) -> str:
        assert (example.target, example.references) == (None, [])
        return f"{self.told} {example.inputs['source']}"


def test_others_are_told_all_training_before_they_are_asked() -> None:
    training = [("0", ["a", "b"]), ("1", ["c"])]
    for names in (["diary"], ["nearest", "diary"]):
        found = answers(names, ["9", "7"], *training, others={"diary": Diary()})
        assert list(found) == names
        assert found["diary"] == ["['a', 'c'] 9", "['a', 'c'] 7"]


def tagged(target: str, **tags: str) -> Example:
    return Example(0, {"source": "1"}, target, [target], tags)


def test_the_most_frequent_target_of_a_tags_value() -> None:
    baseline = Frequent(by="service")
    for service, target in (("taxi", "yes"), ("taxi", "when?"), ("hotel", "no"), ("taxi", "when?")):
        baseline.learn(tagged(target, service=service))
    assert [baseline.answer(tagged("", service=name)) for name in ("hotel", "taxi", "bank")] == [
        *("no", "when?"),
        "when?",  # of all: training has no bank
    ]
    with pytest.raises(DataError, match="most frequent target of each service, and there is no such tag"):
        baseline.answer(tagged("", speaker="ann"))


def test_a_job_may_ask_for_the_most_frequent_target_of_a_tags_value(
    job: Callable[..., Job], site: Site
) -> None:
    rows = {
        "train": [("1", "one", "ann"), ("2", "two", "bob"), ("3", "two", "bob"), ("4", "one", "ann")],
        "test": [("5", "one", "ann"), ("6", "two", "bob"), ("7", "one", "eve"), ("8", "two", "eve")],
    }
    splits = []
    for name, file in (("train", "train"), ("valid", "test"), ("test", "test")):
        lines = ["\t".join(row) for row in (("source", "target", "who"), *rows[file])]
        Path(job().root, f"{name}-who.tsv").write_text("\n".join(lines) + "\n")
        columns = "columns: {source: source, target: target}, tags: {speaker: who}"
        splits.append(f"data.{name}={{file: {name}-who.tsv, {columns}}}")
    asked = job(
        *("train.steps=1", "evaluate.metrics=[exact]", *splits),
        "evaluate.baselines=[frequent, 'frequent:speaker']",
    )
    predictor = open_model(train_job(asked, site).model.uri, site)
    run, scores, _ = evaluate_job(predictor, site, "test", predictor.decode)
    values = {score.metric: score.value for score in scores}
    assert (values["frequent/exact"], values["frequent:speaker/exact"]) == (50, 75)
    assert site.registry.runs(where="frequent:speaker/exact > 70")[0].id == run.id


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)

    def some(count: int) -> list[str]:
        return [" ".join(str(rng.randrange(256)) for _ in range(rng.choice([3, 9]))) for _ in range(count)]

    asked, training = some(30), [(text, [f"{number}"]) for number, text in enumerate(some(70))]
    whole = answers(["nearest"], asked, *training)["nearest"]
    monkeypatch.setattr("seqloom.baselines.BLOCK", 7)
    assert answers(["nearest"], asked, *training)["nearest"] == whole
    for text, answer in zip(asked, whole, strict=True):
        numbers = [int(word) for word in text.split()]
        distances = {
            target: sum((a - int(b)) ** 2 for a, b in zip(numbers, other.split(), strict=True))
            for other, (target,) in training
            if len(other.split()) == len(numbers)
        }
        assert distances[answer] == min(distances.values())


def test_bad_training_examples_are_told_of() -> None:
    training = [("bad", ["x"]), ("1", ["y"])]
    with pytest.raises(DataError, match="source: bad"):
        answers(["nearest"], ["1"], *training)
    told: list[DataError] = []
    assert answers(["nearest"], ["1"], *training, bad=told.append) == {"nearest": ["y"]}
    assert len(told) == 1


def test_they_stand_beside_the_model(job: Callable[..., Job], site: Site) -> None:
    asked = job("train.steps=1", "evaluate.metrics=[bleu, chrf]", "evaluate.baselines=[nearest, frequent]")
    predictor = open_model(train_job(asked, site).model.uri, site)
    run, scores, _ = evaluate_job(predictor, site, "test", predictor.decode)
    values = {score.metric: score for score in scores}
    assert list(values) == [
        *("ppl", "accuracy", "bleu", "chrf"),
        *("nearest/bleu", "nearest/chrf", "frequent/bleu", "frequent/chrf"),
    ]
    assert 0 < values["frequent/chrf"].value < 100
    assert values["nearest/bleu"].signature.endswith("|baseline:nearest")
    assert {score.metric for score in run.scores} == set(values)
    assert any(file.path.endswith("train.src") for file in run.data)
    assert site.registry.runs(where="frequent/chrf > 0 and nearest/chrf >= 0")
    itself = job("data.test={source: train.src, target: train.tgt}", *(
        "evaluate.metrics=[chrf]", "evaluate.baselines=[nearest]"))  # fmt: skip
    _, scores, _ = evaluate_job(predictor, site, "test", predictor.decode, itself)
    assert {score.metric: score.value for score in scores}["nearest/chrf"] == pytest.approx(100)


TASK = """
from seqloom.hooks import NoOptions, Options, TaskSpec, hookimpl

seqloom_api = 1

class SayOptions(Options):
    said: str = "one"

def load():
    from seqloom.task import Baseline, TextTask

    class Always(Baseline):
        def __init__(self, text):
            self.text = text

        def answer(self, example):
            return self.text

    class Say(TextTask):
        configure = deliver = None

        def baseline(self, name):
            return Always(f"{name} {self.said}")

    def build(options, tokenizer):
        task = Say(tokenizer)
        task.said = options.said
        return task

    return build

@hookimpl
def seqloom_tasks():
    return [TaskSpec(name="say", summary="Says", options=SayOptions, verb="say", flags=NoOptions,
                     inputs={"source": "text"}, presets={}, load=load, baselines=["always"])]
"""


def test_a_task_has_baselines_of_its_own(
    install: Callable[..., Path], job: Callable[..., Job], site: Site
) -> None:
    install("say", TASK)
    catalog = Catalog.discover()
    trained = job("train.steps=1", "evaluate.metrics=[exact]")
    predictor = open_model(train_job(trained, site).model.uri, site)
    Path(trained.root, "test.tgt").write_text("always two\n" * 6)
    with_its_own = Site(catalog, site.registry, site.runs)
    for said, value in (("one", 0), ("two", 100)):
        asked = load_job(
            trained.path,
            catalog,
            [
                f"task={{name: say, said: {said}}}",
                "evaluate.metrics=[exact]",
                "evaluate.baselines=[always]",
            ],
        )
        _, scores, _ = evaluate_job(predictor, with_its_own, "test", predictor.decode, asked)
        assert {score.metric: score.value for score in scores}["always/exact"] == value
