"""A stream of inputs is decoded chunk by chunk, in order, and pieces are joined again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from seqloom.batch import Hypothesis
from seqloom.build import Builder, Kit
from seqloom.config import DecodeConfig
from seqloom.data.manifest import Located
from seqloom.decode import CHUNK_BATCHES, decode_stream
from seqloom.device import choose_device
from seqloom.model import Seq2Seq
from seqloom.task import Example


def located(texts: Sequence[str]) -> Iterator[Located]:
    for number, text in enumerate(texts):
        yield Located(Example(number, {"source": text}, None, []), line=number + 1)


@pytest.fixture
def parts(builder: Callable[..., Builder]) -> tuple[Seq2Seq, Kit]:
    made = builder()
    texts = [Example(0, {"source": "1 2 3 4 5"}, "1 2 3 4 5", ["1"])]
    kit = made.kit(made.fit_tokenizers(texts))
    return made.model(kit), kit


def stream(parts: tuple[Seq2Seq, Kit], inputs: Iterator[Located], batch_size: int = 1) -> Any:
    options = DecodeConfig(beam=1, batch_size=batch_size, max_length_factor=0, max_length_offset=2)
    model, kit = parts
    return decode_stream(model, kit.task, kit.modalities, inputs, options, choose_device("cpu"))


def test_a_stream_reads_no_more_than_a_chunk_ahead(parts: tuple[Seq2Seq, Kit]) -> None:
    read = []

    def endless() -> Iterator[Located]:
        while True:
            read.append(len(read))
            yield Located(Example(len(read) - 1, {"source": "1 2"}, None, []), line=len(read))

    predictions = stream(parts, endless())
    assert next(predictions).example.id == 0
    assert len(read) == CHUNK_BATCHES


def test_order_is_kept_over_chunks(parts: tuple[Seq2Seq, Kit]) -> None:
    texts = [" ".join("12345"[: 1 + n % 5]) for n in range(2 * CHUNK_BATCHES + 3)]
    found = list(stream(parts, located(texts)))
    assert [prediction.example.inputs["source"] for prediction in found] == texts


def test_pieces_are_decoded_and_joined(parts: tuple[Seq2Seq, Kit], monkeypatch: pytest.MonkeyPatch) -> None:
    task = parts[1].task

    def join(pieces: Sequence[Any], results: Sequence[list[Hypothesis]]) -> list[Hypothesis]:
        assert len(pieces) == len(results)
        tokens = tuple(token for result in results for token in result[0].tokens)
        return [Hypothesis(tokens=tokens, score=float(len(results)), token_scores=())]

    whole = {p.example.inputs["source"]: p for p in stream(parts, located(["1 2", "3", "5 4"]))}
    monkeypatch.setattr(task, "pieces", lambda raw: [{"source": s} for s in raw["source"].split(" | ")])
    monkeypatch.setattr(task, "join", join)
    first, second = stream(parts, located(["1 2 | 3", "5 4"]), batch_size=2)
    assert first.example.inputs["source"] == "1 2 | 3"
    assert (first.hypotheses[0].score, second.hypotheses[0].score) == (2, 1)
    wanted = [*whole["1 2"].hypotheses[0].tokens, *whole["3"].hypotheses[0].tokens]
    assert list(first.hypotheses[0].tokens) == wanted
