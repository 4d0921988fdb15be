"""Translation as a task: targets, records, pictures, presets and the demo's files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqloom.batch import Hypothesis
from seqloom.catalog import Catalog
from seqloom.config import DecodeConfig
from seqloom.errors import DataError, UsageError
from seqloom.hooks import DemoRequest
from seqloom.jobfile import load_job
from seqloom.task import Example, Prediction
from seqloom.testing import TaskContract
from seqloom.tokenizer import WordTokenizer
from seqloom_translation import TranslateFlags, demo
from seqloom_translation.presets import JOB
from seqloom_translation.task import Translation

EXAMPLE = Example(0, {"source": "ein Hund läuft"}, None, [])


def build() -> Translation:
    tokenizer = WordTokenizer(normalization="nfc", size=None, min_count=1)
    tokenizer.fit(["ein Hund läuft", "a dog runs"])
    return Translation(tokenizer)


class TestContract(TaskContract):
    module = "seqloom_translation"
    flags = TranslateFlags

    def build(self) -> Translation:
        return build()

    def inputs(self, tmp_path: Path) -> dict[str, str]:
        return EXAMPLE.inputs

    def targets(self) -> list[str]:
        return ["a dog runs", "a dog"]


@pytest.fixture
def task() -> Translation:
    return build()


def hypothesis(task: Translation, attention: torch.Tensor | None = None) -> Hypothesis:
    tokens = tuple(task.tokenizer.encode("a dog"))
    return Hypothesis(tokens=tokens, score=-0.5, token_scores=(-0.1, -0.2, -0.3), attention=attention)


def test_a_target_is_its_tokens_with_eos_last(task: Translation) -> None:
    ids = task.read_target("a dog runs").tolist()
    assert ids == [*task.tokenizer.encode("a dog runs"), task.tokenizer.vocabulary.eos]
    with pytest.raises(DataError, match="the target holds no token"):
        task.read_target(" ")


def test_a_record_has_text_score_and_tokens(task: Translation) -> None:
    assert task.render(hypothesis(task), EXAMPLE) == {
        "text": "a dog",
        "score": -0.5,
        "tokens": ["a", "dog"],
        "token_scores": [-0.1, -0.2, -0.3],
    }


def test_a_line_is_one_piece(task: Translation) -> None:
    assert task.pieces(EXAMPLE.inputs, TranslateFlags(), {}) == [EXAMPLE.inputs]


def test_attention_is_asked_for_where_a_picture_is(task: Translation) -> None:
    assert task.configure(TranslateFlags(attention="here"), DecodeConfig()).attention


def test_a_picture_is_drawn(task: Translation, tmp_path: Path) -> None:
    found = hypothesis(task, torch.full((3, 4), 0.25))
    files = task.deliver(
        [Prediction(EXAMPLE, [found])], TranslateFlags(attention=str(tmp_path / "deep" / "er")), {}
    )
    assert files == [str(tmp_path / "deep" / "er" / "0001.png")]
    assert Path(files[0]).read_bytes().startswith(b"\x89PNG")


def test_there_is_no_picture_without_attention(task: Translation, tmp_path: Path) -> None:
    prediction = Prediction(EXAMPLE, [hypothesis(task)])
    with pytest.raises(UsageError, match="no attention to draw"):
        task.deliver([prediction], TranslateFlags(attention=str(tmp_path)), {})


@pytest.mark.parametrize("preset", ["tiny", "small", "base"])
def test_presets_load(preset: str, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(JOB.replace("preset: tiny", f"preset: {preset}"), encoding="utf-8")
    config = load_job(file, Catalog.from_environment()).config
    assert config.model.width % config.model.encoder.options["heads"] == 0
    assert config.evaluate.best == "bleu"


def test_the_demo_writes_a_corpus_without_leaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "TRAIN", 300)
    monkeypatch.setattr(demo, "VALID", 10)
    monkeypatch.setattr(demo, "TEST", 20)
    made = demo.make_demo(DemoRequest(folder=str(tmp_path), seed=1))
    learned, asked = (set((tmp_path / f"{name}.es").read_text().splitlines()) for name in ("train", "test"))
    assert (len(learned), len(asked), len(learned & asked)) == (300, 20, 0)
    assert made.facts["test targets that occur in training"] == "0"
    assert float(made.facts["BLEU of copying the nearest training target"]) < 50
    assert load_job(Path(made.job), Catalog.from_environment()).config.name == "demo-translation"
