"""Scores by an evaluator are those worked out by hand."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable

import pytest
import torch

from seqloom.batch import Progress
from seqloom.config import DecodeConfig
from seqloom.data.dataset import Dataset
from seqloom.data.manifest import Located
from seqloom.decode import decode_dataset
from seqloom.device import choose_device
from seqloom.errors import ConfigError, Interrupted
from seqloom.evaluate import Evaluator
from seqloom.jobfile import Job
from seqloom.jobs import evaluate_job, train_job
from seqloom.metrics import Exact, Metric
from seqloom.model import Seq2Seq
from seqloom.site import Site, open_model
from seqloom.task import Example, Task
from seqloom.trainer import Trainer

CPU = choose_device("cpu")


@pytest.fixture
def parts(builder: Callable, trainer: Callable[..., Trainer]) -> tuple[Seq2Seq, Task, Dataset]:  # type: ignore[type-arg]
    made = builder()
    examples = [Example(n, {"source": f"{n} 1 2"[: 1 + 2 * n]}, f"2 1 {n}", [f"2 1 {n}"]) for n in range(3)]
    kit = made.kit(made.fit_tokenizers(examples))
    located = [Located(example, line=example.id + 1) for example in examples]
    torch.manual_seed(1)
    return made.model(kit), kit.task, Dataset.load(located, kit.modalities, kit.task.read_target)


def evaluator(parts: tuple[Seq2Seq, Task, Dataset], batch_size: int = 64, **metrics: Metric) -> Evaluator:
    options = DecodeConfig(beam=2, batch_size=batch_size)
    return Evaluator(
        parts[2],
        parts[1],
        metrics,
        decode=options,
        device=CPU,
        split="valid",
        target_signature="token:word",
    )


def test_perplexity_and_accuracy_are_over_all_tokens(parts: tuple[Seq2Seq, Task, Dataset]) -> None:
    model, _, dataset = parts
    scores = {score.metric: score for score in evaluator(parts)(model, 7)}
    model.eval()
    batch = dataset.collate([0, 1, 2], seed=0, epoch=0, augment=False)
    with torch.no_grad():
        loss = model(batch, Progress(0, 0))
    tokens = 3 * 4  # three words and EOS each
    assert scores["ppl"].value == pytest.approx(math.exp(loss.parts["nll"].item() / tokens), rel=1e-5)
    assert scores["accuracy"].value == pytest.approx(100 * loss.parts["correct"].item() / tokens)
    assert (scores["ppl"].split, scores["ppl"].step) == ("valid", 7)
    assert scores["ppl"].signature == "token:word"


def test_texts_are_compared_as_the_task_has_them(
    parts: tuple[Seq2Seq, Task, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """References and what was said alike; it is told what form that is."""
    model, task, dataset = parts
    judge = evaluator(parts, exact=Exact())
    before = {score.metric: score for score in judge(model, 7)}
    assert before["exact"].value == 0
    monkeypatch.setattr(type(task), "normalize", lambda _, text: "same")
    monkeypatch.setattr(type(task), "normalization", "same-1")
    after = {score.metric: score for score in judge(model, 7)}
    assert after["exact"].value == 100
    assert after["ppl"].signature == "token:word|norm:same-1"
    assert after["exact"].signature == before["exact"].signature.replace("|beam", "|norm:same-1|beam")
    (baseline,) = judge.baseline_scores("frequent", ["1"] * len(dataset), 7)
    assert baseline.value == 100
    monkeypatch.setattr(type(task), "normalize", lambda _, text: text.replace("2 1", "x"))
    (baseline,) = judge.baseline_scores("frequent", ["x 0", "2 1 1", "2 1"], 7)
    assert baseline.value == pytest.approx(200 / 3)


def test_a_signature_tells_of_a_shortest_length(parts: tuple[Seq2Seq, Task, Dataset]) -> None:
    judge = evaluator(parts, exact=Exact())
    plain = judge(parts[0], 7)[-1].signature
    judge.decode = judge.decode.model_copy(update={"min_length": 3})
    assert judge(parts[0], 7)[-1].signature == f"{plain}|min:3"
    assert all(len(prediction.hypotheses[0].tokens) >= 3 for prediction in judge.predictions)


def test_batches_change_no_score(parts: tuple[Seq2Seq, Task, Dataset]) -> None:
    one, all_ = (evaluator(parts, size)(parts[0], 0)[0].value for size in (1, 3))
    assert one == pytest.approx(all_, rel=1e-5)


def test_a_signal_ends_it_between_batches(parts: tuple[Seq2Seq, Task, Dataset]) -> None:
    asked: list[None] = []
    judge = evaluator(parts, batch_size=1)
    judge.stop = lambda: asked.append(None) or (signal.SIGTERM if len(asked) == 2 else None)
    with pytest.raises(Interrupted, match="resume the run") as caught:
        judge(parts[0], 7)
    assert caught.value.exit_status == 143
    assert len(asked) == 2


def test_a_hopeless_model_has_infinite_perplexity(parts: tuple[Seq2Seq, Task, Dataset]) -> None:
    model = parts[0]
    model.load_weights({name: 1e4 * (1 + value) for name, value in model.weights().items()})
    assert evaluator(parts)(model, 0)[0].value > 1e100


def test_predictions_are_in_the_data_sets_order(parts: tuple[Seq2Seq, Task, Dataset]) -> None:
    model, task, dataset = parts
    found = decode_dataset(model, task, dataset, DecodeConfig(beam=1, batch_size=2), CPU)
    assert [prediction.example.id for prediction in found] == [0, 1, 2]


def test_each_value_of_a_tag_has_scores_of_its_own(job: Callable[..., Job], site: Site) -> None:
    rows = [("1 2", "2 1", "ann"), ("3 4", "4 3", "bob"), ("1 2", "2 1", "bob")]
    lines = ["\t".join(row) for row in (("source", "target", "who"), *rows)]
    (job().root / "who.tsv").write_text("\n".join(lines) + "\n")
    table = "{file: who.tsv, columns: {source: source, target: target}, tags: {speaker: who}}"
    tagged = (f"data.valid={table}", f"data.test={table}", "evaluate.metrics=[exact, cer]")
    predictor = open_model(train_job(job("train.steps=1", *tagged), site).model.uri, site)
    asked = job(*tagged, "evaluate.by=speaker")
    unscored = job(*tagged, "evaluate.by=speaker", "evaluate.metrics=[]", "evaluate.baselines=[frequent]")
    _, scores, _ = evaluate_job(predictor, site, "test", predictor.decode, unscored)
    assert [score.metric for score in scores] == ["ppl", "accuracy"]
    run, scores, predictions = evaluate_job(predictor, site, "test", predictor.decode, asked)
    values = {score.metric: score.value for score in scores}
    assert list(values)[4:] == [
        *("speaker=ann/exact", "speaker=ann/cer", "speaker=bob/exact", "speaker=bob/cer")
    ]
    lengths = [len("2 1"), len("4 3"), len("2 1")]
    ann, bob = values["speaker=ann/cer"], values["speaker=bob/cer"]
    whole = (ann * lengths[0] + bob * sum(lengths[1:])) / sum(lengths)
    assert values["cer"] == pytest.approx(whole)
    assert {score.metric for score in run.scores} == set(values)
    assert [one.example.tags["speaker"] for one in predictions] == ["ann", "bob", "bob"]
    with pytest.raises(ConfigError, match=r"evaluate\.by: 'who': data\.valid has the tags speaker"):
        job(*tagged, "evaluate.by=who")
    with pytest.raises(ConfigError, match=r"evaluate\.by: 'speaker': data\.valid has no tags"):
        job("evaluate.by=speaker")
