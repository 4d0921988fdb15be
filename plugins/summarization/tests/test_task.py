"""Summarization as a task: pieces and their summaries, lengths, the lead, presets, the job."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqloom.batch import Hypothesis
from seqloom.catalog import Catalog
from seqloom.config import DecodeConfig
from seqloom.errors import UsageError
from seqloom.jobfile import load_job
from seqloom.modality import Modality
from seqloom.task import Example
from seqloom.testing import TaskContract
from seqloom.tokenizer import WordTokenizer
from seqloom_summarization import SummarizeFlags
from seqloom_summarization.presets import JOB, PRESETS
from seqloom_summarization.task import Summarization
from seqloom_text.modality import TextModality

TEXT = "A dog ran. A cat sat.\nThe dog was red. The cat was not."


def tokenizer() -> WordTokenizer:
    made = WordTokenizer(normalization="nfc", size=None, min_count=1)
    made.fit([TEXT, "a dog ran", "red"])
    return made


def build(piece: int | None = None) -> Summarization:
    return Summarization(tokenizer(), piece)


class TestContract(TaskContract):
    module = "seqloom_summarization"
    flags = SummarizeFlags
    baselines = ("lead",)

    def build(self) -> Summarization:
        return build(piece=6)

    def inputs(self, tmp_path: Path) -> dict[str, str]:
        return {"source": TEXT}

    def targets(self) -> list[str]:
        return ["a dog ran", "red"]


@pytest.fixture
def modalities() -> dict[str, Modality]:
    return {"source": TextModality(tokenizer())}


def hypothesis(task: Summarization, text: str, score: float = -1.0) -> Hypothesis:
    tokens = tuple(task.tokenizer.encode(text))
    return Hypothesis(tokens=tokens, score=score, token_scores=(-0.5,) * (len(tokens) + 1))


def pieces(task: Summarization, modalities: dict[str, Modality], **flags: int) -> list[str]:
    found = task.pieces({"source": TEXT}, SummarizeFlags(**flags), modalities)
    return [piece["source"] for piece in found]


def test_a_long_document_is_cut_where_the_job_or_the_user_says(modalities: dict[str, Modality]) -> None:
    halves = TEXT.split("\n")
    assert pieces(build(), modalities) == [TEXT]
    assert pieces(build(14), modalities) == [TEXT]
    assert pieces(build(8), modalities) == halves
    assert pieces(build(), modalities, piece=8) == halves
    assert pieces(build(8), modalities, piece=4) == [
        "A dog ran.",
        "A cat sat.",
        "The dog was red.",
        "The cat was not.",
    ]


def test_no_piece_is_longer_than_what_is_read() -> None:
    assert pieces(build(14), {"source": TextModality(tokenizer(), 8)}) == TEXT.split("\n")


def test_inputs_that_are_no_text_are_not_cut(modalities: dict[str, Modality]) -> None:
    assert pieces(build(4), {}) == [TEXT]
    with pytest.raises(UsageError, match="--piece cuts texts"):
        pieces(build(), {}, piece=4)


def test_summaries_of_pieces_are_joined_in_their_order(modalities: dict[str, Modality]) -> None:
    task = build(8)
    results = [
        [
            hypothesis(task, "a dog ran", -1.0),
            hypothesis(task, "A dog", -3.0),
            hypothesis(task, "dog", -4.0),
        ],
        [hypothesis(task, "red", -2.0), hypothesis(task, "", -2.5)],
    ]
    found = task.join([{"source": half} for half in TEXT.split("\n")], results, modalities)
    assert [task.text(one) for one in found] == ["a dog ran red", "A dog"]
    assert [one.score for one in found] == [-1.5, -2.75]
    record = task.render(found[0], Example(0, {"source": TEXT}, None, []))
    assert (record["text"], record["pieces"]) == ("a dog ran red", ["a dog ran", "red"])
    assert record["tokens"] == ["a", "dog", "ran", "red"]
    assert len(record["token_scores"]) == 6


def test_lengths_are_in_tokens_without_the_end() -> None:
    asked = build().configure(SummarizeFlags(min_length=3, max_length=9), DecodeConfig())
    assert (asked.min_length, asked.max_length_factor, asked.max_length_offset) == (3, 0.0, 10)
    with pytest.raises(UsageError, match="--min-length 9 is more than --max-length 3"):
        build().configure(SummarizeFlags(min_length=9, max_length=3), DecodeConfig())


def test_the_lead_is_the_first_sentence() -> None:
    assert build().baseline("lead").answer(Example(0, {"source": TEXT}, None, [])) == "A dog ran."
    with pytest.raises(NotImplementedError, match="no baseline 'tail'"):
        build().baseline("tail")


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_load(preset: str, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    assert "preset: lstm " in JOB
    file.write_text(JOB.replace("preset: lstm ", f"preset: {preset} "), encoding="utf-8")
    config = load_job(file, Catalog.from_environment()).config
    assert config.evaluate.best == "rougel"
    assert config.tokenizers["joint"].options["normalization"] == "casefold"
    assert config.task.options["piece"] == config.inputs["source"].options["max_tokens"]
    assert (config.model.attention is not None) == (preset == "lstm")
    assert config.model.decoder is not None
    assert config.model.decoder.options.get("copying", False) == (preset == "lstm")
