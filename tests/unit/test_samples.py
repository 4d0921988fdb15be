"""Samples show what was found and looked at, and change nothing of a training."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from seqloom.data.splits import Slot
from seqloom.jobfile import Job
from seqloom.jobs import evaluate_job, resume_job, train_job
from seqloom.samples import END, STEPS, Sampled, rounded, shown
from seqloom.site import Site, open_model

RNN = "{name: rnn, layers: 1, hidden: 16, dropout: 0.1}"
RECURRENT = (f"model.encoder={RNN}", f"model.decoder={RNN}", "model.attention=additive")
METRICS = "evaluate.metrics=[bleu]"


def samples(folder: Path | str, step: int) -> list[dict[str, Any]]:
    text = (Path(folder) / "samples" / f"{step}.jsonl").read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("model", "metrics"),
    [((), METRICS), ((), "evaluate.metrics=[]"), (RECURRENT, METRICS)],
    ids=["transformer", "transformer without metrics", "rnn"],
)
def test_samples_are_what_decoding_finds(
    job: Callable[..., Job], site: Site, workplace: Any, model: tuple[str, ...], metrics: str
) -> None:
    trained = train_job(job("train.steps=2", metrics, *model), site)
    found = samples(trained.run.folder, 2)
    sources = workplace.lines("valid.src")
    predictor = open_model(trained.model.uri, site)
    predictions = list(predictor.decode_all(sources, beam=1, attention=True))
    spell = predictor.kit.tokenizers["joint"].decode
    for number, (sample, prediction) in enumerate(zip(found, predictions, strict=True)):
        best, source = prediction.hypotheses[0], sources[number]
        text = {"kind": "text", "text": source, "file": None}
        assert (sample["id"], sample["inputs"]) == (number, {"source": text})
        assert sample["reference"] == workplace.lines("valid.tgt")[number]
        assert sample["prediction"] == predictor.kit.task.text(best)
        assert sample["score"] == pytest.approx(best.score, rel=1e-4)
        assert sample["tokens"] == [spell([token]) for token in best.tokens]
        assert sample["source_tokens"] == [*source.split(), END]
        assert best.attention is not None
        weights = torch.tensor(sample["attention"])
        assert torch.allclose(weights, best.attention[:-1], atol=1e-3)
        assert torch.allclose(weights.sum(1), torch.ones(len(weights)), atol=1e-6)


def test_a_model_without_attention_has_none_to_show(job: Callable[..., Job], site: Site) -> None:
    blind = ("model.attention=null", *RECURRENT[:2])
    for sample in samples(train_job(job("train.steps=1", *blind), site).run.folder, 1):
        assert (sample["source_tokens"], sample["attention"]) == (None, None)
        assert "grid" not in sample


def test_there_are_a_few_of_them(job: Callable[..., Job], site: Site, workplace: Any) -> None:
    for side in ("src", "tgt"):
        (workplace.folder / f"valid.{side}").write_text("1 2\n" * 11)
    run = train_job(job("train.steps=1", METRICS, "decode.batch_size=3"), site).run
    assert [sample["id"] for sample in samples(run.folder, 1)] == list(range(8))


def test_they_change_no_bit_of_a_training(
    job: Callable[..., Job], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = job("train.steps=4", "train.ema=0.9", "evaluate.metrics=[]")
    with_them = train_job(asked, site)
    monkeypatch.setattr(Sampled, "_leave", lambda *_: None)
    without = train_job(asked, site)
    assert not (Path(without.run.folder) / "samples").exists()
    one, other = (Path(trained.model.folder) / "model.safetensors" for trained in (with_them, without))
    assert one.read_bytes() == other.read_bytes()
    assert with_them.scores == without.scores


def test_where_they_cannot_be_made_that_is_said_and_no_more(
    job: Callable[..., Job], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def fail(*_: Any) -> Any:
        raise ValueError("no such luck")

    monkeypatch.setattr(Sampled, "_record", fail)
    trained = train_job(job("train.steps=2"), replace(site, say=said.append))
    assert trained.run.status == "finished"
    assert "no samples of step 2: ValueError: no such luck" in said


def test_a_resumed_training_leaves_those_that_are_there(job: Callable[..., Job], site: Site) -> None:
    """One that is stopped before its second evaluation is over."""
    calls = iter([None, None, 15])
    stopped = replace(site, stop=lambda: next(calls, None))
    with pytest.raises(Exception, match="stopped at step"):
        train_job(job("train.steps=4", "evaluate.every=1"), stopped)
    [run] = site.registry.runs()
    folder = Path(run.folder) / "samples"
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert before
    resume_job(Path(run.folder), site)
    assert before.items() <= {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}.items()
    assert sorted(file.name for file in folder.iterdir()) == [f"{step}.jsonl" for step in range(1, 5)]


def test_of_many_every_other_one_is_kept(tmp_path: Path) -> None:
    for step in range(1, STEPS + 1):
        (tmp_path / f"{step}.jsonl").touch()
    sampled = Sampled(None, {}, {}, tmp_path, pytest.fail)  # type: ignore[arg-type]
    sampled._thin()
    assert len(list(tmp_path.iterdir())) == STEPS
    (tmp_path / f"{STEPS + 1}.jsonl").touch()
    sampled._thin()
    steps = sorted(int(file.stem) for file in tmp_path.iterdir())
    assert steps == list(range(1, STEPS + 2, 2))


def test_an_evaluation_has_samples_of_its_split(
    job: Callable[..., Job], site: Site, workplace: Any
) -> None:
    predictor = open_model(train_job(job("train.steps=1"), site).model.uri, site)
    run, _, _ = evaluate_job(predictor, site, "test", predictor.decode)
    sources = [sample["inputs"]["source"]["text"] for sample in samples(run.folder, predictor.steps)]
    assert sources == workplace.lines("test.src")


# Their parts -------------------------------------------------------------------------------------------


def test_files_are_shown_as_what_they_are(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.touch()
    sound = Slot((".wav",), "t", "audio")
    whole = {"kind": "audio", "text": None, "file": str(file)}
    assert shown(str(file), sound) == whole
    assert shown(f"{file}#t=1.5,4", sound) == whole | {"start_s": 1.5, "end_s": 4.0}
    assert shown(f"{file}#t=,4", sound) == whole | {"end_s": 4.0}
    assert shown(f"{file}#t=npt:4", sound) == whole
    assert shown(str(file), Slot((".wav",), "", "image")) == whole | {"kind": "image"}
    assert shown(str(file), Slot((".wav",))) == {"kind": "text", "text": str(file), "file": None}
    inside = f"{tmp_path}/sounds.tar/a.wav"
    assert shown(inside, sound) == {"kind": "text", "text": inside, "file": None}


def test_rounded_rows_still_make_up_one() -> None:
    generator = torch.Generator().manual_seed(1)
    weights = torch.rand(5, 300, generator=generator).softmax(1)
    rows = rounded(weights)
    assert [round(sum(row), 9) for row in rows] == [1.0] * 5
    assert torch.allclose(torch.tensor(rows), weights, atol=0.02)
    assert rounded(weights[:0]) == []
